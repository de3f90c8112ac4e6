"""What an OAuth 2 client gets for a password, a refresh token or an API key; refusals in the words of RFC 6749 §5.2."""

from hub_api.auth import api_keys, audit, schemas, sessions, signin
from hub_api.auth.identify import open_door
from hub_api.auth.openid.errors import InvalidClient, OAuthError
from hub_api.auth.sessions import Opened
from hub_api.auth.signin import Challenge
from hub_api.auth.tokens import ACCESS_S
from hub_api.errors import Unauthorized
from hub_api.platform.services import Services


async def of_person(services: Services, username: str, password: str, otp: str | None) -> schemas.Tokens:
    """A session of the user, as signing in gives it. Raises OAuthError, TooMany, Unavailable."""
    try:
        result = await signin.sign_in(services, username, password, transport="bearer")
        if isinstance(result, Challenge):
            if otp is None:
                raise OAuthError("invalid_grant", "this user has a second factor: send its code as `otp`")
            result = await signin.answer(services, result.token, "totp", otp)
    except Unauthorized as error:
        raise OAuthError("invalid_grant", error.message) from None
    return await bearer(services, result.session)


async def of_refresh(services: Services, refresh_token: str) -> schemas.Tokens:
    """The next tokens of a session. Raises OAuthError, also for a token that was used: its session has ended then."""
    try:
        opened = await sessions.refresh(services, refresh_token)
    except Unauthorized as error:
        raise OAuthError("invalid_grant", error.message) from None
    return await bearer(services, opened)


async def of_client(services: Services, client_id: str, client_secret: str | None, scope: str | None) -> schemas.Tokens:
    """An access token of an API key, for all or some of its scopes. Raises OAuthError."""
    try:
        key = await api_keys.find(services.db, client_secret or "")
    except Unauthorized:
        raise InvalidClient from None
    if client_id not in ("", str(key.id)):
        raise InvalidClient
    if scope is not None and (beyond := [one for one in scope.split() if not key.may(one)]):
        raise OAuthError("invalid_scope", f"this client has not: {' '.join(beyond)}")
    door = await services.shared(open_door)
    granted = " ".join(sorted(key.permissions)) if scope is None else scope
    async with services.transaction() as tx:
        await audit.write(tx, key, "signin.succeeded", "key", key.id, detail={"scopes": granted.split()})
    token = await door.keyring.sign("access", {"sub": str(key.id), "scope": granted}, lives_s=ACCESS_S)
    return schemas.Tokens(access_token=token, scope=granted)


async def bearer(services: Services, opened: Opened) -> schemas.Tokens:
    """The tokens of a session whose holder is no browser of ours."""
    door = await services.shared(open_door)
    return schemas.Tokens(access_token=await door.access_token(opened), refresh_token=opened.refresh_token)

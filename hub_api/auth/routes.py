"""Signing in and out: for people in a browser, for people's programs, for programs by themselves."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, Form, Header, Request, Response

from hub_api.auth import api_keys, audit, cookies, message_codes, schemas, sessions, signin, users
from hub_api.auth.decide import anyone, require
from hub_api.auth.guard import Guard
from hub_api.auth.identify import CSRF_HEADER, DEVICE_COOKIE, REFRESH_COOKIE, open_door
from hub_api.auth.permissions import OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.auth.sessions import Opened
from hub_api.auth.signin import Challenge, SignedIn
from hub_api.auth.tokens import ACCESS_S
from hub_api.errors import Invalid, Unauthorized
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/auth", tags=["sign-in"])

Hub = Annotated[Services, Depends(get_services)]
Device = Annotated[str | None, Cookie(alias=DEVICE_COOKIE, max_length=200)]
OPEN = Depends(anyone)

REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "`wrong_credentials`: which part is wrong is not told"},
    429: {"description": "`too_many_requests`: Retry-After tells when to try again"},
    503: {"description": "`unavailable`: attempts cannot be counted for a moment"},
}


@router.post("/login", dependencies=[OPEN], responses=REFUSED, summary="Sign in")
async def post_login(
    services: Hub, request: Request, response: Response, body: schemas.SignIn, device: Device = None
) -> schemas.Tokens:
    """By password. With a second factor in force the answer has a `challenge` and no tokens yet."""
    result = await signin.sign_in(
        services, body.email, body.password.get_secret_value(), transport=body.transport, device_cookie=device
    )
    if isinstance(result, Challenge):
        return schemas.Tokens(challenge=result.token, methods=list(result.methods))
    return await _signed_in(services, request, response, result, cookie=body.transport == "cookie")


@router.post("/second-factor", dependencies=[OPEN], responses=REFUSED, summary="Give the second factor")
async def post_second_factor(
    services: Hub, request: Request, response: Response, body: schemas.SecondFactor
) -> schemas.Tokens:
    """A code of the authenticator app, a recovery code, or a code sent by message."""
    claims, _ = await signin.read_challenge(services, body.challenge)
    result = await signin.answer(services, body.challenge, body.method, body.code)
    return await _signed_in(services, request, response, result, cookie=claims["tra"] == "cookie")


@router.post(
    "/second-factor/message", dependencies=[OPEN], status_code=202, responses=REFUSED, summary="Send a code by message"
)
async def post_message_code(services: Hub, body: schemas.ChallengeOnly) -> None:
    """To the user's phone; it lives five minutes and ends the one before."""
    _, user = await signin.read_challenge(services, body.challenge)
    await Guard(services, "message", str(user["id"])).allow()
    async with services.transaction() as tx:
        await message_codes.send(services, tx, user)
        await audit.write(tx, f"user:{user['id']}", "second_factor.code_sent", "user", user["id"])


@router.post("/refresh", dependencies=[OPEN], responses=REFUSED, summary="The next access token")
async def post_refresh(
    services: Hub,
    request: Request,
    response: Response,
    body: schemas.Refresh,
    cookie: Annotated[str | None, Cookie(alias=REFRESH_COOKIE, max_length=200)] = None,
    csrf: Annotated[str | None, Header(alias=CSRF_HEADER, max_length=200)] = None,
) -> schemas.Tokens:
    """A refresh token is used once. A second use ends the whole session: one of its two holders has stolen it."""
    door = await services.shared(open_door)
    if body.refresh_token is not None:
        opened = await sessions.refresh(services, body.refresh_token)
        return await _tokens(services, request, response, opened, cookie=False)
    if cookie is None:
        raise Unauthorized("send a refresh token, or sign in")
    opened = await sessions.refresh(services, cookie, lambda row: door.check_csrf(row["session_id"], csrf))
    return await _tokens(services, request, response, opened, cookie=True)


@router.post("/logout", status_code=204, summary="Sign out")
async def post_logout(
    services: Hub, response: Response, caller: Annotated[Principal, Depends(require(OWN_ACCOUNT))]
) -> None:
    """This session ends, its tokens at once. A key has none to end."""
    if caller.session_id is not None:
        async with services.transaction() as tx:
            await sessions.revoke(services, tx, [caller.session_id], "signed_out", actor=caller.actor)
    cookies.clear_session(response)


@router.post("/password/forgot", dependencies=[OPEN], status_code=202, responses=REFUSED, summary="Forgotten password")
async def post_forgot(services: Hub, body: schemas.ForgotPassword, tasks: BackgroundTasks) -> None:
    """A link by e-mail, if there is such a user; the answer does not tell, nor how long it takes."""
    await Guard(services, "forgot", body.email).allow()
    tasks.add_task(users.forgot_password, services, body.email)


@router.post("/password/set", dependencies=[OPEN], status_code=204, responses=REFUSED, summary="Set a password by link")
async def post_password(services: Hub, body: schemas.NewPassword) -> None:
    """With the token of an invitation or of a forgotten password, once. All sessions of the user end."""
    await Guard(services, "link", body.token).allow()
    await users.set_password_by_link(services, body.token, body.password.get_secret_value())


@router.post("/token", dependencies=[OPEN], responses=REFUSED, summary="OAuth 2: token endpoint")
async def post_token(
    services: Hub,
    request: Request,
    response: Response,
    grant_type: Annotated[str, Form(pattern="^(password|refresh_token|client_credentials)$")],
    username: Annotated[str | None, Form(max_length=254)] = None,
    password: Annotated[str | None, Form(max_length=128)] = None,
    otp: Annotated[str | None, Form(max_length=20, description="code of the second factor, if one is in force")] = None,
    refresh_token: Annotated[str | None, Form(max_length=200)] = None,
    client_id: Annotated[str | None, Form(max_length=100, description="id of an API key")] = None,
    client_secret: Annotated[str | None, Form(max_length=200, description="the API key")] = None,
    scope: Annotated[str | None, Form(max_length=2000, description="words; left out: all the key has")] = None,
) -> schemas.Tokens:
    """Grants `password`, `refresh_token` and `client_credentials` (RFC 6749): an API key is a client."""
    response.headers["Cache-Control"] = "no-store"
    if grant_type == "client_credentials":
        return await _client_token(services, client_id, client_secret, scope)
    if grant_type == "refresh_token":
        opened = await sessions.refresh(services, refresh_token or "")
        return await _tokens(services, request, response, opened, cookie=False)
    result = await signin.sign_in(services, username or "", password or "", transport="bearer")
    if isinstance(result, Challenge):
        if otp is None:
            raise signin.WrongCredentials("this user has a second factor: send its code as `otp`")
        result = await signin.answer(services, result.token, "totp", otp)
    return await _tokens(services, request, response, result.session, cookie=False)


async def _client_token(
    services: Services, client_id: str | None, client_secret: str | None, scope: str | None
) -> schemas.Tokens:
    key = await api_keys.find(services.db, client_secret or "")
    if client_id is not None and client_id != str(key.id):
        raise signin.WrongCredentials("client_id and client_secret do not belong together")
    if scope is not None and (beyond := [one for one in scope.split() if not key.may(one)]):
        raise Invalid(f"this client has not: {', '.join(beyond)}", error="invalid_scope")
    door = await services.shared(open_door)
    granted = " ".join(sorted(key.permissions)) if scope is None else scope
    async with services.transaction() as tx:
        await audit.write(tx, key, "signin.succeeded", "key", key.id, detail={"scopes": granted.split()})
    token = await door.keyring.sign("access", {"sub": str(key.id), "scope": granted}, lives_s=ACCESS_S)
    return schemas.Tokens(access_token=token, scope=granted)


async def _signed_in(
    services: Services, request: Request, response: Response, result: SignedIn, *, cookie: bool
) -> schemas.Tokens:
    if result.device:
        cookies.set_device(request, response, result.device)
    return await _tokens(services, request, response, result.session, cookie=cookie)


async def _tokens(
    services: Services, request: Request, response: Response, opened: Opened, *, cookie: bool
) -> schemas.Tokens:
    door = await services.shared(open_door)
    response.headers["Cache-Control"] = "no-store"
    if cookie:
        return schemas.Tokens(csrf_token=await cookies.set_session(request, response, door, opened))
    claims = {"sub": str(opened.user_id), "sid": str(opened.session_id)}
    access = await door.keyring.sign("access", claims, lives_s=ACCESS_S)
    return schemas.Tokens(access_token=access, refresh_token=opened.refresh_token)

"""Signing in and out, for people in a browser and their programs; `routes_token.py` is for OAuth 2 libraries."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, Header, Request, Response

from hub_api.auth import audit, cookies, grants, message_codes, schemas, sessions, signin, users
from hub_api.auth.decide import anyone, require
from hub_api.auth.guard import Guard
from hub_api.auth.identify import CSRF_HEADER, DEVICE_COOKIE, REFRESH_COOKIE, open_door
from hub_api.auth.permissions import OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.auth.sessions import Opened
from hub_api.auth.signin import Challenge, SignedIn
from hub_api.errors import Unauthorized
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


async def _signed_in(
    services: Services, request: Request, response: Response, result: SignedIn, *, cookie: bool
) -> schemas.Tokens:
    if result.device:
        cookies.set_device(request, response, result.device)
    return await _tokens(services, request, response, result.session, cookie=cookie)


async def _tokens(
    services: Services, request: Request, response: Response, opened: Opened, *, cookie: bool
) -> schemas.Tokens:
    response.headers["Cache-Control"] = "no-store"
    if cookie:
        door = await services.shared(open_door)
        return schemas.Tokens(csrf_token=await cookies.set_session(request, response, door, opened))
    return await grants.bearer(services, opened)

"""Signing in by the outside provider, for browsers: there and back."""

from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Query, Request
from fastapi.responses import RedirectResponse
from yarl import URL

from hub_api.auth import cookies
from hub_api.auth.decide import anyone
from hub_api.auth.identify import open_door
from hub_api.auth.signin import Challenge, SignedIn
from hub_api.auth.single_sign_on import sign_on
from hub_api.platform import request_info
from hub_api.platform.ratelimit import Limit
from hub_api.platform.request_info import limit_key
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/auth/oidc", tags=["sign-in"], dependencies=[Depends(anyone)])

Hub = Annotated[Services, Depends(get_services)]
PER_MINUTE = 60  # answers from one address: each makes a call to the provider
COOKIE, COOKIE_PATH = "hub_sign_on", "/api/v1/auth/oidc"
# A path of ours: neither another host's (`//host`, `/\host`) nor a header of its own.
LocalPath = Annotated[str, Query(pattern=r"^/([^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?$", max_length=2000)]

REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "`not_found`: no provider is configured"},
    429: {"description": "`too_many_requests`: Retry-After tells when to try again"},
    503: {"description": "`unavailable`: the provider is away"},
}
UNPROVED: dict[int | str, dict[str, Any]] = {
    401: {"description": "`single_sign_on_failed`: the answer proves nothing; begin again"},
    403: {"description": "`not_admitted`: the provider knows the person, and the hub does not let him in"},
    409: {"description": "`conflict`: the provider takes the role from the last administrator"},
}


@router.get("/login", status_code=303, response_class=RedirectResponse, responses=REFUSED, summary="Sign in elsewhere")
async def get_login(services: Hub, request: Request, return_to: LocalPath = "/") -> RedirectResponse:
    """Leads to the identity provider of the organisation, and from there back to `callback`."""
    begun = await sign_on.begin(services, return_to)
    answer = RedirectResponse(begun.url, 303)
    # Lax: the provider's page brings the browser back by a link.
    answer.set_cookie(
        COOKIE, begun.cookie, max_age=sign_on.LIVES_S, path=COOKIE_PATH, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.get(
    "/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses={**REFUSED, **UNPROVED},
    summary="Back again",
)
async def get_callback(
    services: Hub,
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str | None, Query(max_length=4000)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
    begun: Annotated[str | None, Cookie(alias=COOKIE, max_length=4000)] = None,
) -> RedirectResponse:
    """A session as cookies, then the page that was wished for; with a second factor of ours, its page in the console."""
    door = await services.shared(open_door)
    place = limit_key(request_info.current.get().address)
    await door.count_under(Limit(f"single_sign_on:{place}", PER_MINUTE))
    done = await sign_on.finish(services, begun, state=state, code=code, issuer=iss, error=error)
    answer = RedirectResponse(_page(services, done), 303)
    if isinstance(done.result, SignedIn):
        await _set_cookies(services, request, answer, done.result)
    answer.delete_cookie(COOKIE, path=COOKIE_PATH)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _page(services: Services, done: sign_on.Finished) -> str:
    base = services.settings.public_url.rstrip("/")
    if isinstance(done.result, Challenge):  # behind the #: no server and no log sees it
        told = URL().with_query(challenge=done.result.token, methods=",".join(done.result.methods), to=done.return_to)
        return f"{base}/segundo-fator#{told.raw_query_string}"
    return base + done.return_to


async def _set_cookies(services: Services, request: Request, answer: RedirectResponse, signed_in: SignedIn) -> None:
    await cookies.set_session(request, answer, await services.shared(open_door), signed_in.session)
    if signed_in.device:
        cookies.set_device(request, answer, signed_in.device)

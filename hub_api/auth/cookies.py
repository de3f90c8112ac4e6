"""The console's cookies. Scripts cannot read what opens the door (httpOnly); what they must read opens nothing.

`hub_session` is the access token, `hub_refresh` goes to the refresh route only, `hub_csrf` is the value to repeat in
`X-CSRF-Token`, `hub_device` marks a browser as known. `hub_apps` and `hub_openid` say in which session the browser is to
pages that cannot refresh an access token: apps behind the hub, and clients that come to sign somebody in. Each goes to its
path only and opens nothing elsewhere. All are Secure when the request came by https.
"""

from typing import Literal

from fastapi import Request, Response

from hub_api.auth.guard import DEVICE_LIFE
from hub_api.auth.identify import (
    APPS_COOKIE,
    APPS_PATH,
    CSRF_COOKIE,
    DEVICE_COOKIE,
    MARK_S,
    OPENID_COOKIE,
    OPENID_PATH,
    REFRESH_COOKIE,
    SESSION_COOKIE,
    Door,
)
from hub_api.auth.sessions import IDLE, Opened
from hub_api.auth.tokens import ACCESS_S

REFRESH_PATH = "/api/v1/auth"
_MARKS = ((APPS_COOKIE, APPS_PATH), (OPENID_COOKIE, OPENID_PATH))


async def set_session(request: Request, response: Response, door: Door, opened: Opened) -> str:
    """The session's cookies; returns the value for X-CSRF-Token.

    A page elsewhere that links here comes in (lax); no page elsewhere can refresh (strict).
    """
    access = await door.access_token(opened)
    csrf, idle_s = door.csrf_token(opened.session_id), int(IDLE.total_seconds())
    _set(request, response, SESSION_COOKIE, access, max_age=ACCESS_S, path="/")
    _set(request, response, REFRESH_COOKIE, opened.refresh_token, max_age=idle_s, path=REFRESH_PATH, same_site="strict")
    _set(request, response, CSRF_COOKIE, csrf, max_age=idle_s, path="/", http_only=False)
    for name, path in _MARKS:
        mark = door.mark(name, opened.session_id, opened.user_id)
        _set(request, response, name, mark, max_age=MARK_S[name], path=path)
    return csrf


def set_device(request: Request, response: Response, device: str) -> None:
    """This browser is known from now on."""
    life_s = int(DEVICE_LIFE.total_seconds())
    _set(request, response, DEVICE_COOKIE, device, max_age=life_s, path=REFRESH_PATH, same_site="strict")


def clear_session(response: Response) -> None:
    """Signed out; the device stays known."""
    for name, path in ((SESSION_COOKIE, "/"), (REFRESH_COOKIE, REFRESH_PATH), (CSRF_COOKIE, "/"), *_MARKS):
        response.delete_cookie(name, path=path)


def _set(
    request: Request,
    response: Response,
    name: str,
    value: str,
    *,
    max_age: int,
    path: str,
    same_site: Literal["lax", "strict"] = "lax",
    http_only: bool = True,
) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=max_age, path=path, secure=secure, httponly=http_only, samesite=same_site)

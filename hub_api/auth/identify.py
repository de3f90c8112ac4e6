"""Who makes this request: an API key, an access token, or the console's cookie; all become one `Principal`."""

import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Request, Response, WebSocket
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.exceptions import RedisError
from starlette.requests import HTTPConnection

from hub_api.auth import api_keys, sessions
from hub_api.auth.principal import Principal
from hub_api.auth.tokens import ACCESS_S, Keyring
from hub_api.errors import Forbidden, Unauthorized
from hub_api.platform import ratelimit
from hub_api.platform.crypto import derive_all
from hub_api.platform.ratelimit import Limit
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

log = structlog.get_logger(__name__)

SESSION_COOKIE, REFRESH_COOKIE, CSRF_COOKIE, DEVICE_COOKIE = "hub_session", "hub_refresh", "hub_csrf", "hub_device"
APPS_COOKIE, OPENID_COOKIE = "hub_apps", "hub_openid"
CSRF_HEADER = "X-CSRF-Token"
APPS_PATH, OPENID_PATH = "/apps/", "/openid/"
# How long a browser is known under a path of pages that are not the console's and cannot refresh an access token.
MARK_S = {APPS_COOKIE: 12 * 3600, OPENID_COOKIE: 14 * 24 * 3600}
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
# Redis that did not answer is asked again after so long; waiting for it at every request would stop the API.
_ASK_AGAIN_S = 1.0
_CREDENTIAL_NAME = re.compile(
    r"(access|refresh|id|auth|bearer|csrf)?_?token|ticket|(api_?)?key|jwt|authorization", re.IGNORECASE
)
_CREDENTIAL = re.compile(r"\bhub_[\w-]{30,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+")  # an API key; a JWT, whose head is JSON

bearer = HTTPBearer(
    auto_error=False, description="an API key (shown once, when it is made) or an access token of `/api/v1/auth`"
)


class BadCsrf(Forbidden):
    """A cookie alone proves nothing: another site can make a browser send it."""

    code = "csrf"


class CredentialInAddress(Forbidden):
    """Who knows the address would have the credential: proxies log it, browsers keep it."""

    code = "credential_in_address"


class Door:
    """What a process keeps to tell callers apart: the signing keys, and whether Redis was away a moment ago."""

    def __init__(self, services: Services) -> None:
        secret_key = services.settings.secret_key.get_secret_value()
        self.services, self.keyring = services, Keyring(services.db, secret_key)
        self._csrf_keys = derive_all(secret_key, "csrf")
        self._mark_keys = derive_all(secret_key, "browser mark")
        self._redis_asked_again_at = 0.0
        # Fingerprint: id, of keys that were found here once. It says who claims to call, never whether he still may.
        self._key_ids: dict[bytes, UUID] = {}

    async def admit(self, credential: str) -> tuple[Principal, dict[str, str]]:
        """The caller by an API key or an access token, counted under his limit; with the headers that tell what is left.

        Raises Unauthorized, TooMany. While Redis is away sessions are checked in PostgreSQL and nobody is counted.
        """
        if credential.count(".") != 2:
            return await self._admit_key(credential)
        claims = await self.keyring.verify("access", credential)
        if "sid" not in claims:
            caller, room = await self._admit_key_id(UUID(claims["sub"]))
            return api_keys.narrowed(caller, claims.get("scope")), room
        return await self._admit_session(UUID(claims["sid"]), claims["sub"])

    async def admit_marked(self, mark: str) -> tuple[Principal, dict[str, str]]:
        """The same by the mark of a browser under /apps/."""
        session_id, user_id = self.read_mark(APPS_COOKIE, mark)
        return await self._admit_session(session_id, str(user_id))

    async def _admit_key(self, key: str) -> tuple[Principal, dict[str, str]]:
        proof = api_keys.fingerprint(key)
        if (key_id := self._key_ids.get(proof)) is not None:
            return await self._admit_key_id(key_id)
        caller = await api_keys.find(self.services.db, key)
        self._key_ids[proof] = caller.id
        return caller, await self.count(caller)

    async def _admit_key_id(self, key_id: UUID) -> tuple[Principal, dict[str, str]]:
        limit = self._limit("key", str(key_id))
        answer, cached = await self._ask(limit, api_keys.entry_of(key_id))
        caller = await api_keys.find_by_id(self.services, key_id, cached, fill=answer is not None)
        return caller, self._judged(limit, answer)

    async def _admit_session(self, session_id: UUID, user_id: str) -> tuple[Principal, dict[str, str]]:
        limit = self._limit("user", user_id)
        answer, cached = await self._ask(limit, sessions.key_of(session_id))
        caller = await sessions.find(self.services, session_id, cached, fill=answer is not None)
        return caller, self._judged(limit, answer)

    async def _ask(self, limit: Limit, entry: str | None = None) -> tuple[Any, bytes | None]:
        """Count under a limit and read an entry, in one way there and back; no answer while Redis is away."""
        if time.monotonic() < self._redis_asked_again_at:
            return None, None
        try:
            return await ratelimit.ask(self.services.redis, [limit], entry)
        except RedisError as error:
            self._redis_asked_again_at = time.monotonic() + _ASK_AGAIN_S
            log.warning("redis_away", sessions="checked in PostgreSQL", limits="open", error=type(error).__name__)
            return None, None

    async def access_token(self, opened: sessions.Opened) -> str:
        """What opens the API for a quarter of an hour in this session's name."""
        claims = {"sub": str(opened.user_id), "sid": str(opened.session_id)}
        return await self.keyring.sign("access", claims, lives_s=ACCESS_S)

    def csrf_token(self, session_id: UUID) -> str:
        """What the console shows in `X-CSRF-Token`: bound to the session, so that a planted cookie does not fit."""
        return _csrf_token(self._csrf_keys[0], session_id)

    def check_csrf(self, session_id: UUID, given: str | None) -> None:
        """Raises BadCsrf unless the header has this session's token."""
        shown = (given or "").encode("ascii", "replace").decode()
        if not any(hmac.compare_digest(_csrf_token(key, session_id), shown) for key in self._csrf_keys):
            raise BadCsrf(f"send the value of the cookie {CSRF_COOKIE} in the header {CSRF_HEADER}")

    def mark(self, cookie: str, session_id: UUID, user_id: UUID) -> str:
        """The value of a cookie that says in which session a browser is, for `MARK_S` seconds, under one path only."""
        told = f"{session_id.hex}-{user_id.hex}-{int(time.time())}"
        return f"{told}-{_mark_mac(self._mark_keys[0], cookie, told)}"

    def read_mark(self, cookie: str, value: str) -> tuple[UUID, UUID]:
        """Session and user of `mark`; whether the session lives is asked elsewhere. Raises Unauthorized."""
        told, _, mac = value.encode("ascii", "replace").decode().rpartition("-")
        if not any(hmac.compare_digest(_mark_mac(key, cookie, told), mac) for key in self._mark_keys):
            raise Unauthorized("this browser is not signed in: sign in")
        session_id, user_id, made_at = told.split("-")
        if int(made_at) + MARK_S[cookie] < time.time():
            raise Unauthorized("this sign-in is too long ago: sign in again")
        return UUID(session_id), UUID(user_id)

    def check_origin(self, connection: HTTPConnection) -> None:
        """Raises BadCsrf unless a browser says that a page of this very address asks: browsers let no page set `Origin`."""
        host = connection.headers.get("host", "")
        scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
        ours = {f"{scheme}://{host}", self.services.settings.public_url.rstrip("/")}
        if connection.headers.get("origin") not in ours:
            raise BadCsrf("this must come from a page of the hub's own address")

    async def count(self, caller: Principal) -> dict[str, str]:
        """Count a request of this caller; the headers that tell him what is left. Raises TooMany."""
        return await self.count_under(self._limit(caller.kind, str(caller.id)))

    async def count_under(self, limit: Limit) -> dict[str, str]:
        """Count under one limit that is open while Redis is away. Raises TooMany."""
        answer, _ = await self._ask(limit)
        return self._judged(limit, answer)

    def _limit(self, kind: str, caller_id: str) -> Limit:
        settings = self.services.settings
        count = settings.user_rate_per_minute if kind == "user" else settings.key_rate_per_minute
        return Limit(f"api:{kind}:{caller_id}", count)

    def _judged(self, limit: Limit, answer: Any) -> dict[str, str]:
        if answer is None:
            return {}
        message = f"more than {limit.count} requests in {limit.window_s:.0f} s: wait, then go on"
        return ratelimit.judge([limit], answer, message)[0].headers


def _mark_mac(key: bytes, cookie: str, told: str) -> str:
    return hmac.new(key, f"{cookie}-{told}".encode(), hashlib.sha256).hexdigest()


def _csrf_token(key: bytes, session_id: UUID) -> str:
    return hmac.new(key, session_id.bytes, hashlib.sha256).hexdigest()


@asynccontextmanager
async def open_door(services: Services) -> AsyncIterator[Door]:
    """For `services.shared`: one door a process."""
    yield Door(services)


async def principal(
    request: Request,
    response: Response,
    services: Annotated[Services, Depends(get_services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal:
    """The caller, counted under his limit. Raises Unauthorized without a valid credential, BadCsrf, TooMany."""
    door = await services.shared(open_door)
    if credentials is not None:
        caller, room = await door.admit(credentials.credentials)
    elif request.url.path.startswith(APPS_PATH) and (mark := request.cookies.get(APPS_COOKIE)):
        caller, room = await door.admit_marked(mark)
        if request.method not in _SAFE:
            door.check_origin(request)  # pages of an app behind us know nothing of our token
    elif cookie := request.cookies.get(SESSION_COOKIE):
        caller, room = await door.admit(cookie)
        if caller.session_id is None:
            raise Unauthorized("an API key comes as `Authorization: Bearer <key>`, not as a cookie")
        if request.method not in _SAFE and request.url.path.startswith(APPS_PATH):
            door.check_origin(request)
        elif request.method not in _SAFE:
            door.check_csrf(caller.session_id, request.headers.get(CSRF_HEADER))
    else:
        raise Unauthorized("send an API key or an access token as `Authorization: Bearer …`, or sign in")
    response.headers.update(room)
    return caller


async def socket_caller(door: Door, websocket: WebSocket) -> Principal:
    """The caller of a WebSocket's handshake: by `Authorization`, or by a browser's cookie from a page of ours.

    Raises Unauthorized, BadCsrf (a page elsewhere can open sockets with our cookies), CredentialInAddress, TooMany.
    """
    _refuse_credentials(websocket)
    scheme, _, credential = websocket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        caller, _ = await door.admit(credential.strip())
    elif websocket.url.path.startswith(APPS_PATH) and (mark := websocket.cookies.get(APPS_COOKIE)):
        door.check_origin(websocket)
        caller, _ = await door.admit_marked(mark)
    elif cookie := websocket.cookies.get(SESSION_COOKIE):
        door.check_origin(websocket)
        caller, _ = await door.admit(cookie)
        if caller.session_id is None:
            raise Unauthorized("an API key comes as `Authorization: Bearer <key>`, not as a cookie")
    else:
        raise Unauthorized("send an API key or an access token as `Authorization: Bearer …`, or sign in")
    return caller


def _refuse_credentials(websocket: WebSocket) -> None:
    for name, value in websocket.query_params.multi_items():
        if _CREDENTIAL_NAME.fullmatch(name) or _CREDENTIAL.search(value):
            raise CredentialInAddress("no credential belongs into an address: use the cookie or `Authorization`")


async def count_sends(
    services: Annotated[Services, Depends(get_services)], caller: Annotated[Principal, Depends(principal)]
) -> None:
    """FastAPI dependency of routes that send: the caller's messages a minute. Raises TooMany."""
    door = await services.shared(open_door)
    await door.count_under(Limit(f"send:{caller.actor}", services.settings.send_per_minute))

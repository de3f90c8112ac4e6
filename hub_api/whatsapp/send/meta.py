"""The Cloud API's client: one aiohttp session per process, and a clear word on what became of each call.

A call ends in exactly one of four ways, which the sender must tell apart because Meta has no idempotency key: accepted;
`RejectedByMeta` (Meta said no, in its own words); `NotAccepted` (nothing was written: no connection); `OutcomeUnknown`
(the request was written and no usable answer came: it may have been sent). Neither text nor phone is ever logged.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from yarl import URL

from hub_api.errors import HubError
from hub_api.settings import Settings

# A claim leaves within a second or not at all; a connection that takes longer to open is no connection.
CONNECT_WITHIN_S = 0.9
# Shorter than servers keep idle connections: one that they close while we write costs an unknown outcome.
KEEP_ALIVE_S = 4.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Meta's refusal of a call, or of a message later by a failed status: branch on `code`, read `details`."""

    code: int
    title: str
    details: str = ""
    subcode: int | None = None
    fbtrace_id: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Meta took the message: its id there, whether it is held back (pacing), and how Meta names the recipient."""

    wamid: str
    held: bool = False
    wa_id: str | None = None


class RejectedByMeta(HubError):
    """Meta refused the call; the error table says whether a retry can help."""

    status, code = 409, "rejected_by_meta"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"Meta refused the call with {refusal.code}: {refusal.title}", meta_code=refusal.code)
        self.refusal = refusal


class NotAccepted(HubError):
    """No connection, so nothing reached Meta: the same call may be made again."""

    status, code, retryable = 503, "meta_unreachable", True


class OutcomeUnknown(HubError):
    """The request was written, the answer never came or cannot be read: Meta may have taken it."""

    status, code = 502, "outcome_unknown"


class MetaClient:
    """Calls of the Graph API at `HUB_META_BASE_URL`. Make it with `open_client`."""

    def __init__(self, session: aiohttp.ClientSession, settings: Settings) -> None:
        self._session = session
        self._base = f"{settings.meta_base_url.rstrip('/')}/{settings.meta_version}"
        self._urls: dict[str, URL] = {}
        self._connect_s = min(CONNECT_WITHIN_S, settings.send_timeout_s / 2)
        self._total_s = settings.send_timeout_s
        self._timeout = self._within(self._connect_s)

    def _within(self, connect_s: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=self._total_s, connect=connect_s, sock_connect=connect_s, ceil_threshold=60)

    async def send(self, phone_number_id: str, token: str, body: bytes, *, connect_within_s: float) -> Accepted:
        """Make one send call from a number; a connection that takes longer than `connect_within_s` to open is none.

        Raises RejectedByMeta, NotAccepted or OutcomeUnknown; never calls twice.
        """
        url = self._urls.get(phone_number_id)
        if url is None:
            url = self._urls[phone_number_id] = URL(f"{self._base}/{phone_number_id}/messages")
        timeout = self._timeout if connect_within_s >= self._connect_s else self._within(connect_within_s)
        status, answer = await self._call("POST", url, token, body, timeout)
        message = _first(answer, "messages")
        wamid = message.get("id")
        if status != 200 or not isinstance(wamid, str) or not wamid:
            raise OutcomeUnknown(f"Meta answered {status} without a message id")
        # `paused` is a template's pause at Meta: like a held message it may still leave, so it is not sent again.
        held = message.get("message_status") in ("held_for_quality_assessment", "paused")
        return Accepted(wamid, held, _first(answer, "contacts").get("wa_id") or None)

    async def mark_read(self, phone_number_id: str, token: str, wamid: str, *, typing: bool = False) -> None:
        """Blue ticks for a received message and all before it, with `typing` also "typing…".

        Raises RejectedByMeta, NotAccepted or OutcomeUnknown; never calls twice.
        """
        mark: dict[str, Any] = {"messaging_product": "whatsapp", "status": "read", "message_id": wamid}
        if typing:
            mark["typing_indicator"] = {"type": "text"}
        url = URL(f"{self._base}/{phone_number_id}/messages")
        await self._call("POST", url, token, orjson.dumps(mark), self._timeout)

    async def get(self, path: str, token: str, **query: str) -> dict[str, Any]:
        """Read a Graph object or one page of an edge. Raises RejectedByMeta or NotAccepted (reads change nothing)."""
        try:
            status, answer = await self._call(
                "GET", URL(f"{self._base}/{path}").with_query(query), token, None, self._timeout
            )
        except OutcomeUnknown as error:
            raise NotAccepted(f"Meta did not answer a read of {path.rpartition('/')[2]}: {error.message}") from error
        if status != 200:
            raise NotAccepted(f"Meta answered {status} to a read of {path.rpartition('/')[2]}")
        return answer

    async def change(
        self, method: str, path: str, token: str, body: dict[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        """Create, change or delete a Graph object (`method` POST or DELETE); returns Meta's answer.

        Raises RejectedByMeta, NotAccepted or OutcomeUnknown; never calls twice.
        """
        raw = orjson.dumps(body) if body is not None else None
        status, answer = await self._call(
            method, URL(f"{self._base}/{path}").with_query(query), token, raw, self._timeout
        )
        if status != 200:
            raise OutcomeUnknown(f"Meta answered {status} to a change of {path.rpartition('/')[2]}")
        return answer

    async def _call(
        self, method: str, url: URL, token: str, body: bytes | None, limits: aiohttp.ClientTimeout
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                method, url, data=body, headers=headers, timeout=limits, allow_redirects=False
            ) as response:
                status, raw = response.status, await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotAccepted(f"no connection to Meta: {type(error).__name__}") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(f"the call was written and not answered: {type(error).__name__}") from error
        return status, _read(status, raw)


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[MetaClient]:
    """A client with as many connections as calls may be in flight, so that no call waits for one."""
    connector = aiohttp.TCPConnector(
        limit=settings.send_concurrency + 4, keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=60
    )
    # Answers are small and always JSON: nothing to negotiate, and naming it anew costs a twentieth of every call.
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
    )
    async with session:
        yield MetaClient(session, settings)


def refusal_of(error: dict[str, Any]) -> Refusal:
    """A Graph `error` object, or one of `errors[]` in a webhook, as a Refusal. Never raises on odd types."""
    data = error.get("error_data")
    details = data.get("details") if isinstance(data, dict) else None
    subcode = error.get("error_subcode")
    return Refusal(
        code=_integer(error.get("code")),
        title=_plain(error.get("title") or error.get("message")),
        details=_plain(details),
        subcode=_integer(subcode) if subcode is not None else None,
        fbtrace_id=_plain(error.get("fbtrace_id")),
    )


def _read(status: int, raw: bytes) -> dict[str, Any]:
    """The answer's object. Raises RejectedByMeta for an error in Meta's form or a bare 4xx, OutcomeUnknown for the rest."""
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        answer = None
    if isinstance(answer, dict) and isinstance(error := answer.get("error"), dict):
        raise RejectedByMeta(refusal_of(error))
    if 400 <= status < 500:  # refused before the API, by a proxy: 429 is its rate limit, the rest has no code of Meta's
        raise RejectedByMeta(Refusal(4 if status == 429 else -status, f"HTTP {status} without an error object"))
    if not isinstance(answer, dict):
        raise OutcomeUnknown(f"Meta answered {status} with something that is no JSON object")
    return answer


def _first(answer: dict[str, Any], key: str) -> dict[str, Any]:
    items = answer.get(key)
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}


def _integer(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        return -1
    return number if -(2**31) <= number < 2**31 else -1


def _plain(value: Any) -> str:
    """Text that PostgreSQL takes (no NUL, no lone surrogates), of bounded length."""
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:500]

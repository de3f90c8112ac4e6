"""One file from Meta: ask where it lies, fetch it with the token from there and nowhere else, check it, keep it.

The address that Meta gives lives 5 minutes and is asked for anew on each attempt. Only hosts of Meta's are called
(HUB_MEDIA_HOSTS, and that of HUB_META_BASE_URL), on each step of a redirect, and the token stays with the first.
"""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from hub_api.errors import HubError, Unavailable
from hub_api.platform import crypto
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.whatsapp.media.check import inbound_fault
from hub_api.whatsapp.media.keep import Kept, keep
from hub_api.whatsapp.media.sniff import HEAD_BYTES
from hub_api.whatsapp.media.store import spool_dir
from hub_api.whatsapp.send.callers import open_callers
from hub_api.whatsapp.send.meta import RejectedByMeta

REDIRECTS = 3
# Faults that a second look may show to have been the transport's; after so many they are the file's.
TRIES_OF_DOUBT = 5


class Refused(HubError):
    """The file is not kept, for good; `reason` is a stable word."""

    code = "media_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the file is not kept: {reason}")
        self.reason = reason


class Doubtful(Unavailable):
    """The attempt failed in a way that another one may not."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = reason  # type: ignore[misc] # what the message's view shows while it waits


@dataclass(frozen=True, slots=True)
class Spooled:
    """A complete download beside the store."""

    file: Path
    head: bytes
    sha256: bytes
    size: int


async def fetch(services: Services, session: aiohttp.ClientSession, row: Row) -> str:
    """Download, check and keep the file of `row` (of claim_due); returns its state.

    Raises Refused for good, Doubtful and other HubErrors for another attempt.
    """
    if row["token_encrypted"] is None:
        raise Doubtful("unknown_number", "the number that received the file is none of ours any more")
    try:
        return await _fetch(services, session, row)
    except Doubtful as doubt:
        if doubt.code in _OF_THE_FILE and row["attempts"] >= TRIES_OF_DOUBT:
            raise Refused(doubt.code) from doubt
        raise


_OF_THE_FILE = {"sha256_mismatch", "foreign_host", "unknown_at_meta"}


async def _fetch(services: Services, session: aiohttp.ClientSession, row: Row) -> str:
    settings = services.settings
    token = crypto.decrypt(settings.secret_key.get_secret_value(), bytes(row["token_encrypted"]))
    meta = (await services.shared(open_callers)).client
    try:
        told = await meta.get(row["meta_id"], token, phone_number_id=row["phone_number_id"])
    except RejectedByMeta as error:
        reason = "unknown_at_meta" if error.refusal.code == 100 else f"meta_{error.refusal.code}"
        raise Doubtful(reason, error.message) from error
    size = told.get("file_size")
    if isinstance(size, int) and size > settings.media_max_bytes:
        raise Refused("too_large")
    async with spooled(session, settings, _allowed(str(told.get("url") or ""), settings), token) as found:
        if row["declared_sha256"] and found.sha256 != bytes(row["declared_sha256"]):
            raise Doubtful("sha256_mismatch", "what came is not what the webhook announced")
        mime_type, fault = inbound_fault(row["kind"], row["declared_type"], found.head)
        if fault:
            raise Refused(fault)
        return await keep(services, row["id"], Kept(found.file, found.sha256, found.size, mime_type))


@asynccontextmanager
async def spooled(session: aiohttp.ClientSession, settings: Settings, url: URL, token: str) -> AsyncIterator[Spooled]:
    """What `url` serves, as a file that is gone after the block unless it was moved. Raises Refused, Doubtful."""
    file = spool_dir(settings) / f"{uuid7().hex}.part"
    try:
        try:
            async with _opened(session, settings, url, token) as response:
                found = await _write(response, file, settings.media_max_bytes)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Doubtful("media_host_away", f"the media host failed: {type(error).__name__}") from error
        yield found
    finally:
        file.unlink(missing_ok=True)


async def _write(response: aiohttp.ClientResponse, file: Path, most: int) -> Spooled:
    digest, size, head = hashlib.sha256(), 0, b""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        async for chunk in response.content.iter_chunked(256 * 1024):
            size += len(chunk)
            if size > most:
                raise Refused("too_large")
            digest.update(chunk)
            head += chunk[: HEAD_BYTES - len(head)] if len(head) < HEAD_BYTES else b""
            target.write(chunk)
    if not size:
        raise Doubtful("empty", "the media host sent an empty file")
    return Spooled(file, head, digest.digest(), size)


@asynccontextmanager
async def _opened(
    session: aiohttp.ClientSession, settings: Settings, url: URL, token: str
) -> AsyncIterator[aiohttp.ClientResponse]:
    limits = aiohttp.ClientTimeout(total=settings.media_timeout_s, sock_connect=10, sock_read=30)
    first = url.origin()
    for _ in range(REDIRECTS + 1):
        headers = {"Authorization": f"Bearer {token}"} if url.origin() == first else {}
        async with session.get(url, headers=headers, timeout=limits, allow_redirects=False) as response:
            if response.status == 200:
                yield response
                return
            if response.status not in (301, 302, 303, 307, 308):
                raise Doubtful(f"media_host_{response.status}", f"the media host answered {response.status}")
            url = _allowed(str(url.join(URL(response.headers.get("Location", "")))), settings)
    raise Doubtful("redirects", f"more than {REDIRECTS} redirects")


def _allowed(text: str, settings: Settings) -> URL:
    """The address, when it is one that we call. Raises Doubtful: Meta may tell another next time."""
    try:
        url = URL(text)
        base = URL(settings.meta_base_url)
        if url.host and url.origin() == base.origin():
            return url
    except ValueError:
        url = URL()
    host = (url.host or "").rstrip(".").lower()
    ours = url.scheme == "https" and url.port == 443 and url.user is None
    if not ours or not any(host == known.lstrip(".") or host.endswith(known) for known in settings.media_hosts):
        raise Doubtful(
            "foreign_host", f"a media address leads to {host or 'nowhere'}, which HUB_MEDIA_HOSTS does not name"
        )
    return url

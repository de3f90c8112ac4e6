"""Files of ours: taken in from agents, and made known to Meta per number before a message that shows them is queued."""

import asyncio
import hashlib
import os
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import aiohttp
import orjson

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound, Unavailable
from hub_api.platform import crypto, sqlfile
from hub_api.platform.idempotency import once
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.media.check import FileRefused, outbound_kind, plain_type, safe_filename
from hub_api.whatsapp.media.fetcher import open_fetcher
from hub_api.whatsapp.media.jobs import fetch_due
from hub_api.whatsapp.media.keep import Kept, chunks_of, judge
from hub_api.whatsapp.media.sniff import HEAD_BYTES
from hub_api.whatsapp.media.store import CHUNK, open_store, spool_dir
from hub_api.whatsapp.send.meta import RejectedByMeta, refusal_of

queries = sqlfile.load(__package__)

META_LIVES_S = 30 * 86_400
# A message may wait in the outbox for a pause's longest time after its file was looked up.
STILL_LIVES_S = 3 * 86_400


class NotSendable(Conflict):
    """The file is not in a state in which it may be sent: infected, erased, or still waiting for the antivirus."""

    code = "media_not_sendable"


async def take_in(
    services: Services,
    source: IO[bytes],
    *,
    filename: str | None,
    declared: str | None,
    author: str,
    scope: str = "",
    idempotency_key: str | None = None,
) -> Row:
    """Check a file against Meta's table, scan and keep it; returns its row, the earlier one when the same file came with
    this key in this `scope` before. Raises FileRefused, KeyReused (another file)."""
    kept, kind = await asyncio.to_thread(_spool, source, spool_dir(services.settings), declared)
    try:
        verdict = await judge(services, chunks_of(kept.file))
        if verdict.state == "infected":
            message = f"the antivirus found {verdict.reason}: the file is not kept"
            raise FileRefused(message, errors=[{"field": "body.file", "message": message}])
        store, media_id = await services.shared(open_store), uuid7()
        await store.put(kept.sha256, kept.file)
    finally:
        kept.file.unlink(missing_ok=True)
    async with services.transaction() as tx:
        await tx.db.execute(queries.lock_content, kept.sha256)
        if not await store.exists(kept.sha256):
            raise Unavailable("the content was removed while it was stored again: send the file once more")

        async def keep() -> dict[str, Any]:
            await tx.db.execute(
                queries.insert_upload, media_id, kind, plain_type(declared) or None, safe_filename(filename), verdict.state,
                verdict.reason, kept.sha256, kept.size, kept.mime_type, verdict.scanned_at, verdict.next_at, author,
            )  # fmt: skip
            await tx.db.execute(queries.forget_removal, kept.sha256)
            uploaded = {"kind": kind, "mime_type": kept.mime_type, "size_bytes": kept.size, "state": verdict.state}
            await audit.write(tx, author, "media.uploaded", "media", media_id, after=uploaded)
            if verdict.next_at is not None:
                tx.ring(fetch_due)
            return {"id": str(media_id)}

        request = orjson.dumps([kept.sha256.hex(), filename, declared])
        saved = await once(tx, scope, idempotency_key, request, keep)
    return await find_media(services, UUID(saved["id"]))


def _spool(source: IO[bytes], folder: Path, declared: str | None) -> tuple[Kept, str]:
    source.seek(0)
    head = source.read(HEAD_BYTES)
    size = source.seek(0, os.SEEK_END)
    if not size:
        raise FileRefused("the file is empty", errors=[{"field": "body.file", "message": "the file is empty"}])
    kind, mime_type = outbound_kind(declared, head, size)
    source.seek(0)
    file, digest = folder / f"{uuid7().hex}.part", hashlib.sha256()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return Kept(file, digest.digest(), size, mime_type), kind


async def find_visible(services: Services, caller: Principal, media_id: UUID) -> Row:
    """A file's row. Raises NotFound, also for one that the caller does not see."""
    row = await services.db.fetchrow(queries.find_visible, *caller.scope, caller.actor, media_id)
    if row is None:
        raise NotFound(f"there is no media {media_id}: upload it first, at /api/v1/media")
    return row


async def conversations_of(services: Services, media_id: UUID) -> list[UUID]:
    """The conversations that show a file."""
    return [row["conversation_id"] for row in await services.db.fetch(queries.conversations_of, media_id)]


async def find_media(services: Services, media_id: UUID) -> Row:
    """A file's row. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_media, media_id)
    if row is None:
        raise NotFound(f"there is no media {media_id}: upload it first, at /api/v1/media")
    return row


def require_stored(media: Row) -> Row:
    """The file, which may be sent. Raises NotSendable."""
    if media["state"] != "stored":
        why = f" ({media['reason']})" if media["reason"] else ""
        raise NotSendable(f"media {media['id']} is {media['state']}{why}: only a stored file can be sent")
    return media


async def meta_media_id(services: Services, media_id: UUID, number_id: UUID) -> str:
    """Meta's id of our file for a number, uploaded when there is none that lives for some days more.

    Call it before the message is queued and outside a transaction: it may take as long as 100 MB take. Two callers at
    once may both upload; either id is good. Raises NotFound, NotSendable, RejectedByMeta, Unavailable.
    """
    media = require_stored(await find_media(services, media_id))
    known: str | None = await services.db.fetchval(queries.find_upload, media_id, number_id, STILL_LIVES_S)
    if known is not None:
        return known
    number = await services.db.fetchrow(queries.find_number, number_id)
    if number is None:
        raise NotFound(f"there is no number {number_id}")
    meta_id = await _to_meta(services, media, number)
    await services.db.execute(queries.save_upload, media_id, number_id, meta_id, META_LIVES_S)
    return meta_id


async def _to_meta(services: Services, media: Row, number: Row) -> str:
    settings = services.settings
    session = (await services.shared(open_fetcher)).session
    store = await services.shared(open_store)
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": media["mime_type"]})
    content = store.read(bytes(media["sha256"]), 0, media["size_bytes"])
    form.add_field("file", content, content_type=media["mime_type"], filename=f"file{_ending(media)}")
    token = crypto.decrypt(settings.secret_key.get_secret_value(), bytes(number["token_encrypted"]))
    url = f"{settings.meta_base_url.rstrip('/')}/{settings.meta_version}/{number['phone_number_id']}/media"
    limits = aiohttp.ClientTimeout(total=settings.media_timeout_s, sock_connect=10)
    try:
        async with session.post(
            url, data=form, headers={"Authorization": f"Bearer {token}"}, timeout=limits, allow_redirects=False
        ) as response:
            answer = _object(await response.read())
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"Meta did not take media {media['id']}: {type(error).__name__}; try again") from error
    if isinstance(refused := answer.get("error"), dict):
        raise RejectedByMeta(refusal_of(refused))
    if not isinstance(meta_id := answer.get("id"), str) or not meta_id:
        raise Unavailable(f"Meta answered {response.status} without a media id for {media['id']}; try again")
    return meta_id


def _object(raw: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _ending(media: Row) -> str:
    """Only the ending leaves the house in the upload: the name that the customer sees is in the message."""
    ending = Path(media["filename"] or "").suffix
    return ending if ending.isascii() and len(ending) <= 10 else ""

"""Media: upload, look up, download, delete. The address is good for 5 minutes and wants the bearer token."""

import asyncio
import base64
import hashlib
import hmac

from aiohttp import BodyPartReader, web

from hub_api.simulator.check_message import MEDIA_TYPES
from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError, unknown_object
from hub_api.simulator.faults import MediaFault
from hub_api.simulator.model import Media
from hub_api.simulator.web_common import Handler, answer, number_of

UPLOAD_TTL_S = 30 * 86_400.0
URL_TTL_S = 300
MEGABYTE = 1024 * 1024
MAX_BYTES = {"image": 5 * MEGABYTE, "video": 16 * MEGABYTE, "audio": 16 * MEGABYTE, "document": 100 * MEGABYTE,
             "sticker": 500 * 1024}  # fmt: skip
KIND_OF = {mime_type: kind for kind, types in MEDIA_TYPES.items() for mime_type in types}


def upload_handler(core: Core) -> Handler:
    """`POST /{version}/{phone_number_id}/media`, multipart with `messaging_product` and `file`."""

    async def upload(request: web.Request) -> web.Response:
        number = number_of(core, request)
        if not request.content_type.startswith("multipart/"):
            raise MetaError(100, "The parameter file is required, as a part of a multipart form.")
        content, mime_type, filename, product = b"", "", "", ""
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "file":
                content = bytes(await part.read(decode=True))
                mime_type = part.headers.get("Content-Type", "") or mime_type
                filename = part.filename or ""
            elif part.name == "type":
                mime_type = mime_type or (await part.text())
            elif part.name == "messaging_product":
                product = await part.text()
        if product != "whatsapp":
            raise MetaError(100, "The parameter messaging_product is required and must be whatsapp.")
        if not content:
            raise MetaError(100, "The parameter file is required and must not be empty.")
        check_file(mime_type, len(content))
        media = core.world.add_media(number.id, content, mime_type, core.clock.now() + UPLOAD_TTL_S, filename)
        return answer({"id": media.id})

    return upload


def check_file(mime_type: str, size: int) -> None:
    """Type and size of an upload. Raises MetaError 100 naming the allowed ones."""
    kind = KIND_OF.get(mime_type)
    if kind is None:
        raise MetaError(100, f"Param file must be a file with one of the following types: {', '.join(sorted(KIND_OF))}. "
                             f"Received file of type '{mime_type}'.")  # fmt: skip
    if size > MAX_BYTES[kind]:
        raise MetaError(131053, f"The {kind} has {size} bytes; at most {MAX_BYTES[kind]} are allowed.")


def media_node(core: Core, media: Media, request: web.Request) -> web.Response:
    """`GET` or `DELETE` of a media id; with `phone_number_id` the number must be the owner. Raises MetaError."""
    owner = request.query.get("phone_number_id")
    if media.expires_at <= core.clock.now() or owner not in (None, "", media.number_id):
        raise unknown_object(media.id, request.method)
    if request.method == "DELETE":
        core.world.remove_media(media.id)
        return answer({"success": True})
    if fault := core.media_faults.pick("http"):
        return web.Response(status=fault.status)
    expires = int(core.clock.now()) + URL_TTL_S
    foreign = core.media_faults.pick("foreign_url")
    url = request.url.origin() / "whatsapp_business" / "attachments" / ""
    url = url.with_query(mid=media.id, ext=str(expires), hash=_url_hash(core, media.id, expires))
    return answer(
        {
            "messaging_product": "whatsapp",
            "url": foreign.url if foreign else str(url),
            "mime_type": media.mime_type,
            "sha256": base64.b64decode(media.sha256).hex(),
            "file_size": len(media.content),
            "id": media.id,
        }
    )


def download_handler(core: Core) -> Handler:
    """The address that the look-up returned; 404 once its 5 minutes are over."""

    async def download(request: web.Request) -> web.StreamResponse:
        media = core.find_media(request.query.get("mid", ""))
        expires = request.query.get("ext", "0")
        fresh = expires.isdigit() and int(expires) > core.clock.now()
        genuine = hmac.compare_digest(
            request.query.get("hash", ""), _url_hash(core, request.query.get("mid", ""), expires)
        )
        if media is None or not fresh or not genuine:
            return web.Response(status=404, text="Not Found")
        headers = {"Content-Type": media.mime_type}
        if media.filename:
            headers["Content-Disposition"] = (
                f'attachment; filename="{media.filename.encode("ascii", "replace").decode()}"'
            )
        core.events["media_downloads"] += 1
        fault = core.media_faults.pick("gone", "wrong_content", "truncated", "foreign_redirect", "slow")
        return await _faulty(request, media.content, headers, fault)

    return download


async def _faulty(
    request: web.Request, content: bytes, headers: dict[str, str], fault: MediaFault | None
) -> web.StreamResponse:
    """The file as an answer, or what the fault makes of it."""
    match fault:
        case MediaFault(kind="gone"):
            return web.Response(status=404, text="Not Found")
        case MediaFault(kind="foreign_redirect", url=url):
            return web.Response(status=302, headers={"Location": url})
        case MediaFault(kind="wrong_content"):
            content = content[:-1] + bytes([content[-1] ^ 0xFF])
        case MediaFault(kind="slow", seconds=seconds):
            await asyncio.sleep(seconds)
        case MediaFault(kind="truncated"):
            response = web.StreamResponse(headers={**headers, "Content-Length": str(len(content))})
            await response.prepare(request)
            await response.write(content[: len(content) // 2])
            if request.transport is not None:
                request.transport.close()
            return response
    return web.Response(body=content, headers=headers)


def _url_hash(core: Core, media_id: str, expires: int | str) -> str:
    return hashlib.blake2b(f"{media_id}:{expires}".encode(), key=core.token.encode()[:64], digest_size=12).hexdigest()

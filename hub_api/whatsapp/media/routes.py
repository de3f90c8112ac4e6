"""Files over HTTP: upload one to send, ask for an address, read it there."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile

from hub_api.auth.decide import anyone, require
from hub_api.auth.principal import Principal
from hub_api.chat import masking
from hub_api.chat.viewed import note_view
from hub_api.errors import HubError, Invalid
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.media import link, upload
from hub_api.whatsapp.media.serve import serve
from hub_api.whatsapp.media.store import open_store

router = APIRouter(prefix="/api/v1/media", tags=["media"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("media:read"))]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="repeating an upload with its key keeps one file")
]
MOST_BYTES = 100 * limits.MB + limits.MB  # the largest file, and the form around it
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {"file": {"type": "string", "format": "binary", "description": "with its MIME type"}},
                },
                "example": {"file": "fatura.pdf"},
            }
        },
    }
}
REFUSED: dict[int | str, dict[str, Any]] = {
    409: {"description": "`idempotency_key_reused`: the key came with another file"},
    413: {"description": "`too_large`: more than any file that Meta takes, or no Content-Length"},
    422: {
        "description": "`file_refused`: type, size or content that Meta does not take, or the antivirus found something"
    },
}
HIDDEN: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such file"},
    409: {
        "description": "`media_not_available`: `state` says whether it is pending, scanning, infected, failed or erased"
    },
}


class TooLarge(HubError):
    """The request is larger than any file that the channel takes, or does not say how large it is."""

    status, code = 413, "too_large"


class MediaFile(BaseModel):
    """A file of a message, or one to send."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID = Field(examples=["0199f2c0-7a10-7c31-9a5e-3d1f0b6c2a11"], description="messages name it so")
    kind: str = Field(examples=["document"])
    state: str = Field(
        examples=["stored"], description="pending, scanning, stored, infected, failed, expired or erased"
    )
    reason: str | None = Field(description="why it is not stored, or what the last attempt met")
    mime_type: str | None = Field(examples=["application/pdf"])
    size_bytes: int | None = Field(examples=[48_213])
    filename: str | None = Field(examples=["fatura.pdf"])
    created_at: datetime


class Link(BaseModel):
    """An address that works without a key until it expires."""

    url: str = Field(examples=["/api/v1/media/0199f2c0-…/content?for=user&expires=1793000000&signature=…"])
    expires_at: datetime


@router.post("", status_code=201, responses=REFUSED, openapi_extra=FORM, summary="Upload a file to send")
async def post_media(
    request: Request,
    services: Hub,
    caller: Annotated[Principal, Depends(require("media:write"))],
    idempotency_key: IdempotencyKey = None,
) -> MediaFile:
    """Checked against Meta's table before anything goes there; name its id in a message of the same kind."""
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > MOST_BYTES:
        raise TooLarge(f"send a form of at most {MOST_BYTES} bytes with its Content-Length")
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid("the form has no file", errors=[{"field": "body.file", "message": "Field required"}])
        row = await upload.take_in(
            services,
            file.file,
            filename=file.filename,
            declared=file.content_type,
            author=caller.actor,
            scope=f"{caller.key_id}:media",
            idempotency_key=idempotency_key,
        )
    return MediaFile.model_validate(dict(row))


@router.get(
    "/{media_id}",
    responses={404: HIDDEN[404]},
    summary="What became of a file",
)
async def get_media(services: Hub, caller: Reader, media_id: UUID) -> MediaFile:
    """Its state, type and size; never its content."""
    row = await upload.find_visible(services, caller, media_id)
    return MediaFile.model_validate(masking.words_for(caller, dict(row), "filename"))


@router.post("/{media_id}/link", responses={404: HIDDEN[404]}, summary="An address to read a file")
async def post_link(services: Hub, caller: Reader, media_id: UUID) -> Link:
    """For who may see a conversation with it; it expires after HUB_MEDIA_LINK_S."""
    await upload.find_visible(services, caller, media_id)
    await note_view(services, caller, "conversation", await upload.conversations_of(services, media_id), "media")
    url, expires = link.make_link(services.settings, media_id, caller.kind)
    return Link(url=url, expires_at=datetime.fromtimestamp(expires).astimezone())


@router.get(
    "/{media_id}/content",
    dependencies=[Depends(anyone)],
    response_class=Response,
    responses={
        **HIDDEN,
        200: {"content": {"application/octet-stream": {}}, "description": "the file"},
        206: {"description": "the range that was asked for"},
        403: {"description": "`media_link_invalid`: changed or ended"},
        416: {"description": "`range_not_satisfiable`"},
    },
    summary="Read a file",
)
async def get_content(
    services: Hub,
    media_id: UUID,
    holder: Annotated[Literal["user", "key"], Query(alias="for")],
    expires: Annotated[int, Query(ge=0, le=2**40)],
    signature: Annotated[str, Query(min_length=64, max_length=64)],
    download: Annotated[bool, Query(description="offer it for saving, also what could be shown")] = False,
    range_header: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
) -> Response:
    """By the address of `link`, whose signature is the permission. Types that a browser might run are for saving only."""
    link.check_link(services.settings, media_id, holder, expires, signature)
    media = await upload.find_media(services, media_id)
    return await serve(await services.shared(open_store), media, range_header, download=download)

"""Files of the website's chat: a visitor uploads one to send it, and reads those of his conversations.

Put together here because files are WhatsApp's package and visitors chat's, and neither imports the other that way. The page is
of another origin, so the answers say which page may read them (CORS, Fetch §3.2); the visitor's token comes in `Authorization`.
"""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.datastructures import UploadFile

from hub_api.auth.decide import anyone
from hub_api.chat.site import limits, tokens
from hub_api.chat.site.keep import queries
from hub_api.chat.site.origins import allowed
from hub_api.errors import Forbidden, Invalid, NotFound, Unauthorized
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp.media import upload
from hub_api.whatsapp.media.check import FileRefused
from hub_api.whatsapp.media.routes import FORM, TooLarge
from hub_api.whatsapp.media.serve import serve
from hub_api.whatsapp.media.store import open_store

router = APIRouter(prefix="/widget/files", tags=["widget"], dependencies=[Depends(anyone)])

Hub = Annotated[Services, Depends(get_services)]
# What people send of a problem: pictures and papers.
TAKEN = frozenset({"image/jpeg", "image/png", "image/webp", "application/pdf"})
_ANSWERS = {"Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"}
REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"description": "no token of a visitor of this site"},
    403: {"description": "no active site with this key may be embedded by this page"},
    413: {"description": "`too_large`: more than 10 MB, or no Content-Length"},
    422: {"description": "`file_refused`: no JPEG, PNG, WebP or PDF, or the antivirus found something"},
    429: {"description": "too many files: wait a little"},
}


class SentFile(BaseModel):
    """A file that a message may name."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    kind: str
    mime_type: str
    size_bytes: int
    filename: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks, and what lets his page read the answer."""

    visitor_id: UUID
    headers: dict[str, str]


async def visit(
    services: Hub,
    key: Annotated[str, Query(min_length=24, max_length=24, description="the site's public key")],
    origin: Annotated[str | None, Header(max_length=300)] = None,
    sec_fetch_site: Annotated[str, Header(max_length=20)] = "",
    authorization: Annotated[str, Header(max_length=300)] = "",
) -> Visit:
    """FastAPI dependency: the visitor of a token, on a page of its site. Raises Forbidden, Unauthorized.

    A page of our own origin names none when it reads (Fetch §3.1); the browser says then that it is of the same site.
    """
    site: Row | None = await services.db.fetchrow(queries.open_site, key)
    is_ours = origin is None and sec_fetch_site == "same-origin"
    if site is None or not (is_ours or allowed(site["origins"], origin)):
        raise Forbidden("no active site with this key may be embedded by this page")
    secret = services.settings.secret_key.get_secret_value()
    visitor_id = tokens.read_token(secret, site["id"], authorization.removeprefix("Bearer ").strip())
    if visitor_id is None or not await services.db.fetchval(queries.find_visitor, visitor_id, site["id"]):
        raise Unauthorized("no token of a visitor of this site")
    return Visit(visitor_id, _ANSWERS | ({"Access-Control-Allow-Origin": origin} if origin else {}))


Visitor = Annotated[Visit, Depends(visit)]


@router.options("", include_in_schema=False)
@router.options("/{media_id}", include_in_schema=False)
async def preflight(services: Hub, origin: Annotated[str, Header(max_length=300)] = "") -> Response:
    """Whether a page of this origin may ask at all (a preflight names neither site nor visitor)."""
    named = [one for row in await services.db.fetch(queries.allowed_origins) for one in row["origins"]]
    if not allowed(named, origin):
        return Response(status_code=403, headers=_ANSWERS)
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Max-Age": "600",
    }
    return Response(status_code=204, headers=_ANSWERS | headers)


@router.post("", status_code=201, responses=REFUSED, openapi_extra=FORM, summary="Upload a file to send in the chat")
async def post_file(request: Request, response: Response, services: Hub, visitor: Visitor) -> SentFile:
    """Looked at like every file: type by its bytes, size, antivirus. Who may see the conversation sees it once it is sent."""
    response.headers.update(visitor.headers)
    await limits.spend(services, "file", str(visitor.visitor_id))
    length = request.headers.get("Content-Length", "")
    if not length.isdecimal() or int(length) > limits.MOST_FILE_BYTES + 10_000:
        raise TooLarge(f"send a file of at most {limits.MOST_FILE_BYTES} bytes with its Content-Length")
    async with request.form(max_files=1, max_fields=0) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid("the form has no file", errors=[{"field": "body.file", "message": "Field required"}])
        if file.content_type not in TAKEN:
            raise FileRefused("a JPEG, PNG, WebP or PDF can be sent", errors=[])
        author = f"visitor:{visitor.visitor_id}"
        row = await upload.take_in(
            services, file.file, filename=file.filename, declared=file.content_type, author=author
        )
    return SentFile.model_validate(dict(row))


@router.get(
    "/{media_id}",
    response_class=Response,
    responses={
        200: {"content": {"application/octet-stream": {}}, "description": "the file"},
        401: REFUSED[401],
        403: REFUSED[403],
        404: {"description": "no such file"},
        409: {"description": "`media_not_available`: `state` says why it may not be shown"},
    },
    summary="Read a file of the chat",
)
async def get_file(services: Hub, visitor: Visitor, media_id: UUID) -> Response:
    """A file of a conversation that the visitor sees, or one that he uploaded."""
    if not await services.db.fetchval(queries.may_read, visitor.visitor_id, media_id, f"visitor:{visitor.visitor_id}"):
        raise NotFound(f"there is no file {media_id}")
    media = await upload.find_media(services, media_id)
    answer = await serve(await services.shared(open_store), media, None, download=False)
    answer.headers.update(visitor.headers)
    return answer

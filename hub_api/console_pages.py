"""The agents' console at `/console/`: the files that `make install` built from hub_api/console, under a policy of their own.

The page is one; its script reads the address. It works behind any prefix of a proxy: the hub does not know that prefix, so
`<base>` climbs from the address asked for to the console, and the script takes everything else from there.
"""

import mimetypes
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import FileResponse, RedirectResponse

from hub_api.auth.decide import anyone
from hub_api.errors import NotFound

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)

DIST = Path(__file__).parent / "console" / "dist"
# No script and no style but the build's own; `nonce` is for the style element that the components write their rules into.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'self'"
)
# Voice messages are recorded here, and nowhere else.
ABILITIES = "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"
FOR_EVER = "public, max-age=31536000, immutable"  # names of assets carry the hash of their content
PACKED = (("br", ".br"), ("gzip", ".gz"))


@router.get("/console")
async def get_door() -> Response:
    """To the page; the address is relative, for a prefix before it."""
    return RedirectResponse("console/", status_code=307)


@router.get("/console/{path:path}")
async def get_file(path: str, accept_encoding: Annotated[str, Header(max_length=1000)] = "") -> Response:
    """A file of the build; any address without a file's ending is the page. Raises NotFound."""
    files = _files()
    if "index.html" not in files:
        raise NotFound("the console is not built here: run `make install`")
    if path not in files or path == "index.html":
        if "." in path.rpartition("/")[2] and path != "index.html":
            raise NotFound(f"the console has no file {path}")
        return _page(path)
    file, headers = files[path], _headers("")
    headers["Cache-Control"] = FOR_EVER if path.startswith("assets/") else "no-cache"
    headers["Vary"] = "Accept-Encoding"
    for name, ending in PACKED:
        if name in accept_encoding and f"{path}{ending}" in files:
            file = files[f"{path}{ending}"]
            headers["Content-Encoding"] = name
            break
    return FileResponse(file, headers=headers, media_type=_type(path))


def _page(path: str) -> Response:
    nonce = secrets.token_urlsafe(16)
    up = "../" * path.count("/") or "./"
    page = _template().replace("{base}", up).replace("{nonce}", nonce)
    return Response(page, headers={**_headers(nonce), "Cache-Control": "no-store"}, media_type="text/html")


def _headers(nonce: str) -> dict[str, str]:
    policy = POLICY.format(nonce=nonce) if nonce else POLICY.replace(" 'nonce-{nonce}'", "")
    return {"Content-Security-Policy": policy, "Permissions-Policy": ABILITIES}


def _type(path: str) -> str:
    if path.endswith(".webmanifest"):
        return "application/manifest+json"
    return mimetypes.guess_type(path)[0] or "application/octet-stream"


@cache
def _files() -> dict[str, Path]:
    # Only what is listed here is ever read: no address leads out of the folder.
    return {file.relative_to(DIST).as_posix(): file for file in DIST.rglob("*") if file.is_file()}


@cache
def _template() -> str:
    return (DIST / "index.html").read_text(encoding="utf-8")

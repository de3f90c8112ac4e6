"""`/widget.js`, which a website embeds, and `/widget/demo`, a page that does.

One file that `make install` built from hub_api/console/widget. It is read from pages of any origin, and never from an old cache
for longer than five minutes; which page may talk is judged when it connects.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from hub_api.auth.decide import anyone
from hub_api.chat.site.keep import queries
from hub_api.errors import NotFound
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)

FILE = Path(__file__).parent / "console" / "dist-widget" / "widget.js"
PACKED = (("br", ".br"), ("gzip", ".gz"))
DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' blob:; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


@router.get("/widget.js")
async def get_script(
    accept_encoding: Annotated[str, Header(max_length=1000)] = "",
    if_none_match: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """The widget. Raises NotFound when it is not built."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cache-Control": "public, max-age=300",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{sha256(_read("")).hexdigest()[:32]}"',
        "Vary": "Accept-Encoding",
    }
    if headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    content = _read("")
    for name, ending in PACKED:
        if name in accept_encoding and FILE.with_name(FILE.name + ending).is_file():
            headers["Content-Encoding"], content = name, _read(ending)
            break
    return Response(content, headers=headers, media_type="text/javascript")


@router.get("/widget/demo")
async def get_demo(services: Annotated[Services, Depends(get_services)]) -> Response:
    """A page of an operator with the widget of the oldest active site that may be embedded here. Raises NotFound."""
    key = await services.db.fetchval(queries.first_key)
    if key is None:
        raise NotFound("no site may embed the chat yet: make one at /api/v1/sites")
    page = f"""<!doctype html>
<html lang="pt-BR">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Telecom Exemplo</title></head>
<body>
<main>
<h1>Telecom Exemplo</h1>
<p>Internet de fibra, telefone e TV. Precisa de ajuda? Fale com a gente pelo botão no canto da página.</p>
</main>
<script src="../widget.js" data-key="{key}" async></script>
</body>
</html>
"""
    return Response(page, headers={"Content-Security-Policy": DEMO_POLICY}, media_type="text/html")


@cache
def _read(ending: str) -> bytes:
    file = FILE.with_name(FILE.name + ending)
    if not file.is_file():
        raise NotFound("the widget is not built here: run `make install`")
    return file.read_bytes()

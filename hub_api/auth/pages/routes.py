"""The pages of signing in: `/entrar`, `/segundo-fator`, `/convite` and `/senha`, where links of e-mails and clients lead.

One page and one script that use the API as every client does; no form is handled here.
"""

from importlib import resources
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request, Response

from hub_api.auth.apps.proxy import written
from hub_api.auth.decide import anyone
from hub_api.auth.identify import APPS_PATH
from hub_api.platform import web
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(dependencies=[Depends(anyone)], include_in_schema=False)

Hub = Annotated[Services, Depends(get_services)]

PATH = "/entrar"
# No other site may frame the page or be sent its forms, and no script but its own file runs in it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


@router.get("/entrar")
@router.get("/segundo-fator")
@router.get("/convite")
@router.get("/senha")
async def get_page(services: Hub) -> Response:
    """The page; its script looks at the address and shows what belongs there."""
    page = _file("page.html")
    for name, there in {"provider": services.settings.oidc_issuer, "console": services.settings.console}.items():
        page = page.replace(f"{{{name}}}", "yes" if there else "no")
    return Response(page, headers=HEADERS, media_type="text/html")


@router.get("/entrar/page.js")
async def get_script() -> Response:
    """Its script."""
    return Response(_file("page.js"), headers={"Cache-Control": "no-cache"}, media_type="text/javascript")


@router.get("/entrar/page.css")
async def get_style() -> Response:
    """Its style."""
    return Response(_file("page.css"), headers={"Cache-Control": "no-cache"}, media_type="text/css")


async def on_unauthorized(request: Request, error: Exception) -> Response:
    """A person who opens an app behind the hub goes to the sign-in page and comes back; a program gets its 401."""
    visit = request.scope["type"] == "http" and request.method == "GET"  # a refused socket comes here too
    if visit and request.url.path.startswith(APPS_PATH) and _is_visit(request):
        services: Services = request.app.state.services
        page = f"{services.settings.public_url.rstrip('/')}{PATH}?{urlencode({'to': written(request)})}"
        return Response(status_code=303, headers={"Location": page, "Cache-Control": "no-store"})
    return await web.on_hub_error(request, error)


def _is_visit(request: Request) -> bool:
    return "authorization" not in request.headers and "text/html" in request.headers.get("accept", "")


def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")

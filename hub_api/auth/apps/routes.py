"""Apps behind the hub's sessions, under /apps/<name>/: Dagster's UI, Superset, notebooks, whatever HUB_APPS lists.

An app listens on loopback and serves under the path that browsers know (`dagster-webserver --path-prefix`, Jupyter's
`base_url`), so nothing in its pages is rewritten: behind a proxy that takes a prefix away, HUB_PUBLIC_URL has it.
"""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Request, Response, WebSocket

from hub_api.auth.apps.identity import headers_of
from hub_api.auth.apps.listed import check_method, enter
from hub_api.auth.apps.proxy import forward, open_upstream
from hub_api.auth.apps.sockets import relay
from hub_api.auth.decide import require
from hub_api.auth.identify import open_door, socket_caller
from hub_api.auth.permissions import OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.auth.sockets import watched
from hub_api.errors import HubError
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, problem

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/apps", tags=["apps"])

Hub = Annotated[Services, Depends(get_services)]
# Which permission an app wants is the operator's to say (HUB_APPS), so it is asked for once the app is known.
Caller = Annotated[Principal, Depends(require(OWN_ACCOUNT))]
AppName = Annotated[str, Path(max_length=31, examples=["dagster"])]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}}, "description": "what the app answers, its errors too"},
    404: {"description": "`not_found`: no such app runs with this hub"},
    503: {"description": "`unavailable`: the app does not answer"},
}


@router.get("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="Pages of an app")
async def get_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """Pages, scripts and data of an app, for who has the permission that HUB_APPS names."""
    return await _forward(services, request, caller, app, path)


@router.head("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="Whether there is a page")
async def head_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """As GET, without the body."""
    return await _forward(services, request, caller, app, path)


@router.post("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="A deed in an app")
async def post_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """Queries and deeds of an app's pages. A browser's must come from a page of the hub's own address."""
    return await _forward(services, request, caller, app, path)


@router.put("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="Put something into an app")
async def put_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """As POST."""
    return await _forward(services, request, caller, app, path)


@router.patch("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="Change something in an app")
async def patch_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """As POST."""
    return await _forward(services, request, caller, app, path)


@router.delete("/{app}/{path:path}", response_class=Response, responses=ANSWERS, summary="Delete something in an app")
async def delete_app(services: Hub, request: Request, caller: Caller, app: AppName, path: str) -> Response:
    """As POST."""
    return await _forward(services, request, caller, app, path)


@router.websocket("/{app}/{path:path}")
async def app_socket(websocket: WebSocket, app: str, path: str) -> None:
    """Live logs and states, kernels of notebooks."""
    services: Services = websocket.app.state.services
    door = await services.shared(open_door)
    try:
        caller = await socket_caller(door, websocket)
        entered = enter(services.settings, caller, app)
        identity = await headers_of(services, caller, entered)
        async with watched(services, websocket, caller, entered.permission) as guarded:
            await relay(await services.shared(open_upstream), guarded, entered, identity)
    except HubError as error:
        log.info("app_socket_refused", code=error.code)
        await websocket.send_denial_response(problem(error.status, error.code, error.message, **error.context))


async def _forward(services: Services, request: Request, caller: Principal, name: str, path: str) -> Response:
    app = enter(services.settings, caller, name)
    check_method(app, request.method, path)
    identity = await headers_of(services, caller, app)
    return await forward(await services.shared(open_upstream), app, request, identity)

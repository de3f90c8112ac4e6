"""Apps that know no users of their own, behind the hub's sessions: Dagster's UI under /apps/dagster.

The app listens on loopback and serves under the same prefix (`dagster-webserver --path-prefix`), so nothing in its pages
is rewritten.
"""

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request, Response, WebSocket

from hub_api.auth.apps.proxy import address, forward, open_upstream
from hub_api.auth.apps.sockets import relay
from hub_api.auth.decide import demand, require
from hub_api.auth.identify import open_door, socket_caller
from hub_api.errors import Forbidden, HubError
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, problem

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/apps", tags=["apps"])

PIPELINES = "pipelines:operate"
Hub = Annotated[Services, Depends(get_services)]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/html": {}}, "description": "what the app answers, its errors too"},
    404: {"description": "`not_found`: the app does not run with this hub (HUB_DAGSTER_URL is empty)"},
    503: {"description": "`unavailable`: the app does not answer"},
}


@router.get(
    "/dagster/{path:path}", dependencies=[Depends(require(PIPELINES))], response_class=Response, responses=ANSWERS,
    summary="Dagster's UI",
)  # fmt: skip
async def get_dagster(services: Hub, request: Request, path: str) -> Response:
    """Pages, scripts and figures of the data pipelines. Dagster would also do deeds by GET on /graphql: those are refused."""
    if path.strip("/") == "graphql":  # a link or an image on a page elsewhere must not start a run
        raise Forbidden("Dagster's GraphQL takes its queries by POST here")
    return await _forward(services, request)


@router.post(
    "/dagster/{path:path}", dependencies=[Depends(require(PIPELINES))], response_class=Response, responses=ANSWERS,
    summary="Dagster's GraphQL",
)  # fmt: skip
async def post_dagster(services: Hub, request: Request, path: str) -> Response:
    """Queries and deeds of Dagster's UI. A browser's must come from a page of the hub's own address."""
    return await _forward(services, request)


@router.websocket("/dagster/{path:path}")
async def dagster_socket(websocket: WebSocket, path: str) -> None:
    """Live logs and states of Dagster's UI."""
    services: Services = websocket.app.state.services
    door = await services.shared(open_door)
    try:
        caller = await socket_caller(door, websocket)
        demand(caller, PIPELINES)
        url = address(services.settings.dagster_url, websocket)
        await relay(await services.shared(open_upstream), door, caller, PIPELINES, websocket, url)
    except HubError as error:
        log.info("app_socket_refused", code=error.code)
        await websocket.send_denial_response(problem(error.status, error.code, error.message, **error.context))


async def _forward(services: Services, request: Request) -> Response:
    url = address(services.settings.dagster_url, request)
    return await forward(await services.shared(open_upstream), request, url)

"""Registering the apps that let people sign in by the hub."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Response

from hub_api.auth.decide import require
from hub_api.auth.openid import clients, schemas
from hub_api.auth.principal import Principal
from hub_api.platform.services import Services
from hub_api.platform.web import get_services, version_of

router = APIRouter(prefix="/api/v1/openid/clients", tags=["OpenID Connect provider"])

Hub = Annotated[Services, Depends(get_services)]
Reader = Depends(require("clients:read"))
Writer = Annotated[Principal, Depends(require("clients:write"))]
ClientId = Annotated[str, Path(max_length=40, examples=["superset"])]

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "no such client"}}
REFUSED: dict[int | str, dict[str, Any]] = {
    **NOT_FOUND,
    409: {"description": "`conflict`: a taken id, or a public client"},
    412: {"description": "`stale`: changed since the version in If-Match"},
}


@router.get("", dependencies=[Reader], summary="List clients")
async def get_clients(services: Hub) -> schemas.Clients:
    """Apps that let people sign in by the hub, by id; there are a handful."""
    rows = await services.db.fetch(clients.queries.list_clients)
    return schemas.Clients(items=[schemas.Client.model_validate(dict(row)) for row in rows])


@router.post("", status_code=201, responses=REFUSED, summary="Register a client")
async def post_client(services: Hub, caller: Writer, body: schemas.NewClient) -> schemas.MadeClient:
    """The answer shows the secret, this once. Codes go to the addresses given here and to no other."""
    fields = body.model_dump(exclude={"id", "public"})
    async with services.transaction() as tx:
        secret = await clients.create_client(tx, services.settings, caller, body.id, fields, public=body.public)
    return schemas.MadeClient(id=body.id, secret=secret)


@router.get("/{client_id}", dependencies=[Reader], responses=NOT_FOUND, summary="One client")
async def get_client(services: Hub, client_id: ClientId, response: Response) -> schemas.Client:
    """The ETag is for If-Match of a change."""
    return await _shown(services, client_id, response)


@router.patch("/{client_id}", responses=REFUSED, summary="Change a client")
async def patch_client(
    services: Hub,
    caller: Writer,
    client_id: ClientId,
    body: schemas.ClientChange,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=40, examples=['"3"'])] = None,
) -> schemas.Client:
    """Holds for the next sign-in; a permission that the person has not also ends what the client holds of him."""
    changes = body.model_dump(exclude_none=True)
    async with services.transaction() as tx:
        await clients.change_client(tx, services.settings, caller, client_id, changes, version_of(if_match))
    return await _shown(services, client_id, response)


@router.post("/{client_id}/secret", responses=REFUSED, summary="Another secret")
async def post_secret(services: Hub, caller: Writer, client_id: ClientId) -> schemas.MadeClient:
    """Shown this once; the one before ends at once."""
    async with services.transaction() as tx:
        secret = await clients.renew_secret(tx, caller, client_id)
    return schemas.MadeClient(id=client_id, secret=secret)


@router.delete("/{client_id}", status_code=204, responses=NOT_FOUND, summary="Delete a client")
async def delete_client(services: Hub, caller: Writer, client_id: ClientId) -> None:
    """It lets nobody in any more, and the tokens it holds are of no use."""
    async with services.transaction() as tx:
        await clients.delete_client(tx, caller, client_id)


async def _shown(services: Services, client_id: str, response: Response) -> schemas.Client:
    row = await clients.find_client(services.db, client_id)
    response.headers["ETag"] = f'"{row["version"]}"'
    return schemas.Client.model_validate(dict(row))

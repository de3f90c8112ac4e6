"""Goals over HTTP: one by one or in batches, as a file, signed by systems that have no login, and looked at with their message."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, File, Header, Query, Request, UploadFile

from hub_api.auth import audit
from hub_api.auth.decide import anyone, require
from hub_api.auth.principal import Principal
from hub_api.campaigns.goals import schemas, signed
from hub_api.campaigns.goals.jobs import LOOK_BACK, lay_all
from hub_api.campaigns.goals.load import load_goals, note
from hub_api.campaigns.goals.record import queries, record
from hub_api.campaigns.plans import keep
from hub_api.chat import masking, views
from hub_api.chat.business.upsert import Report
from hub_api.errors import HubError, Invalid
from hub_api.platform import ratelimit
from hub_api.platform.pages import page, read_cursor
from hub_api.platform.ratelimit import Limit
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(tags=["goals"])

Hub = Annotated[Services, Depends(get_services)]
Writer = Annotated[Principal, Depends(require("campaigns:write"))]
MAX_FILE_BYTES = 200 * 1024 * 1024
MAX_LISTED = 1000
UNSEEN: dict[int | str, dict[str, Any]] = {404: {"description": "no such customer or campaign"}}
UNSIGNED: dict[int | str, dict[str, Any]] = {
    401: {"description": "`bad_signature`: key, time or signature do not fit together"},
    429: {"description": "`too_many_requests`: of this key"},
}


class FileTooLarge(HubError):
    """The uploaded file is larger than we take at once."""

    status, code = 413, "file_too_large"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signed request says of itself, not yet verified."""

    key: str
    timestamp: str
    signature: str
    body: bytes


async def signed_by(
    request: Request,
    key: Annotated[str, Header(alias="X-Hub-Key", max_length=40, examples=["ck_0123456789abcdef"])] = "",
    timestamp: Annotated[str, Header(alias="X-Hub-Timestamp", max_length=20, description="Unix seconds")] = "",
    signature: Annotated[
        str,
        Header(alias="X-Hub-Signature", max_length=100, description="`v1=` and hex HMAC-SHA-256 of `timestamp.body`"),
    ] = "",
) -> Signed:
    """FastAPI dependency: headers and raw body of a signed request."""
    return Signed(key, timestamp, signature, await request.body())


@router.post(
    "/webhooks/conversions", dependencies=[Depends(anyone)], responses=UNSIGNED, summary="Report goals, signed"
)
async def post_signed(
    services: Hub, sent: Annotated[Signed, Depends(signed_by)], body: schemas.NewGoals
) -> schemas.GoalReport:
    """For systems with a key of `/api/v1/conversion-keys`. Harmless to repeat: a goal counts once by its kind and external_id."""
    secret_key = services.settings.secret_key.get_secret_value()
    await signed.verify(services.db, secret_key, sent.key, sent.timestamp, sent.signature, sent.body)
    allowed = Limit(f"conversion:{sent.key}", services.settings.key_rate_per_minute)
    await ratelimit.take(services.redis, [allowed], "too many reports of this key: wait a minute")
    return await _record(services, body, source="signed", actor=f"conversion_key:{sent.key}")


@router.post("/api/v1/goals", summary="Report goals")
async def post_goals(services: Hub, caller: Writer, body: schemas.NewGoals) -> schemas.GoalReport:
    """Good goals are recorded even if others are rejected. Harmless to repeat."""
    return await _record(services, body, source="api", actor=caller.actor)


@router.post("/api/v1/goals/import", summary="Load goals from a file")
async def post_file(
    services: Hub, caller: Writer, file: Annotated[UploadFile, File(description="CSV")]
) -> schemas.GoalReport:
    """CSV with `id`, `tipo` (pagamento, compra, cancelamento), `data`, `valor`, and one of `telefone`, `contrato`, `clique`."""
    if (file.size or 0) > MAX_FILE_BYTES:
        raise FileTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB: send it in parts")
    return _shown(await load_goals(services, caller, file.file))


@router.get("/api/v1/goals", responses=UNSEEN, summary="List goals")
async def get_goals(
    services: Hub,
    caller: Annotated[Principal, Depends(require("campaigns:read"))],
    customer_id: UUID | None = None,
    campaign_id: Annotated[UUID | None, Query(description="those that are laid to it")] = None,
    kind: Annotated[str | None, Query(pattern=schemas.KIND)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> schemas.GoalPage:
    """Each with the message it is laid to, or the reason why to none."""
    if customer_id is not None:
        await views.find_customer(services, caller, customer_id)
    if campaign_id is not None:
        await keep.find(services.db, caller, campaign_id)
    if caller.teams is not None and customer_id is None and campaign_id is None:
        raise Invalid("name a customer_id or a campaign_id: you see those of your teams")
    last = read_cursor(cursor, datetime.fromisoformat, UUID)
    rows = await services.db.fetch(queries.list_goals, customer_id, campaign_id, kind, *last, limit + 1)
    found = page(rows, limit, "created_at", "id")
    items = [schemas.Goal.model_validate(row) for row in masking.rows_for(caller, found.rows)]
    return schemas.GoalPage(items=items, next_cursor=found.next_cursor)


@router.post("/api/v1/goals/attribution", summary="Lay goals to messages anew")
async def post_attribution(
    services: Hub,
    caller: Writer,
    days: Annotated[int, Query(ge=1, le=400, description="goals of so many days")] = LOOK_BACK.days,
) -> schemas.Laid:
    """Makes every attribution of these days anew from goals and messages, as each night; the same facts give the same result."""
    counts = await lay_all(services, datetime.now(UTC) - timedelta(days=days))
    async with services.transaction() as tx:
        await audit.write(tx, caller, "goals.attributed", "goal", None, detail={"days": days, **counts})
    return schemas.Laid(**counts)


@router.get("/api/v1/conversion-keys", dependencies=[Depends(require("keys:read"))], summary="Keys that sign goals")
async def get_keys(services: Hub) -> schemas.Keys:
    """Newest first, without their secrets."""
    rows = await services.db.fetch(queries.list_keys)
    return schemas.Keys(items=[schemas.ConversionKey.model_validate(dict(row)) for row in rows])


@router.post("/api/v1/conversion-keys", status_code=201, summary="Make a key that signs goals")
async def post_key(
    services: Hub, caller: Annotated[Principal, Depends(require("keys:write"))], body: schemas.NewConversionKey
) -> schemas.KeyWithSecret:
    """The secret is shown this once."""
    async with services.transaction() as tx:
        secret_key = services.settings.secret_key.get_secret_value()
        key_id, secret = await signed.make_key(tx, caller, secret_key, body.name)
        row = await tx.db.fetchrow(queries.show_key, key_id)
    return schemas.KeyWithSecret.model_validate({**dict(row or {}), "secret": secret})


@router.delete(
    "/api/v1/conversion-keys/{key_id}",
    status_code=204,
    responses={404: {"description": "no such key in force"}},
    summary="Revoke a key that signs goals",
)
async def delete_key(services: Hub, caller: Annotated[Principal, Depends(require("keys:write"))], key_id: str) -> None:
    """Nothing signed with it is taken from now on."""
    async with services.transaction() as tx:
        await signed.revoke_key(tx, caller, key_id)


async def _record(services: Services, body: schemas.NewGoals, *, source: str, actor: str) -> schemas.GoalReport:
    told = [(position, goal.told()) for position, goal in enumerate(body.goals)]
    async with services.transaction() as tx:
        report = await record(tx, told, zone=services.settings.timezone, source=source, by=actor)
        await note(tx, actor, report)
    return _shown(report)


def _shown(report: Report) -> schemas.GoalReport:
    errors = [
        schemas.GoalFault(position=one.position, external_id=one.external_id, field=one.field, message=one.message)
        for one in sorted(report.faults, key=lambda fault: fault.position)[:MAX_LISTED]
    ]
    return schemas.GoalReport(
        received=report.received,
        written=report.written,
        unchanged=report.unchanged,
        rejected=len(report.faults),
        errors=errors,
    )

"""Campaigns in PostgreSQL: make, change, find, list; each change is a version and an audit row."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.plans.schemas import NewCampaign
from hub_api.errors import Conflict, Invalid, NotFound, Stale
from hub_api.events import CampaignChanged, CampaignCreated
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

CHANGEABLE = ("draft", "in_review", "approved", "scheduled")


class UnderWay(Conflict):
    """It has begun: what will be sent cannot be changed any more."""

    code = "campaign_under_way"


async def create(tx: Transaction, who: Principal, new: NewCampaign) -> UUID:
    """A draft; its id. Raises Invalid for a team that the caller does not see."""
    await _require_team(tx, who, new)
    campaign_id = uuid7()
    await tx.db.execute(queries.insert_campaign, campaign_id, *_columns(new), who.actor)
    await _put_variants(tx, campaign_id, new)
    await audit.write(tx, who, "campaign.created", "campaign", campaign_id, after=_told(new))
    tx.emit(CampaignCreated(
        aggregate_id=campaign_id, aggregate_version=1, occurred_at=datetime.now(UTC), name=new.name, kind=new.kind, lane=new.lane
    ))  # fmt: skip
    return campaign_id


async def change(tx: Transaction, who: Principal, campaign_id: UUID, new: NewCampaign, if_version: int | None) -> None:
    """Replace what was asked; it is a draft again, and whoever approved it has to look again.

    Raises NotFound, Stale, UnderWay, Invalid.
    """
    before = await locked(tx, who, campaign_id, if_version)
    if before["state"] not in CHANGEABLE:
        raise UnderWay(f"the campaign is {before['state']}: pause or cancel it, and make another")
    await _require_team(tx, who, new)
    known = await find(tx.db, who, campaign_id)
    await tx.db.execute(queries.change_campaign, campaign_id, *_columns(new), who.actor)
    await tx.db.execute(queries.drop_variants, campaign_id)
    await _put_variants(tx, campaign_id, new)
    told = _told(NewCampaign.model_validate({name: known[name] for name in NewCampaign.model_fields}, extra="ignore"))
    await audit.write(tx, who, "campaign.changed", "campaign", campaign_id, before=told, after=_told(new))
    tx.emit(CampaignChanged(
        aggregate_id=campaign_id, aggregate_version=before["version"] + 1, occurred_at=datetime.now(UTC), from_state=before["state"],
        to_state="draft", reason="changed",
    ))  # fmt: skip


async def find(db: Connection | Pool, who: Principal | None, campaign_id: UUID) -> Row:
    """A campaign with its variants. Raises NotFound, also for one of a team that the caller does not see."""
    row = await db.fetchrow(queries.find_campaign, campaign_id)
    if row is None or not sees(who, row):
        raise NotFound(f"there is no campaign {campaign_id}", campaign_id=str(campaign_id))
    return row


def sees(who: Principal | None, row: Row) -> bool:
    """Whether the caller sees the campaign: of his teams, of none, or his own. None: the hub itself."""
    return (
        who is None or who.teams is None or row["team_id"] is None or row["team_id"] in who.teams
        or row["created_by"] == who.actor
    )  # fmt: skip


async def locked(tx: Transaction, who: Principal | None, campaign_id: UUID, if_version: int | None = None) -> Row:
    """The campaign, locked until the commit. Raises NotFound, Stale."""
    row = await tx.db.fetchrow(queries.lock_campaign, campaign_id)
    if row is None or not sees(who, row):
        raise NotFound(f"there is no campaign {campaign_id}", campaign_id=str(campaign_id))
    if if_version is not None and if_version != row["version"]:
        raise Stale(f"the campaign is at version {row['version']} by now", version=row["version"])
    return row


async def list_campaigns(
    services: Services, who: Principal, *, state: str | None, limit: int, cursor: str | None, name: str | None = None
) -> Rows:
    """Newest first, those the caller sees. Raises Invalid for a cursor that is none of ours."""
    (last,) = read_cursor(cursor, UUID)
    sign = str.maketrans({one: f"\\{one}" for one in "\\%_"})
    pattern = f"%{name.translate(sign)}%" if name else None
    rows = await services.db.fetch(
        queries.list_campaigns, who.scope[0], who.user_id and str(who.user_id), state, last, limit + 1, pattern
    )
    return page(rows, limit, "id")


async def with_standing(services: Services, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The campaigns' rows with the names of people and how far their runs have come, in the same order."""
    found = {row["id"]: row for row in await services.db.fetch(queries.standing, [row["id"] for row in rows])}
    return [{**row, **found.get(row["id"], {})} for row in rows]


async def list_runs(
    services: Services, who: Principal | None, campaign_id: UUID, limit: int = 50
) -> list[dict[str, Any]]:
    """Runs, newest first, with what has become of their recipients. Raises NotFound."""
    await find(services.db, who, campaign_id)
    runs = [dict(row) for row in await services.db.fetch(queries.list_runs, campaign_id, limit)]
    by_id = {run["id"]: run | {"recipients": {}, "excluded_now": {}} for run in runs}
    for row in await services.db.fetch(queries.count_recipients, campaign_id, list(by_id)):
        counts = by_id[row["run_id"]]["recipients"]
        counts[row["state"]] = counts.get(row["state"], 0) + row["recipients"]
        if row["excluded_for"]:
            by_id[row["run_id"]]["excluded_now"][row["excluded_for"]] = row["recipients"]
    return list(by_id.values())


async def _require_team(tx: Transaction, who: Principal, new: NewCampaign) -> None:
    if new.team_id is not None and not await tx.db.fetchval(queries.team_exists, new.team_id, who.scope[0]):
        errors = [{"field": "body.team_id", "message": "no team of yours"}]
        raise Invalid("there is no such team among yours", errors=errors)


async def _put_variants(tx: Transaction, campaign_id: UUID, new: NewCampaign) -> None:
    await tx.db.execute(
        queries.insert_variants,
        campaign_id,
        [one.name for one in new.variants],
        [one.template_name for one in new.variants],
        [one.template_language for one in new.variants],
        [one.model_dump(mode="json")["variables"] for one in new.variants],
        [one.share for one in new.variants],
    )


def _columns(new: NewCampaign) -> tuple[Any, ...]:
    body = new.model_dump(mode="json")
    body["audience"] = new.audience.model_dump(mode="json", exclude_none=True)
    return (
        new.name, new.description, new.team_id, new.kind, new.lane, body["audience"], body["schedule"], body["pacing"],
        body["experiment"], body["steps"], new.goal, new.window_days, new.budget_micros, new.budget_currency,
    )  # fmt: skip


def _told(new: NewCampaign) -> dict[str, Any]:
    return new.model_dump(mode="json", exclude={"description"})

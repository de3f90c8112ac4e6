"""A campaign as somebody watches it: a run's recipients by state, its pace, what failed, who is on the list and what was meant for
one customer. From PostgreSQL, so it is true at once; what customers did then is the funnel's to say (`live.py`)."""

from typing import Any
from uuid import UUID

from hub_api.auth.principal import Principal
from hub_api.campaigns.plans import keep
from hub_api.campaigns.ports import Channel
from hub_api.chat import masking, views
from hub_api.errors import NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "watch.sql")

MOST_OF_CUSTOMER = 50


async def watch(services: Services, channel: Channel, campaign: Row, run_id: UUID | None) -> dict[str, Any]:
    """The fields of schemas.Monitor; of the newest run without `run_id`. Raises NotFound for a run that is none of the campaign's."""
    told: dict[str, Any] = {
        "campaign_id": campaign["id"], "state": campaign["state"], "block_reason": campaign["block_reason"], "run": None,
        "by_variant": [], "recipients": {}, "excluded": {}, "failures": [],
        "last_minute": 0, "lag_s": 0.0, "next_turn_at": None, "held": 0, "put_off": {}, "waits_for": None, "last_sent_at": None,
    }  # fmt: skip
    run = await find_run(services, campaign["id"], run_id)
    if run is None:
        return told
    by_variant: dict[str, dict[str, int]] = {}
    recipients: dict[str, int] = {}
    for row in await services.db.fetch(queries.states, run["id"]):
        if row["variant"]:
            by_variant.setdefault(row["variant"], {})[row["state"]] = row["recipients"]
        recipients[row["state"]] = recipients.get(row["state"], 0) + row["recipients"]
    failures = []
    for row in await services.db.fetch(queries.failures, run["id"]):
        code = row["error_code"]
        failures.append({**row, "meaning": channel.meaning(code), "retryable": channel.retryable(code)})
    pace = await services.db.fetchrow(queries.pace, run["id"])
    reasons = await services.db.fetch(queries.reasons, run["id"])
    put_off = {row["reason"]: row["messages"] for row in await services.db.fetch(queries.put_off, run["id"])}
    waits = campaign["state"] == "running" and (run["state"] == "freezing" or recipients.get("pending"))
    return {
        **told,
        **(pace or {}),
        "run": {**run, "eligible": None if run["members"] is None else run["members"] - run["excluded_at_freeze"]},
        "by_variant": [{"variant": name, "recipients": states} for name, states in sorted(by_variant.items())],
        "recipients": recipients,
        "excluded": {row["reason"]: row["recipients"] for row in reasons},
        "failures": failures,
        "held": put_off.pop("campaign", 0),
        "put_off": put_off,
        "waits_for": run["waits_for"] if waits else None,
        # Whom a test holds back for its winner is late for nothing.
        **({"lag_s": 0.0} if waits and run["waits_for"] == "winner" else {}),
    }


async def find_run(services: Services, campaign_id: UUID, run_id: UUID | None) -> Row | None:
    """The run, or the newest; None when there is none yet. Raises NotFound for one that is none of the campaign's."""
    run = await services.db.fetchrow(queries.run, campaign_id, run_id)
    if run is None and run_id is not None:
        raise NotFound(f"the campaign has no run {run_id}")
    return run


async def recipients(
    services: Services,
    who: Principal,
    campaign_id: UUID,
    *,
    state: str | None,
    variant: str | None,
    reason: str | None,
    run_id: UUID | None,
    limit: int,
    cursor: str | None,
) -> tuple[Rows, list[dict[str, Any]]]:
    """A page of the lists' rows by customer, and each as the caller may see it: with name and phone where he sees the customer
    elsewhere too (`customers:read`, and one of his teams' or of none), since a campaign goes beyond the customers of a team.

    Raises NotFound, Invalid for a cursor that is none of ours.
    """
    await keep.find(services.db, who, campaign_id)
    last = read_cursor(cursor, UUID, UUID, int)
    rows = await services.db.fetch(queries.recipients, campaign_id, state, variant, reason, run_id, *last, limit + 1)
    found = page(rows, limit, "customer_id", "run_id", "step")
    seen = await views.seen_customers(services, who, {row["customer_id"] for row in found.rows})
    nobody = {"name": None, "phone": None}
    return found, [_masked(who, row) if row["customer_id"] in seen else {**row, **nobody} for row in found.rows]


def _masked(who: Principal, row: Row) -> dict[str, Any]:
    """Name and phone as the caller may see them; the rest tells nothing of a person."""
    person = masking.customer_for(who, {"name": row["name"], "phone": row["phone"]})
    return {**row, **person}


async def of_customer(services: Services, who: Principal, customer_id: UUID) -> list[Row]:
    """What campaigns meant for the customer, newest first, MOST_OF_CUSTOMER at most: those the caller sees."""
    teams, user = who.scope[0], who.user_id and str(who.user_id)
    return await services.db.fetch(queries.of_customer, customer_id, teams, user, MOST_OF_CUSTOMER)

"""One message from its audience to its goals: why this person received it, and what became of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from hub_api.campaigns.sending.turn import experiment_of
from hub_api.errors import NotFound
from hub_api.events import assignment_id
from hub_api.platform import sqlfile
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

REPLY_WINDOW = timedelta(hours=72)  # as gold.campaign_funnel lays a reply


async def lineage(services: Services, message_id: UUID) -> dict[str, Any]:
    """Everything the hub knows of an outgoing message but its words, by the fields of schemas.Lineage. Raises NotFound."""
    db = services.db
    message = await db.fetchrow(queries.find_message, message_id)
    if message is None:
        raise NotFound(f"there is no outgoing message {message_id}")
    customer_id, queued_at = message["customer_id"], message["created_at"]
    origin = await db.fetchrow(queries.queued_event, message_id)
    campaign_id = origin["campaign_id"] if origin else None
    next_at = await db.fetchval(queries.next_campaign_message, customer_id, queued_at)
    until = min(queued_at + REPLY_WINDOW, next_at or queued_at + REPLY_WINDOW)
    cost = await db.fetchrow(queries.cost, message_id)
    audience = await db.fetchrow(queries.audience, message_id)
    # Each run of a campaign is a test of its own; one that was made elsewhere (an import) is named by its campaign.
    tests = [one for one in (campaign_id, experiment_of(audience["run_id"]) if audience else None) if one]
    assigned = await db.fetchrow(queries.assignment, [assignment_id(one, customer_id) for one in tests])
    decisions = await db.fetch(queries.decisions_before, campaign_id, queued_at) if campaign_id else []
    return {
        "message_id": message_id,
        "customer_id": customer_id,
        "author": message["author"],
        "category": message["category"],
        "template": origin["template"] if origin else None,
        "queued_at": queued_at,
        "state": message["state"],
        "number_id": message["number_id"],
        "campaign_id": campaign_id,
        "variant": origin["variant"] if origin else None,
        "assignment": dict(assigned) if assigned else None,
        "audience": {**audience, "decisions": [dict(one) for one in decisions]} if audience else None,
        "consent": await db.fetch(queries.consent_then, customer_id, queued_at),
        "statuses": await db.fetch(queries.statuses, message_id),
        "error_code": message["error_code"],
        "answers": await db.fetch(queries.answers, customer_id, queued_at, until),
        "clicks": await db.fetch(queries.clicks, customer_id, campaign_id, message_id) if campaign_id else [],
        "goals": await db.fetch(queries.goals, message_id),
        "cost_micros": cost["cost_micros"] if cost else None,
        "cost_currency": cost["cost_currency"] if cost else None,
    }

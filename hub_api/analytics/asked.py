"""The filter as a request names it: apart from `filters`, which jobs use too, and no worker needs the web framework."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

Texts = Annotated[list[str] | None, Query(max_length=50)]
Ids = Annotated[list[UUID] | None, Query(max_length=50)]


def asked(
    since: Annotated[
        date | None, Query(alias="from", description="first business day; without it 30 days before `to`")
    ] = None,
    to: Annotated[date | None, Query(description="last business day; without it today")] = None,
    queue: Texts = None,
    agent_id: Ids = None,
    number_id: Ids = None,
    channel: Texts = None,
    state_code: Texts = None,
    region: Texts = None,
    plan: Texts = None,
    segment_id: Annotated[list[UUID] | None, Query(max_length=20, description="who is in these segments now")] = None,
    currency: Annotated[
        str | None, Query(pattern="^[A-Z]{3}$", description="of amounts, when there are several")
    ] = None,
) -> dict[str, Any]:
    """FastAPI dependency: the filter as it was asked for."""
    listed = {
        "queue": queue, "agent_id": agent_id, "number_id": number_id, "channel": channel, "state_code": state_code, "region": region, "plan": plan,
    }  # fmt: skip
    values = {name: [str(one) for one in some] for name, some in listed.items() if some}
    return {"since": since, "to": to, "values": values, "currency": currency, "segments": segment_id or ()}

"""The conversations behind a figure as the caller may see them: their share for everybody who sees the figure, names only for
who sees the conversation, masked as everywhere."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from hub_api.analytics import ask, cache, schemas
from hub_api.analytics.filters import Filter, queries
from hub_api.auth.principal import Principal
from hub_api.chat import masking
from hub_api.chat.viewed import note_view
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Reader

Formula = Callable[[int, int], float | None]
_NOBODY = {"protocol": None, "state": None, "customer_name": None}


async def shown_conversations(
    services: Services,
    caller: Principal,
    reader: Reader,
    cases: ask.Cases,
    filter_: Filter,
    formula: Formula,
    order: ask.Order,
    limit: int,
    cursor: str | None,
) -> schemas.BehindPage:
    """A page of them, with the total of all: the same cases. The total is kept as figures are, for the pages that follow."""
    said = ("total", cases.name, str(filter_))
    (rows, following), sums = await asyncio.gather(
        ask.conversations(reader, cases, filter_, order=order, limit=limit, cursor=cursor),
        cache.sums(services, reader, said, lambda: ask.total(reader, cases, filter_)),
    )
    people = await _people(services, caller, [row["conversation_id"] for row in rows])
    return schemas.BehindPage(
        first=filter_.first,
        last=filter_.last,
        total=schemas.Total(**sums, value=formula(sums["numerator"], sums["denominator"])),
        items=[
            schemas.Behind.model_validate(
                {
                    **row,
                    "value": formula(row["numerator"], row["denominator"]),
                    **people.get(row["conversation_id"], _NOBODY),
                }
            )
            for row in rows
        ],
        next_cursor=following,
    )


async def _people(services: Services, caller: Principal, ids: list[UUID]) -> Mapping[UUID, Mapping[str, Any]]:
    """Protocol, state and customer's name of those conversations that the caller sees now; looking is noted."""
    if not caller.may("conversations:read"):
        return {}
    rows = await services.db.fetch(queries.shown, *caller.scope, ids)
    await note_view(services, caller, "conversation", (row["id"] for row in rows), "analytics")
    return {row["id"]: masking.words_for(caller, dict(row), "customer_name") for row in rows}

"""Looks at personal data beyond one's own queues are noted in the audit log: who saw whose.

One's own are the conversations of one's teams' queues, those one has, and those of no team: the rule of `sees`. Whoever sees
no more than that by his role leaves no row, and costs no query. The same look again within an hour is the same look: a
console asks for what it shows again and again.
"""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.platform import sqlfile
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "viewed.sql")

SAME_LOOK_S = 3600

Kind = Literal["conversation", "customer"]


async def note_view(services: Services, caller: Principal, kind: Kind, shown: Iterable[UUID], what: str) -> None:
    """Note that `caller` was shown `what` of these conversations or customers, as far as they are beyond his own queues.

    One row for all: of one object by its id, of more with `ids` in the detail, by which the log is searched too.
    """
    ids = list(dict.fromkeys(shown))
    if caller.teams is not None or not ids:
        return
    query = queries.conversations_beyond if kind == "conversation" else queries.customers_beyond
    beyond = [row["id"] for row in await services.db.fetch(query, caller.user_id, ids)]
    if not (fresh := await _not_seen_lately(services, f"viewed:{caller.actor}:{what}", beyond)):
        return
    one = fresh[0] if len(fresh) == 1 else None
    detail = {"what": what} if one else {"what": what, "ids": [str(each) for each in fresh]}
    async with services.transaction() as tx:
        await audit.write(tx, caller, "personal_data.viewed", kind, one, detail=detail)


async def _not_seen_lately(services: Services, look: str, ids: list[UUID]) -> list[UUID]:
    """Those of `ids` that this look did not show within the hour; all of them while Redis is away."""
    if not ids:
        return []
    try:
        async with services.redis.pipeline(transaction=False) as pipeline:
            for each in ids:
                pipeline.set(f"{look}:{each}", b"1", ex=SAME_LOOK_S, nx=True)
            marked = await pipeline.execute()
    except RedisError as error:
        log.warning("looks_not_counted", error=type(error).__name__)
        return ids
    return [each for each, was_set in zip(ids, marked, strict=True) if was_set]

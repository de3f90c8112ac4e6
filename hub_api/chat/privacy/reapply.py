"""After a restored backup: whoever was erased since is erased again before anybody is served."""

from uuid import UUID

import structlog

from hub_api.chat.privacy import lake, warehouse
from hub_api.chat.privacy.erase import work_on
from hub_api.chat.privacy.rows import queries
from hub_api.chat.privacy.tombstones import queries as tombstone_queries
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)


async def reapply(services: Services) -> int:
    """Repeat each erasure that the warehouse's list has and PostgreSQL lacks; put on the list what only PostgreSQL has, and
    erase it in the warehouse again. Returns how many erasures were repeated.

    What a store that is away leaves open is tried again by the clock; PostgreSQL's own rows are erased when this returns.
    """
    listed = await warehouse.read_list(services.settings)
    rows = {row["id"]: row for row in await services.db.fetch(queries.all_erasures)}
    repeated = 0
    for erasure in listed:
        if erasure.id not in rows:
            await _repeat(services, erasure)
            repeated += 1
    for erasure_id in rows.keys() - {erasure.id for erasure in listed}:
        repeated += await _list_again(services, erasure_id)
    if repeated:
        await lake.follow(services.settings)
    return repeated


async def _repeat(services: Services, erasure: warehouse.Listed) -> None:
    stones = await warehouse.read_tombstones(services.settings, erasure.id)
    async with services.transaction() as tx:
        await tx.db.execute(
            queries.insert_erasure, erasure.id, erasure.customer_id, erasure.reason, "reapplied", erasure.erased_at
        )
        hashes, kinds = [key for _, key in stones], [kind for kind, _ in stones]
        await tx.db.execute(tombstone_queries.bury, hashes, kinds, erasure.id, erasure.erased_at)
    await work_on(services, erasure.id, erased_at=erasure.erased_at)
    log.info("erasure_repeated", erasure=str(erasure.id))


async def _list_again(services: Services, erasure_id: UUID) -> bool:
    row = await services.db.fetchrow(queries.find_erasure, erasure_id)
    if row is None or row["state"] != "done":
        return False  # the clock works on it
    ids = [one["id"] for one in await services.db.fetch(queries.person_ids, row["customer_id"])] or [row["customer_id"]]
    await warehouse.erase_texts(services.settings, ids)
    listed = warehouse.Listed(erasure_id, row["customer_id"], row["reason"], row["erased_at"])
    await warehouse.write_list(services.settings, services.db, listed)
    return True

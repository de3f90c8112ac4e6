"""Frozen lists for sending: who is in a segment at one moment, with what proves it (design §4.7)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from hub_api.analytics.segments import keep
from hub_api.analytics.segments.preview import newest_data
from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.platform.clickhouse import Settings
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import ask
from models_ml.segmentation.compile import compile_tree, members_query
from models_ml.segmentation.parse import parse
from models_ml.segmentation.tree import to_json

queries = keep.queries

LIMITS: Settings = {"max_execution_time": 60, "max_result_rows": 20_000_000}
# Rows of one transaction: the relay's horizon waits for the oldest one.
MEMBERS_A_TRANSACTION = 20_000
# A million members take a minute: whoever has been at it for so long is dead.
GIVEN_UP_AFTER = timedelta(minutes=15)


async def freeze(services: Services, who: Principal, segment_id: UUID, snapshot_id: UUID | None = None) -> Row:
    """Store who is in the segment now; the snapshot, which is `frozen` with its count and hash. One that failed is made anew
    under its id.

    A process that dies meanwhile leaves it `freezing`, until `end_dead` gives it up: nothing is sent by one that is not
    frozen. Raises NotFound, Conflict for a segment that was put away and for a snapshot that another is making or has given
    up, and what `preview` raises.
    """
    segment = await keep.find(services.db, segment_id)
    if segment["archived_at"]:
        raise Conflict(f"the segment {segment['name']!r} was put away")
    expanded = await keep.with_nested(services.db, parse(segment["definition"]), segment_id)
    data = await newest_data(services)
    found = await ask(services, *members_query(compile_tree(expanded, data.as_of), data.as_of), settings=LIMITS)
    snapshot_id = snapshot_id or uuid7()
    async with services.transaction() as tx:
        values = (segment_id, segment["version"], to_json(expanded), data.as_of, data.version, who.actor)
        begun = await tx.db.fetchval(queries.begin_snapshot, snapshot_id, *values)
        if begun is None:
            raise Conflict("the same request is freezing this segment just now")
        detail = {"snapshot": str(snapshot_id), "version": segment["version"], "as_of": str(data.as_of)}
        await audit.write(tx, who, "segment.frozen", "segment", segment_id, detail=detail)
    try:
        for members in _portions(found.rows):
            await services.db.execute(queries.add_members, snapshot_id, begun, members)
        if await services.db.fetchval(queries.freeze_snapshot, snapshot_id, begun) is None:
            raise Conflict("freezing this segment took too long and was given up: try again")
    except BaseException:
        await services.db.execute(queries.fail_snapshot, snapshot_id, begun)
        raise
    return await find_snapshot(services, snapshot_id)


async def end_dead(services: Services) -> int:
    """Give up lists that a dead process left half made: `failed`, without members; how many."""
    return int(await services.db.fetchval(queries.fail_dead_snapshots, GIVEN_UP_AFTER))


def _portions(rows: Sequence[Sequence[Any]]) -> Iterator[list[UUID]]:
    for start in range(0, len(rows), MEMBERS_A_TRANSACTION):
        yield [row[0] for row in rows[start : start + MEMBERS_A_TRANSACTION]]


async def find_snapshot(services: Services, snapshot_id: UUID) -> Row:
    """A snapshot. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_snapshot, snapshot_id)
    if row is None:
        raise NotFound(f"there is no snapshot {snapshot_id}")
    return row


async def list_snapshots(services: Services, segment_id: UUID, *, limit: int, cursor: str | None) -> Rows:
    """Snapshots of a segment, newest first. Raises NotFound, Invalid for a cursor that is none of ours."""
    await keep.find(services.db, segment_id)
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_snapshots, segment_id, last, limit + 1), limit, "id")


async def list_members(services: Services, snapshot_id: UUID, *, limit: int, cursor: str | None) -> Rows:
    """Members of a snapshot by id. Raises NotFound, Invalid for a cursor that is none of ours."""
    await find_snapshot(services, snapshot_id)
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_members, snapshot_id, last, limit + 1), limit, "customer_id")

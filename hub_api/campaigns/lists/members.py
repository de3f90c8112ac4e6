"""Who is in an audience, portion by portion, however it is told: bounded memory for a million people."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from hub_api.campaigns.fill import trigger_values
from hub_api.campaigns.plans.schemas import FEATURES
from hub_api.campaigns.ports import Audience, Channel
from hub_api.errors import Conflict
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import open_reader

queries = sqlfile.load(__package__)

PORTION = 20_000  # a transaction of the relay's horizon each

# The hour (UTC) at which somebody read most of the messages of ninety days; one reading is no habit.
_HABITS = """
SELECT customer_id, argMax(hour, (n, hour)) AS habit FROM (
    SELECT customer_id, toHour(event_time) AS hour, count() AS n FROM bronze.events
    WHERE type = 'message.state_changed' AND to_state = 'read' AND day BETWEEN addDays({as_of:Date}, -90) AND {as_of:Date}
    GROUP BY customer_id, hour
) GROUP BY customer_id HAVING sum(n) > 1
"""


@dataclass(frozen=True, slots=True)
class Member:
    """One of an audience; `habit` is the hour (UTC) of reading, -1 where none is known."""

    customer_id: UUID
    habit: int = -1
    variables: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """An audience that can be read, with what it was read from (None: not from the warehouse)."""

    definition: Mapping[str, Any] | None
    as_of: Any
    version: str | None
    members: AsyncIterator[list[Member]]


async def open_source(
    services: Services, channel: Channel, run: Row | Mapping[str, Any], features: Iterable[str] = ()
) -> Source:
    """The audience of a run (`find_run`), or of a campaign that has none yet. Raises NotFound, Invalid, Conflict, Unavailable."""
    audience: Mapping[str, Any] = run["audience"]
    if run["kind"] == "triggered" and run["id"] is not None:
        return Source({"trigger": run["schedule"]["trigger"]}, None, None, _triggered(services, channel, run))
    if snapshot_id := audience.get("snapshot_id"):
        frozen = await services.db.fetchrow(queries.find_snapshot, UUID(snapshot_id))
        if frozen is None:
            raise Conflict(f"there is no frozen list {snapshot_id}")
        members = _snapshot(services, UUID(snapshot_id))
        return Source(frozen["definition"], frozen["as_of"], frozen["asset_version"], members)
    if upload_id := audience.get("upload_id"):
        return Source(None, None, None, _uploaded(services, UUID(upload_id)))
    found = await _segment(services, channel, audience)
    best_hour = bool(run["schedule"].get("best_hour"))
    return Source(
        found.definition,
        found.as_of,
        found.version,
        _asked(services, found, sorted(set(features)), best_hour=best_hour),
    )


async def _segment(services: Services, channel: Channel, audience: Mapping[str, Any]) -> Audience:
    segment_id = audience.get("segment_id")
    return await channel.audience(services, UUID(segment_id) if segment_id else None, audience.get("definition"))


async def _asked(
    services: Services, found: Audience, features: list[str], *, best_hour: bool
) -> AsyncIterator[list[Member]]:
    if unknown := set(features) - set(FEATURES):
        raise ValueError(f"no such columns: {sorted(unknown)}")
    columns = "".join(f", toString(f.{name})" for name in features)
    habit = "ifNull(toInt16(h.habit), -1)" if best_hour else "-1"
    sql = f"SELECT m.customer_id, {habit}{columns} FROM ({found.sql}) AS m"  # noqa: S608 - our own names and the compiler's query
    if best_hour:
        sql += f" LEFT JOIN ({_HABITS}) AS h ON h.customer_id = m.customer_id"
    if features:
        sql += " LEFT JOIN gold.customer_features AS f ON f.customer_id = m.customer_id AND f.day = {as_of:Date}"
    reader = await services.shared(open_reader)
    portion: list[Member] = []
    async for row in reader.row_stream(
        sql + " SETTINGS join_use_nulls = 1", {**found.parameters, "as_of": found.as_of}
    ):
        known = {f"feature.{name}": value for name, value in zip(features, row[2:], strict=True) if value}
        portion.append(Member(row[0], int(row[1]), known or None))
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion


async def _snapshot(services: Services, of: UUID) -> AsyncIterator[list[Member]]:
    async for rows in _paged(services, queries.snapshot_members, of):
        yield [Member(row["customer_id"]) for row in rows]


async def _paged(services: Services, query: str, of: UUID) -> AsyncIterator[list[Row]]:
    last: UUID | None = None
    while rows := await services.db.fetch(query, of, last, PORTION):
        yield rows
        last = rows[-1]["customer_id"]


async def _uploaded(services: Services, upload_id: UUID) -> AsyncIterator[list[Member]]:
    line = 0
    while rows := await services.db.fetch(queries.upload_members, upload_id, line, PORTION):
        yield [Member(row["customer_id"], variables=_columns(row)) for row in rows]
        line = rows[-1]["line"]


async def _triggered(services: Services, channel: Channel, run: Row | Mapping[str, Any]) -> AsyncIterator[list[Member]]:
    """Those to whom it happened and who are in the audience, with what happened and, of a file, what its columns say of them."""
    inside = await _inside(services, channel, run["audience"])
    async for rows in _paged(services, queries.trigger_members, run["id"]):
        known = await inside([row["customer_id"] for row in rows])
        yield [
            Member(customer_id, variables={**known[customer_id], **trigger_values(row, services.settings.zone)})
            for row in rows
            if (customer_id := row["customer_id"]) in known
        ]


Inside = Callable[[list[UUID]], Awaitable[dict[UUID, dict[str, Any]]]]


async def _inside(services: Services, channel: Channel, audience: Mapping[str, Any]) -> Inside:
    """Which of some customers are in an audience, and what comes with each of them. Raises as `open_source`."""
    if upload_id := audience.get("upload_id"):
        return partial(_of_file, services, UUID(upload_id))
    if snapshot_id := audience.get("snapshot_id"):
        return partial(_of_snapshot, services, UUID(snapshot_id))
    return partial(_of_segment, services, await _segment(services, channel, audience))


async def _of_file(services: Services, upload_id: UUID, some: list[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = await services.db.fetch(queries.in_upload, upload_id, some)
    return {row["customer_id"]: _columns(row) for row in rows}


async def _of_snapshot(services: Services, snapshot_id: UUID, some: list[UUID]) -> dict[UUID, dict[str, Any]]:
    return {row["customer_id"]: {} for row in await services.db.fetch(queries.in_snapshot, snapshot_id, some)}


async def _of_segment(services: Services, found: Audience, some: list[UUID]) -> dict[UUID, dict[str, Any]]:
    reader = await services.shared(open_reader)
    sql = f"SELECT customer_id FROM ({found.sql}) WHERE customer_id IN {{happened:Array(UUID)}}"  # noqa: S608
    return {row[0]: {} async for row in reader.row_stream(sql, {**found.parameters, "happened": some})}


def _columns(row: Row) -> dict[str, Any]:
    return {f"csv.{name}": value for name, value in row["variables"].items()}

"""Who is in which segment: those that changed, or whose data did, in few passes over the features; then who came and went."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from assets.gold.segment.definitions import Definition
from assets.warehouse import Warehouse, load_sql
from hub_api.platform.clickhouse import Settings
from models_ml.segmentation.compile import Compiled, compile_tree, membership_query

MEMBERSHIP, HISTORY, STATE = "gold.segment_membership", "gold.segment_membership_history", "gold.segment_state"
# One pass computes as many segments as have this many subqueries together: each is a set of customers in memory.
SUBQUERIES_A_PASS = 8
SEGMENTS_A_PASS = 25
# The members of a pass before it, looked up by each found now: spilled to disk when they are many.
JOIN: Settings = {"join_algorithm": "grace_hash", "max_bytes_in_join": 300_000_000}
NEVER = 1970  # year of the day that nothing was built for

_BUILD = """
SELECT
    max(if(table = 'customer_features', toDate(partition), toDate(0))) AS day,
    concat(toString(day), ':', lower(hex(sipHash64(arraySort(groupArray(hash_of_all_files)))))) AS build
FROM system.parts
WHERE active AND database = 'gold' AND (
    (table = 'customer_actions_daily')
    OR (table = 'customer_features' AND partition = (
        SELECT max(partition) FROM system.parts WHERE active AND database = 'gold' AND table = 'customer_features')))
"""


@dataclass(frozen=True)
class Refresh:
    """What a run did: segments computed and left as they were, members now, changes, and what could not be computed."""

    as_of: date | None
    computed: int
    same: int
    members: int
    entered: int
    left: int
    problems: dict[str, str]
    lineage: dict[str, list[str]]


def refresh(warehouse: Warehouse, segments: Sequence[Definition]) -> Refresh:
    """Bring gold.segment_membership to the newest day of the features, write who came and went, and remember from what.

    Running it again changes nothing: a segment of the same definition over the same build is left as it is, as is one that
    cannot be computed. The history of a run is written before its members are swapped in, under the run's name: a run that
    dies in between is repeated under the same one and adds no row twice.
    """
    day, build = warehouse.rows(_BUILD)[0]
    if day.year == NEVER:
        return Refresh(None, 0, 0, 0, 0, 0, {}, {})
    state = warehouse.rows(f"SELECT segment_id, definition_hash, build, computed_at FROM {STATE}")  # noqa: S608
    before = {row[0]: (row[1], row[2]) for row in state}
    usable = [one for one in segments if one.node is not None]
    due = [one for one in usable if before.get(one.id) != (one.hash, build)]
    same = [one.id for one in segments if one not in due]
    compiled = {one.id: compile_tree(one.node, day, f"s{place}_") for place, one in enumerate(usable) if one.node}
    held = {row[0] for row in warehouse.rows(f"SELECT DISTINCT segment_id FROM {MEMBERSHIP}")}  # noqa: S608
    used = {one.id for one in segments}
    run = _name([str(max((row[3] for row in state), default="")), build, *(f"{one.id}{one.hash}" for one in usable)])
    told = {
        **_versions(segments),
        "day": day,
        "used": sorted(used),
        "redefined": [one.id for one in due if one.id in before and before[one.id][0] != one.hash],
        "run": run,
    }
    with warehouse.replaced_whole(MEMBERSHIP) as aside:
        warehouse.insert(aside, load_sql(__package__, "keep_members.sql"), {"same": same})
        for batch in _passes(due, compiled):
            _find(warehouse, aside, {one.id: compiled[one.id] for one in batch}, day, told)
        changes = load_sql(__package__, "changes.sql").replace("{aside}", aside)
        moved = sorted([one.id for one in due] + list(held - used))
        for start in range(0, len(moved), SEGMENTS_A_PASS):
            warehouse.insert(HISTORY, changes, {**told, "batch": moved[start : start + SEGMENTS_A_PASS]})
        counts = _pairs(warehouse.rows(f"SELECT segment_id, count() FROM {aside} GROUP BY segment_id"))  # noqa: S608
    of_run = f"SELECT change, count() FROM {HISTORY} WHERE run = {{run:String}} GROUP BY change"  # noqa: S608
    changed = _pairs(warehouse.rows(of_run, run=run))
    _remember(warehouse, usable, compiled, counts, build)
    return Refresh(
        day, len(due), len(same), sum(counts.values()), changed.get("entered", 0), changed.get("left", 0),
        {one.name: one.problem for one in segments if one.problem},
        {one.name: sorted(compiled[one.id].columns) for one in usable},
    )  # fmt: skip


def _pairs(rows: Sequence[Sequence[Any]]) -> dict[Any, int]:
    return {key: int(count) for key, count in rows}


def _name(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _versions(segments: Sequence[Definition]) -> dict[str, list[Any]]:
    """Version by segment as two arrays; never empty, since `transform` needs a type."""
    return {
        "ids": [str(one.id) for one in segments] or [""],
        "versions": [one.version for one in segments] or [0],
    }


def _passes(due: Sequence[Definition], compiled: dict[Any, Compiled]) -> Iterator[list[Definition]]:
    batch: list[Definition] = []
    taken = 0
    for one in due:
        cost = compiled[one.id].subqueries
        if batch and (len(batch) == SEGMENTS_A_PASS or taken + cost > SUBQUERIES_A_PASS):
            yield batch
            batch, taken = [], 0
        batch.append(one)
        taken += cost
    if batch:
        yield batch


def _find(warehouse: Warehouse, aside: str, batch: dict[Any, Compiled], day: date, ids: dict[str, Any]) -> None:
    found, parameters = membership_query({str(one): compiled for one, compiled in batch.items()}, day)
    sql = load_sql(__package__, "new_members.sql").replace("{found}", found)
    versions = {"ids": ids["ids"], "versions": ids["versions"]}
    warehouse.insert(aside, sql, {**parameters, **versions, "batch": list(batch)}, JOIN)


def _remember(
    warehouse: Warehouse,
    segments: Sequence[Definition],
    compiled: dict[Any, Compiled],
    counts: dict[Any, int],
    build: str,
) -> None:
    now = datetime.now(UTC)
    rows = [
        [one.id, one.version, one.hash, build, counts.get(one.id, 0), sorted(compiled[one.id].columns), now]
        for one in segments
    ]
    with warehouse.replaced_whole(STATE) as aside:
        if rows:
            warehouse.client.insert(aside, rows, column_names=warehouse.columns(STATE))

"""What a definition would find: how many, some of them, the query, its cost, and which segments have the same people."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from hub_api.analytics.segments import keep
from hub_api.errors import Conflict
from hub_api.platform.clickhouse import Settings
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Answer, ask
from models_ml.segmentation.compile import Compiled, compile_tree, members_query, preview_query
from models_ml.segmentation.tree import Node

SAMPLE = 10
OVERLAPS = 10
# A person waits for a preview: it ends after five seconds, and reads no more than this.
LIMITS: Settings = {"max_execution_time": 5, "max_rows_to_read": 2_000_000_000}

_DATA = """
SELECT toDate(partition) AS day, lower(hex(sipHash64(arraySort(groupArray(hash_of_all_files))))) AS build
FROM system.parts WHERE active AND database = 'gold' AND table = 'customer_features'
GROUP BY partition ORDER BY day DESC LIMIT 1
"""
_OVERLAP = """
SELECT segment_id, count() AS shared FROM gold.segment_membership
WHERE customer_id IN ({members}) GROUP BY segment_id ORDER BY shared DESC, segment_id LIMIT {limit}
"""


class NotBuilt(Conflict):
    """The customers' tables were never built: nobody can be found yet."""

    code = "customers_not_built"


@dataclass(frozen=True, slots=True)
class Data:
    """What is asked: the newest day of gold.customer_features, and which build of it."""

    as_of: date
    version: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a definition finds. `estimated_rows` the server means to read, `read_rows` it has read."""

    data: Data
    members: int
    customers: int
    sample: Sequence[Row]
    overlap: Sequence[tuple[UUID, int]]
    sql: str
    parameters: dict[str, Any]
    columns: Sequence[str]
    estimated_rows: int
    read_rows: int
    read_bytes: int
    seconds: float


async def newest_data(services: Services) -> Data:
    """The day that segments are asked of now. Raises NotBuilt when there is none."""
    rows = (await ask(services, _DATA)).rows
    if not rows:
        raise NotBuilt(
            "the customers' tables were never built: `python -m pipelines.materialize`, or wait for the night"
        )
    return Data(rows[0][0], f"{rows[0][0]}:{rows[0][1]}")


async def preview(services: Services, node: Node, of: UUID | None = None) -> Preview:
    """The preview of a definition; `of` is the segment it belongs to, left out of the overlap.

    Raises Invalid for nested segments that are not there, NotBuilt, TooExpensive and Unavailable.
    """
    began = time.monotonic()
    expanded, data = await asyncio.gather(keep.with_nested(services.db, node, of), newest_data(services))
    compiled = compile_tree(expanded, data.as_of)
    sql, parameters = members_query(compiled, data.as_of)
    counted, estimated, shared = await asyncio.gather(
        ask(services, *preview_query(compiled, data.as_of, SAMPLE), settings=LIMITS),
        ask(services, f"EXPLAIN ESTIMATE {sql}", parameters, settings=LIMITS),
        ask(services, _OVERLAP.format(members=sql, limit=OVERLAPS + 1), parameters, settings=LIMITS),
    )
    members, customers, sample = counted.rows[0]
    people = await services.db.fetch(keep.queries.people, list(sample))
    return Preview(
        data, members, customers, people,
        [(row[0], row[1]) for row in shared.rows if row[0] != of][:OVERLAPS],
        sql, parameters, sorted(compiled.columns), _estimated(estimated, compiled), counted.read_rows, counted.read_bytes,
        time.monotonic() - began,
    )  # fmt: skip


def _estimated(answer: Answer, compiled: Compiled) -> int:
    """Rows of the parts that the server means to read (`EXPLAIN ESTIMATE`: database, table, parts, rows, marks)."""
    return sum(int(row[3]) for row in answer.rows)

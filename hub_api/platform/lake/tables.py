"""Which tables the lake holds, and what is in the warehouse of each: rows and a hash for every day."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

EVENTS, BUILT = "raw.events", "gold.built_days"
ALL = "all"  # the one "day" of a table that has none
# Events, and every table of gold but the bookkeeping of its builds and tables under construction.
_TABLES = """
SELECT
    concat(t.database, '.', t.name) AS name, t.engine, t.sorting_key, t.partition_key,
    groupArray(tuple(c.name, c.type, c.comment))
FROM system.tables AS t
INNER JOIN (SELECT * FROM system.columns WHERE default_kind != 'MATERIALIZED' ORDER BY database, table, position) AS c
    ON c.database = t.database AND c.table = t.name
WHERE t.engine LIKE '%MergeTree' AND (name = {events:String} OR (t.database = 'gold' AND name != {built:String}))
    AND position(name, '__') = 0
GROUP BY name, t.engine, t.sorting_key, t.partition_key
HAVING countIf(startsWith(c.type, 'AggregateFunction')) = 0
ORDER BY name = {events:String} DESC, name
"""
# Partitions of tables whose days are rebuilt one by one: a day's, a week's or a month's.
_BY_DAY = ("day", "toMonday(day)", "toStartOfMonth(day)")
_COLLAPSING = ("Replacing", "Aggregating", "Summing", "Collapsing")


@dataclass(frozen=True)
class Table:
    """A table as the lake sees it. `day_of`: the column that tells its rows' day; `final`: rows are merged when read."""

    name: str
    day_of: str
    final: bool
    order: str
    columns: tuple[tuple[str, str, str], ...]

    @property
    def source(self) -> str:
        """The table in a FROM clause."""
        return f"{self.name} FINAL" if self.final else self.name

    @property
    def day(self) -> str:
        """The SQL of a row's day as text, given {timezone:String}."""
        if not self.day_of:
            return f"'{ALL}'"
        return "toString(day)" if self.day_of == "day" else f"toString(toDate({self.day_of}, {{timezone:String}}))"

    @property
    def of_day(self) -> str:
        """The SQL of the condition for the rows of {day:String}; of events in a form that their order serves."""
        if self.day_of not in ("", "day"):
            start = "toDateTime(toDate({day:String}), {timezone:String})"
            return f"{self.day_of} >= {start} AND {self.day_of} < addDays({start}, 1)"
        return "day = toDate({day:String})" if self.day_of else f"{self.day} = {{day:String}}"

    @property
    def schema_version(self) -> str:
        """Changes when a column comes, goes or changes its type."""
        return hashlib.sha256(repr([column[:2] for column in self.columns]).encode()).hexdigest()[:12]


class State(NamedTuple):
    """What the warehouse has of a day: its rows, their order-free hash, the relay batch it is complete up to."""

    rows: int
    hash: str
    batch: int


def tables(client: "Client") -> list[Table]:
    """The tables that belong into the lake, events first."""
    rows = client.query(_TABLES, parameters={"events": EVENTS, "built": BUILT}).result_rows
    return [
        Table(
            name,
            "event_time" if name == EVENTS else "day" if partition_key in _BY_DAY else "",
            any(kind in engine for kind in _COLLAPSING),
            sorting_key,
            tuple(columns),
        )
        for name, engine, sorting_key, partition_key, columns in rows
    ]


def states(client: "Client", table: Table, timezone: str, day: str | None = None) -> dict[str, State]:
    """What is in the warehouse of each day of a table, or of one day. The hash is over tuples: of a bare list of columns it
    would be NULL where one of them is."""
    batch = "max(batch)" if table.name == EVENTS else "0"
    where = "" if day is None else f"WHERE {table.of_day}"
    sql = f"SELECT {table.day} AS d, count(), toString(sum(cityHash64(tuple(*)))), {batch} FROM {table.source} {where} GROUP BY d"  # noqa: S608 - names of our own tables
    parameters = {"timezone": timezone, "day": day or ""}
    found = {one: State(rows, hash_, batch) for one, rows, hash_, batch in client.query(sql, parameters).result_rows}
    if table.name == EVENTS:
        return found
    built = built_days(client)
    return {one: state._replace(batch=built.get(one, 0)) for one, state in found.items()}


def built_days(client: "Client") -> dict[str, int]:
    """Up to which relay batch each day of gold is complete."""
    rows = client.query(f"SELECT toString(day), batch FROM {BUILT} FINAL").result_rows  # noqa: S608
    return {day: int(batch) for day, batch in rows}

"""The warehouse as assets use it: build days aside and swap them in, so that a rerun changes nothing."""

import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Any

from assets.swaplock import SwapLock
from hub_api.errors import HubError
from hub_api.platform.clickhouse import BACKFILL, connect, render_ddl
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

STAGING = "__building_"
ABANDONED_S = 6 * 3600  # an aside table older than this belongs to a run that was killed
SWAPS_A_STATEMENT = 100
# As many days as have this many events are one SELECT: what a small engine joins and sorts in its memory.
EVENTS_A_SELECT = 1_500_000
_NAMED = re.compile(r"\{\w+:")  # a parameter in a text, {days:Array(Date)}
_EVENTS_PER_DAY = """
SELECT toDate(period, {timezone:String}) AS day, sum(events) FROM raw.events_by_period
WHERE period >= toDateTime({first:Date}, {timezone:String}) AND period < toDateTime(addDays({last:Date}, 1), {timezone:String})
GROUP BY day
"""
_PARTITION_KEY = "SELECT partition_key FROM system.tables WHERE concat(database, '.', name) = {table:String}"
# The partitions of a table by week or month (`toMonday(day)`, `toStartOfMonth(day)`) to which days belong.
_PERIODS = "SELECT DISTINCT /*period*/ AS period FROM (SELECT arrayJoin({days:Array(Date)}) AS day) ORDER BY period"


class WrongDay(HubError):
    """A table's SQL gave rows of a day that was not asked for; nothing was changed."""

    code = "wrong_day"


def load_sql(package: str | None, file: str) -> str:
    """The text of `sql/<file>` in a package of assets."""
    return resources.files(package or __package__).joinpath("sql", file).read_text(encoding="utf-8")


class Warehouse:
    """A client of the warehouse for the length of one run. Times are UTC, days are business days of `settings`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._swap_lock = SwapLock(settings)

    @cached_property
    def client(self) -> "Client":
        """The connection, opened when it is first used."""
        return connect(self.settings.clickhouse_url, BACKFILL, timeout_s=3600)

    def close(self) -> None:
        """Close the connections if there are any."""
        self._swap_lock.close()
        if "client" in self.__dict__:
            self.client.close()
            del self.client

    def rows(self, sql: str, days: Iterable[str] = (), **parameters: Any) -> Sequence[Sequence[Any]]:
        """The rows of a query; see `parameters` for what its text may name.

        A text that names nothing goes as it is: the client would take its `%` for places of parameters.
        """
        bound = self.parameters(days, **parameters) if _NAMED.search(sql) else None
        return self.client.query(sql, parameters=bound).result_rows

    def parameters(self, days: Iterable[str], **more: Any) -> dict[str, Any]:
        """What a table's SQL may name: {days:Array(Date)} with {first:Date} and {last:Date}, {timezone:String}, and the promises
        {sla_first_response_s:UInt32} and {sla_resolution_s:UInt32}, seconds."""
        listed = sorted(date.fromisoformat(day) for day in days)
        bounds = {"days": listed, "first": listed[0], "last": listed[-1]} if listed else {}
        promises = {
            "sla_first_response_s": self.settings.sla_first_response_s,
            "sla_resolution_s": self.settings.sla_resolution_hours * 3600,
        }
        return {"timezone": self.settings.timezone, **promises, **bounds, **more}

    def newest_batch(self) -> int:
        """Number of the newest relay batch: it, and all before it, are in raw.events whole."""
        return int(self.rows("SELECT max(batch) FROM raw.events")[0][0])

    def replace_days(
        self, table: str, sql: str, days: Sequence[str], *, buckets: int = 0, **parameters: Any
    ) -> dict[str, int]:
        """Make `days` of `table` what the SELECT `sql` says, given `parameters`; rows per day.

        A table aside is filled by one SELECT, or by several when the days have more events than fit, then each partition is
        swapped in: a day's, or that of a longer period with the other days as they are (`_swap`). One without rows is
        dropped on purpose, since ClickHouse refuses to swap in nothing.
        Raises WrongDay when the SELECT answers for other days. A failure leaves every day either as it was or as it is
        to be. With `buckets` the SELECT is run once for each {bucket:UInt32} of {buckets:UInt32}: what one person's row needs
        of every table would not fit in memory for everybody at once.
        """
        with self._aside(table) as aside:
            for portion in self._portions(days):
                for bucket in range(max(1, buckets)):
                    sizes = {"bucket": bucket, "buckets": buckets} if buckets else {}
                    self.insert(aside, sql, self.parameters(portion, **sizes, **parameters))
            staged = {str(day): int(rows) for day, rows in self.rows(f"SELECT day, count() FROM {aside} GROUP BY day")}  # noqa: S608
            if strangers := sorted(set(staged) - set(days)):
                raise WrongDay(f"the SELECT of {table} for {days[0]} to {days[-1]} gave rows of {strangers[:3]}")
            self._swap(table, aside, days, staged)
        return {day: staged.get(day, 0) for day in days}

    def drop_day(self, table: str, day: str) -> None:
        """Drop a day of a table that keeps some days only; harmless when it is not there."""
        self._ddl(f"ALTER TABLE {table} /*ON CLUSTER*/ DROP PARTITION '{day}'")

    def insert(
        self, table: str, sql: str, parameters: Mapping[str, Any], settings: Mapping[str, str | int] | None = None
    ) -> None:
        """Add the rows of a SELECT to a table, by the names of its columns; `settings` go over BACKFILL."""
        columns = ", ".join(self.columns(table))
        self.client.command(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM (\n{sql}\n)",  # noqa: S608 - our own files
            parameters=dict(parameters) if _NAMED.search(sql) else None,
            settings=dict(settings or {}),
        )

    @contextmanager
    def replaced_whole(self, table: str) -> Iterator[str]:
        """A table without partitions anew: what the block puts into the table named by this becomes `table` at its end.

        Readers see the old rows or the new ones. A failure in the block leaves the old ones.
        """
        with self._aside(table) as aside:
            yield aside
            rows = int(self.rows(f"SELECT count() FROM {aside}")[0][0])  # noqa: S608 - our own table
            change = f"ALTER TABLE {table} /*ON CLUSTER*/ REPLACE PARTITION tuple() FROM {aside}"
            self._ddl(change if rows else f"TRUNCATE TABLE {table} /*ON CLUSTER*/")

    @contextmanager
    def _aside(self, table: str) -> Iterator[str]:
        """An empty table like `table`, gone when the block ends."""
        self._drop_abandoned(table)
        aside = f"{table}{STAGING}{uuid.uuid4().hex[:12]}"
        self._ddl(f"CREATE TABLE {aside} /*ON CLUSTER*/ AS {table}")
        try:
            yield aside
        finally:
            self._ddl(f"DROP TABLE IF EXISTS {aside} /*ON CLUSTER*/ SYNC")

    def replace_days_from(self, table: str, rows: Sequence[Mapping[str, Any]], days: Sequence[str]) -> dict[str, int]:
        """As `replace_days`, with rows that were made in this process: each has the same columns. Rows of other days are left out."""
        given = f"{table}{STAGING}{uuid.uuid4().hex[:12]}"
        self._ddl(f"CREATE TABLE {given} /*ON CLUSTER*/ AS {table}")
        try:
            if rows:
                names = list(rows[0])
                self.client.insert(given, [[row[name] for name in names] for row in rows], column_names=names)
            return self.replace_days(table, f"SELECT * FROM {given} WHERE day IN {{days:Array(Date)}}", days)  # noqa: S608
        finally:
            self._ddl(f"DROP TABLE IF EXISTS {given} /*ON CLUSTER*/ SYNC")

    def _portions(self, days: Sequence[str]) -> list[list[str]]:
        """The days in order, cut where their events would exceed EVENTS_A_SELECT; a larger day stands alone."""
        events = {day.isoformat(): int(count) for day, count in self.rows(_EVENTS_PER_DAY, days)}
        portions: list[list[str]] = [[]]
        taken = 0
        for day in sorted(days):
            count = events.get(day, 0)
            if portions[-1] and taken + count > EVENTS_A_SELECT:
                portions.append([])
                taken = 0
            portions[-1].append(day)
            taken += count
        return portions

    def _swap(self, table: str, aside: str, days: Sequence[str], staged: Mapping[str, int]) -> None:
        """Swap in what was built aside. Where a partition is longer than a day, its other days are copied aside first, and
        nobody else may swap days of this table meanwhile: theirs would be lost."""
        ((period,),) = self.rows(_PARTITION_KEY, table=table)
        if period == "day":
            self._replace_partitions(table, aside, days, set(staged))
            return
        with self._swap_lock.held(table):
            periods = [str(one) for (one,) in self.rows(_PERIODS.replace("/*period*/", period), days)]
            others = (
                f"SELECT * FROM {table} WHERE {period} IN {{periods:Array(Date)}} AND day NOT IN {{days:Array(Date)}}"  # noqa: S608
            )
            self.insert(aside, others, self.parameters(days, periods=periods))
            self._replace_partitions(table, aside, periods, self._partitions(aside))

    def _replace_partitions(self, table: str, aside: str, partitions: Sequence[str], filled: set[str]) -> None:
        held = self._partitions(table)
        swaps = [
            f"REPLACE PARTITION '{one}' FROM {aside}" if one in filled else f"DROP PARTITION '{one}'"
            for one in partitions
            if one in filled or one in held
        ]
        for start in range(0, len(swaps), SWAPS_A_STATEMENT):
            self._ddl(f"ALTER TABLE {table} /*ON CLUSTER*/ {', '.join(swaps[start : start + SWAPS_A_STATEMENT])}")

    def _partitions(self, table: str) -> set[str]:
        """The partitions of a table that have rows, by their first day."""
        rows = self.rows(
            "SELECT DISTINCT partition FROM system.parts WHERE active AND rows > 0 AND concat(database, '.', table) = {table:String}",
            table=table,
        )
        return {partition for (partition,) in rows}

    def columns(self, table: str) -> list[str]:
        """The columns of a table that are written, in order."""
        rows = self.rows(
            "SELECT name FROM system.columns WHERE concat(database, '.', table) = {table:String} AND default_kind = '' ORDER BY position",
            table=table,
        )
        return [name for (name,) in rows]

    def _drop_abandoned(self, table: str) -> None:
        abandoned = self.rows(
            "SELECT concat(database, '.', name) FROM system.tables "
            "WHERE startsWith(concat(database, '.', name), {prefix:String}) AND metadata_modification_time < {before:DateTime}",
            prefix=f"{table}{STAGING}",
            before=int(time.time()) - ABANDONED_S,
        )
        for (name,) in abandoned:
            self._ddl(f"DROP TABLE IF EXISTS {name} /*ON CLUSTER*/ SYNC")

    def _ddl(self, statement: str) -> None:
        self.client.command(render_ddl(statement, self.settings.clickhouse_cluster))

"""A campaign's funnel while it runs: the steps of gold.campaign_funnel, by its own SQL, over events that came seconds ago.

What the tables hold is read from bronze.events; what is newer than their last build (bronze.built_days), from raw.events by the
SELECT that makes bronze. So there is one definition, and a table built a moment later says the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from hub_api.platform import sqlfile
from hub_api.platform.warehouse import Reader
from hub_api.settings import Settings

questions = sqlfile.load(__package__, "campaign_funnel.clickhouse.sql")

COUNTS = (
    "sent",
    "delivered",
    "read",
    "failed",
    "clicked",
    "clicks",
    "replied",
    "converted",
    "goals",
    "value_micros",
    "opted_out",
    "cost_micros",
)
CURRENCIES = ("value_currency", "cost_currency")
MAX_DAYS = 400  # of one that sends every week, its first year
# A campaign of a million messages is a few million events, typed and joined in one go.
LIMITS: dict[str, Any] = {"max_execution_time": 30}
KEEP: dict[str, Any] = {"enable_materialized_cte": 1}  # of newer ClickHouses; half the time
MAX_SEGMENTS = 100
WHOLE = UUID(int=0)  # stands for the campaign where a segment's id stands

_TYPES = (
    "message.queued", "message.state_changed", "message.priced", "message.received", "goal.recorded", "consent.changed",
    "experiment.planned", "link.clicked",
)  # fmt: skip
_COLUMNS = (
    "id, type, aggregate_id, aggregate_version, event_time, day, customer_id, campaign_id, variant, number_id, to_state, cost_micros, "
    "cost_currency, kind, value_micros, value_currency, granted, scope, experiment_plan, clicked_message_id"
)


@dataclass(frozen=True, slots=True)
class Funnel:
    """The cells (variant, number, hour) and the segments of a campaign, and the newest event they know of."""

    cells: list[dict[str, Any]]
    segments: list[dict[str, Any]]
    as_of: datetime | None


async def read(reader: Reader, settings: Settings, campaign_id: UUID, since: date, *, segments: bool = True) -> Funnel:
    """The funnel of a campaign whose first message was not before the day `since`, over MAX_DAYS from then at most.

    Raises Unavailable, TooExpensive.
    """
    asked = {**await _bound(reader, settings, campaign_id, since), "segments": segments}
    cells: list[dict[str, Any]] = []
    of_segments: list[dict[str, Any]] = []
    for row in await _ask(reader, questions.figures, asked):
        (cells if row["segment_id"] == WHOLE else of_segments).append(row)
    of_segments.sort(key=lambda row: (-row["sent"], row["segment_id"]))
    arrived = (await reader.rows(questions.arrived))[0]["newest"]
    return Funnel(
        cells, of_segments[:MAX_SEGMENTS], arrived if arrived and arrived > datetime(2009, 1, 1, tzinfo=UTC) else None
    )


async def arms(
    reader: Reader, settings: Settings, campaign_id: UUID, begin: datetime, end: datetime, step: str, minutes: int
) -> list[dict[str, Any]]:
    """Per variant and stretch of so many minutes: messages sent within [begin, end), and of these how many reached `step` then.

    Raises Unavailable, TooExpensive.
    """
    bound = await _bound(reader, settings, campaign_id, begin.astimezone(settings.zone).date())
    asked = {**bound, "begin": begin, "end": end, "step": step, "minutes": minutes}
    return await _ask(reader, questions.arms, asked)


async def _ask(reader: Reader, question: str, bound: Mapping[str, Any]) -> list[dict[str, Any]]:
    kept = bool((await reader.rows(questions.can_keep))[0]["can"])
    return await reader.rows(f"{steps_sql(kept=kept)} {question}", bound, {**LIMITS, **(KEEP if kept else {})})


async def _bound(reader: Reader, settings: Settings, campaign_id: UUID, since: date) -> dict[str, Any]:
    """The parameters of `steps`: from the day `since` on, MAX_DAYS at most."""
    first, last = since, min(datetime.now(settings.zone).date(), since + timedelta(days=MAX_DAYS))
    window = {"first": first, "last": last, "timezone": settings.timezone}
    built = {row["day"]: row["batch"] for row in await reader.rows(questions.built, window)}
    return {
        **window, "campaign": campaign_id, "days": [first + timedelta(days=n) for n in range((last - first).days + 1)], "batch": 2**63,
        "built_days": [date(1970, 1, 1), *built], "built_batches": [0, *built.values()],  # never empty: an array needs a type
    }  # fmt: skip


@cache
def steps_sql(*, kept: bool) -> str:
    """`WITH …, steps AS (…)` over the newest events and those in tables: of all that concerns the {campaign}, its messages and all
    about the customers who got one, since what they do is laid to the last campaign's message before it.

    `kept`: what is read several times is kept in memory (KEEP); else the engine reads and types the events again for each use.
    Raises ValueError when the assets' SQL is no longer what this fits into.
    """
    bronze, steps = _sql("bronze", "events.sql"), _sql("gold", "experiments", "campaign_steps.sql")
    _, begin, rest = steps.partition("WITH")
    if not begin:
        raise ValueError("campaign_steps.sql begins with no WITH")
    types = ", ".join(f"'{one}'" for one in _TYPES)
    newer = "batch > transform(toDate(event_time, {timezone:String}), {built_days:Array(Date)}, {built_batches:Array(UInt64)}, 0)"
    raw = _instead(
        _lean(bronze),
        "WHERE batch <= {batch:UInt64}",
        f"WHERE type IN ({types}) AND {newer} AND batch <= {{batch:UInt64}}",
    )
    built = f"type IN ({types}) AND (day BETWEEN {{first:Date}} AND {{last:Date}} OR type = 'experiment.planned')"
    # `live` has no older days to leave out.
    rest, left_out = re.subn(r"/\* tables:.*?/\* /tables \*/", "", rest, flags=re.DOTALL)
    if not left_out:
        raise ValueError("campaign_steps.sql has no part for tables alone")
    # Of other campaigns, what went to the same people.
    rest = _instead(rest, "campaign_id IS NOT NULL /* addressed */", "campaign_id = {campaign:UUID}")
    # `view` has the typing of events planned once, by itself; else its long expressions are in the plan of every use.
    sql = f"""
        WITH fresh AS (SELECT {_COLUMNS} FROM view({raw})),
        live AS (SELECT {_COLUMNS} FROM bronze.events WHERE {built} UNION ALL SELECT {_COLUMNS} FROM fresh),
        {_instead(rest, "bronze.events", "live")}"""  # noqa: S608 - SQL and names of ours
    return re.sub(r"\b(fresh|addressed) AS\s*\(", r"\1 AS MATERIALIZED (", sql) if kept else sql


def _lean(bronze: str) -> str:
    """The typing of only what `steps` reads, which takes half as long: each field costs, and so does finding the copies of an event.

    Copies change no step: each is the least, or the first of its key, of what it is made of.
    """
    head, select, rest = bronze.partition("SELECT\n")
    listed, source, rest = rest.partition("\nFROM\n")
    wanted = set(_COLUMNS.split(", "))
    kept = [one for one in listed.split(",\n") if "fields." not in one or one.split()[-1] in wanted]
    named = set(re.findall(r"fields\.(\w+)", "".join(kept)))
    types, begin, end = [], rest.find("Tuple(") + len("Tuple("), rest.find(")') AS fields")
    for name, kind in re.findall(r"(\w+) (Nullable\(\w+\)|\w+)", rest[begin:end]):
        if name in named:
            types.append(f"{name} {kind}")
            named.remove(name)
    if named or not types:
        raise ValueError(f"the SQL of bronze types no {named or 'fields'}")
    rest = rest[:begin] + ", ".join(types) + rest[end:]
    return head + select + ",\n".join(kept) + source + re.sub(r"ORDER BY [^\n]*\n\s*LIMIT 1 BY id", "", rest)


def _instead(sql: str, old: str, new: str) -> str:
    if old not in sql:
        raise ValueError(f"the SQL of the assets has no {old!r}")
    return sql.replace(old, new)


def _sql(*path: str) -> str:
    spec = find_spec("assets")
    (folder,) = (spec.submodule_search_locations if spec else None) or ["assets"]
    return Path(folder, *path[:-1], "sql", path[-1]).read_text("utf-8")


def add_up(cells: Iterable[Mapping[str, Any]], by: str | None = None) -> dict[Any, dict[str, Any]]:
    """The cells summed by one of their columns (None: all in one)."""
    sums: dict[Any, dict[str, Any]] = {}
    for cell in cells:
        total = sums.setdefault(cell[by] if by else None, {**dict.fromkeys(COUNTS, 0), **dict.fromkeys(CURRENCIES, "")})
        for name in COUNTS:
            total[name] += cell[name]
        for name in CURRENCIES:
            total[name] = max(total[name], cell[name])
    return sums

"""Figures, series, breakdowns, funnels and the conversations behind a figure: one filter, the same cases for all of them."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from hub_api.analytics.catalogue import Funnel, Kpi
from hub_api.analytics.filters import DIMENSIONS, Filter
from hub_api.errors import Invalid
from hub_api.platform import sqlfile
from hub_api.platform.figure_cases import Select
from hub_api.platform.warehouse import Reader

questions = sqlfile.load(__package__, "cases.clickhouse.sql")

Grain = Literal["hour", "day", "week", "month"]
_BUCKETS: Mapping[Grain, str] = {"hour": "hour", "day": "day", "week": "toMonday(day)", "month": "toStartOfMonth(day)"}
MOST_DAYS_BY_HOUR = 92
By = Literal[
    "queue", "agent_id", "number_id", "channel", "state_code", "region", "plan", "weekday", "hour_of_day", "segment"
]  # fmt: skip
_BY: Mapping[str, str] = {
    **{
        name: f"toString({name})" if kind == "String" else f"ifNull(toString({name}), '')"
        for name, kind in DIMENSIONS.items()
    },
    "weekday": "toString(toDayOfWeek(day))",
    "hour_of_day": "toString(toHour(toTimeZone(hour, {timezone:String})))",
}
_CURRENCIES = "arraySort(arrayFilter(one -> one != '', groupUniqArray(toString(currency)))) AS currencies"
_QUANTILES = "quantilesExactInclusive(0.5, 0.9)(one.numerator) AS quantiles"
_WORD = re.compile(r"\w+")
Order = Literal["newest", "largest"]
_Sorted = Literal["newest", "by_day", "largest"]
_ORDERS: Mapping[_Sorted, tuple[str, str]] = {
    "newest": (
        "at DESC, conversation_id DESC",
        "(at, conversation_id) < ({after_at:DateTime64(6, 'UTC')}, {after_id:UUID})",
    ),
    # The newest where nothing is gathered: a day's times are its own, and tables that lie by day are read from their end.
    "by_day": (
        "day DESC, at DESC, conversation_id DESC",
        "day <= {after_day:Date} AND (day, at, conversation_id) < ({after_day:Date}, {after_at:DateTime64(6, 'UTC')}, {after_id:UUID})",
    ),
    "largest": (
        "numerator DESC, conversation_id DESC",
        "(numerator, conversation_id) < ({after_numerator:Int64}, {after_id:UUID})",
    ),
}


@dataclass(frozen=True)
class Cases:
    """What is counted: rows with numerator and denominator, the name they are kept under, and whether a level is meant."""

    name: str
    parts: Sequence[Select]
    is_level: bool = False

    @classmethod
    def of(cls, kpi: Kpi) -> "Cases":
        """The cases of a figure."""
        return cls(kpi.view, kpi.cases, kpi.kind == "level")

    @classmethod
    def reached(cls, funnel: Funnel, step: str) -> "Cases":
        """Those that came as far as a step. Raises Invalid for a step that the funnel has not."""
        if step not in funnel.steps:
            raise Invalid(f"the funnel has no step {step!r}, but {', '.join(funnel.steps)}")
        return cls(f"{funnel.view}:{step}", [part.reaching(step) for part in funnel.cases])

    @property
    def is_once(self) -> bool:
        """Each conversation has one case at most."""
        return len(self.parts) == 1 and self.parts[0].is_once

    def sql(self, question: str) -> str:
        """The rows, in brackets, with the columns that a question names."""
        names = set(_WORD.findall(question))
        return f"({' UNION ALL '.join(part.sql(names) for part in self.parts)})"


async def figure(reader: Reader, kpi: Kpi, filter_: Filter) -> dict[str, Any]:
    """cases, numerator, denominator, value; with median and p90 where they mean something; currencies of amounts.

    The value of amounts in several currencies is None: choose one.
    """
    cases = Cases.of(kpi)
    more = (", " + _QUANTILES if kpi.has_quantiles else "") + (", " + _CURRENCIES if kpi.unit == "money" else "")
    (row,) = await _ask(reader, "figure", cases, filter_, more=more)
    told = _valued(kpi, row)
    if kpi.has_quantiles and row["cases"]:
        told |= {"median": kpi.scale * row["quantiles"][0], "p90": kpi.scale * row["quantiles"][1]}
    if kpi.unit == "money":
        told["currencies"] = row["currencies"]
        if len(row["currencies"]) > 1 and filter_.currency is None:
            told["value"] = None
    return told


async def series(reader: Reader, kpi: Kpi, filter_: Filter, grain: Grain) -> list[dict[str, Any]]:
    """The figure of each hour, day, week (from Monday) or month that has a case; a level of every one of the period.

    Raises Invalid for hours of a long period.
    """
    if grain == "hour" and (filter_.last - filter_.first).days > MOST_DAYS_BY_HOUR:
        raise Invalid(f"by hour a period has at most {MOST_DAYS_BY_HOUR} days: choose grain=day")
    await one_currency(reader, kpi, filter_)
    rows = await _ask(reader, "series", Cases.of(kpi), filter_, by=_BUCKETS[grain])
    if kpi.kind == "level":
        return _levels(kpi, rows, filter_, grain)
    return [{"at": row["bucket"], **_valued(kpi, row)} for row in rows]


async def one_currency(reader: Reader, kpi: Kpi, filter_: Filter) -> None:
    """Raises Invalid for amounts in several currencies, which no sum may mix, unless the filter names one."""
    if kpi.unit != "money" or filter_.currency is not None:
        return
    currencies = (await figure(reader, kpi, filter_))["currencies"]
    if len(currencies) > 1:
        raise Invalid(
            f"there are amounts in {', '.join(currencies)}: choose one with `currency`", currencies=currencies
        )


def _levels(kpi: Kpi, rows: list[dict[str, Any]], filter_: Filter, grain: Grain) -> list[dict[str, Any]]:
    """Sums of all changes up to the end of each bucket, from the first change of the period's first bucket on."""
    level, points = 0, []
    for row in rows:
        level += row["numerator"]
        points.append({"at": row["bucket"], **_valued(kpi, {**row, "numerator": level})})
    before = [point for point in points if _day(point["at"]) < filter_.first]
    within = [point for point in points if _day(point["at"]) >= filter_.first]
    if grain != "day":
        return within
    known = {point["at"]: point for point in within}
    last = (
        before[-1] if before else {"at": filter_.first, **_valued(kpi, {"cases": 0, "numerator": 0, "denominator": 0})}
    )
    filled = []
    for number in range((filter_.last - filter_.first).days + 1):
        day = filter_.first + timedelta(days=number)
        last = known.get(day, {**last, "at": day, "cases": 0})
        filled.append(last)
    return filled


def _day(bucket: date | datetime) -> date:
    return bucket.date() if isinstance(bucket, datetime) else bucket


async def breakdown(
    reader: Reader, kpi: Kpi, filter_: Filter, by: By, *, limit: int, zone: str
) -> list[dict[str, Any]]:
    """The figure of each value of a dimension, those with the most cases first.

    By segment a case counts in every segment that its customer is in now: the parts overlap and do not add up to the figure.
    """
    await one_currency(reader, kpi, filter_)
    cases, given = Cases.of(kpi), {"limit": limit}
    if by == "segment":
        rows = await _ask(reader, "breakdown_by_segment", cases, filter_, given=given)
    else:
        rows = await _ask(reader, "breakdown", cases, filter_, by=_BY[by], given={**given, "timezone": zone})
    return [{"by": row["value"], **_valued(kpi, row)} for row in rows]


async def conversations(
    reader: Reader, cases: Cases, filter_: Filter, *, order: Order, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Conversations behind a figure with their share of it, and the cursor of the next page. Raises Invalid for a foreign cursor."""
    sorted_: _Sorted = "by_day" if cases.is_once and order == "newest" else order
    by, after = _ORDERS[sorted_]
    given: dict[str, Any] = {"limit": limit + 1}
    if cursor is None:
        after = "1"
    else:
        given |= _read_cursor(sorted_, cursor)
    rows = await _ask(
        reader, "conversations_once" if cases.is_once else "conversations", cases, filter_, given=given, order=by, after=after,
        having="numerator != 0" if cases.is_level else "1",
    )  # fmt: skip
    more = len(rows) > limit
    return rows[:limit], _cursor(sorted_, rows[limit - 1]) if more else None


async def total(reader: Reader, cases: Cases, filter_: Filter) -> dict[str, int]:
    """What the conversations behind a figure come to, and how many they are."""
    (row,) = await _ask(reader, "total", cases, filter_)
    return {name: int(row[name]) for name in ("conversations", "cases", "numerator", "denominator")}


async def funnel(reader: Reader, of: Funnel, filter_: Filter) -> list[int]:
    """How many cases reached each step, in order."""
    steps = ", ".join(f"sum({step}) AS {step}" for step in of.steps)
    (row,) = await _ask(reader, "funnel", Cases(of.view, of.cases), filter_, steps=steps)
    return [int(row[step]) for step in of.steps]


def export_of(cases: Cases, filter_: Filter) -> tuple[str, dict[str, Any]]:
    """The statement, with its parameters, that gives the cases themselves."""
    return _statement("export", cases, filter_, {}, {})


async def _ask(
    reader: Reader, name: str, cases: Cases, filter_: Filter, *, given: Mapping[str, Any] | None = None, **parts: str
) -> list[dict[str, Any]]:
    return await reader.rows(*_statement(name, cases, filter_, given or {}, parts))


def _statement(
    name: str, cases: Cases, filter_: Filter, given: Mapping[str, Any], parts: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    where, parameters = (filter_.up_to_end() if cases.is_level else filter_).where()
    sql = str(getattr(questions, name))
    for mark, text in {**parts, "where": where}.items():
        sql = sql.replace(f"/*{mark}*/", text)
    return sql.replace("/*cases*/", cases.sql(sql)), {**parameters, **given}


def _valued(kpi: Kpi, row: Mapping[str, Any]) -> dict[str, Any]:
    numerator, denominator = int(row["numerator"]), int(row["denominator"])
    shown = {"cases": int(row["cases"]), "numerator": numerator, "denominator": denominator}
    return {**shown, "value": kpi.figure(numerator, denominator)}


def _cursor(order: _Sorted, row: Mapping[str, Any]) -> str:
    first = str(row["numerator"]) if order == "largest" else row["at"].astimezone(UTC).isoformat()
    if order == "by_day":
        first = f"{row['day'].isoformat()} {first}"
    return base64.urlsafe_b64encode(f"{order}|{first}|{row['conversation_id']}".encode()).decode()


def _read_cursor(order: _Sorted, cursor: str) -> dict[str, Any]:
    try:
        kind, first, last = base64.urlsafe_b64decode(cursor).decode().split("|")
        if kind != order:
            raise ValueError(kind)
        if order == "largest":
            if not -(2**63) <= int(first) < 2**63:
                raise ValueError(first)
            return {"after_numerator": int(first), "after_id": UUID(last)}
        *day, at = first.split(" ")
        given = {"after_at": datetime.fromisoformat(at), "after_id": UUID(last)}
        return {**given, "after_day": date.fromisoformat(day[0])} if order == "by_day" else given
    except (binascii.Error, ValueError, IndexError):
        raise Invalid("the cursor is none of ours, or of another order: take it from `next_cursor`") from None

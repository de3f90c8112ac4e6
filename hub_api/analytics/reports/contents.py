"""What a report tells: every key figure of a period beside the period before and its target, by day, and by queue.

The figures are the catalogue's, asked as the API asks them: a report and a dashboard cannot differ.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hub_api.analytics import ask
from hub_api.analytics.catalogue import Kpi, catalogue
from hub_api.analytics.filters import Filter
from hub_api.analytics.filters import queries as names
from hub_api.analytics.reports.when import before
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Reader, open_reader

# What is drawn day by day, and told of each queue.
CHARTED = ("conversations", "first_response_time", "csat", "backlog")
BY_QUEUE = ("conversations", "first_response_time", "resolution_rate", "csat", "nps")
MOST_QUEUES = 20
AT_ONCE = 4  # questions: more would only wait for each other at the engine


@dataclass(frozen=True, slots=True)
class Figure:
    """A key figure of the period and of the one before; None without a case, and for amounts in several currencies."""

    kpi: Kpi
    value: float | None
    previous: float | None
    target: float | None
    currency: str | None = None  # of an amount


@dataclass(frozen=True, slots=True)
class Content:
    """A report before it is a file. `built_through`: the newest day whose tables are complete, None without any."""

    name: str
    first: date
    last: date
    compared_with: tuple[date, date]
    built_through: date | None
    figures: Sequence[Figure]
    daily: Mapping[str, Mapping[date, float | None]]  # figure -> day -> value
    queues: Mapping[str, Mapping[str, float | None]]  # queue's name -> figure -> value


async def gather(services: Services, name: str, first: date, last: date) -> Content:
    """Ask everything a report needs. Raises Unavailable when the warehouse is away."""
    reader, known = await services.shared(open_reader), catalogue()
    now, earlier = Filter(first, last), Filter(*before(first, last))
    baselines = {row["kpi"]: row["value"] for row in await services.db.fetch(names.baselines)}
    places = asyncio.Semaphore(AT_ONCE)

    async def figure(kpi: Kpi) -> Figure:
        async with places:
            told, previous = await ask.figure(reader, kpi, now), await ask.figure(reader, kpi, earlier)
        currency = next(iter(told.get("currencies", [])), None)
        return Figure(kpi, told["value"], previous["value"], kpi.target(baselines.get(kpi.key)), currency)

    async def daily(kpi: Kpi) -> dict[date, float | None]:
        async with places:
            points = {point["at"]: point["value"] for point in await ask.series(reader, kpi, now, "day")}
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return {day: points.get(day) for day in days}

    figures = await asyncio.gather(*(figure(kpi) for kpi in known.kpis.values()))
    by_day = await asyncio.gather(*(daily(known.kpi(key)) for key in CHARTED))
    return Content(
        name, first, last, before(first, last), await _built_through(services, reader), figures,
        dict(zip(CHARTED, by_day, strict=True)), await _by_queue(services, reader, now),
    )  # fmt: skip


async def measure(services: Services, kpi: Kpi, first: date, last: date) -> float | None:
    """One figure of a period; None without a case. Raises Unavailable."""
    reader = await services.shared(open_reader)
    value: float | None = (await ask.figure(reader, kpi, Filter(first, last)))["value"]
    return value


async def _by_queue(services: Services, reader: Reader, now: Filter) -> dict[str, dict[str, float | None]]:
    found: dict[str, dict[str, float | None]] = {}
    for key in BY_QUEUE:
        kpi = catalogue().kpi(key)
        rows = await ask.breakdown(reader, kpi, now, "queue", limit=MOST_QUEUES, zone=services.settings.timezone)
        for row in rows:
            found.setdefault(row["by"], {})[key] = row["value"]
    labels = {row["value"]: row["label"] for row in await services.db.fetch(names.queue_names, list(found))}
    return {labels.get(queue) or queue or "Robô": values for queue, values in found.items()}


async def _built_through(services: Services, reader: Reader) -> date | None:
    """The newest day that was built when it was over."""
    rows = await reader.rows("SELECT day, built_at FROM gold.built_days FINAL ORDER BY day DESC LIMIT 40")
    over = (row["day"] for row in rows if _built_on(services, row["built_at"]) > row["day"])
    return next(over, None)


def _built_on(services: Services, built_at: datetime) -> date:
    return built_at.astimezone(services.settings.zone).date()

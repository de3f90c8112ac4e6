"""The figures of the wallboard as they lie in Redis: who writes them (the warehouse's side) and who shows them meet here.

Sums by figure, queue and hour, so that every reader adds those of the queues that he sees: whole numbers add up exactly.
Kept apart from the sockets, for the job that writes has no web framework.
"""

from collections.abc import Collection
from typing import Any, TypedDict

import orjson
import structlog
from redis.exceptions import RedisError

from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

KEY = "live:figures"
WANTED = "live:figures:wanted"
WANTED_S = 90  # nobody looked for so long: nothing is counted any more
KEPT_S = 300  # what is older is no live figure
ONLY_ANSWERED = frozenset(
    {"nps"}
)  # of a question that not everybody asks: no tile without an answer today or yesterday


class Shown(TypedDict):
    """How a figure is read: scale × numerator / denominator for a ratio, scale × numerator for a sum."""

    key: str
    name: str
    unit: str
    better: str
    kind: str
    scale: float
    target: float | None


class Sums(TypedDict):
    """Shares of a figure: of one queue in one hour (0 to 23, the operator's clock)."""

    kpi: str
    queue: str
    hour: int
    numerator: int
    denominator: int


class Figures(TypedDict):
    """All of them; `at` and `yesterday_until` are ISO times, `day` the business day. Yesterday is counted as today: up to this hour."""

    at: str
    day: str
    hour: int
    shown: list[Shown]
    today: list[Sums]
    yesterday: list[Sums]


async def keep(services: Services, figures: Figures) -> None:
    """Leave them for every process. Raises RedisError."""
    await services.redis.set(KEY, orjson.dumps(figures), ex=KEPT_S)


async def wanted(services: Services) -> bool:
    """Whether somebody looks. Raises RedisError."""
    return bool(await services.redis.exists(WANTED))


async def read(services: Services) -> Figures | None:
    """The newest figures, None while there are none; asking says that somebody looks."""
    try:
        await services.redis.set(WANTED, b"1", ex=WANTED_S)
        found: Any = await services.redis.get(KEY)
    except RedisError as error:
        log.warning("figures_not_read", error=type(error).__name__)
        return None
    return orjson.loads(found) if found is not None else None


def added(figures: Figures, queues: Collection[str]) -> dict[str, Any]:
    """The figures of these queues: each with today's value, yesterday's of the whole day and up to the same hour, and both by hour.

    A conversation that came into no queue (the bot's) has the queue "".
    """
    items = []
    for shown in figures["shown"]:
        today = [row for row in figures["today"] if row["kpi"] == shown["key"] and row["queue"] in queues]
        before = [row for row in figures["yesterday"] if row["kpi"] == shown["key"] and row["queue"] in queues]
        if shown["key"] in ONLY_ANSWERED and not today and not before:
            continue
        so_far = [row for row in before if row["hour"] <= figures["hour"]]
        items.append(
            {
                **shown,
                "today": _value(shown, today),
                "yesterday": _value(shown, before),
                "yesterday_so_far": _value(shown, so_far),
                "cases": sum(row["denominator"] for row in today),
                "hours": [_value(shown, _of(today, hour)) for hour in range(figures["hour"] + 1)],
                "hours_yesterday": [_value(shown, _of(before, hour)) for hour in range(24)],
            }
        )
    return {"at": figures["at"], "day": figures["day"], "hour": figures["hour"], "items": items}


def _of(rows: list[Sums], hour: int) -> list[Sums]:
    return [row for row in rows if row["hour"] == hour]


def _value(shown: Shown, rows: list[Sums]) -> float | None:
    numerator, denominator = sum(row["numerator"] for row in rows), sum(row["denominator"] for row in rows)
    if shown["kind"] != "ratio":
        return shown["scale"] * numerator
    return shown["scale"] * numerator / denominator if denominator else None

"""The wallboard's figures at event time: the tables' own SELECTs, run on the day's events as they are in `raw.events` now.

What the warehouse builds of a day by the hour is bronze, silver and `gold.conversation_facts`, each one SELECT in a file. The same
files become one question here, each a step of it instead of a table, and the catalogue's expressions are summed over the last.
So there is no second formula: a figure differs from gold's only in that it is newer.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import yaml

from hub_api.analytics.catalogue import Kpi, assets_folder, catalogue
from hub_api.chat.live.figures import Figures, Shown, Sums
from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Reader, open_reader
from hub_api.settings import Settings as HubSettings

KPIS = (
    "conversations", "first_response_time", "sla_first_response", "abandonment_rate", "wait_time", "resolution_rate", "csat", "nps",
    "bot_containment",
)  # fmt: skip

# Tables in the order in which they are built, each with the file of its SELECT. A step of the question is named as its table.
_STEPS = (
    ("bronze.events", "bronze/sql/events.sql"),
    ("silver.conversations", "silver/sql/conversations.sql"),
    ("silver.conversation_states", "silver/sql/conversation_states.sql"),
    ("silver.messages", "silver/sql/messages.sql"),
    ("gold.conversation_facts", "gold/service/sql/conversation_facts.sql"),
)
# Steps are asked by others several times over: more work than a table, within these bounds.
_LIMITS = {"max_execution_time": 20, "max_memory_usage": 2_000_000_000}
_EVERY_BATCH = 2**63 - 1

queries = sqlfile.load(__package__, "count.clickhouse.sql")


@cache
def question(kpis: tuple[str, ...] = KPIS) -> str:
    """One statement -> queue, hour (0 to 23, the operator's clock) and for each figure in turn cases, numerator, denominator of the
    conversations of {days}."""
    folder, told = assets_folder(), _told()
    steps = [f"{_step(table)} AS\n(\n{_renamed((folder / file).read_text('utf-8'))}\n)" for table, file in _STEPS]
    sums = ",\n    ".join(_sums(key, told["kpis"][key]) for key in kpis)
    return _renamed(
        f"WITH {', '.join(steps)}\nSELECT toString(queue) AS place, toHour(toTimeZone(hour, {{timezone:String}})) AS of_hour,\n    "
        f"{sums}\nFROM gold.conversation_facts GROUP BY place, of_hour"
    )


def _sums(key: str, kpi: dict[str, Any]) -> str:
    if kpi["source"] != "conversation" or "parts" in kpi:
        raise ValueError(f"{key} is no figure of single conversations: the wallboard cannot count it by the day")
    when = kpi.get("where", "1")
    return f"countIf({when}), sumIf(toInt64({kpi['numerator']}), {when}), sumIf(toInt64({kpi['denominator']}), {when})"


def _step(table: str) -> str:
    return "live_" + table.replace(".", "_")


def _renamed(sql: str) -> str:
    for table, _ in _STEPS:
        sql = re.sub(rf"\b{re.escape(table)}\b", _step(table), sql)
    return sql


@cache
def _told() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((assets_folder() / "gold/kpi/catalogue.yaml").read_text("utf-8"))
    return told


async def live(reader: Reader, settings: HubSettings, day: date) -> list[Sums]:
    """The sums of the conversations that were opened on this business day, by what has happened up to now. Raises as Reader."""
    given = {
        "days": [day], "first": day, "last": day, "timezone": settings.timezone, "batch": _EVERY_BATCH,
        "sla_first_response_s": settings.sla_first_response_s, "sla_resolution_s": settings.sla_resolution_hours * 3600,
    }  # fmt: skip
    answer = await reader.answer(question(), given, _LIMITS)
    return [
        Sums(
            kpi=kpi,
            queue=queue,
            hour=int(hour),
            numerator=int(counted[3 * at + 1]),
            denominator=int(counted[3 * at + 2]),
        )
        for queue, hour, *counted in answer.rows
        for at, kpi in enumerate(KPIS)
        if counted[3 * at]
    ]


async def built(reader: Reader, settings: HubSettings, day: date, kpis: Sequence[str] = KPIS) -> list[Sums]:
    """The same sums of a day as gold has it. Raises as Reader."""
    given = {"day": day, "timezone": settings.timezone}
    parts = [queries.built.replace("/*kpi*/", key).replace("/*view*/", catalogue().kpi(key).view) for key in kpis]
    answer = await reader.answer("\nUNION ALL\n".join(parts), given)
    return [
        Sums(kpi=kpi, queue=queue, hour=int(hour), numerator=int(numerator), denominator=int(denominator))
        for kpi, queue, hour, numerator, denominator in answer.rows
    ]


async def count(services: Services, now: datetime | None = None) -> Figures:
    """Today's figures as they are now, and yesterday's. Raises Unavailable, TooExpensive."""
    settings, moment = services.settings, now or datetime.now(UTC)
    local = moment.astimezone(settings.zone)
    reader = await services.shared(open_reader)
    return Figures(
        at=moment.isoformat(),
        day=local.date().isoformat(),
        hour=local.hour,
        shown=[_shown(catalogue().kpi(key)) for key in KPIS],
        today=await live(reader, settings, local.date()),
        yesterday=await built(reader, settings, local.date() - timedelta(days=1)),
    )


def _shown(kpi: Kpi) -> Shown:
    return Shown(
        key=kpi.key, name=kpi.name, unit=kpi.unit, better=kpi.better, kind=kpi.kind, scale=kpi.scale, target=kpi.target(None)
    )  # fmt: skip

"""Every table after the warehouse was lost: `python -m pipelines.rebuild`, the second half of `hub warehouse rebuild`.

The events are there already (hub_api/analytics/rebuild.py). What follows from them is built as every night; what does not
comes from the lake; what people decide is copied; and the lake tells whether each day is what it was.
"""

import asyncio
import os
import sys
from datetime import date

import asyncpg

from assets.raw.reconcile import reconcile
from assets.warehouse import Warehouse
from hub_api.platform.lake.restore import restore
from hub_api.platform.lake.tables import EVENTS
from hub_api.platform.lake.write import differences, read_manifests
from hub_api.settings import Settings, load_settings
from pipelines import tables
from pipelines.board import copy_board
from pipelines.materialize import materialize

_EVENT_DAYS = """
SELECT DISTINCT toDate(period, {timezone:String}) AS day FROM raw.events_by_period WHERE day BETWEEN {first:Date} AND today() ORDER BY day
"""
_RECORDED_DAYS = "SELECT DISTINCT (created_at AT TIME ZONE $1)::date AS day FROM events ORDER BY 1"


def rebuild(settings: Settings) -> dict[str, list[str]]:
    """Build every table of every day that has events, and take from the lake what is not built from them; the days on which
    a table is not what the lake has, by table: none, unless code or a model has changed since they were written. At the end
    the copies of what people decide (baselines, segments' names and so on) are filled too.

    Harmless to repeat. Raises the error of the first step that fails.
    """
    found = asyncio.run(reconcile(settings, asyncio.run(_recorded_days(settings))))
    if added := sum(day.repaired for day in found):
        _say(f"events that neither the lake nor the relay had brought: {added}")
    days = _event_days(settings)
    if days:
        _say(f"building every table of {len(days)} days, {days[0]} to {days[-1]}")
        materialize(settings, days)
    built = {f"{key.path[0]}.{key.path[-1]}" for key in tables.daily_keys()}
    others = [table for table in read_manifests(settings) if table not in built and table != EVENTS]
    for table, count in asyncio.run(restore(settings, others)).items():
        _say(f"{table}: {count} days from the lake")
    copy_board(settings)  # the lake has none of it, and the night is far
    _say("what people decide is copied from PostgreSQL")
    return asyncio.run(differences(settings))


def _event_days(settings: Settings) -> list[str]:
    warehouse = Warehouse(settings)
    try:
        return [day.isoformat() for (day,) in warehouse.rows(_EVENT_DAYS, first=settings.history_start)]
    finally:
        warehouse.close()


async def _recorded_days(settings: Settings) -> list[str]:
    db = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        rows: list[date] = [row["day"] for row in await db.fetch(_RECORDED_DAYS, settings.timezone)]
    finally:
        await db.close()
    return [day.isoformat() for day in rows]


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


def main() -> int:
    """Rebuild and say what differs from the lake; the exit code is 1 when something does."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")
    unlike = rebuild(load_settings())
    for table, days in sorted(unlike.items()):
        _say(f"{table}: {len(days)} days are not as the lake has them, first {days[0]}")
    if not unlike:
        _say("every day of every table is as the lake has it")
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main())

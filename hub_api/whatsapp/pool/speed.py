"""The policy of speed_policy.py applied: windows from the tally, the result on the number, where senders read it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.whatsapp.pool import tally
from hub_api.whatsapp.pool.classes import BLOCK_CODES, class_of
from hub_api.whatsapp.pool.speed_policy import Speed, Window, next_speed

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "speed.sql")

HOUR, DAY, WEEK = 1, 24, 24 * 7


async def set_speeds(services: Services) -> None:
    """Judge every number; one whose speed does not change is left as it is."""
    at = datetime.now(UTC)
    counted = await services.db.fetch(tally.queries.windows, at - timedelta(hours=WEEK))
    by_number: dict[UUID, list[Any]] = defaultdict(list)
    for row in counted:
        by_number[row["number_id"]].append(row)
    for row in await services.db.fetch(queries.speeds):
        before = _remembered(row["speed_policy"])
        rows = by_number[row["id"]]
        hour, day, week = (window(rows, hours) for hours in (HOUR, DAY, WEEK))
        since_fall = window(rows, (at - before.fell_at) // timedelta(hours=1)) if before.fell_at else week
        after = next_speed(before, hour, day, week, since_fall, row["quality"], at)
        if after != before:
            await services.db.execute(queries.set_speed, row["id"], after.factor, after.reason, _memory(after))
            log.info("speed_changed", number=str(row["id"]), speed=round(after.factor, 3), reason=after.reason)


def window(rows: Iterable[Any], hours: int) -> Window:
    """The counts (hours_ago, outcome, code, count) of the last `hours` as the policy sees them."""
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        if row["hours_ago"] >= hours:
            continue
        outcome, code, count = row["outcome"], row["code"], row["count"]
        if outcome in ("accepted", "refused", "unknown"):
            sums["sent"] += count
        if outcome == "opt_out":
            sums["opt_outs"] += count
        elif outcome in ("delivered", "read"):
            sums[outcome] += count
        elif outcome in ("refused", "failed"):
            if code in BLOCK_CODES:
                sums["blocks"] += count
            elif class_of(code) != "customer":
                sums["errors"] += count
    return Window(**sums)


def _remembered(memory: dict[str, Any]) -> Speed:
    when = {name: datetime.fromisoformat(memory[name]) for name in ("changed_at", "fell_at") if memory.get(name)}
    return Speed(memory.get("factor", 1.0), when.get("changed_at"), when.get("fell_at"), memory.get("reason"))


def _memory(speed: Speed) -> dict[str, Any]:
    return {
        "factor": speed.factor,
        "changed_at": speed.changed_at.isoformat() if speed.changed_at else None,
        "fell_at": speed.fell_at.isoformat() if speed.fell_at else None,
        "reason": speed.reason,
    }

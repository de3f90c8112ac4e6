"""bronze has every event of raw, each once, and days have as many as such days have."""

from datetime import datetime

import dagster as dg

from assets.bronze.assets import events
from assets.checks import recomputation
from assets.daily import days_of
from assets.warehouse import Warehouse, load_sql

complete = recomputation(
    events,
    "complete",
    load_sql(__package__, "events.check.sql"),
    "As many rows as raw.events has distinct ids on these days",
)


@dg.asset_check(
    asset=events,
    description="No day that is over has less than a fifth of the events of its weekday in the weeks before: a source was away",
)
def volume_as_usual(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """A warning: a holiday or a fault of the source, which a person can tell apart."""
    today = datetime.now(warehouse.settings.zone).date().isoformat()
    over = [day for day in days_of(context) if day < today]
    rows = warehouse.rows(load_sql(__package__, "volume.check.sql"), over) if over else []
    return dg.AssetCheckResult(
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(f"{day}: {count} events, usually {usual:.0f}" for day, count, usual in rows) or None,
        metadata={"days": len(over)},
    )

"""gold as a whole: no day that is over lacks events."""

from datetime import datetime

import dagster as dg

from assets.gold.assets import BUILT_DAYS, stale_days
from assets.warehouse import Warehouse


@dg.asset_check(
    asset=BUILT_DAYS,
    description="No day before today got events after it was built; the sensor late_events rebuilds those that did",
)
def nothing_came_late(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """A warning, over when the days were built again."""
    today = datetime.now(warehouse.settings.zone).date().isoformat()
    late = [day for day, lack in stale_days(warehouse).items() if day < today and lack.came_late]
    return dg.AssetCheckResult(
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(late)} days lack events that came late: {', '.join(late[-10:])}" if late else None,
        metadata={"days": len(late)},
    )

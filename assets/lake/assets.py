"""The lake: what lies in the warehouse of days that are over, as Parquet."""

import asyncio
import warnings
from collections.abc import Iterable

import dagster as dg

from assets.daily import DAILY, RETRY
from assets.warehouse import Warehouse

FILES = dg.AssetKey(["lake", "files"])
# Once a day, as soon as everything was built after this time: the nightly run (pipelines/schedules.py) does that.
AFTER = "15 0 * * *"


def make_files(tables: Iterable[dg.AssetKey]) -> dg.AssetsDefinition:
    """The asset lake/files, which is written once a day after these tables, and not while a blocking check of one fails."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        since = dg.AutomationCondition.on_cron(AFTER, str(DAILY.timezone))
        failing = dg.AutomationCondition.any_checks_match(dg.AutomationCondition.check_failed(), blocking_only=True)
        condition = since & ~dg.AutomationCondition.any_deps_match(failing)

    @dg.asset(
        key=FILES,
        group_name="lake",
        deps=list(tables),
        automation_condition=condition,
        retry_policy=RETRY,
        owners=["team:data"],
        kinds={"parquet"},
    )
    def files(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
        """Parquet (zstd) of events and gold tables, one file for each table and day that is over, with a manifest per
        table. Days whose rows differ from the manifest's hash are written again, all others stay untouched. Then months of
        events that PostgreSQL need not keep any more (HUB_EVENTS_MONTHS) leave it, proved to be here."""
        from hub_api.platform.lake.archive import archive
        from hub_api.platform.lake.write import bring_up_to_date, read_manifests

        changed = asyncio.run(bring_up_to_date(warehouse.settings))
        left = asyncio.run(archive(warehouse.settings))
        held = [day for one in read_manifests(warehouse.settings).values() for day in one.days.values()]
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(day.rows for day in held),
                "files": len(held),
                "bytes": sum(day.bytes for day in held),
                "months_archived": ", ".join(f"{one.month:%Y-%m}" for one in left) or "none",
                "files_written": sum(map(len, changed.values())),
                "written": dg.MetadataValue.json({table: sorted(days) for table, days in changed.items()}),
            }
        )

    return files

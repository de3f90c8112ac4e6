"""raw: the relay writes it; this asset proves, day by day, that PostgreSQL and the warehouse have the same events."""

import asyncio

import dagster as dg

from assets.daily import daily_table, days_of
from assets.raw.reconcile import reconcile
from assets.warehouse import Warehouse

CHECKS = {
    "equals_postgresql": "Count and hash of each day's events are equal in PostgreSQL and raw.events, after repair",
    "nothing_missing": "No event of the day was missing in raw.events before the repair (a warning)",
    "no_duplicates": "No event of the day stands in raw.events twice",
    "not_corrupted": "No event of the day has another content than in PostgreSQL",
}


@daily_table(
    "raw",
    "ingest",
    [],
    check_specs=[dg.AssetCheckSpec(name, asset=["raw", "events"], description=what) for name, what in CHECKS.items()],
)
def events(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Events of the hub as recorded on the day (HUB_TIMEZONE): compared with PostgreSQL by count and hash, repaired
    where events are missing. The relay brings them in the first place; see events.table.sql."""
    found = asyncio.run(reconcile(warehouse.settings, days_of(context)))
    for day in found:
        context.add_asset_metadata({"dagster/partition_row_count": day.warehouse}, partition_key=day.day)
    repaired, unlike = sum(day.repaired for day in found), [day for day in found if not day.equal]
    if repaired:
        context.log.warning(f"{repaired} events were missing in raw.events and have been added")
    check = dg.AssetCheckResult(
        check_name="equals_postgresql",
        passed=not unlike,
        description="; ".join(f"{day.day}: {day.surplus} rows that PostgreSQL does not have" for day in unlike) or None,
        metadata={"repaired": repaired},
    )
    missing = _none("nothing_missing", {day.day: day.repaired - day.corrupted for day in found}, "missing, added")
    twice = _none("no_duplicates", {day.day: day.duplicated for day in found}, "more than once")
    corrupted = _none("not_corrupted", {day.day: day.corrupted for day in found}, "with another content")
    rows = {"postgresql_rows": sum(d.postgresql for d in found), "warehouse_rows": sum(d.warehouse for d in found)}
    return dg.MaterializeResult(
        metadata={**rows, "repaired": repaired}, check_results=[check, missing, twice, corrupted]
    )


def _none(name: str, counts: dict[str, int], how: str) -> dg.AssetCheckResult:
    """Passed when no day has any; what was missing is whole again, which is worth a warning only."""
    some = {day: count for day, count in counts.items() if count}
    severity = dg.AssetCheckSeverity.WARN if name == "nothing_missing" else dg.AssetCheckSeverity.ERROR
    text = "; ".join(f"{day}: {count} events {how}" for day, count in some.items())
    return dg.AssetCheckResult(check_name=name, passed=not some, severity=severity, description=text or None)

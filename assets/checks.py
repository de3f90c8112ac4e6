"""How an asset's checks come about: expectations run by the checker, and figures recomputed another way."""

import dagster as dg

from assets import checker
from assets.daily import days_of
from assets.warehouse import Warehouse


def expectations(
    asset: dg.AssetsDefinition, table: str, expected_rows: str, *, key: dg.AssetKey | None = None, by_day: bool = True
) -> dg.AssetChecksDefinition:
    """A blocking check that runs the suite of `table`; `expected_rows` is a query for how many rows there must be. `key`
    names the table of an asset that makes several. Without `by_day` the run need not name a day: the table is of what is so now."""

    @dg.asset_check(
        asset=key or asset, name="expectations", blocking=True, retry_policy=dg.RetryPolicy(max_retries=1, delay=2),
        description=f"Great Expectations on {table}: row count first, then ranges (assets/expectations.py)",
    )  # fmt: skip
    def check(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        days = days_of(context) if by_day else []
        rows = int(warehouse.rows(expected_rows, days)[0][0])
        outcomes = checker.validate(warehouse.settings, table, days, rows)
        failed = [outcome for outcome in outcomes if not outcome["success"]]
        return dg.AssetCheckResult(
            passed=not failed,
            description="; ".join(f"{f['expectation']}({f['column']}): {f['observed']}" for f in failed) or None,
            metadata={"expectations": len(outcomes), "failed": dg.MetadataValue.json(failed), "rows": rows},
        )

    return check


def recomputation(
    asset: dg.AssetsDefinition, name: str, sql: str, description: str, *, key: dg.AssetKey | None = None
) -> dg.AssetChecksDefinition:
    """A blocking check of figures against the same figures computed another way; `key` as for `expectations`.

    `sql` gives rows (figure, in the table, recomputed); they must agree to a millionth of their size, which leaves
    room for the order in which floating-point numbers are added, and for nothing else.
    """

    @dg.asset_check(asset=key or asset, name=name, blocking=True, description=description)
    def check(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        rows = warehouse.rows(sql, days_of(context))
        wrong = [row for row in rows if not _agree(row[1], row[2])]
        return dg.AssetCheckResult(
            passed=bool(rows) and not wrong,
            description="; ".join(
                f"{figure}: {ours} in the table, {theirs} recomputed" for figure, ours, theirs in wrong
            )
            or None,
            metadata={str(figure): f"{ours} / {theirs}" for figure, ours, theirs in rows},
        )

    return check


def _agree(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return abs(float(ours) - float(theirs)) <= 1e-6 * max(1.0, abs(float(theirs)))

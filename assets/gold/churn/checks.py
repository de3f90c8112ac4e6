"""The churn model is put in use by a check; its tables against expectations and against themselves another way."""

import dagster as dg

from assets.checks import expectations, recomputation
from assets.daily import days_of
from assets.gold.churn import training
from assets.gold.churn.assets import churn_drift, churn_model, churn_risk
from assets.warehouse import Warehouse, load_sql
from models_ml.registry import ModelError


@dg.asset_check(
    asset=churn_model, name="promotion", blocking=True,
    description="Puts the newest version in use when it holds its floors on days after those it was fitted on; else the one before stays",
)  # fmt: skip
def promotion(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Passes with the newest version in use. A version below its floors is a warning: scoring goes on by the one in use."""
    registry = training.registry_of(warehouse)
    newest = next(iter(registry.versions(training.NAME)), None)
    if newest is None:
        return dg.AssetCheckResult(passed=True, description="no version yet: nothing is scored")
    if newest.version == registry.promoted(training.NAME):
        return dg.AssetCheckResult(passed=True, metadata={"version": newest.version})
    try:
        registry.promote(training.NAME, newest.version)
    except ModelError as error:
        return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN, description=str(error))
    return dg.AssetCheckResult(passed=True, metadata={"version": newest.version, "put_in_use": True})


risk_expectations = expectations(
    churn_risk,
    "gold.churn_risk",
    "SELECT count() FROM gold.customer_features WHERE contracts_active > 0 "
    "AND day IN (SELECT DISTINCT day FROM gold.churn_risk WHERE day IN {days:Array(Date)})",
)
risk_recomputed = recomputation(
    churn_risk,
    "recomputed_from_features",
    load_sql(__package__, "churn_risk.check.sql"),
    "Who is scored, from the features; bands and reasons against each other",
)
drift_expectations = expectations(
    churn_drift,
    "gold.churn_drift",
    "SELECT uniqExact(day, feature) FROM gold.churn_drift WHERE day IN {days:Array(Date)}",
)
drift_recomputed = recomputation(
    churn_drift,
    "recomputed_from_risk",
    load_sql(__package__, "churn_drift.check.sql"),
    "Days that were scored, and verdicts from their figures",
)


@dg.asset_check(
    asset=churn_drift, name="drift",
    description="Warns when the score of the newest day has drifted so far that the model should be trained anew",
)  # fmt: skip
def drift(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Passes when the score's index is not above 0.25 and chance does not explain it."""
    rows = warehouse.rows(
        "SELECT feature, psi, verdict FROM gold.churn_drift WHERE day = "
        "(SELECT max(day) FROM gold.churn_drift WHERE day IN {days:Array(Date)}) AND verdict != 'stable' ORDER BY psi DESC",
        days_of(context),
    )
    acting = [feature for feature, _, verdict in rows if verdict == "act" and feature == "score"]
    return dg.AssetCheckResult(
        passed=not acting,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={str(feature): float(psi) for feature, psi, _ in rows},
    )

"""gold, churn: a model trained when it is due, who may leave and why, and how far customers have drifted from it."""

from datetime import date

import dagster as dg

from assets.daily import CUSTOMERS, FRESH, daily_table, days_of, state_table
from assets.gold.churn import scoring, training
from assets.warehouse import Warehouse

CANDIDATE = "candidate"  # metadata: the version that the check may put in use


@state_table(
    "gold",
    CUSTOMERS,
    [("gold", "customer_features"), ("gold", "customer_actions_daily")],
    metadata={"model": training.NAME},
)
def churn_model(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """A version of the churn model in the registry, trained on what was known at the end of the run's last day, at most once
    a week. Its check puts it in use."""
    made = training.train_when_due(warehouse, date.fromisoformat(days_of(context)[-1]))
    figures = {name: value for name, value in made.metrics.items() if isinstance(value, int | float | str)}
    return dg.MaterializeResult(metadata={CANDIDATE: made.version or "", "reason": made.reason, **figures})


@daily_table("gold", CUSTOMERS, [("gold", "churn_model"), ("gold", "customer_features")], freshness=FRESH)
def churn_risk(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """One row per customer with an active contract and scored day; see sql/churn_risk.table.sql."""
    versions = scoring.versions_of(warehouse, days_of(context))
    rows = 0
    for day, version in versions.items():  # a day at a time: a million customers with reasons are some 500 MB
        made = scoring.score_day(warehouse, day, version)
        rows += sum(warehouse.replace_days_from("gold.churn_risk", made, [day]).values())
    return dg.MaterializeResult(metadata={"rows_of_run": rows, "days_scored": len(versions)})


@daily_table("gold", CUSTOMERS, [("gold", "churn_risk")])
def churn_drift(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per scored day and feature; see sql/churn_drift.table.sql."""
    rows = 0
    for day, version in scoring.versions_of(warehouse, days_of(context)).items():
        made = scoring.drift_of_day(warehouse, day, version)
        rows += sum(warehouse.replace_days_from("gold.churn_drift", made, [day]).values())
    return dg.MaterializeResult(metadata={"rows_of_run": rows})

"""gold, experiments: who was assigned to what, how each experiment stood every day, and what became of campaigns."""

import dagster as dg

from assets.daily import FRESH, daily_table, days_of, rebuild, rebuild_from
from assets.gold.experiments.results import read_stories, result_rows
from assets.warehouse import Warehouse, load_sql

RESULTS = "gold.experiment_results"


@daily_table("gold", "experiments", [("bronze", "events")], freshness=FRESH, looks_back=True)
def experiment_assignments(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per experiment and customer; see sql/experiment_assignments.table.sql."""
    sql = load_sql(__package__, "experiment_assignments.sql")
    return rebuild(context, warehouse, "gold.experiment_assignments", sql)


@daily_table("gold", "experiments", [("gold", "experiment_assignments")], freshness=FRESH, looks_back=True)
def experiment_results(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day, experiment, variant and metric; formulas are in models_ml/experiments/README.md."""
    days = days_of(context)
    rows = [row for story in read_stories(warehouse, days) for row in result_rows(story, days)]
    return rebuild_from(context, warehouse, RESULTS, rows)


# After the messages of silver, with which its check compares it.
@daily_table("gold", "experiments", [("bronze", "events"), ("silver", "messages")], freshness=FRESH, looks_back=True)
def campaign_funnel(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day, campaign, variant and number: steps on the day they happened; see sql/campaign_funnel.table.sql."""
    return rebuild(context, warehouse, "gold.campaign_funnel", funnel_sql())


# After the funnel, with which its check compares it.
@daily_table("gold", "experiments", [("gold", "campaign_funnel")], freshness=FRESH, looks_back=True)
def campaign_customers_daily(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """One row per day, campaign, variant and customer: the same steps, for figures by segment (gold.bi_campaign_segments)."""
    return rebuild(context, warehouse, "gold.campaign_customers_daily", funnel_sql("campaign_customers_daily"))


def funnel_sql(table: str = "campaign_funnel") -> str:
    """The SELECT of gold.campaign_funnel or gold.campaign_customers_daily: the steps of messages, summed."""
    return load_sql(__package__, "campaign_steps.sql") + load_sql(__package__, f"{table}.sql")

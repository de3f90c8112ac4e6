"""The tables of experiments and campaigns against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.experiments.assets import (
    campaign_customers_daily,
    campaign_funnel,
    experiment_assignments,
    experiment_results,
)
from assets.warehouse import load_sql

assignments_expectations = expectations(
    experiment_assignments,
    "gold.experiment_assignments",
    "SELECT count() FROM (SELECT min(day) AS first FROM bronze.events WHERE type = 'experiment.assigned' "
    "GROUP BY experiment_id, customer_id) WHERE first IN {days:Array(Date)}",
)
assignments_recomputed = recomputation(
    experiment_assignments,
    "recomputed_from_events",
    load_sql(__package__, "experiment_assignments.check.sql"),
    "First assignments, numbered by a window",
)
results_expectations = expectations(
    experiment_results, "gold.experiment_results", load_sql(__package__, "experiment_results.rows.sql")
)
results_recomputed = recomputation(
    experiment_results,
    "recomputed_from_events",
    load_sql(__package__, "experiment_results.check.sql"),
    "Customers, conversions, value and differences of the last day, customer by customer",
)
funnel_expectations = expectations(
    campaign_funnel,
    "gold.campaign_funnel",
    "SELECT uniqExact(campaign_id, variant, number_id, day) FROM gold.campaign_funnel WHERE day IN {days:Array(Date)}",
)
funnel_recomputed = recomputation(
    campaign_funnel,
    "recomputed_from_events",
    load_sql(__package__, "campaign_funnel.check.sql"),
    "Messages, arrivals, costs and answers, from silver and the events",
)
customers_expectations = expectations(
    campaign_customers_daily,
    "gold.campaign_customers_daily",
    "SELECT uniqExact(campaign_id, variant, customer_id, day) FROM gold.campaign_customers_daily WHERE day IN {days:Array(Date)}",
)
customers_recomputed = recomputation(
    campaign_customers_daily,
    "recomputed_from_the_funnel",
    load_sql(__package__, "campaign_customers_daily.check.sql"),
    "Steps as the funnel has them; who was written to, from silver",
)

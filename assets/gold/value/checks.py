"""Value and groups against expectations and another way of counting; groups that no longer hold are told, not stopped."""

import dagster as dg

from assets.checks import expectations, recomputation
from assets.gold.value.assets import customer_clusters, customer_value
from assets.warehouse import Warehouse
from models_ml.segmentation.clusters import DRIFTED, STABLE

VALUE_RECOMPUTED = """
WITH
    paying AS (SELECT customer_id FROM gold.customer_features
        WHERE day = (SELECT max(day) FROM gold.customer_features) AND monthly_micros > 0),
    ranked AS (SELECT tier, percent_rank() OVER (ORDER BY value_score) AS place FROM gold.customer_value
        WHERE customer_id IN (SELECT customer_id FROM paying))
SELECT 'diamonds among the best six in a hundred' AS figure, toFloat64(countIf(tier = 'Diamante')) AS in_the_table,
    toFloat64(countIf(tier = 'Diamante' AND place >= 0.94)) AS recomputed FROM ranked
UNION ALL
SELECT 'score of its parts', (SELECT sum(value_score) FROM gold.customer_value),
    (SELECT sum(if(customer_id IN (SELECT customer_id FROM paying),
        40 * plan_part + 20 * tenure_part + 20 * payment_part + 10 * usage_part + 10 * tickets_part, 0)) FROM gold.customer_value)
"""

value_expectations = expectations(
    customer_value,
    "gold.customer_value",
    "SELECT count() FROM gold.customer_features WHERE day = (SELECT max(day) FROM gold.customer_features)",
)
value_recomputed = recomputation(
    customer_value, "recomputed_by_rank", VALUE_RECOMPUTED, "Tiers by rank, and scores from their parts"
)
clusters_recomputed = recomputation(
    customer_clusters,
    "recomputed_rows",
    """
    SELECT 'customers with a group' AS figure, (SELECT toFloat64(count()) FROM gold.customer_clusters) AS in_the_table,
        (SELECT toFloat64(uniqExact(customer_id)) FROM gold.customer_features
            WHERE day = (SELECT max(as_of) FROM gold.customer_clusters)) AS recomputed
    """,
    "Every customer of the day has one group",
)


@dg.asset_check(
    asset=customer_clusters,
    name="groups_hold",
    description=f"Stability at least {STABLE}, drift of shares below {DRIFTED}",
)
def groups_hold(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """The newest fit: whether its groups come again in samples, and whether those before it still had their shares."""
    rows = warehouse.rows(
        "SELECT toString(fitted_on), stability, drift, agreement FROM gold.cluster_models FINAL ORDER BY fitted_on DESC LIMIT 1"
    )
    if not rows:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description="no fit yet")
    fitted_on, stability, drift, agreement = rows[0]
    return dg.AssetCheckResult(
        passed=stability >= STABLE and (drift is None or drift < DRIFTED),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"fitted_on": fitted_on, "stability": stability, "drift": str(drift), "agreement": str(agreement)},
    )

"""gold, value: what each customer is worth, and learned groups of alike customers."""

import dagster as dg

from assets.daily import CUSTOMERS, state_table
from assets.gold.value.learn import build_clusters, build_value
from assets.warehouse import Warehouse

FEATURES = [("gold", "customer_features")]


@state_table("gold", CUSTOMERS, FEATURES)
def customer_value(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """RFM scores and value tier of each customer; see sql/customer_value.table.sql."""
    tiers = build_value(warehouse)
    return dg.MaterializeResult(metadata={"dagster/row_count": sum(tiers.values()), **tiers})


@state_table("gold", CUSTOMERS, FEATURES)
def customer_clusters(warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Learned group of each customer; fits, their stability and drift are in gold.cluster_models."""
    fit = build_clusters(warehouse)
    if fit is None:
        return dg.MaterializeResult(metadata={"fit": "too few customers, or none that differ: no groups"})
    return dg.MaterializeResult(
        metadata={
            "fit": fit.name,
            "learned_now": fit.reason or "no",
            "stability": fit.model.stability[fit.model.k],
            "groups": dg.MetadataValue.json({one.name: round(one.share, 4) for one in fit.model.profiles}),
            **({} if fit.drift is None else {"drift": fit.drift}),
            **({} if fit.agreement is None else {"agreement_with_before": fit.agreement}),
        }
    )

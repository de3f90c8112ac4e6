"""Members against expectations, against the history, and against each segment's own query."""

import dagster as dg

from assets.checks import expectations, recomputation
from assets.gold.segment.assets import segments
from assets.gold.segment.definitions import read_definitions
from assets.warehouse import Warehouse
from models_ml.segmentation.compile import compile_tree, members_query

MEMBERSHIP = dg.AssetKey(["gold", "segment_membership"])
RECOUNTED = 5

membership_expectations = expectations(
    segments,
    "gold.segment_membership",
    "SELECT uniqExact(segment_id, customer_id) FROM gold.segment_membership",
    key=MEMBERSHIP,
)
membership_recomputed = recomputation(
    segments,
    "recomputed_from_history",
    """
    SELECT 'members' AS figure, (SELECT toFloat64(count()) FROM gold.segment_membership) AS in_the_table,
        (SELECT toFloat64(countIf(change = 'entered')) - countIf(change = 'left') FROM gold.segment_membership_history) AS recomputed
    UNION ALL
    SELECT 'members that are customers of the day', (SELECT toFloat64(count()) FROM gold.segment_membership),
        (SELECT toFloat64(count()) FROM gold.segment_membership WHERE customer_id IN (
            SELECT customer_id FROM gold.customer_features WHERE day = (SELECT max(day) FROM gold.customer_features)))
    """,
    "As many members as have entered and not left, all of them customers",
    key=MEMBERSHIP,
)


@dg.asset_check(
    asset=MEMBERSHIP,
    name="recomputed_one_by_one",
    blocking=True,
    description=f"{RECOUNTED} segments counted each by a query of its own, as a preview counts them",
)
def membership_recounted(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Another way to the same number: not in one pass with others, and not joined with the members before."""
    day = warehouse.rows("SELECT max(day) FROM gold.customer_features")[0][0]
    found = {}
    for one in sorted(read_definitions(warehouse.settings), key=lambda each: each.hash)[:RECOUNTED]:
        if one.node is None:
            continue
        sql, parameters = members_query(compile_tree(one.node, day), day)
        ours = "SELECT count() FROM gold.segment_membership WHERE segment_id = {segment:UUID}"
        found[one.name] = (
            warehouse.rows(ours, segment=one.id)[0][0],
            warehouse.rows(f"SELECT count() FROM ({sql})", **parameters)[0][0],  # noqa: S608 - a compiled query
        )
    wrong = {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    return dg.AssetCheckResult(
        passed=not wrong, metadata={name: f"{ours} / {theirs}" for name, (ours, theirs) in found.items()}
    )

"""gold, segments: who is in which segment, and who came and went."""

from collections.abc import Iterator

import dagster as dg

from assets.daily import CUSTOMERS, RETRY
from assets.gold.segment.definitions import read_definitions
from assets.gold.segment.membership import refresh
from assets.warehouse import Warehouse

_DEPS = [["gold", "customer_features"], ["gold", "customer_actions_daily"]]


def _spec(name: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["gold", name],
        deps=_DEPS,
        description=description,
        group_name=CUSTOMERS,
        owners=["team:data"],
        kinds={"clickhouse"},
    )


@dg.multi_asset(
    name="segments",
    specs=[
        _spec("segment_membership", "Who is in which segment now; see sql/segment_membership.table.sql."),
        _spec("segment_membership_history", "Who entered and left, when and why; only what changed is added."),
        _spec("segment_state", "From which definition, data and columns each segment's members were found."),
    ],
    retry_policy=RETRY,
)
def segments(warehouse: dg.ResourceParam[Warehouse]) -> Iterator[dg.MaterializeResult[None]]:
    """Every segment in use, as far as its definition or its data changed since the last run."""
    done = refresh(warehouse, read_definitions(warehouse.settings))
    yield dg.MaterializeResult(
        asset_key=["gold", "segment_membership"],
        metadata={
            "dagster/row_count": done.members,
            "segments_computed": done.computed,
            "segments_unchanged": done.same,
            "not_computed": dg.MetadataValue.json(done.problems),
            "columns_by_segment": dg.MetadataValue.json(done.lineage),
        },
    )
    yield dg.MaterializeResult(
        asset_key=["gold", "segment_membership_history"], metadata={"entered": done.entered, "left": done.left}
    )
    yield dg.MaterializeResult(
        asset_key=["gold", "segment_state"], metadata={"dagster/row_count": done.computed + done.same}
    )

"""The promoted models judged anew on the held-out texts, from the files as they are loaded."""

import dagster as dg

from assets.models.assets import messages
from assets.models.train import folder_of
from assets.warehouse import Warehouse


@dg.asset_check(
    asset=messages, name="held_out", blocking=True,
    description="The models in use, loaded from their files, reach every floor on texts that they never saw",
)  # fmt: skip
def held_out(warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
    """Fails with the figures that are below their floor."""
    from models_ml.messages import evaluate_promoted

    found = evaluate_promoted(folder_of(warehouse.settings))
    missed = [
        f"{name}: {metric} {got:.3f} < {floor:.3f}"
        for name, one in found.items()
        for metric, (got, floor) in one.missed.items()
    ]
    figures = {f"{name}/{metric}": float(one.metrics[metric]) for name, one in found.items() for metric in one.floors}
    return dg.AssetCheckResult(passed=not missed, description="; ".join(missed) or None, metadata=figures)

"""models: what is trained. Promoted only by its figures on texts it never saw; the version before is kept."""

import time

import dagster as dg

from assets.daily import RETRY
from assets.models.agreement import agreement, as_markdown
from assets.models.train import folder_of, teacher_labels
from assets.warehouse import Warehouse


@dg.asset(
    key_prefix="models", group_name="models", deps=[dg.AssetKey(["silver", "messages"]), dg.AssetKey(["silver", "message_labels"])], retry_policy=RETRY,
    owners=["team:data"], kinds={"scikitlearn"},
)  # fmt: skip
def messages(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Sentiment, aspects and intent of messages, trained from our own corpus and from teachers' labels of this hub's
    messages (models_ml/sentiment/README.md). A version that misses a floor is kept aside, and the one before stays in use.
    `agreement` tells how often teachers and the models agree (assets/models/agreement.py)."""
    from models_ml.messages import ensure

    began = time.monotonic()
    labels = teacher_labels(warehouse)
    found = ensure(folder_of(warehouse.settings), labels=labels, say=context.log.info)
    figures = {f"{one.name}/{metric}": float(one.metrics[metric]) for one in found.values() for metric in one.floors}
    versions = {f"{one.name}/version": one.version for one in found.values()}
    agreed = agreement(warehouse)
    shares = {f"agreement/{one.teacher}/{one.chosen_by or 'given'}": one.sentiment for one in agreed}
    return dg.MaterializeResult(
        metadata={
            **figures,
            **versions,
            **shares,
            "agreement": dg.MetadataValue.md(as_markdown(agreed)),
            "teacher_labels": len(labels),
            "seconds": time.monotonic() - began,
        }
    )

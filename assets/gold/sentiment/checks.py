"""The sentiment tables against expectations, against the same figures computed another way, and the model behind them."""

import dagster as dg

from assets.checks import expectations, recomputation
from assets.daily import days_of
from assets.gold.sentiment.assets import conversation_sentiment, message_sentiment
from assets.models.train import missed_by
from assets.warehouse import Warehouse, load_sql

_VERSIONS = "SELECT model, count() FROM gold.message_sentiment WHERE day IN {days:Array(Date)} GROUP BY model"

messages_expectations = expectations(
    message_sentiment,
    "gold.message_sentiment",
    "SELECT count() FROM silver.messages WHERE day IN {days:Array(Date)} AND author = 'customer' AND revoked_at IS NULL "
    "AND trimBoth(ifNull(content, '')) != ''",
)
messages_recomputed = recomputation(
    message_sentiment,
    "recomputed_from_events",
    load_sql(__package__, "message_sentiment.check.sql"),
    "Messages with words from the events; classes, scores and aspects from the probabilities",
)
conversations_expectations = expectations(
    conversation_sentiment,
    "gold.conversation_sentiment",
    "SELECT uniqExact(conversation_id) FROM gold.message_sentiment WHERE conversation_id IN "
    "(SELECT conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)})",
)
conversations_recomputed = recomputation(
    conversation_sentiment,
    "recomputed_from_messages",
    load_sql(__package__, "conversation_sentiment.check.sql"),
    "Trajectories from the messages by windows and regression",
)


@dg.asset_check(
    asset=message_sentiment, name="model_reaches_its_floors", blocking=True,
    description="These days were read by one promoted version whose held-out figures reach their floors and whose files are intact",
)  # fmt: skip
def model_reaches_its_floors(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Fails when a day was read by a version that is not in use, is damaged, or is below a floor."""
    versions = {str(model): int(rows) for model, rows in warehouse.rows(_VERSIONS, days_of(context))}
    promoted, missed = missed_by(warehouse.settings)
    strangers = {model: rows for model, rows in versions.items() if model != promoted}
    problems = [*missed, *(f"{rows} messages were read by {model}" for model, rows in strangers.items())]
    return dg.AssetCheckResult(
        passed=not problems, description="; ".join(problems) or None, metadata={"model": promoted, "messages": sum(versions.values())}
    )  # fmt: skip

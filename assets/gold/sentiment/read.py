"""Messages to what they say: the models read what they have not read yet, in batches, without keeping a text."""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from assets.warehouse import STAGING, Warehouse, load_sql
from hub_api.platform.clickhouse import render_ddl

if TYPE_CHECKING:
    from models_ml.messages import MessageReader, Read

TABLE = "gold.message_sentiment"
BATCH = 4096  # messages whose texts are in memory at once; the models take equal ones once
COLUMNS = (
    "day", "message_id", "conversation_id", "customer_id", "sent_at", "message_version", "model", "label", "negative", "neutral",
    "positive", "mixed", "score", "aspects", "intent", "intent_probability", "reason",
)  # fmt: skip


def read_days(warehouse: Warehouse, reader: "MessageReader", days: Sequence[str]) -> tuple[dict[str, int], int]:
    """Make these days of gold.message_sentiment what `reader` says: rows per day, and how many were read now.

    What the same version has read before stays as it is, so that the hours of a day do not read its messages again.
    """
    sql = load_sql(__package__, "message_sentiment.sql")
    with _answers(warehouse) as answers:
        count = 0
        for rows in _batches(warehouse, reader.version, days):
            said = reader.read([row[-1] for row in rows])
            warehouse.client.insert(
                answers, [_row(row, one, reader.version) for row, one in zip(rows, said, strict=True)], column_names=COLUMNS
            )  # fmt: skip
            count += len(rows)
        rows_of_day = warehouse.replace_days(
            TABLE, sql, days, answers=answers.removeprefix("gold."), model=reader.version
        )
    return rows_of_day, count


def _batches(warehouse: Warehouse, version: str, days: Sequence[str]) -> Iterator[Sequence[Sequence[Any]]]:
    """Unread messages in the order of their days, BATCH at a time."""
    parameters = warehouse.parameters(days, model=version)
    batch: list[Sequence[Any]] = []
    with warehouse.client.query_row_block_stream(load_sql(__package__, "unread.sql"), parameters=parameters) as blocks:
        for block in blocks:
            batch += block
            while len(batch) >= BATCH:
                yield batch[:BATCH]
                batch = batch[BATCH:]
    if batch:
        yield batch


def _row(row: Sequence[Any], said: "Read", version: str) -> list[Any]:
    shares = said.probabilities
    return [
        *row[:-1], version, said.label, shares["negative"], shares["neutral"], shares["positive"], shares["mixed"], said.score,
        said.aspects, said.intent, said.intent_probability, said.reason,
    ]  # fmt: skip


@contextmanager
def _answers(warehouse: Warehouse) -> Iterator[str]:
    """An empty table like gold.message_sentiment, gone when the block ends (one that a killed run leaves is dropped by
    the next build of the table)."""
    name = f"{TABLE}{STAGING}{uuid.uuid4().hex[:12]}"
    cluster = warehouse.settings.clickhouse_cluster
    warehouse.client.command(render_ddl(f"CREATE TABLE {name} /*ON CLUSTER*/ AS {TABLE}", cluster))
    try:
        yield name
    finally:
        warehouse.client.command(render_ddl(f"DROP TABLE IF EXISTS {name} /*ON CLUSTER*/ SYNC", cluster))

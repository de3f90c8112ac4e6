"""Two customers turned out to be one person: the older keeps everything, the other points to it."""

from datetime import datetime
from uuid import UUID

from hub_api.chat.resolve import close
from hub_api.events import CustomerMerged
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "merge.sql")


async def merge(tx: Transaction, survivor: UUID, merged: UUID, at: datetime) -> None:
    """Everything of `merged` becomes `survivor`'s: conversations, messages, consents, contracts, identities.

    Both rows must be locked by the caller. Where both have an open conversation on a number, one is closed with the
    reason `merged`; its messages stay in it. A message of the merged customer that waits for sending goes out as it is.
    """
    pair = (survivor, merged)
    for row in await tx.db.fetch(queries.open_pairs, *pair):
        await close(tx, row["close"], reason="merged", at=at)
    await tx.db.execute(queries.move_messages, *pair)
    await tx.db.execute(queries.move_conversations, *pair)
    await tx.db.execute(queries.move_identities, *pair)
    await tx.db.execute(queries.move_consents, *pair)
    await tx.db.execute(queries.move_erasures, *pair)
    await tx.db.execute(queries.move_holds, *pair)
    await tx.db.execute(queries.copy_suppressions, *pair)
    await tx.db.execute(queries.drop_suppressions, merged)
    await tx.db.execute(queries.move_contracts, *pair)
    await tx.db.execute(queries.join_paces, *pair)
    await tx.db.execute(queries.move_quota, *pair)
    await tx.db.execute(queries.move_memberships, *pair)
    await tx.db.execute(queries.enrich_survivor, *pair)
    await tx.db.execute(queries.redirect, *pair)
    version = await tx.db.fetchval(queries.end_customer, *pair)
    tx.emit(CustomerMerged(aggregate_id=merged, aggregate_version=version, occurred_at=at, into=survivor))

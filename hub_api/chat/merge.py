"""Two customers turned out to be one person: the older keeps everything, the other points to it."""

from datetime import datetime
from uuid import UUID

from hub_api.chat.absorb import absorb
from hub_api.events import CustomerMerged
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "merge.sql")


async def merge(tx: Transaction, survivor: UUID, merged: UUID, at: datetime, *, goes_on: UUID | None = None) -> None:
    """Everything of `merged` becomes `survivor`'s: conversations, messages, consents, contracts, identities.

    Both rows must be locked by the caller. Where both have an open conversation on a number, one takes in the other
    (absorb.py): `goes_on` if it is one of them. A message of the merged customer that waits for sending goes out as it is.
    """
    pair = (survivor, merged)
    pairs = await tx.db.fetch(queries.open_pairs, *pair, goes_on)
    for row in pairs:
        await absorb(tx, row["keep"], row["close"], at)
    await tx.db.execute(queries.move_messages, *pair)
    await tx.db.execute(queries.move_conversations, *pair)
    await tx.db.execute(queries.move_identities, *pair)
    await tx.db.execute(queries.move_consents, *pair)
    await tx.db.execute(queries.move_erasures, *pair)
    await tx.db.execute(queries.move_holds, *pair)
    await tx.db.execute(queries.copy_suppressions, *pair)
    await tx.db.execute(queries.drop_suppressions, merged)
    await tx.db.execute(queries.move_listed, *pair)
    await tx.db.execute(queries.move_links, *pair)
    await tx.db.execute(queries.move_visitors, *pair)
    await tx.db.execute(queries.move_goals, *pair)
    await tx.db.execute(queries.move_contracts, *pair)
    await tx.db.execute(queries.join_paces, *pair)
    await tx.db.execute(queries.move_quota, *pair)
    await tx.db.execute(queries.move_memberships, *pair)
    await tx.db.execute(queries.move_recipients, *pair)
    await tx.db.execute(queries.move_upload_rows, *pair)
    await tx.db.execute(queries.move_trigger_keys, *pair)
    await tx.db.execute(queries.enrich_survivor, *pair)
    await tx.db.execute(queries.redirect, *pair)
    version = await tx.db.fetchval(queries.end_customer, *pair)
    tx.emit(CustomerMerged(aggregate_id=merged, aggregate_version=version, occurred_at=at, into=survivor))

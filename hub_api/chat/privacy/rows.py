"""The erasure's part in PostgreSQL: one transaction under the person's lock, then a sweep of the raw stores."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from hub_api.chat.identities import Identity
from hub_api.chat.privacy import tombstones
from hub_api.chat.privacy.marks import Marks
from hub_api.chat.resolve import close
from hub_api.platform import crypto, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Pool, Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "erase.sql")

SAC_RECORD = "Registro do SAC, 2 anos após a resolução (Decreto 11.034/2022, art. 12 § 5º; LGPD art. 16, I)"
Counts = dict[str, int]


async def erase_rows(
    tx: Transaction, secret_key: str, erasure_id: UUID, customer_id: UUID, erased_at: datetime, known: Marks
) -> tuple[Marks, Counts]:
    """Erase the person's rows; what he is found by in other stores, and how many rows it were by table.

    `known` are the marks of an earlier attempt. Harmless to repeat. Whoever handles a webhook of his waits for the lock,
    then finds the tombstones.
    """
    people = await tx.db.fetch(queries.lock_person, customer_id)
    ids = [row["id"] for row in people] or [customer_id]
    marks = known | await _collect(tx, ids, people)
    await tombstones.bury(tx.db, secret_key, erasure_id, erased_at, marks)
    for row in await tx.db.fetch(queries.open_conversations, ids):
        await close(tx, row["id"], reason="erased")
    await _keep(tx, secret_key, erasure_id, ids, marks)
    counts: Counts = {}

    async def apply(table: str, query: str, *arguments: Any) -> None:
        counts[table] = _count(await tx.db.execute(query, *arguments))

    phones = marks.phones()
    await tx.db.execute(queries.stop_sending, ids)
    await apply("events", queries.erase_events, ids)
    await apply("messages", queries.erase_messages, ids)
    await apply("message_key", queries.erase_keys, sorted(marks.wamids))
    await apply("bot_turn", queries.erase_turns, ids)
    await apply("scheduled_replies", queries.erase_scheduled, ids)
    await apply("notes", queries.erase_notes, ids)
    await apply("conversations", queries.erase_conversations, ids)
    await apply("pair_pace", queries.erase_pace, ids)
    await apply("quota_ledger", queries.erase_quota, ids)
    await apply("segment_snapshot_members", queries.erase_memberships, ids)
    await apply("campaign_recipients", queries.erase_recipients, ids)
    await apply("campaign_upload_rows", queries.erase_upload_rows, ids)
    await apply("campaign_trigger_keys", queries.erase_trigger_keys, ids)
    await apply("campaign_score_marks", queries.erase_score_marks, ids)
    await apply("suppression_entries", queries.erase_listed, ids)
    await apply("tracked_links", queries.erase_links, ids)
    await apply("goals", queries.erase_goals, ids)
    await apply("media", queries.erase_unsent, ids)
    await apply("site_visitors", queries.erase_visitors, ids)
    await apply("consent_ledger", queries.erase_evidence, ids)
    await apply("service_tickets", queries.erase_tickets, ids, phones)
    await apply("invoices", queries.erase_invoices, ids, phones)
    await apply("contracts", queries.erase_contracts, ids, phones)
    await apply("customer_identities", queries.erase_identities, ids)
    await apply("customers", queries.erase_customers, ids)
    return marks, counts


async def _collect(tx: Transaction, ids: list[UUID], people: list[Row]) -> Marks:
    identities = {
        Identity(row["kind"], row["value"], row["portfolio_id"]) for row in await tx.db.fetch(queries.identities, ids)
    }
    identities |= {Identity("phone", row["phone"]) for row in people if row["phone"]}
    wamids = {row["wamid"] for row in await tx.db.fetch(queries.wamids, ids)}
    names = {name for row in people for name in (row["name"], row["username"]) if name}
    return Marks(frozenset(identities), frozenset(wamids), frozenset(names))


async def _keep(tx: Transaction, secret_key: str, erasure_id: UUID, ids: list[UUID], marks: Marks) -> None:
    """Encrypt the record of each demand that the law keeps still, with whose it was."""
    if not marks.identities:
        return  # a shell already: there is nothing left to keep
    person = {"names": sorted(marks.names), "phones": marks.phones()}
    for row in await tx.db.fetch(queries.demands, ids, await tx.db.fetchval("SELECT now()")):
        record = {**person, **{name: row[name] for name in row.keys() if name not in ("id", "keep_until")}}  # noqa: SIM118
        sealed = crypto.encrypt(secret_key, orjson.dumps(record).decode())
        await tx.db.execute(queries.keep_record, uuid7(), erasure_id, row["id"], SAC_RECORD, sealed, row["keep_until"])


async def sweep_raw(db: Pool, people: Sequence[tuple[Marks, datetime]]) -> Counts:
    """Delete what the channel brought of people as it came, until each was erased: stored bodies, waiting items, dead
    letters, parked statuses, answers kept for Idempotency-Key.

    A body holds what came together, also of others: all of it was handled, and a copy less harms nobody.
    """
    pairs = [(word, erased_at) for marks, erased_at in people for word in marks.words()]
    words, before = [word for word, _ in pairs], [at for _, at in pairs]
    raw = [word.encode() for word in words]
    wamids = sorted({wamid for marks, _ in people for wamid in marks.wamids})
    return {
        "webhook_event": _count(await db.execute(queries.sweep_webhooks, raw, before)),
        "inbox_item": _count(await db.execute(queries.sweep_items, raw, before)),
        "dead_letter": _count(await db.execute(queries.sweep_letters, raw, before)),
        "channel_update": _count(await db.execute(queries.sweep_updates, words, before)),
        "parked_status": _count(await db.execute(queries.sweep_parked, words, before, wamids)),
        "idempotency_key": _count(await db.execute(queries.sweep_answers, words, before)),
    }


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])

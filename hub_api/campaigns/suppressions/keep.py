"""Suppression lists: numbers that no campaign writes to, kept as keyed hashes, with the reason and an end.

A number on a list that belongs to a customer also stops at the sender: `suppressions`, which the claim of a message reads, follows
in the same transaction (`follow`). An opt-in of the person does not end what a list stops (chat/consent.sql, `lift`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import consent
from hub_api.errors import Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.crypto import keyed_hash
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Pool, Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__)

Reason = Literal["complaint", "legal", "deceased", "wrong_number", "fraud", "employee", "other"]
LISTED = "suppression_list"  # the reason in `suppressions`


@dataclass(frozen=True, slots=True)
class Entry:
    """A number (E.164), or the number of a customer, for a list."""

    list: str
    scope: consent.Scope
    reason: Reason
    until: datetime | None = None
    phone: str | None = None
    customer_id: UUID | None = None


def phone_hash(secret_key: str, phone: str) -> bytes:
    """By what a list knows a number (E.164)."""
    return keyed_hash(secret_key, f"phone:{phone}")


async def put(tx: Transaction, who: Principal, secret_key: str, entry: Entry) -> UUID:
    """Put one number on a list, or change its entry there; the entry's id. Raises NotFound for an unknown customer,
    Invalid unless exactly one of phone and customer is given."""
    if (entry.phone is None) == (entry.customer_id is None):
        raise Invalid("give a phone or a customer_id, one of them")
    person = None
    if (
        entry.customer_id is not None
        and (person := await tx.db.fetchrow(queries.find_person, entry.customer_id)) is None
    ):
        raise NotFound(f"there is no customer {entry.customer_id}")
    phone = person["phone"] if person else entry.phone
    customer_id = person["id"] if person else None
    digest = phone_hash(secret_key, phone) if phone else keyed_hash(secret_key, f"customer:{customer_id}")
    written = await _write(tx, who, [entry], [digest], [phone], [customer_id])
    entry_id: UUID = written[0]["id"] if written else await tx.db.fetchval(queries.find_hash, entry.list, digest)
    after = {"list": entry.list, "scope": entry.scope, "reason": entry.reason, "until": str(entry.until or "")}
    await audit.write(tx, who, "suppression.added", "suppression", entry_id, after=after)
    return entry_id


async def put_phones(tx: Transaction, who: Principal, secret_key: str, entries: Sequence[Entry]) -> int:
    """Put many numbers on lists; how many entries are new or changed. Every entry has a phone, none twice in one list."""
    phones = [entry.phone or "" for entry in entries]
    hashes = [phone_hash(secret_key, phone) for phone in phones]
    return len(await _write(tx, who, entries, hashes, phones, [None] * len(phones)))


async def _write(
    tx: Transaction, who: Principal, entries: Sequence[Entry], hashes: Sequence[bytes], phones: Sequence[str | None],
    customers: Sequence[UUID | None],
) -> list[Row]:  # fmt: skip
    written = await tx.db.fetch(
        queries.put_entries,
        [uuid7() for _ in entries],
        [entry.list for entry in entries],
        list(hashes),
        [entry.scope for entry in entries],
        [entry.reason for entry in entries],
        [entry.until for entry in entries],
        who.actor,
        list(phones),
        list(customers),
    )
    await follow(tx, {row["customer_id"] for row in written if row["customer_id"]})
    return written


async def follow(tx: Transaction, customers: set[UUID]) -> None:
    """Let what is stopped for these customers follow from the lists they are on now, and from what they refused themselves."""
    for customer_id in sorted(customers):
        await tx.db.execute(queries.lock_customer, customer_id)
        freed = await tx.db.fetch(queries.drop_listed, customer_id)
        for row in await tx.db.fetch(queries.listed_scopes, customer_id):
            await consent.suppress(tx, customer_id, row["scope"], reason=LISTED, until=row["until"])
        # A list and a refusal share a row: where the list's had come first, the refusal gets one of its own now.
        for row in await tx.db.fetch(queries.standing_refusals, customer_id) if freed else ():
            await consent.suppress(tx, customer_id, row["scope"], reason=row["source"], until=None)


async def change(tx: Transaction, who: Principal, entry_id: UUID, changes: dict[str, Any]) -> None:
    """Another scope, reason or end for an entry. Raises NotFound."""
    before = await tx.db.fetchrow(queries.lock_entry, entry_id)
    if before is None:
        raise _unknown(entry_id)
    after = {**{name: before[name] for name in ("scope", "reason", "until")}, **changes}
    await tx.db.execute(queries.change_entry, entry_id, after["scope"], after["reason"], after["until"])
    await follow(tx, {before["customer_id"]} - {None})
    told = [{name: str(one[name] or "") for name in after} for one in (dict(before), after)]
    await audit.write(tx, who, "suppression.changed", "suppression", entry_id, before=told[0], after=told[1])


async def remove(tx: Transaction, who: Principal, entry_id: UUID) -> None:
    """Take a number from its list: what no other list and no refusal of the person stops may be sent again. Raises NotFound."""
    before = await tx.db.fetchrow(queries.lock_entry, entry_id)
    if before is None:
        raise _unknown(entry_id)
    await tx.db.execute(queries.delete_entry, entry_id)
    await follow(tx, {before["customer_id"]} - {None})
    detail = {"list": before["list"], "scope": before["scope"], "reason": before["reason"]}
    await audit.write(tx, who, "suppression.removed", "suppression", entry_id, detail=detail)


async def find(db: Pool, entry_id: UUID) -> Row:
    """An entry. Raises NotFound."""
    row = await db.fetchrow(queries.find_entry, entry_id)
    if row is None:
        raise _unknown(entry_id)
    return row


async def list_entries(
    db: Pool, *, name: str | None, customer_id: UUID | None, ended: bool, limit: int, cursor: str | None
) -> Rows:
    """Entries, newest first. Raises Invalid for a cursor that is none of ours."""
    (last,) = read_cursor(cursor, UUID)
    return page(await db.fetch(queries.list_entries, name, customer_id, ended, last, limit + 1), limit, "id")


def _unknown(entry_id: UUID) -> NotFound:
    return NotFound(f"there is no entry {entry_id} on a suppression list")

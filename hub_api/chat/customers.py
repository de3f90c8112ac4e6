"""Customers in bulk: find whom payloads speak of, lock them, make, merge and teach them, in a handful of statements.

Two workers may meet the same person under different identities. Whoever comes second waits for the row lock, looks
again, and if anything moved meanwhile raises `Raced`: rolled back and tried again, it then sees what the first one did.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hub_api.chat.identities import Customer, Identity, People, Sighting
from hub_api.chat.merge import merge
from hub_api.chat.spread import shard_of
from hub_api.errors import HubError
from hub_api.events import CustomerCreated, CustomerEvent, CustomerIdentityChanged
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "customers.sql")


class Raced(HubError):
    """Another transaction changed the same people first: roll back and do it again."""

    status, code, retryable = 503, "raced", True


async def resolve(tx: Transaction, sightings: Sequence[Sighting], *, shards: int) -> list[Customer | None]:
    """The customer of each sighting, locked until the transaction ends; new ones made, proven doubles merged.

    None stands for a passive sighting of nobody we know. `shards` is settings.outbox_shards. Raises Raced, and
    ValueError for a sighting that names nobody.
    """
    known = await _find(tx, {identity for sighting in sightings for identity in sighting.identities})
    people = People(await _lock(tx, known, [sighting for sighting in sightings if _has_news(sighting, known)]))
    placed = [people.place(sighting) if _has_news(sighting, known) else None for sighting in sightings]
    for survivor, merged, at in people.merges:
        await merge(tx, survivor.root().id, merged.id, at)
    kept = [customer for customer in people.customers if customer.merged_into is None]
    await _save_customers(tx, kept, people, shards)
    await _save_identities(tx, kept)
    return [customer.root() if customer else None for customer in placed]


Found = dict[Identity, set[UUID]]


def _has_news(sighting: Sighting, known: Found) -> bool:
    """Statuses are three quarters of the traffic and mostly name nobody, or one customer in a way we know already."""
    if not sighting.passive:
        return True
    holders = [known.get(identity, set()) for identity in sighting.identities]
    return any(holders) and (not all(holders) or len(set.union(*holders)) > 1)


async def _find(tx: Transaction, identities: set[Identity]) -> Found:
    """Ids of the customers who hold or held each identity."""
    rows = await tx.db.fetch(queries.find_holders, *_columns(identities))
    found: Found = {}
    for row in rows:
        found.setdefault(Identity(row["kind"], row["value"], row["portfolio_id"]), set()).add(row["customer_id"])
    return found


async def _lock(tx: Transaction, known: Found, sightings: Sequence[Sighting]) -> list[Customer]:
    """The rows of everybody the sightings may speak of, locked in id order, with all their identities as of now."""
    wanted = {identity for sighting in sightings for identity in sighting.identities}
    ids = {customer_id for identity in wanted for customer_id in known.get(identity, ())}
    if not ids:
        return []
    customers: dict[UUID, Customer] = {}
    for row in await tx.db.fetch(queries.lock_customers, ids):
        if row["merged_into"]:
            raise Raced("a customer was merged while this transaction waited for it")
        customer = Customer(**{name: value for name, value in row.items() if name != "merged_into"})
        customer.loaded = customer.profile()
        customers[customer.id] = customer
    # Read after the locks: what a customer is known by changes under that customer's lock only.
    held: Found = {}
    for row in await tx.db.fetch(queries.load_identities, ids):
        customer = customers[row["customer_id"]]
        identity = Identity(row["kind"], row["value"], row["portfolio_id"])
        held.setdefault(identity, set()).add(customer.id)
        if row["valid_to"] is None:
            customer.current[identity] = customer.stored[identity] = row["valid_from"]
        else:
            customer.past[identity] = max(row["valid_to"], customer.past.get(identity, row["valid_to"]))
            customer.stored.setdefault(identity, None)
    if any(held.get(identity) != known.get(identity) for identity in wanted):
        raise Raced("an identity moved to another customer while this transaction waited for it")
    return list(customers.values())


async def _save_customers(tx: Transaction, kept: Sequence[Customer], people: People, shards: int) -> None:
    new = [customer for customer in kept if customer.is_new]
    events: list[CustomerEvent] = [
        CustomerCreated(
            aggregate_id=customer.id,
            aggregate_version=1,
            occurred_at=customer.created_at,
            state_code=customer.state_code,
            source="site" if any(one.kind == "site" for one in customer.current) else "whatsapp",
        )
        for customer in new
    ]
    for learned in people.learned:
        customer = learned.customer.root()
        customer.version += 1
        events.append(
            CustomerIdentityChanged(
                aggregate_id=customer.id,
                aggregate_version=customer.version,
                occurred_at=learned.at,
                kind=learned.identity.kind,
                reason=learned.reason,
            )
        )
    for customer in new:
        customer.shard_id = shard_of(customer.id, shards)
    if new:
        await tx.db.execute(queries.insert_customers, *_rows(new, "id", "shard_id", *_PROFILE))
    if old := [customer for customer in kept if not customer.is_new and customer.profile() != customer.loaded]:
        await tx.db.execute(queries.update_customers, *_rows(old, "id", "version", *_PROFILE))
    tx.emit(*events)


_PROFILE = ("name", "username", "phone", "state_code")


async def _save_identities(tx: Transaction, kept: Sequence[Customer]) -> None:
    """Bring the rows to what `current` and `past` say: end, restart, add."""
    stored = [(c, identity, began) for c in kept for identity, began in c.stored.items() if began is not None]
    ended = [(identity, c.past[identity]) for c, identity, _ in stored if identity not in c.current]
    restarted = [
        (identity, c.current[identity]) for c, identity, began in stored if c.current.get(identity, began) != began
    ]
    added: list[tuple[Identity, UUID, datetime, datetime | None]] = [
        (i, c.id, at, None) for c in kept for i, at in c.current.items() if c.stored.get(i) is None
    ]
    added += [(i, c.id, at, at) for c in kept for i, at in c.past.items() if i not in c.stored]
    if ended:
        await tx.db.execute(queries.end_identities, *_columns(i for i, _ in ended), [at for _, at in ended])
    if restarted:
        await tx.db.execute(queries.restart_identities, *_columns(i for i, _ in restarted), [at for _, at in restarted])
    if added:
        added.sort(key=lambda row: row[0])  # two workers that meet insert in the same order and cannot deadlock
        identities, customers, begun, until = zip(*added, strict=True)
        made = await tx.db.fetchval(
            queries.insert_identities, [uuid7() for _ in added], customers, *_columns(identities), begun, until
        )
        if made != len(added):
            raise Raced("another transaction made the same customer first")


def _columns(identities: Any) -> tuple[list[str], list[str], list[str]]:
    rows = list(identities)
    return [i.kind for i in rows], [i.value for i in rows], [i.portfolio for i in rows]


def _rows(customers: Sequence[Customer], *names: str) -> list[list[Any]]:
    return [[getattr(customer, name) for customer in customers] for name in names]

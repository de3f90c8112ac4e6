"""Merge two open conversations by hand: of one customer, or of two who turn out to be one person."""

from datetime import UTC, datetime
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.decide import demand
from hub_api.auth.principal import Principal
from hub_api.chat import conversations
from hub_api.chat.absorb import absorb, queries
from hub_api.chat.assign import Why, assign_locked
from hub_api.chat.customers import Raced
from hub_api.chat.merge import merge
from hub_api.errors import Conflict, Invalid
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

HELD = ("assigned", "waiting_customer")


class OtherCustomer(Conflict):
    """The conversations are of two customers: merging them makes one person of both, which must be meant."""

    code = "other_customer"


async def join(tx: Transaction, who: Principal, kept: Row, other: Row, *, same_person: bool) -> None:
    """`kept` takes in `other` (rows as read, of conversations that the caller sees), in the audit log.

    `kept` stays with its agent. Without one it goes to the other's; with neither it waits in line, at the better place of
    both. With `same_person` two customers become one, of whom the older stays, which asks for `customers:write`.
    Raises Invalid for one conversation, ForbiddenMove unless both are open, OtherCustomer, Forbidden, Conflict for an
    erased customer, Raced.
    """
    if kept["id"] == other["id"]:
        message = "a conversation is not merged with itself"
        raise Invalid(message, errors=[{"field": "body.other", "message": message}])
    now = datetime.now(UTC)
    people = {kept["customer_id"], other["customer_id"]}
    if len(people) > 1:
        demand(who, "customers:write")
        if not same_person:
            raise OtherCustomer("these are conversations of two customers: say that they are the same person")
        await _lock_people(tx, people)
    # In the order in which everybody takes locks: people, agents, conversations by id.
    if other["agent_id"] is not None:
        await tx.db.fetchval(conversations.queries.lock_agent, other["agent_id"])
    was = {one: await conversations.lock(tx, one) for one in sorted((kept["id"], other["id"]))}
    taken = was[other["id"]]
    for one in was.values():
        if one["state"] in ("resolved", "closed") or not one["is_demand"]:
            raise conversations.ForbiddenMove(
                f"conversation {one['protocol']} is {one['state']}: only open ones are merged", state=one["state"]
            )
    if {one["customer_id"] for one in was.values()} != people or taken["agent_id"] != other["agent_id"]:
        raise Raced("the conversations changed hands meanwhile")
    if len(people) > 1:
        await _merge_people(tx, who, people, kept["id"], now)
    if (await conversations.lock(tx, other["id"]))["state"] != "closed":
        await absorb(tx, kept["id"], other["id"], now)
    await _go_on(tx, kept["id"], taken, now)
    after = {"merged": str(other["id"]), "protocol": taken["protocol"]}
    await audit.write(tx, who, "conversation.merged", "conversation", kept["id"], after=after)


async def _lock_people(tx: Transaction, people: set[UUID]) -> None:
    for person in await tx.db.fetch(queries.lock_people, list(people)):
        if person["status"] in ("merged", "erased"):
            raise Conflict(f"customer {person['id']} is {person['status']}", customer_id=str(person["id"]))


async def _merge_people(tx: Transaction, who: Principal, people: set[UUID], kept: UUID, at: datetime) -> None:
    rows = await tx.db.fetch(queries.lock_people, list(people))
    survivor, merged = (row["id"] for row in sorted(rows, key=lambda row: (row["created_at"], row["id"])))
    await merge(tx, survivor, merged, at, goes_on=kept)
    await tx.db.execute(queries.keep_profile, survivor, merged)
    await audit.write(tx, who, "customer.merged", "customer", survivor, after={"merged": str(merged)})


async def _go_on(tx: Transaction, kept: UUID, taken: Row, at: datetime) -> None:
    """Who has the conversation now: nobody of the other's is lost, and whom an answer is owed is no sleeper."""
    now = await conversations.lock(tx, kept)
    if now["state"] in ("bot", "queued") and taken["state"] in HELD and taken["agent_id"] is not None:
        await assign_locked(tx, kept, taken["agent_id"], Why("merged"), at)
    elif now["state"] == "bot" and taken["state"] != "bot":
        queue = await tx.db.fetchrow(queries.queue_of, taken["queue_id"]) if taken["queue_id"] else None
        await conversations.move(tx, kept, "queued", reason="merged", queue=queue, at=at)
        await tx.db.execute(queries.keep_place, kept, taken["line_at"])
    elif now["state"] == "waiting_customer" and now["unanswered_since"] is not None:
        state = "assigned" if now["agent_id"] else "queued"
        await conversations.move(tx, kept, state, reason="merged", at=at)

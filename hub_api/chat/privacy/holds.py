"""Legal holds: what a court, an authority or an open dispute needs is neither erased nor ends by age (LGPD arts. 7, VI, and 16, I)."""

from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "holds.sql")


async def place(
    tx: Transaction,
    who: Principal | str,
    customer_id: UUID,
    conversation_id: UUID | None,
    reason: str,
    legal_basis: str,
) -> UUID:
    """Hold everything of a customer, or one of his conversations; the hold's id.

    Raises NotFound for a customer or conversation that is not there, Conflict for one who is being erased or was.
    """
    # The lock that an erasure takes first: either finds what the other did.
    row = await tx.db.fetchrow(queries.lock_customer, customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}", customer_id=str(customer_id))
    if row["erasing"]:
        raise Conflict(f"customer {row['id']} is erased, or about to be: nothing is left to hold")
    if conversation_id and not await tx.db.fetchval(queries.has_conversation, row["id"], conversation_id):
        raise NotFound(f"customer {row['id']} has no conversation {conversation_id}")
    hold_id = uuid7()
    actor = who if isinstance(who, str) else who.actor
    await tx.db.execute(queries.place, hold_id, row["id"], conversation_id, reason, legal_basis, actor)
    detail = {
        "hold": str(hold_id),
        "conversation": conversation_id and str(conversation_id),
        "legal_basis": legal_basis,
    }
    await audit.write(tx, who, "privacy.hold_placed", "customer", row["id"], detail=detail)
    return hold_id


async def release(tx: Transaction, who: Principal | str, hold_id: UUID) -> None:
    """End a hold; what is past its time goes with the next run of retention. Raises NotFound, Conflict when it has ended."""
    row = await tx.db.fetchrow(queries.lock_hold, hold_id)
    if row is None:
        raise NotFound(f"there is no legal hold {hold_id}")
    if row["released_at"]:
        raise Conflict(f"legal hold {hold_id} was released on {row['released_at']:%Y-%m-%d}")
    await tx.db.execute(queries.release, hold_id, who if isinstance(who, str) else who.actor)
    await audit.write(tx, who, "privacy.hold_released", "customer", row["customer_id"], detail={"hold": str(hold_id)})


async def held(db: Connection | Pool, customer_id: UUID) -> list[str]:
    """Ids of the holds in force on a customer or on one of his conversations."""
    return [str(row["id"]) for row in await db.fetch(queries.in_force, customer_id)]


async def find(services: Services, hold_id: UUID) -> Row:
    """A hold. Raises NotFound."""
    row = await services.db.fetchrow(queries.find, hold_id)
    if row is None:
        raise NotFound(f"there is no legal hold {hold_id}")
    return row


async def list_holds(
    services: Services, *, in_force: bool | None, customer_id: UUID | None, limit: int = 50, cursor: str | None = None
) -> Rows:
    """Holds, newest first. Raises Invalid for a foreign cursor."""
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_holds, in_force, customer_id, last, limit + 1), limit, "id")

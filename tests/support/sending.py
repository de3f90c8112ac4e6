"""A small world for tests of sending: an account and number of ours, customers in their conversations, the simulator."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from redis.exceptions import RedisError

from hub_api import roles
from hub_api.chat.outgoing import Draft, queue_message
from hub_api.chat.spread import shard_of
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.accounts import add_account, add_number
from hub_api.whatsapp.send import sender

TOKEN = "sim-token"


@dataclass(frozen=True)
class Person:
    """A customer with an open conversation."""

    id: UUID
    conversation_id: UUID
    phone: str
    shard: int


async def add_our_number(services: Services, **changes: Any) -> UUID:
    """The simulator's first account and number, known to the hub and rested from earlier sends; returns the number's id."""
    await add_account(services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="Provedor", token=TOKEN)
    given = {"phone_number_id": PHONE_NUMBER_ID, "display_phone_number": DISPLAY_PHONE_NUMBER, **changes}
    await at_rest(services, given["phone_number_id"])
    return await add_number(services, waba_id=WABA_ID, **given)


async def at_rest(services: Services, *phone_number_ids: str) -> None:
    """Numbers that have sent before and not for a while: a schedule that nobody knows starts 0.3 s late, for safety."""
    with suppress(RedisError):
        for number in phone_number_ids:
            await services.redis.hset(f"pace:{number}", mapping={"main": 0, "reply": 0, "slot": 1000})  # type: ignore[misc]


async def add_people(
    services: Services,
    number_id: UUID | None,
    count: int,
    *,
    spoke: timedelta | None = timedelta(minutes=1),
    identities: Sequence[tuple[str, str]] | None = None,
    first: int = 0,
) -> list[Person]:
    """`count` customers with one conversation each; the last message of each came `spoke` ago (None: never).

    `identities`: (kind, value) of the single customer; without them each one has the wa_id of its phone.
    """
    now = datetime.now(UTC)
    people = []
    for index in range(first, first + count):
        customer_id = uuid7()
        shard = shard_of(customer_id, services.settings.outbox_shards)
        people.append(Person(customer_id, uuid7(), f"551198{index:07d}", shard))
    async with services.db.acquire() as db, db.transaction():
        await db.executemany(
            "INSERT INTO customers (id, name, phone, shard_id) VALUES ($1, $2, $3, $4)",
            [(p.id, f"Cliente {p.phone[-4:]}", f"+{p.phone}", p.shard) for p in people],
        )
        given = identities if identities is not None else [("wa_id", "")]
        await db.executemany(
            "INSERT INTO customer_identities (id, customer_id, kind, value, portfolio_id) VALUES ($1, $2, $3, $4, $5)",
            [
                (uuid7(), p.id, kind, value or p.phone, PORTFOLIO_ID if kind.endswith("bsuid") else "")
                for p in people
                for kind, value in given
            ],
        )
        await db.executemany(
            "INSERT INTO conversations (id, customer_id, number_id, protocol, opened_at, last_customer_message_at) "
            "VALUES ($1, $2, $3, next_protocol($4, 'America/Sao_Paulo'), $4, $5)",
            [(p.conversation_id, p.id, number_id, now, now - spoke if spoke else None) for p in people],
        )
    return people


def text(body: str = "Olá!", **options: Any) -> Draft:
    """A free-form text."""
    return Draft("text", {"body": body}, body, **options)


def template(name: str = "boas_vindas", category: str = "utility", **options: Any) -> Draft:
    """A template message with one body parameter, as the simulator's boas_vindas and oferta_fibra have it."""
    components = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    body = {"name": name, "language": {"code": "pt_BR"}, "components": components}
    priority = {"marketing": 3, "utility": 2}.get(category, 1)
    return Draft("template", body, name, category=category, priority=priority, template=name, **options)


async def queue(services: Services, person: Person, *drafts: Draft) -> list[UUID]:
    """Put drafts into the outbox, each in a transaction of its own, as authors do."""
    ids = []
    for draft in drafts:
        async with services.transaction() as tx:
            ids.append(await queue_message(tx, person.conversation_id, draft))
    return ids


async def drain_all(services: Services) -> None:
    """Drain every shard that has messages until none has work left that is due; without any, one, as a false ring would."""
    waiting = await services.db.fetch("SELECT DISTINCT shard FROM outbox ORDER BY shard")
    for shard in [row["shard"] for row in waiting] or [0]:
        while await sender.drain(services, shard):
            pass


async def states(services: Services, ids: Sequence[UUID]) -> list[str]:
    """The messages' states, in the order given."""
    rows = await services.db.fetch("SELECT id, state FROM messages WHERE id = ANY($1)", list(ids))
    found = {row["id"]: row["state"] for row in rows}
    return [found[message_id] for message_id in ids]


async def message(services: Services, message_id: UUID) -> dict[str, Any]:
    """One message's row."""
    return dict(await services.db.fetchrow("SELECT * FROM messages WHERE id = $1", message_id))


@asynccontextmanager
async def services_with(settings: Settings, **changes: Any) -> AsyncIterator[Services]:
    """Services of another process, or of one with other settings."""
    async with roles.services(settings.model_copy(update=changes), "test") as opened:
        yield opened


def called(sim: Simulator) -> list[str]:
    """The texts that the simulator accepted, in its order."""
    return [call.body["text"]["body"] for call in sim.core.ledger.calls if call.outcome == "accepted"]

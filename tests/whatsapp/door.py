"""The inbound side without HTTP: webhook bodies in, the real splitter and the real lane job run, rows and events behind."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson

from hub_api import roles
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import create_pool, transaction
from hub_api.platform.queue import Bells, no_rings
from hub_api.platform.redis import connect, connect_sync
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.whatsapp.handle import drain
from hub_api.whatsapp.splitter import split_batch
from tests.support.hub import fixture

WABA, PORTFOLIO, NUMBER = "102290000000001", "111000000000001", "106540000000001"


_PERSONAL = [
    "events",
    "bot_turn",
    "parked_status",
    "message_key",
    "messages",
    "outbox",
    "assignments",
    "conversations",
    "suppressions",
    "consent_ledger",
    "customer_identities",
    "customers",
    "channel_update",
    "dead_letter",
    "inbox_item",
    "webhook_event",
]


class SilentServices(Services):
    """Services whose transactions ring nobody: the test runs the jobs itself."""

    def transaction(self) -> Any:
        return transaction(self.db, lambda events: (), no_rings)


@asynccontextmanager
async def opened(settings: Settings, *, restored: bool = False) -> AsyncIterator["Door"]:
    """A door with the account and number of the fixtures; a restored database has them already."""
    roles.load_jobs()
    url = settings.redis_url.get_secret_value()
    redis, sync_redis = connect(url), connect_sync(url)
    db = await create_pool(settings.database_url.get_secret_value(), size=8, name="test")
    try:
        door = Door(SilentServices(settings, db, redis, Bells(redis, sync_redis), lambda events: ()))
        if not restored:
            await door.add_number(WABA, PORTFOLIO, NUMBER)
        yield door
    finally:
        await db.close()
        await redis.aclose()
        sync_redis.close()


class Door:
    """Deliver, handle, look."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.db = services.db

    async def add_number(self, waba_id: str, portfolio_id: str, phone_number_id: str) -> None:
        account = await self.db.fetchval("SELECT id FROM whatsapp_accounts WHERE waba_id = $1", waba_id)
        if account is None:
            account = uuid7()
            await self.db.execute(
                "INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted) VALUES ($1,$2,$3,'x','x')",
                account,
                waba_id,
                portfolio_id,
            )
        await self.db.execute(
            "INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number) VALUES ($1,$2,$3,'551130001000')",
            uuid7(),
            account,
            phone_number_id,
        )

    async def forget(self) -> None:
        """Delete all people and what they did; the account and its numbers stay. Quicker than a database of its own."""
        for table in _PERSONAL:
            await self.db.execute(f"DELETE FROM {table}")

    async def store(self, *bodies: str | bytes | dict[str, Any]) -> None:
        """Store webhooks (a fixture's name, a body, or bytes) as the gateway does, and split them."""
        for body in bodies:
            if isinstance(body, str):
                body = fixture(body if body.endswith(".json") else f"{body}.json")
            raw = body if isinstance(body, bytes) else orjson.dumps(body)
            await self.db.execute("INSERT INTO webhook_event (id, body) VALUES ($1, $2)", uuid7(), raw)
        await self.split()

    async def split(self) -> None:
        async with self.services.transaction() as tx:
            while (await split_batch(tx.db, self.services.settings.inbox_lanes))[0]:
                pass

    async def handle(self) -> None:
        """Run every lane that has items, several at once, until none is left."""
        while lanes := [row["lane"] for row in await self.db.fetch("SELECT DISTINCT lane FROM inbox_item")]:
            await asyncio.gather(*(drain(self.services, lane, time.monotonic() + 30) for lane in lanes))

    async def deliver(self, *bodies: str | bytes | dict[str, Any]) -> None:
        """Store and handle, one webhook after the other."""
        for body in bodies:
            await self.store(body)
            await self.handle()

    async def one(self, sql: str, *args: Any) -> Any:
        """The only row of a query."""
        rows = await self.db.fetch(sql, *args)
        assert len(rows) == 1, f"{len(rows)} rows instead of one"
        return rows[0]

    async def all(self, sql: str, *args: Any) -> list[Any]:
        return await self.db.fetch(sql, *args)

    async def value(self, sql: str, *args: Any) -> Any:
        return await self.db.fetchval(sql, *args)

    async def events(self, type: str) -> list[dict[str, Any]]:
        rows = await self.db.fetch("SELECT * FROM events WHERE type = $1 ORDER BY seq", type)
        return [{**dict(row), **row["payload"]} for row in rows]


def value_of(body: dict[str, Any]) -> dict[str, Any]:
    """The value of the only change of a body."""
    return body["entry"][0]["changes"][0]["value"]


def webhook(value: dict[str, Any], field: str = "messages", number: str = NUMBER, waba: str = WABA) -> dict[str, Any]:
    """A body with one change."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130001000", "phone_number_id": number},
        **value,
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": waba, "changes": [{"field": field, "value": value}]}],
    }


def now() -> int:
    return int(datetime.now(UTC).timestamp())


def text(
    body: str = "oi",
    *,
    wamid: str | None = None,
    wa_id: str | None = "5511987654321",
    user_id: str | None = None,
    at: int | str | None = None,
    name: str | None = None,
    number: str = NUMBER,
    **more: Any,
) -> dict[str, Any]:
    """A text message's webhook, by default written now."""
    message = {
        "id": wamid or f"wamid.{uuid7().hex}",
        "timestamp": str(now() if at is None else at),
        "type": "text",
        "text": {"body": body},
        **more,
    }
    if wa_id:
        message["from"] = wa_id
    if user_id:
        message["from_user_id"] = user_id
    contact = {"profile": {"name": name or "Ana Souza"}}
    contact |= {"wa_id": wa_id} if wa_id else {}
    contact |= {"user_id": user_id} if user_id else {}
    return webhook({"contacts": [contact], "messages": [message]}, number=number)


def status(wamid: str, word: str, *, at: int | None = None, opaque: str | None = None, **more: Any) -> dict[str, Any]:
    """A status' webhook."""
    update = {"id": wamid, "status": word, "timestamp": str(at or now()), **more}
    update |= {"biz_opaque_callback_data": opaque} if opaque else {}
    return webhook({"statuses": [update]})


def together(*bodies: dict[str, Any]) -> dict[str, Any]:
    """One webhook with the entries of several."""
    return {
        "object": "whatsapp_business_account",
        "entry": [entry for body in bodies for entry in copy.deepcopy(body)["entry"]],
    }

"""The usual job per message, as a function that rq's default worker runs in a fork of its own."""

import asyncio
import sys
from importlib import import_module

import asyncpg
import orjson
import redis
import rq

from hub_api.platform.ids import uuid7


def handle_one(body: bytes, database_url: str) -> None:
    """Parse one delivery and store its customer, conversation and message in one transaction."""
    asyncio.run(_handle(orjson.loads(body), database_url))


async def _handle(delivery: dict, database_url: str) -> None:
    value = delivery["entry"][0]["changes"][0]["value"]
    message = value["messages"][0]
    db = await asyncpg.connect(database_url)
    try:
        async with db.transaction():
            known = await db.fetchval(
                "SELECT customer_id FROM customer_identities WHERE kind = 'phone' AND value = $1", message["from"]
            )
            customer = known or uuid7()
            if known is None:
                await db.execute("INSERT INTO customers (id, phone) VALUES ($1, $2)", customer, message["from"])
                await db.execute(
                    "INSERT INTO customer_identities (id, customer_id, kind, value) VALUES ($1, $2, 'phone', $3)",
                    uuid7(),
                    customer,
                    message["from"],
                )
            conversation = await db.fetchval(
                "SELECT id FROM conversations WHERE customer_id = $1 AND state = 'bot'", customer
            )
            if conversation is None:
                conversation = uuid7()
                await db.execute(
                    "INSERT INTO conversations (id, customer_id, protocol, opened_at) VALUES ($1, $2, next_protocol(now(), 'UTC'), now())",
                    conversation, customer,
                )  # fmt: skip
            await db.execute(
                "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, wamid, state) "
                "VALUES ($1, now(), $2, $3, 'in', 'customer', 'text', $4, $5, 'received')",
                uuid7(), conversation, customer, message["text"]["body"], message["id"],
            )  # fmt: skip
    finally:
        await db.close()


if __name__ == "__main__":
    # The worker has what its jobs import before it forks, which its command line would leave to each fork.
    import_module("tests.benchmarks.baseline")

    rq.Worker(["baseline"], connection=redis.Redis.from_url(sys.argv[1])).work(burst=True, logging_level="ERROR")

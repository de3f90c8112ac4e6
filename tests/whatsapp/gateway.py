"""The gateway alone on a real port: what `hub api` mounts at /webhooks/whatsapp, with the inbox behind it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn
from prometheus_client import REGISTRY

from hub_api.platform.http_server import GuardedHttp
from hub_api.platform.services import Services
from hub_api.platform.web import AtPath
from hub_api.whatsapp.inbox import Inbox
from hub_api.whatsapp.splitter import split_batch
from hub_api.whatsapp.webhook import webhook
from tests.support.hub import signed
from tests.support.process import free_port, release

PATH = "/webhooks/whatsapp"
WABA, NUMBER = "102290000000001", "106540000000001"


async def nothing_here(scope: Any, receive: Any, send: Any) -> None:
    """What lies behind the webhook: 404."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Gateway:
    """Handle on a running gateway."""

    services: Services
    inbox: Inbox
    url: str
    port: int
    session: aiohttp.ClientSession

    async def post(self, body: str | bytes | dict[str, Any]) -> int:
        """Deliver a fixture, a body or bytes, signed as Meta signs; returns the status."""
        return (await self.send(**signed(body)))[0]

    async def send(self, **arguments: Any) -> tuple[int, dict[str, str], bytes]:
        """POST anything; returns status, headers and body."""
        async with self.session.post(self.url, **arguments) as response:
            return response.status, dict(response.headers), await response.read()

    async def stored(self) -> int:
        """Webhooks in PostgreSQL."""
        return await self.services.db.fetchval("SELECT count(*) FROM webhook_event")

    async def split(self) -> None:
        """Split all that is stored."""
        lanes = self.services.settings.inbox_lanes
        while await split_once(self.services, lanes):
            pass


async def split_once(services: Services, lanes: int) -> int:
    """One batch of the splitter; returns how many webhooks it took."""
    async with services.db.acquire() as db, db.transaction():
        return (await split_batch(db, lanes))[0]


@asynccontextmanager
async def running_gateway(services: Services) -> AsyncIterator[Gateway]:
    """The hub's own HTTP protocol on the test's loop, and the inbox opened on `services`."""
    async with Inbox(services) as inbox:
        app = AtPath(nothing_here, PATH, webhook(services.settings, lambda: inbox))
        port = free_port()
        config = uvicorn.Config(
            app, port=port, loop="none", http=GuardedHttp, ws="none", log_level="error", lifespan="off"
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve())
        try:
            while not server.started:
                await asyncio.sleep(0.005)
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                yield Gateway(services, inbox, f"http://127.0.0.1:{port}{PATH}", port, session)
        finally:
            server.should_exit = True
            await task
            release(port)


async def add_number(services: Services, phone_number_id: str = NUMBER, waba_id: str = WABA) -> None:
    """Make a number ours, as `hub numbers add` does in its tables."""
    await services.db.execute(
        """
        WITH account AS (
            INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted)
            VALUES (gen_random_uuid(), $1, '111000000000001', 'test', '\\x00') RETURNING id
        )
        INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number)
        SELECT gen_random_uuid(), id, $2, '551130001000' FROM account
        """,
        waba_id,
        phone_number_id,
    )


def refused(reason: str) -> float:
    """How often webhooks were refused for `reason` so far."""
    return REGISTRY.get_sample_value("whatsapp_webhooks_refused_total", {"reason": reason}) or 0.0


def text_body(*messages: dict[str, Any]) -> dict[str, Any]:
    """A body of messages by Ana to our number."""
    contact = {"profile": {"name": "Ana"}, "wa_id": "5511987654321", "user_id": "BR.1"}
    metadata = {"display_phone_number": "551130001000", "phone_number_id": NUMBER}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "contacts": [contact], "messages": list(messages)}
    changes = [{"field": "messages", "value": value}]
    return {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}


def text(wamid: str, body: str = "oi", **more: Any) -> dict[str, Any]:
    """A text message by Ana."""
    base = {"from": "5511987654321", "from_user_id": "BR.1", "id": wamid, "timestamp": "1767225599", "type": "text"}
    return {**base, "text": {"body": body}, **more}


def raw_body(*messages: bytes) -> bytes:
    """A body whose messages are these bytes, as broken as they may be."""
    shell = json.dumps(text_body()).encode()
    return shell.replace(b'"messages": []', b'"messages": [' + b",".join(messages) + b"]")

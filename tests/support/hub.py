"""The hub in one process for tests: the real application on a real port, and its jobs run until nothing waits.

Work is found by its marks in PostgreSQL, as the sweep finds it, so a test need not wait for bells; the bells, rq and
the worker processes have tests of their own (tests/faults, tests/e2e).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from fastapi import APIRouter

from hub_api import roles
from hub_api.auth.keys import create_key
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.settings import Settings
from tests.support.process import free_port

FIXTURES = Path(__file__).parent.parent / "fixtures" / "whatsapp"
SECRET = "test-app-secret"
API_KEY = "hub_test_key"


def make_settings(database_url: str, redis_url: str, **overrides: Any) -> Settings:
    """Settings for a test's own engines; nothing is read from the environment's hub."""
    values: dict[str, Any] = {
        "database_url": database_url,
        "redis_url": redis_url,
        "clickhouse_url": "http://admin:none@127.0.0.1:1",
        "secret_key": base64.b64encode(b"k" * 32).decode(),
        "meta_app_secret": SECRET,
        "meta_verify_token": "test-verify-token",
        "meta_base_url": "http://127.0.0.1:1",
    }
    return Settings(**{**values, **overrides})


def fixture(name: str) -> dict[str, Any]:
    """A webhook body of tests/fixtures/whatsapp."""
    return json.loads((FIXTURES / name).read_text())


def signed(body: str | bytes | dict[str, Any], secret: str = SECRET) -> dict[str, Any]:
    """Arguments of a POST as Meta makes it: a fixture's name, a body, or bytes; signed over the bytes sent."""
    if isinstance(body, str):
        body = fixture(body)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return {"data": raw, "headers": {"X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}}


class Hub:
    """Handle on the running application: HTTP in, SQL and jobs behind."""

    def __init__(self, services: Services, url: str, session: aiohttp.ClientSession) -> None:
        self.services, self.url, self.session = services, url, session

    async def post(self, path: str, **arguments: Any) -> aiohttp.ClientResponse:
        """POST and read the answer; `.status` and `await .json()` are ready."""
        async with self.session.post(self.url + path, **arguments) as response:
            await response.read()
            return response

    async def get(self, path: str, **arguments: Any) -> aiohttp.ClientResponse:
        """GET and read the answer."""
        async with self.session.get(self.url + path, **arguments) as response:
            await response.read()
            return response

    @property
    def auth(self) -> dict[str, str]:
        """Headers of a caller who may do everything."""
        return {"Authorization": f"Bearer {API_KEY}"}

    async def fetch(self, sql: str, *args: Any) -> list[Any]:
        """Rows of the hub's PostgreSQL."""
        return await self.services.db.fetch(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """One value of the hub's PostgreSQL."""
        return await self.services.db.fetchval(sql, *args)

    async def settled(self, deadline_s: float = 30) -> None:
        """Run jobs until no work waits and no call is under way. Raises TimeoutError naming what is left."""
        from hub_api import maintenance
        from hub_api.whatsapp.send.callers import open_callers

        end, callers = time.monotonic() + deadline_s, await self.services.shared(open_callers)
        while await self._run_what_waits() or callers.earlier:
            await callers.finish()
            if time.monotonic() > end:
                left = dict(await self.services.db.fetchrow(maintenance.queries.waiting_work))
                raise TimeoutError(f"work is left after {deadline_s} s: {left}")

    async def _run_what_waits(self) -> bool:
        from hub_api import maintenance

        work = await self.services.db.fetchrow(maintenance.queries.waiting_work)
        calls = [("whatsapp.jobs.split_inbox", ())] if work["webhooks"] else []
        calls += [("whatsapp.jobs.handle_lane", (lane,)) for lane in work["lanes"]]
        calls += [("ai.jobs.answer", ())] if work["bot_turns"] else []
        calls += [("whatsapp.survey.jobs.ask", ())] if work["surveys"] else []
        calls += [("whatsapp.send.jobs.drain_outbox", (shard,)) for shard in work["shards"]]
        await asyncio.gather(*(REGISTRY[name].function(self.services, *args) for name, args in calls))
        return bool(calls)


@asynccontextmanager
async def running_hub(settings: Settings, *routers: APIRouter, port: int | None = None) -> AsyncIterator[Hub]:
    """The application on a free port (or on `port`) with an API key, its services shared with the test; with `routers` beside
    its own."""
    from hub_api.app import create_app

    app = create_app(settings)
    for router in routers:
        app.include_router(router)
    port = port or free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            log_level="error",
            lifespan="on",
            proxy_headers=False,
        )
    )
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
                raise RuntimeError("the application stopped while starting: see its log above")
            await asyncio.sleep(0.01)
        async with roles.services(settings, "test") as services, aiohttp.ClientSession() as session:
            await create_key(services.db, "test", ["*"], key=API_KEY)
            yield Hub(services, f"http://127.0.0.1:{port}", session)
    finally:
        server.should_exit = True
        await task

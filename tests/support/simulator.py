"""Ends to hold the simulator by: Meta's own bytes of a fixture, a receiver of webhooks, a client that sends."""

import asyncio
import contextlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import orjson
from aiohttp import web

from hub_api.simulator.config import PHONE_NUMBER_ID, TOKEN, SimulatorConfig
from hub_api.simulator.payload import meta_bytes, signature
from hub_api.simulator.server import Simulator

FIXTURES = Path(__file__).parent.parent / "fixtures" / "whatsapp"
APP_SECRET = "test-app-secret"
VERIFY_TOKEN = "test-verify-token"
ANA, ANA_BSUID = "5511987654321", "BR.1502576394655843"


def fixture(name: str) -> dict[str, Any]:
    """A webhook body of tests/fixtures/whatsapp, with or without `.json`."""
    return json.loads((FIXTURES / f"{name.removesuffix('.json')}.json").read_text())


def signed(body: str | bytes | dict[str, Any], secret: str = APP_SECRET) -> dict[str, Any]:
    """Arguments of the POST that Meta would make: a fixture's name, a body, or raw bytes; escaped as Meta escapes."""
    if isinstance(body, str):
        body = fixture(body)
    raw = body if isinstance(body, bytes) else meta_bytes(body)
    return {"data": raw, "headers": {"X-Hub-Signature-256": signature(raw, secret), "Content-Type": "application/json"}}


def test_config(**changes: Any) -> SimulatorConfig:
    """A configuration with the secrets of tests and no webhook address."""
    return SimulatorConfig(**{"app_secret": APP_SECRET, "verify_token": VERIFY_TOKEN, **changes})


test_config.__test__ = False  # a helper, whatever its name says


async def until(condition: Callable[[], Any], timeout_s: float = 5.0) -> Any:
    """Wait for a true value and return it. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still {found!r} after {timeout_s} s")
        await asyncio.sleep(0.005)
    return found


class Receiver:
    """A webhook endpoint that keeps what it gets and answers as `answers` says (200 when that is empty).

    `delay_s` is how long it thinks, `unsigned` counts bodies whose signature does not fit their bytes."""

    def __init__(self, secret: str = APP_SECRET) -> None:
        self.secret = secret
        self.raw: list[bytes] = []
        self.accepted: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.delay_s = 0.0
        self.unsigned = 0
        self.busiest = 0
        self.url = ""
        self._open = 0

    async def __aenter__(self) -> "Receiver":
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.add_routes([web.post("/hook", self._receive), web.get("/hook", self._verify)])
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self._open += 1
        self.busiest = max(self.busiest, self._open)
        await asyncio.sleep(self.delay_s)
        self._open -= 1
        self.raw.append(body)
        if not hmac.compare_digest(request.headers.get("X-Hub-Signature-256", ""), signature(body, self.secret)):
            self.unsigned += 1
        status = self.answers.pop(0) if self.answers else 200
        with contextlib.suppress(orjson.JSONDecodeError):
            if status == 200:
                self.accepted.append(orjson.loads(body))
        return web.Response(status=status)

    async def _verify(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != VERIFY_TOKEN:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    def changes(self, field: str = "messages") -> list[dict[str, Any]]:
        """The values of one field, in order of arrival."""
        return [
            change["value"]
            for body in self.accepted
            for entry in body["entry"]
            for change in entry["changes"]
            if change["field"] == field
        ]

    def statuses(self) -> list[dict[str, Any]]:
        """All statuses."""
        return [status for value in self.changes() for status in value.get("statuses", [])]

    def messages(self) -> list[dict[str, Any]]:
        """All inbound messages."""
        return [message for value in self.changes() for message in value.get("messages", [])]


class Sender:
    """Sends through the simulator as a business does, and drives it over `/_sim/`."""

    def __init__(self, sim: Simulator, session: aiohttp.ClientSession) -> None:
        self.sim, self.session = sim, session

    async def __call__(
        self, to: str | None = ANA, *, number_id: str = PHONE_NUMBER_ID, endpoint: str = "messages", **body: Any
    ) -> tuple[int, dict[str, Any]]:
        """Send a message; `text="…"` is short for a text. Returns HTTP status and answer."""
        payload: dict[str, Any] = {"messaging_product": "whatsapp", **body}
        if to is not None:
            payload["to"] = f"+{to}" if to.isdigit() else to
        if isinstance(payload.get("text"), str):
            payload |= {"type": "text", "text": {"body": payload["text"]}}
        return await self.graph("POST", f"{number_id}/{endpoint}", json=payload)

    async def template(self, name: str, *values: str, to: str | None = ANA, **body: Any) -> tuple[int, dict[str, Any]]:
        """Send a template with positional body parameters, or named ones given as `name=value`."""
        parameters = [
            {"type": "text", "text": v.partition("=")[2], "parameter_name": v.partition("=")[0]}
            if "=" in v
            else {"type": "text", "text": v}
            for v in values
        ]
        components = body.pop("components", None)
        if components is None:
            components = [{"type": "body", "parameters": parameters}] if parameters else []
        language = {"code": body.pop("language", "pt_BR")}
        template = {"name": name, "language": language, "components": components}
        return await self(to, type="template", template=template, **body)

    async def graph(self, method: str, path: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
        """Any Graph call with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}", **arguments.pop("headers", {})}
        url = f"{self.sim.url}/v26.0/{path}"
        async with self.session.request(method, url, headers=headers, **arguments) as response:
            return response.status, orjson.loads(await response.read())

    async def control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call of the control API; fails the test when it is refused."""
        async with self.session.request(method, f"{self.sim.url}/_sim/{path}", json=body) as response:
            content = orjson.loads(await response.read())
            assert response.status == 200, content
            return content


class GraphTransport(httpx.AsyncBaseTransport):
    """Takes calls to graph.facebook.com to the simulator, so that a client library runs as it is."""

    def __init__(self, sim: Simulator) -> None:
        self._to = httpx.URL(sim.url)
        self._transport = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the simulator instead of its host."""
        request.url = request.url.copy_with(scheme=self._to.scheme, host=self._to.host, port=self._to.port)
        request.headers["Host"] = f"{self._to.host}:{self._to.port}"
        return await self._transport.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

"""Runs the simulator: as a process (`run`) or inside a test (`async with Simulator(config) as sim`)."""

import asyncio
import gc
import signal
import socket
from types import TracebackType
from typing import Self

import uvloop
from aiohttp import web

from hub_api.simulator.app_api import debug_token_handler, me_handler
from hub_api.simulator.behaviour import Behaviour
from hub_api.simulator.config import SimulatorConfig
from hub_api.simulator.control import control_routes
from hub_api.simulator.core import Core
from hub_api.simulator.door import Door
from hub_api.simulator.errors import unknown_object
from hub_api.simulator.llm_api import PATHS, complete
from hub_api.simulator.media_api import download_handler, upload_handler
from hub_api.simulator.message_api import send_handler
from hub_api.simulator.nodes import (
    block_users_handler,
    node_handler,
    owned_accounts_handler,
    phone_numbers_handler,
    profile_handler,
    registration_handler,
    subscribed_apps_handler,
)
from hub_api.simulator.post import post_routes
from hub_api.simulator.template_api import create_handler, delete_handler, list_handler, unpause_template
from hub_api.simulator.web_common import answer, guarded

MAX_REQUEST_BYTES = 110 * 1024 * 1024  # a document of 100 MB and its form
VERSIONED = "/{version:v\\d+\\.\\d+}/{object_id}"


def build_app(core: Core) -> web.Application:
    """The Graph API's routes and the control API over one simulated platform."""

    async def unpause(request: web.Request) -> web.Response:
        template = core.world.templates.get(request.match_info["object_id"])
        if template is None:
            raise unknown_object(request.match_info["object_id"])
        return await unpause_template(core, template)

    async def health(request: web.Request) -> web.Response:
        return answer({"ok": True})

    subscribed_apps, node = guarded(core, subscribed_apps_handler(core)), guarded(core, node_handler(core))
    registration, profile = guarded(core, registration_handler(core)), guarded(core, profile_handler(core))
    block_users = guarded(core, block_users_handler(core))
    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app.add_routes(
        [
            web.post(f"{VERSIONED}/messages", send_handler(core)),  # first: the router tries them in this order
            web.post(f"{VERSIONED}/marketing_messages", send_handler(core, marketing_api=True)),
            web.post(f"{VERSIONED}/media", guarded(core, upload_handler(core))),
            web.get("/whatsapp_business/attachments/", guarded(core, download_handler(core))),
            web.get(f"{VERSIONED}/message_templates", guarded(core, list_handler(core))),
            web.post(f"{VERSIONED}/message_templates", guarded(core, create_handler(core))),
            web.delete(f"{VERSIONED}/message_templates", guarded(core, delete_handler(core))),
            web.post(f"{VERSIONED}/unpause", guarded(core, unpause)),
            web.get(f"{VERSIONED}/phone_numbers", guarded(core, phone_numbers_handler(core))),
            web.get(f"{VERSIONED}/owned_whatsapp_business_accounts", guarded(core, owned_accounts_handler(core))),
            web.get("/{version:v\\d+\\.\\d+}/debug_token", guarded(core, debug_token_handler(core))),
            web.get("/{version:v\\d+\\.\\d+}/me", guarded(core, me_handler(core))),
            web.get("/{version:v\\d+\\.\\d+}/me/permissions", guarded(core, me_handler(core))),
            web.route("*", f"{VERSIONED}/subscribed_apps", subscribed_apps),
            web.post(f"{VERSIONED}/register", registration),
            web.post(f"{VERSIONED}/deregister", registration),
            web.get(f"{VERSIONED}/whatsapp_business_profile", profile),
            web.post(f"{VERSIONED}/whatsapp_business_profile", profile),
            web.get(f"{VERSIONED}/block_users", block_users),
            web.post(f"{VERSIONED}/block_users", block_users),
            web.delete(f"{VERSIONED}/block_users", block_users),
            web.route("*", VERSIONED, node),
            web.route("*", VERSIONED + "/", node),
            *(web.post(path, complete) for path in PATHS),
            web.get("/_sim/health", health),
            *control_routes(core),
            *post_routes(core.post),
        ]
    )
    return app


class Simulator:
    """A simulator inside the running event loop, on a free port of loopback unless told otherwise.

    `sim.url` is what HUB_META_BASE_URL wants, `sim.core` the platform itself: clock, world, faults, ledger, delivery.
    """

    def __init__(
        self,
        config: SimulatorConfig | None = None,
        *,
        behaviour: Behaviour | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        smtp_port: int | None = None,
    ) -> None:
        self._smtp_port = smtp_port
        self.core = Core(config or SimulatorConfig(), behaviour)
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._doors: set[Door] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        await self.core.delivery.start()
        if self._smtp_port is not None:
            await self.core.post.start(self._host, self._smtp_port)
        runner = web.AppRunner(build_app(self.core), access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        listener = socket.create_server((self._host, self._port), backlog=1_024)
        application = runner.server
        assert application is not None  # noqa: S101 - setup has made it
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Door(self.core, application, self._doors), sock=listener, backlog=1_024
        )
        self._runner = runner
        self.url = f"http://{self._host}:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        """Close the connections and forget what was planned."""
        self.core.timeline.clear()
        await self.core.post.stop()
        if self._server is not None:
            self._server.close()
        for door in list(self._doors):
            door.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.core.delivery.stop()


def run(
    host: str = "127.0.0.1",
    port: int = 8090,
    config: SimulatorConfig | None = None,
    behaviour: Behaviour | None = None,
    smtp_port: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT. Without a config the environment gives it (`SimulatorConfig.from_env`)."""

    async def serve() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        gc.set_threshold(100_000, 50, 50)  # many small records live long: look for cycles seldom
        async with Simulator(
            config or SimulatorConfig.from_env(), behaviour=behaviour, host=host, port=port, smtp_port=smtp_port
        ):
            await stopped.wait()

    uvloop.run(serve())

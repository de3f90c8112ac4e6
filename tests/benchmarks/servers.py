"""What the gateway is compared with: the same work without storing, the plain way of storing, and another library."""

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import uuid4

import asyncpg
import msgspec
from fastapi import FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.routing import iter_route_contexts
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

FRAME_CHARACTERS = 1000  # of a conversation as the inbox is told of it
SECRET = os.environ.get("HUB_META_APP_SECRET", "").encode()


def verified(signature: str, body: bytes) -> bool:
    """Meta's signature, compared in constant time."""
    return hmac.compare_digest(signature, "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest())


def store_nothing() -> FastAPI:
    """The gateway's limit: a raw ASGI mount that verifies, parses and answers."""
    app = FastAPI()
    app.router.routes.insert(0, Route("/webhooks/whatsapp", VerifyAndParse()))
    return app


class VerifyAndParse:
    """A raw ASGI endpoint (an object, which Starlette calls as an application)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        signature = dict(scope["headers"]).get(b"x-hub-signature-256", b"").decode()
        status = 200 if verified(signature, body) and msgspec.json.decode(body) else 401
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


def plain_route() -> FastAPI:
    """The usual way: a FastAPI route that verifies, parses and inserts one row, with a pool."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await asyncpg.create_pool(os.environ["HUB_DATABASE_URL"], min_size=10, max_size=10)
        await app.state.pool.execute(
            "CREATE TABLE IF NOT EXISTS plain_inbox (id uuid PRIMARY KEY, body bytea NOT NULL, received_at timestamptz DEFAULT now())"
        )
        yield
        await app.state.pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/webhooks/whatsapp")
    async def webhook(request: Request) -> dict[str, str]:
        body = await request.body()
        if not verified(request.headers.get("x-hub-signature-256", ""), body):
            raise HTTPException(401)
        await request.json()
        await request.app.state.pool.execute("INSERT INTO plain_inbox (id, body) VALUES ($1, $2)", uuid4(), body)
        return {"status": "ok"}

    return app


def pywa_server() -> FastAPI:
    """pywa's webhook server with one handler that does nothing."""
    from pywa import WhatsApp, types

    app = FastAPI()
    whatsapp = WhatsApp(
        phone_id="106540000000001", token="none", server=app, webhook_endpoint="/webhooks/whatsapp", verify_token="test",
        app_secret=SECRET.decode(), validate_updates=True,
    )  # fmt: skip

    @whatsapp.on_message
    def seen(_: WhatsApp, message: types.Message) -> None:
        """Parsed; nothing else."""

    return app


def hub_with_open_route() -> FastAPI:
    """The hub, and beside it its route `/api/v1/auth/me` as it would be if nobody were asked who he is."""
    from uuid import UUID

    from hub_api.app import create_app_from_env
    from hub_api.auth.permissions import BUILTIN
    from hub_api.auth.schemas import Me

    app = create_app_from_env()
    permissions = BUILTIN["agent"].permissions

    @app.get("/bench/me")
    async def get_me() -> Me:
        return Me(
            kind="user", id=UUID(int=1), name="Bench", permissions=sorted(permissions), teams=[], second_factor_required=False
        )  # fmt: skip

    # Beside the route it is compared with: the further back, the more routes a request is matched against first.
    routes = app.router.routes
    paths = [[one.path for one in iter_route_contexts([route])] for route in routes]
    routes.insert(next(place for place, inside in enumerate(paths) if "/api/v1/auth/me" in inside), routes.pop())
    return app


def bare_socket() -> FastAPI:
    """Sends what it is told to every open socket, as long as a conversation's frame is, and does nothing else."""
    app, sockets = FastAPI(), set[WebSocket]()

    @app.websocket("/ws")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        sockets.add(socket)
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        sockets.discard(socket)

    @app.post("/say")
    async def say(request: Request) -> None:
        text = (await request.body()).decode().ljust(FRAME_CHARACTERS)
        for socket in sockets:
            await socket.send_text(text)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def bare_rooms() -> FastAPI:
    """The same for rooms: a socket names its own, and what is said is sent to those of that room."""
    app, rooms = FastAPI(), dict[str, set[WebSocket]]()

    @app.websocket("/ws")
    async def listen(socket: WebSocket, room: str) -> None:
        await socket.accept()
        rooms.setdefault(room, set()).add(socket)
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        rooms[room].discard(socket)

    @app.post("/say")
    async def say(request: Request, room: str) -> None:
        text = (await request.body()).decode().ljust(FRAME_CHARACTERS)
        for socket in rooms.get(room, ()):
            await socket.send_text(text)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app

"""An app behind the hub, over WebSocket: frames both ways until one side ends, or the session that opened it has."""

import asyncio
from collections.abc import Mapping

import aiohttp
import structlog
from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from hub_api.auth.apps.listed import Listed
from hub_api.auth.apps.proxy import address, upward
from hub_api.auth.sockets import NOT_ALLOWED, Guarded
from hub_api.errors import Unavailable

log = structlog.get_logger(__name__)

GOING_AWAY = 1001
NEVER_SENT = frozenset((1005, 1006, 1015))  # RFC 6455 §7.4.1: how an end reads that came without a code


async def relay(session: aiohttp.ClientSession, guarded: Guarded, listed: Listed, identity: Mapping[str, str]) -> None:
    """Speak for the client to the app, as long as he may. Raises Unavailable, before the handshake, when the app does not run."""
    websocket = guarded.websocket
    handshake = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol", "content-length")  # fmt: skip
    headers = [(name, value) for name, value in upward(listed, websocket, identity) if name not in handshake]
    protocols = [one.strip() for one in websocket.headers.get("sec-websocket-protocol", "").split(",") if one.strip()]
    try:
        app = await session.ws_connect(
            address(listed, websocket), headers=headers, protocols=protocols, max_msg_size=16 * 1024 * 1024
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable("this app does not answer: it may be starting, try again") from error
    await websocket.accept(app.protocol)
    code = GOING_AWAY
    tasks = [
        asyncio.create_task(_up(websocket, app)),
        asyncio.create_task(_down(app, websocket)),
        asyncio.create_task(_not_allowed(guarded)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        code = next(iter(done)).result()
    except (WebSocketDisconnect, aiohttp.ClientError, ConnectionError) as error:
        log.debug("app_socket_lost", error=type(error).__name__)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await app.close()
    try:
        await websocket.close(code)
    except (RuntimeError, WebSocketDisconnect):  # the client was the first to close, or is gone
        log.debug("app_socket_closed_by_client")


async def _up(websocket: WebSocket, app: aiohttp.ClientWebSocketResponse) -> int:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return GOING_AWAY
        if (text := message.get("text")) is not None:
            await app.send_str(text)
        else:
            await app.send_bytes(message["bytes"])


async def _down(app: aiohttp.ClientWebSocketResponse, websocket: WebSocket) -> int:
    async for message in app:
        if message.type is aiohttp.WSMsgType.TEXT:
            await websocket.send_text(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            await websocket.send_bytes(message.data)
    code = app.close_code
    return GOING_AWAY if code is None or code in NEVER_SENT else code


async def _not_allowed(guarded: Guarded) -> int:
    await guarded.ended.wait()
    return NOT_ALLOWED

"""`/ws`: what happens in the conversations that the caller sees, as it happens (the frames: README of this folder)."""

import asyncio
from contextlib import suppress
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import structlog
from fastapi import APIRouter, Depends
from starlette.websockets import WebSocketDisconnect

from hub_api.auth.sockets import Guarded, require_socket
from hub_api.chat.live.boards import BOARDS, PERMISSIONS, Boards, open_boards
from hub_api.chat.live.frames import frame
from hub_api.chat.live.people import People, open_live
from hub_api.chat.live.streams import Streams
from hub_api.chat.live.subscriber import Subscriber
from hub_api.errors import HubError, Invalid
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
router = APIRouter()


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A frame of a client."""

    op: Literal["subscribe", "unsubscribe", "typing", "viewing", "ping"]
    stream: Literal["inbox", "conversation", "queue", "presence", "wallboard"] | None = None
    id: UUID | None = None
    after: str | None = None


_decode = msgspec.json.Decoder(Asked).decode


@router.websocket("/ws")
async def live(
    guarded: Annotated[Guarded, Depends(require_socket("conversations:read", *PERMISSIONS.values()))],
) -> None:
    """Tell a socket what it subscribes to, each stream by its own permission, until it closes, may no more, or is too slow (4008)."""
    services: Services = guarded.websocket.app.state.services
    streams, people = await services.shared(open_live)
    boards = await services.shared(open_boards)
    await guarded.accept()
    subscriber = Subscriber(guarded)
    streams.add(subscriber)
    tasks = [
        asyncio.create_task(subscriber.send()),
        asyncio.create_task(_listen(subscriber, streams, people, boards)),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        streams.remove(subscriber)
        boards.unsubscribe(subscriber)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("socket_crashed", exc_info=ended)
        with suppress(RuntimeError, WebSocketDisconnect):  # closed already, by whoever came first
            await guarded.websocket.close(1011, "something failed on our side: come back with your cursor")
        for room in list(subscriber.rooms):
            await people.say("left", subscriber.caller, room)


async def _listen(subscriber: Subscriber, streams: Streams, people: People, boards: Boards) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            text = await subscriber.guarded.receive()
            named: dict[str, object] = {}
            try:
                asked = _asked(text)
                named = {"stream": asked.stream, "id": asked.id}
                await _do(asked, subscriber, streams, people, boards)
            except HubError as error:
                subscriber.put(frame(type="error", code=error.code, detail=error.message, **named))
            except RETRYABLE as error:
                log.warning("live_interrupted", error=type(error).__name__)
                subscriber.put(frame(type="error", code="unavailable", detail="the database is away: ask again"))


def _asked(text: str | bytes) -> Asked:
    try:
        asked = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"this is no frame of ours: {error}") from None
    if asked.op in ("subscribe", "unsubscribe"):
        if asked.stream is None or (asked.stream == "conversation") != (asked.id is not None):
            raise Invalid(
                f"name the stream: `inbox`, {', '.join(f'`{one}`' for one in BOARDS)}, or `conversation` with its `id`"
            )
    elif asked.op != "ping" and asked.id is None:
        raise Invalid("name the conversation by its `id`")
    return asked


async def _do(asked: Asked, subscriber: Subscriber, streams: Streams, people: People, boards: Boards) -> None:
    for board in BOARDS:
        if asked.stream == board and asked.op in ("subscribe", "unsubscribe"):
            change = boards.subscribe if asked.op == "subscribe" else boards.unsubscribe
            change(subscriber, board)
            return
    match asked.op:
        case "ping":
            subscriber.put(frame(type="pong"))
        case "subscribe":
            await streams.subscribe(subscriber, asked.id, asked.after)
        case "unsubscribe":
            if streams.unsubscribe(subscriber, asked.id) and asked.id is not None:
                await people.say("left", subscriber.caller, asked.id)
        case "typing" | "viewing" if asked.id is not None:
            if asked.id not in subscriber.rooms:
                raise Invalid("subscribe to the conversation first")
            await people.say(asked.op, subscriber.caller, asked.id)

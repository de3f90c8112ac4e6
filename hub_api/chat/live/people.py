"""Who writes and who looks, told to all who have the same conversation open, whichever process they are connected to.

It passes through Redis and is kept nowhere: what is lost is told again within seconds, and without Redis people only do not
see each other.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

import orjson
import structlog
from redis.exceptions import RedisError

from hub_api.auth.principal import Principal
from hub_api.chat.live.frames import frame
from hub_api.chat.live.streams import Streams, open_streams
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

CHANNEL = "live:people"
LOOKS_FOR_S = 30.0  # a look that is not repeated for so long is over
RETRY_S = 1.0
WAIT_FOR_REDIS_S = 2.0


class People:
    """Of one process: what its sockets say goes out, and what any process's say comes in."""

    def __init__(self, services: Services, streams: Streams) -> None:
        self._services, self._streams = services, streams
        self.listening = asyncio.Event()
        self._looking: dict[UUID, dict[UUID, tuple[str, float]]] = {}  # conversation: user: name, until

    async def say(self, kind: str, caller: Principal, conversation_id: UUID) -> None:
        """`typing`, `viewing` or `left`, to everybody. A program is nobody."""
        if caller.kind != "user" or caller.user_id is None:
            return
        told = {"kind": kind, "id": conversation_id, "user_id": caller.user_id, "name": caller.name}
        try:
            await self._services.redis.publish(CHANNEL, orjson.dumps(told, default=str))
        except RedisError as error:
            log.warning("people_not_told", error=type(error).__name__)

    async def hear(self) -> None:
        """Pass on what is said, until cancelled."""
        while True:
            try:
                async with self._services.redis.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    self.listening.set()
                    while True:
                        message = await channel.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        if message is not None:
                            self._heard(orjson.loads(message["data"]))
                        self._look_away()
            except (RedisError, OSError) as error:
                log.warning("people_not_heard", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    def _heard(self, told: dict[str, Any]) -> None:
        conversation_id, user_id = UUID(told["id"]), UUID(told["user_id"])
        if told["kind"] == "typing":
            for one in self._streams.in_room(conversation_id):
                if one.caller.user_id != user_id:
                    one.put(frame(type="typing", id=conversation_id, user_id=user_id, name=told["name"]))
            return
        looking = self._looking.setdefault(conversation_id, {})
        known = set(looking)
        if told["kind"] == "viewing":
            looking[user_id] = (told["name"], time.monotonic() + LOOKS_FOR_S)
        else:
            looking.pop(user_id, None)
        if set(looking) != known:
            self._show(conversation_id)

    def _look_away(self) -> None:
        """Forget looks that were not repeated."""
        now = time.monotonic()
        for conversation_id, looking in list(self._looking.items()):
            over = [user_id for user_id, (_, until) in looking.items() if until < now]
            for user_id in over:
                del looking[user_id]
            if over:
                self._show(conversation_id)
            if not looking:
                del self._looking[conversation_id]

    def _show(self, conversation_id: UUID) -> None:
        people = [{"user_id": user_id, "name": name} for user_id, (name, _) in self._looking[conversation_id].items()]
        for one in self._streams.in_room(conversation_id):
            one.put(frame(type="viewing", id=conversation_id, people=people))


@asynccontextmanager
async def open_live(services: Services) -> AsyncIterator[tuple[Streams, People]]:
    """For `services.shared`: the streams of a process, and who writes and looks."""
    async with open_streams(services) as streams:
        people = People(services, streams)
        hearing = asyncio.create_task(people.hear(), name="people")
        try:
            with suppress(TimeoutError):  # without Redis the talk goes on
                await asyncio.wait_for(people.listening.wait(), WAIT_FOR_REDIS_S)
            yield streams, people
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

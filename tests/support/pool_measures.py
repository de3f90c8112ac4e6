"""What a pool run measures: how long people wait for replies beside a campaign, and how much of the limits is used."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg

from tests.support.pool import Pool, queries


@dataclass
class Replies:
    """Live talk beside a campaign: people write and agents answer at once, `per_s` times a second, until it is stopped.

    Agents press the button again when the connection breaks or the hub says 503, under the same idempotency key."""

    pool: Pool
    per_s: float
    wrote: list[str] = field(default_factory=list)  # wamids of what people wrote
    posted: dict[str, float] = field(default_factory=dict)  # message id -> when the agent first pressed the button
    refused: Counter[int] = field(default_factory=Counter)  # answers of the API other than 202 and a 503 that says when
    again: Counter[str] = field(default_factory=Counter)  # why the button was pressed again

    @asynccontextmanager
    async def running(self, people: Sequence[asyncpg.Record]) -> AsyncIterator[None]:
        """Talk with these people in turn; what was begun is finished before it returns."""
        stopped = asyncio.Event()
        task = asyncio.create_task(self._talk(people, stopped))
        try:
            yield
        finally:
            stopped.set()
            await task

    async def _talk(self, people: Sequence[asyncpg.Record], stopped: asyncio.Event) -> None:
        began, turn = time.monotonic(), 0
        async with asyncio.TaskGroup() as answers:
            while not stopped.is_set():
                answers.create_task(self._answer(people[turn % len(people)], turn))
                turn += 1
                await asyncio.sleep(max(0.0, began + turn / self.per_s - time.monotonic()))

    async def _answer(self, person: asyncpg.Record, turn: int) -> None:
        wrote = {"from": person["phone"], "number_id": person["phone_number_id"], "text": f"E agora? {turn}"}
        self.wrote += (await self.pool.simulator("POST", "inbound", wrote))["wamids"]
        posted, key = time.time(), uuid4().hex
        path = f"/api/v1/conversations/{person['conversation_id']}/messages"
        body = {"type": "text", "text": f"Resposta {turn}"}
        while True:
            try:
                async with self.pool.http.post(
                    self.pool.api_url + path, json=body, headers={"Idempotency-Key": key}
                ) as answer:
                    if answer.status == 202:
                        self.posted[(await answer.json())["id"].replace("-", "")] = posted
                        return
                    if answer.status != 503 or "Retry-After" not in answer.headers:
                        self.refused[answer.status] += 1
                        return
                    self.again["503"] += 1
            except aiohttp.ClientError as error:
                self.again[type(error).__name__] += 1
            await asyncio.sleep(0.2)

    async def waits_s(self) -> list[float]:
        """From the agent's button to the acceptance at Meta, of every reply, shortest first. Infinite when it never came."""
        return await self._until_accepted(self.posted)

    async def queued_s(self) -> list[float]:
        """The part of each wait that a reply spent in the outbox, shortest first."""
        rows = await self.pool.db.fetch(queries.queued_at, [UUID(message) for message in self.posted])
        return await self._until_accepted({row["id"].hex: row["created_at"].timestamp() for row in rows})

    async def _until_accepted(self, since: dict[str, float]) -> list[float]:
        told = await self.pool.simulator("POST", "accepted", {"ids": list(since), "times": True})
        return sorted(told["accepted_at"].get(message, math.inf) - began for message, began in since.items())


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of an ascending sequence does not exceed."""
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def used_share(
    before: dict[str, Any], after: dict[str, Any], seconds: float, headroom: float, of: Iterable[str]
) -> float:
    """How much of (limit - headroom - inbound) numbers used for their campaign between two tallies; `headroom` is the
    share of the limit that the hub leaves to replies and inbound messages."""
    used = room = 0.0
    for number in of:
        then, now = before["numbers"].get(number, {}), after["numbers"].get(number, {})
        grown = {name: now.get(name, 0) - then.get(name, 0) for name in ("accepted", "inbound", "replies")}
        used += grown["accepted"] - grown["replies"]
        room += now["mps"] * (1 - headroom) * seconds - grown["inbound"]
    return used / room

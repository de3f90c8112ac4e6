"""Sending what a shard has queued: take tokens, claim, call, record, with many calls in flight and one per customer.

The loop claims and records in turn while calls run beside it; no call starts while its claim is uncommitted, none later
than a second after it. The order of things is what keeps the promise "never twice": see design §4.3.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from hub_api.platform.services import Services
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.buckets import Buckets
from hub_api.whatsapp.send.meta import MetaClient, NotAccepted, OutcomeUnknown, RejectedByMeta, open_client
from hub_api.whatsapp.send.outbox import Claimed, Number
from hub_api.whatsapp.send.record import Done, NotCalled, Outcome, record

log = structlog.get_logger(__name__)

# One ring's share of the worker; after it the bell rings again, so that replies of other shards get their turn.
SLICE_S = 1.0
# Waiting for tokens is no work: the worker is given back sooner.
PACED_SLICE_S = 0.3
CALL_WITHIN_S = 1.0
# How long a list of numbers and tokens may be used; whether a number may send is checked at every claim.
NUMBERS_FOR_S = 0.25
LOOK_AGAIN_S = 0.02
# With many calls in flight, what ends within this time is recorded in one transaction.
GATHER_S = 0.05


class Sender:
    """What one process sends with, over all shards it drains.

    `slots` are the calls in flight. Up to as many again may be claimed ahead, so that calls go on while the database
    works; `free` counts what may still be claimed.
    """

    def __init__(self, client: MetaClient, buckets: Buckets, concurrency: int) -> None:
        self.client = client
        self.buckets = buckets
        self.concurrency = concurrency
        self.slots = asyncio.Semaphore(concurrency)
        self.free = 2 * concurrency


@asynccontextmanager
async def open_sender(services: Services) -> AsyncIterator[Sender]:
    """The sender of this process: `await services.shared(open_sender)`."""
    async with open_client(services.settings) as client:
        yield Sender(client, Buckets(services.redis), services.settings.send_concurrency)


async def drain(services: Services, shard: int) -> bool:
    """Send what `shard` has due until nothing is left or the time slice is over; True when work was left.

    Every message it claimed is recorded when it returns. Raises what the claim raised, after recording what was called.
    """
    await outbox.fail_without_number(services, shard)
    return await _Drain(services, await services.shared(open_sender), shard).run()


class _Drain:
    """One run over one shard. Claiming and recording go on beside each other, and both beside the calls."""

    def __init__(self, services: Services, sender: Sender, shard: int) -> None:
        self.services, self.sender, self.shard = services, sender, shard
        self.open = 0  # claimed, and the call not yet ended
        self.ahead = sender.concurrency  # none once a claim had to wait a second: Meta is slow today
        self.done: list[Done] = []
        self.recording = 0
        self.closing = False
        self.unreachable = False
        self.ended = asyncio.Event()  # there is something to record, or nothing more will come
        self.room = asyncio.Event()  # calls have ended, enough to claim for
        self.recorded = asyncio.Event()  # customers whose message is recorded may get their next one
        self.numbers: list[Number] = []
        self.numbers_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def enough(self) -> int:
        """With so many messages claimed there is time to wait before the next claim."""
        return (self.sender.concurrency + self.ahead) // 2

    async def run(self) -> bool:
        recorder = asyncio.create_task(self._record_all())
        try:
            return await self._claim_all()
        finally:
            self.closing = True
            self.ended.set()
            await recorder

    async def _claim_all(self) -> bool:
        started = time.monotonic()
        end = started + SLICE_S
        while not self.unreachable and time.monotonic() < end:
            if self.open > self.enough:
                self.room.clear()
                await self.room.wait()
                continue
            self.recorded.clear()
            claimed, wait_s = await self._claim()
            if wait_s:
                end = min(end, started + PACED_SLICE_S)
                await asyncio.sleep(wait_s)
            elif not claimed and not self.recorded.is_set():
                if not (self.open or self.done or self.recording):
                    return False
                await self.recorded.wait()
        return not self.unreachable

    async def _record_all(self) -> None:
        while self.done or self.open or not self.closing:
            if not self.done:
                self.ended.clear()
                await self.ended.wait()
                continue
            if self.open > self.sender.concurrency // 2:
                await asyncio.sleep(GATHER_S)
            done, self.done = self.done, []
            self.recording = len(done)
            await record(self.services, self.sender.buckets, done)
            self.recording = 0
            self.recorded.set()

    async def _claim(self) -> tuple[int, float]:
        """Claim for each number in turn and start the calls: how many, and when there were none the seconds after
        which another look makes sense (0: nothing is left, or only what waits for calls in flight)."""
        if time.monotonic() >= self.numbers_until or not self.numbers:
            self.numbers = await outbox.numbers_with_work(self.services, self.shard)
            self.numbers_until = time.monotonic() + NUMBERS_FOR_S
        total, waits, numbers = 0, [], self.numbers[:]
        for position, number in enumerate(numbers):
            free = self.sender.free - self.sender.concurrency + self.ahead
            want = -(-free // (len(numbers) - position))
            if want <= 0:
                waits.append(LOOK_AGAIN_S)
                break
            count, wait_s = await self._claim_for(number, want)
            total += count
            if wait_s:
                waits.append(wait_s)
            elif not count:
                self.numbers.remove(number)
        return total, 0.0 if total or not waits else max(min(waits), LOOK_AGAIN_S)

    async def _claim_for(self, number: Number, want: int) -> tuple[int, float]:
        sender = self.sender
        sender.free -= want
        claimed: list[Claimed] = []
        try:
            granted, wait_s = await sender.buckets.take(number.id, number.mps, want)
            if not granted:
                return 0, max(wait_s, LOOK_AGAIN_S)
            claimed_from = time.monotonic()
            claimed = await outbox.claim(self.services, self.shard, number, granted)
            await sender.buckets.give_back(number.id, granted - len(claimed))
        finally:
            sender.free += want - len(claimed)
        for message in claimed:
            self._start(message, claimed_from)
        if not claimed and await self.services.db.fetchval(outbox.queries.anything_ready, self.shard, number.id):
            return 0, LOOK_AGAIN_S
        return len(claimed), 0.0

    def _start(self, message: Claimed, claimed_from: float) -> None:
        self.open += 1
        task = asyncio.create_task(self._call(message, claimed_from))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _call(self, message: Claimed, claimed_from: float) -> None:
        outcome: Outcome
        try:
            async with self.sender.slots:
                if time.monotonic() - claimed_from > CALL_WITHIN_S:
                    self.ahead, outcome = 0, NotCalled()
                else:
                    number = message.number
                    outcome = await self.sender.client.send(number.phone_number_id, number.token, message.call())
        except NotAccepted as error:
            self.unreachable = True
            outcome = error
        except (RejectedByMeta, OutcomeUnknown) as error:
            outcome = error
        except Exception as error:
            log.exception("send_crashed", message=str(message.id), error=type(error).__name__)
            outcome = OutcomeUnknown(f"the sender failed around the call: {type(error).__name__}")
        finally:
            self.open -= 1
            self.sender.free += 1
            self.ended.set()
            if self.open <= self.enough:
                self.room.set()
        self.done.append(Done(message, outcome))

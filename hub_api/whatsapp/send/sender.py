"""Sending what is queued: take tokens, claim, call, record, with many calls in flight and one per customer.

Claiming and recording go on beside the calls. No call starts while its claim is uncommitted, none later than a second
after it; every call's outcome is recorded before the job ends. That order keeps the promise "never twice" (design §4.3).
"""

import asyncio
import time

from hub_api.platform.services import Services
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.callers import Callers, open_callers
from hub_api.whatsapp.send.meta import NotAccepted
from hub_api.whatsapp.send.outbox import Claimed, Queue
from hub_api.whatsapp.send.record import Done, record

# One ring's share of the worker; after it the bell rings again, so that other jobs get their turn.
SLICE_S = 1.0
# Waiting for tokens is no work: the worker is given back sooner.
PACED_SLICE_S = 0.3
# How long a list of queues and tokens may be used; whether a number may send is checked at every claim.
QUEUES_FOR_S = 0.25
LOOK_AGAIN_S = 0.02
# With many calls in flight, what ends within this time is recorded in one transaction.
GATHER_S = 0.05


async def drain(services: Services, shard: int) -> bool:
    """Send what `shard` has due until nothing is left or the time slice is over; True when work was left.

    While the last calls of the shard are in flight, other shards are helped out, so that no time is lost at its end.
    Every message it claimed is recorded when it returns. Raises what the claim raised, after recording what was called.
    """
    await outbox.fail_without_number(services, shard)
    return await _Drain(services, await services.shared(open_callers), shard).run()


class _Drain:
    """One run: claims and records beside each other, and both beside the calls."""

    def __init__(self, services: Services, callers: Callers, shard: int) -> None:
        self.services, self.callers, self.shard = services, callers, shard
        self.open = 0  # claimed, and the call not yet ended
        self.enough = 0  # with so many messages open there is time to wait before the next claim
        self.done: list[Done] = []
        self.recording = 0
        self.closing = False
        self.unreachable = False
        self.ended = asyncio.Event()  # there is something to record, or nothing more will come
        self.room = asyncio.Event()  # calls have ended, enough to claim for
        self.recorded = asyncio.Event()  # customers whose message is recorded may get their next one
        self.queues: list[Queue] = []
        self.queues_until = 0.0

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
            if self.open > self.callers.concurrency // 2:
                await asyncio.sleep(GATHER_S)
            done, self.done = self.done, []
            self.recording = len(done)
            await record(self.services, self.callers.buckets, done)
            self.recording = 0
            self.recorded.set()

    async def _claim(self) -> tuple[int, float]:
        """Claim from each queue of the nearest shard that has any and start the calls: how many, and when there were
        none the seconds after which another look makes sense (0: nothing is left, or only what waits for open calls)."""
        if time.monotonic() >= self.queues_until or not self.queues:
            self.queues = await outbox.queues(self.services, self.shard)
            self.queues_until = time.monotonic() + QUEUES_FOR_S
        total, waits = 0, []
        wanted = self.callers.wanted()
        self.enough = wanted // 2
        nearest = [queue for queue in self.queues if queue.shard == self.queues[0].shard]
        for position, queue in enumerate(nearest):
            want = -(-(wanted - self.callers.open) // (len(nearest) - position))
            if want <= 0:
                waits.append(LOOK_AGAIN_S)
                break
            count, wait_s = await self._claim_from(queue, want)
            total += count
            if wait_s:
                waits.append(wait_s)
        return total, 0.0 if total or not waits else max(min(waits), LOOK_AGAIN_S)

    async def _claim_from(self, queue: Queue, want: int) -> tuple[int, float]:
        callers, number = self.callers, queue.number
        callers.open += want
        claimed: list[Claimed] = []
        try:
            granted, wait_s = await callers.buckets.take(number.id, number.mps, want)
            if not granted:
                return 0, max(wait_s, LOOK_AGAIN_S)
            claimed_from = time.monotonic()
            claimed = await outbox.claim(self.services, queue.shard, number, granted)
        finally:
            callers.open -= want - len(claimed)
        self.open += len(claimed)
        for message in claimed:  # before anything else is waited for: a claim that nobody calls becomes unknown
            callers.hand_over(message, claimed_from, self._ended)
        await callers.buckets.give_back(number.id, granted - len(claimed))
        if not claimed and await self.services.db.fetchval(outbox.queries.anything_ready, queue.shard, number.id):
            return 0, LOOK_AGAIN_S
        if len(claimed) < granted:
            self.queues.remove(queue)
        return len(claimed), 0.0

    def _ended(self, done: Done) -> None:
        """A call of ours has ended."""
        self.open -= 1
        self.done.append(done)
        if isinstance(done.outcome, NotAccepted):
            self.unreachable = True
        self.ended.set()
        if self.open <= self.enough:
            self.room.set()

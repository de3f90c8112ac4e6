"""Sending what is queued: take slots, claim, call, record, with many calls in flight and one per customer.

Claiming and recording go on beside the calls. No call starts while its claim is uncommitted, none later than a second
after it. When a run's time is over while work is left, its last calls and records go on beside the next run: a number's
slots of that time would be lost otherwise. That order keeps the promise "never twice" (design §4.3).
"""

import asyncio
import time
from contextlib import suppress

from hub_api.platform.services import Services
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.callers import Callers, open_callers
from hub_api.whatsapp.send.claim import Claims
from hub_api.whatsapp.send.meta import NotAccepted
from hub_api.whatsapp.send.outbox import Claimed
from hub_api.whatsapp.send.record import Done, record

# One ring's share of the worker; after it the bell rings again, so that other jobs get their turn.
SLICE_S = 1.0
# However busy the callers are, somebody who waits for an answer is looked for this often.
URGENT_EVERY_S = 0.1
# With many calls in flight, what ends within this time is recorded in one transaction.
GATHER_S = 0.05


async def drain(services: Services, shard: int) -> bool:
    """Send what `shard` has due until nothing is left or the time slice is over; True when work was left.

    Replies and one-time codes of every shard go first. Where the shard has no bulk left for a number, other shards are helped out.
    False means that every message this run claimed is recorded, and, unless Meta cannot be reached, those of earlier runs of
    this process too; after True the last of them may still be on their way, which the end of the process waits for. Raises what the claim raised, after recording what was called.
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
        self.claims = Claims(services, callers.buckets, shard)

    async def run(self) -> bool:
        recorder = asyncio.create_task(self._record_all())
        left = False
        try:
            left = await self._claim_all()
        finally:
            self.closing = True
            self.ended.set()
            if left:
                self.callers.leave(recorder)
            else:
                await recorder
        return left

    async def _claim_all(self) -> bool:
        end = time.monotonic() + SLICE_S
        while not self.unreachable and time.monotonic() < end:
            wanted = self.callers.wanted()
            self.enough = wanted // 2
            full = self.callers.due > self.enough
            if full:
                self.room.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.room.wait(), URGENT_EVERY_S)
            self.recorded.clear()
            earlier = bool(self.callers.earlier)  # what they record while we look may make the next message due
            again_s = await self._claim(wanted, bulk=not full or self.callers.due <= self.enough)
            if again_s:
                await asyncio.sleep(again_s)
            elif again_s is None and not full and not self.recorded.is_set():
                if not (self.open or self.done or self.recording or earlier):
                    return False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.recorded.wait(), URGENT_EVERY_S)
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

    async def _claim(self, wanted: int, *, bulk: bool) -> float | None:
        """One round, with its calls on their way; after how long the next one makes sense (see Round)."""
        callers = self.callers
        bulk_room = max(0, wanted - max(callers.due, callers.early)) if bulk else 0
        room = max(bulk_room, wanted + callers.concurrency - callers.due)
        callers.open += room  # nobody else in this process claims for the same room
        claimed: list[tuple[Claimed, float]] = []
        try:
            round_ = await self.claims.round(room, bulk_room)
            claimed = round_.claimed
        finally:
            callers.open -= room - len(claimed)
        self.open += len(claimed)
        for message, slot_s in claimed:  # before anything else is waited for: a claim that nobody calls becomes unknown
            callers.hand_over(message, round_.began, slot_s, self._ended)
        await self.claims.settle(round_)
        return round_.again_s

    def _ended(self, done: Done) -> None:
        """A call of ours has ended."""
        self.open -= 1
        self.done.append(done)
        if isinstance(done.outcome, NotAccepted):
            self.unreachable = True
        self.ended.set()
        if self.callers.due <= self.enough:
            self.room.set()

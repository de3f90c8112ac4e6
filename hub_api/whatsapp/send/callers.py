"""The send calls of one process: a fixed number at a time, the most urgent first, none before its slot and none later than
a second after its claim."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count

import structlog

from hub_api.platform import metrics
from hub_api.platform.services import Services
from hub_api.whatsapp.send.buckets import Buckets
from hub_api.whatsapp.send.meta import MetaClient, NotAccepted, OutcomeUnknown, RejectedByMeta, open_client
from hub_api.whatsapp.send.outbox import Claimed
from hub_api.whatsapp.send.pace import AHEAD_S, CALL_WITHIN_S
from hub_api.whatsapp.send.record import Done, NotCalled, Outcome

log = structlog.get_logger(__name__)

MOST_AHEAD = 8  # times the concurrency
# One caller in so many is kept for urgent messages, however slowly Meta answers the others.
KEPT_FOR_URGENT = 8
# How long a call takes, until the first ones have told; and how much a call's time moves the mean.
_CALL_TAKES_S, _WEIGHT = 0.1, 0.05

_Waiting = tuple[int, int, Claimed, float, Callable[[Done], None]]  # priority, order, message, called until, ended


class Callers:
    """What one process sends with, over all shards it drains: `concurrency` callers, each busy until nothing waits.

    More may be claimed than is being called, so that calls go on while the database works; how many follows from how
    quickly Meta answers.
    """

    def __init__(self, client: MetaClient, buckets: Buckets, concurrency: int) -> None:
        self.client = client
        self.buckets = buckets
        self.concurrency = concurrency
        self.open = 0  # messages handed over, or about to be, whose call has not ended
        self.early = 0  # of those, the ones whose slot has not come: they wait for no caller
        self._takes_s = _CALL_TAKES_S
        self._order = count()
        self._waiting: list[_Waiting] = []
        self._running: set[asyncio.Task[None]] = set()
        self.earlier: set[asyncio.Task[None]] = set()  # recorders of runs that are over: their last calls still go on
        self._calling_bulk = 0
        self._most_bulk = concurrency - concurrency // KEPT_FOR_URGENT

    def wanted(self) -> int:
        """How many messages should be open and due, those being called and those claimed ahead; and no more be early."""
        ahead = int(self.concurrency / self._takes_s * AHEAD_S)
        return self.concurrency + min(ahead, MOST_AHEAD * self.concurrency)

    @property
    def due(self) -> int:
        """Messages whose call is under way or waits for a caller."""
        return self.open - self.early

    def hand_over(self, message: Claimed, claimed_from: float, slot_s: float, ended: Callable[[Done], None]) -> None:
        """Call Meta with a message once its slot has come and a caller is free; `ended` hears what became of it.

        `claimed_from` is the monotonic time before its claim began, the slot is `slot_s` seconds after it. Who claimed it
        has counted it in `open`.
        """
        metrics.slot_wait_seconds.labels("urgent" if message.urgent else "bulk").observe(slot_s)
        waiting = (message.priority, next(self._order), message, claimed_from + CALL_WITHIN_S, ended)
        wait_s = claimed_from + slot_s - time.monotonic()
        if slot_s > 0 and wait_s > 0:
            self.early += 1
            asyncio.get_running_loop().call_later(wait_s, self._now_due, waiting)
        else:
            self._put(waiting)

    def leave(self, recorder: asyncio.Task[None]) -> None:
        """Take over what a run leaves behind: `recorder` ends once the run's last call is recorded."""
        self.earlier.add(recorder)
        recorder.add_done_callback(self._left)

    def _left(self, recorder: asyncio.Task[None]) -> None:
        self.earlier.discard(recorder)
        if not recorder.cancelled() and (error := recorder.exception()):
            log.error("recorder_failed", error=type(error).__name__, exc_info=error)

    async def finish(self) -> None:
        """Once everything that earlier runs left is called and recorded."""
        if self.earlier:
            await asyncio.wait(self.earlier)

    def _now_due(self, waiting: _Waiting) -> None:
        self.early -= 1
        self._put(waiting)

    def _put(self, waiting: _Waiting) -> None:
        heappush(self._waiting, waiting)
        if len(self._running) < self.concurrency:
            caller = asyncio.create_task(self._call_all())
            self._running.add(caller)

    def _may_call(self) -> bool:
        return bool(self._waiting) and (self._waiting[0][2].urgent or self._calling_bulk < self._most_bulk)

    async def _call_all(self) -> None:
        try:
            while self._may_call():
                _, _, message, until, ended = heappop(self._waiting)
                bulk = not message.urgent
                self._calling_bulk += bulk
                try:
                    outcome = await self._call(message, until)
                finally:
                    self._calling_bulk -= bulk
                self.open -= 1
                ended(Done(message, outcome))
        finally:
            # At once and not when the loop comes to it: what is handed over meanwhile would wait for a caller that went.
            self._running.discard(asyncio.current_task())

    async def _call(self, message: Claimed, until: float) -> Outcome:
        began = time.monotonic()
        if until <= began:
            return NotCalled()
        number = message.number
        try:
            return await self.client.send(
                number.phone_number_id, number.token, message.call(), connect_within_s=until - began
            )
        except (RejectedByMeta, NotAccepted, OutcomeUnknown) as error:
            return error
        except Exception as error:
            log.exception("send_crashed", message=str(message.id), error=type(error).__name__)
            return OutcomeUnknown(f"the sender failed around the call: {type(error).__name__}")
        finally:
            self._takes_s += (time.monotonic() - began - self._takes_s) * _WEIGHT


@asynccontextmanager
async def open_callers(services: Services) -> AsyncIterator[Callers]:
    """The callers of this process: `await services.shared(open_callers)`."""
    async with open_client(services.settings) as client:
        callers = Callers(client, Buckets(services.redis), services.settings.send_concurrency)
        try:
            yield callers
        finally:
            await callers.finish()

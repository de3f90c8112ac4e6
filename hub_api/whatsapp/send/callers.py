"""The send calls of one process: a fixed number at a time, each message called within a second of its claim or not at all."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog

from hub_api.platform.services import Services
from hub_api.whatsapp.send.buckets import Buckets
from hub_api.whatsapp.send.meta import MetaClient, NotAccepted, OutcomeUnknown, RejectedByMeta, open_client
from hub_api.whatsapp.send.outbox import Claimed
from hub_api.whatsapp.send.record import Done, NotCalled, Outcome

log = structlog.get_logger(__name__)

CALL_WITHIN_S = 1.0
# What is claimed ahead gets its turn within this time at the present rate, well before it would have to be given back.
AHEAD_S = 0.3
MOST_AHEAD = 4  # times the concurrency
_MEASURED_S = 0.05


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
        self._ahead = concurrency
        self._ended = 0
        self._ended_since = time.monotonic()
        self._waiting: deque[tuple[Claimed, float, Callable[[Done], None]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    def wanted(self) -> int:
        """How many messages should be open: those being called, and those claimed ahead."""
        passed_s = time.monotonic() - self._ended_since
        if self._ended and passed_s >= _MEASURED_S:
            self._ahead = min(int(self._ended / passed_s * AHEAD_S), MOST_AHEAD * self.concurrency)
            self._ended, self._ended_since = 0, time.monotonic()
        return self.concurrency + self._ahead

    def hand_over(self, message: Claimed, claimed_from: float, ended: Callable[[Done], None]) -> None:
        """Call Meta with a message as soon as a caller is free; `ended` hears what became of it. `claimed_from` is the
        monotonic time before its claim began. Who claimed it has counted it in `open`."""
        self._waiting.append((message, claimed_from, ended))
        if len(self._running) < self.concurrency:
            caller = asyncio.create_task(self._call_all())
            self._running.add(caller)

    async def _call_all(self) -> None:
        try:
            while self._waiting:
                message, claimed_from, ended = self._waiting.popleft()
                outcome = await self._call(message, claimed_from)
                self.open -= 1
                self._ended += 1
                ended(Done(message, outcome))
        finally:
            # At once and not when the loop comes to it: what is handed over meanwhile would wait for a caller that went.
            self._running.discard(asyncio.current_task())

    async def _call(self, message: Claimed, claimed_from: float) -> Outcome:
        left_s = claimed_from + CALL_WITHIN_S - time.monotonic()
        if left_s <= 0:
            return NotCalled()
        number = message.number
        try:
            return await self.client.send(number.phone_number_id, number.token, message.call(), connect_within_s=left_s)
        except (RejectedByMeta, NotAccepted, OutcomeUnknown) as error:
            return error
        except Exception as error:
            log.exception("send_crashed", message=str(message.id), error=type(error).__name__)
            return OutcomeUnknown(f"the sender failed around the call: {type(error).__name__}")


@asynccontextmanager
async def open_callers(services: Services) -> AsyncIterator[Callers]:
    """The callers of this process: `await services.shared(open_callers)`."""
    async with open_client(services.settings) as client:
        yield Callers(client, Buckets(services.redis), services.settings.send_concurrency)

"""Delivers webhooks as Meta does: at least once, unordered, concurrently, batched under load, retried for 7 days.

A slot (`concurrency` of them) takes whatever waits for its address when it becomes free, up to `max_batch` updates and
3 MB: with little traffic each webhook carries one update, with much traffic many.
"""

import asyncio
import random
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hub_api.simulator.clock import Clock, Timeline
from hub_api.simulator.payload import meta_bytes, signature

MAX_BODY_BYTES = 3 * 1024 * 1024
MAX_UPDATES = 1_000
RETRY_FOR_S = 7 * 86_400.0
KEEP_LATENCIES = 10_000
BROWSER = "Mozilla/5.0 (Linux; Android 14; SM-A146M) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"
ALL_STATUSES = ("sent", "delivered", "read", "played", "failed")


@dataclass(slots=True)
class Knobs:
    """How deliveries behave; times in simulated seconds, but `timeout_s`, which the receiver's patience is, in real ones.

    `duplicate` is the chance that a webhook is delivered once more, `reorder` that an update is held back by up to
    `reorder_s`, `merge` that neighbours of a batch share one value instead of a `changes[]` item each. `gather_s` is
    how long an update waits for company before a slot takes it, so that few requests carry many; `statuses` are those
    that are told at all.
    """

    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_s: float = 2.0
    delay_min_s: float = 0.0
    delay_max_s: float = 0.0
    max_batch: int = MAX_UPDATES
    concurrency: int = 16
    gather_s: float = 0.0
    statuses: tuple[str, ...] = ALL_STATUSES
    merge: float = 0.0
    paused: bool = False
    timeout_s: float = 10.0
    retry_s: tuple[float, ...] = (0.0, 2.0, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 7_200.0, 21_600.0)
    max_pending: int = 500_000


@dataclass(slots=True)
class Counters:
    """Webhook requests and the updates in them since the last reset."""

    produced: int = 0  # updates that were to be delivered
    delivered: int = 0  # updates answered 200
    dropped: int = 0  # updates without an address, or beyond max_pending
    expired: int = 0  # updates given up after 7 days
    requests: int = 0
    failures: int = 0  # requests answered with something else than 200, or not at all
    duplicates: int = 0  # requests made once more on purpose
    answers: dict[str, int] = field(default_factory=dict)  # requests by status, or by what broke the connection


@dataclass(slots=True)
class Update:
    """One thing to tell: a `changes[]` item of an account. `timed` fields carry `entry[].time`."""

    waba_id: str
    field: str
    value: dict[str, Any]
    timed: bool = False


@dataclass(slots=True)
class Parcel:
    """A signed request, kept as it is for its retries."""

    url: str
    body: bytes
    updates: int
    first_at: float
    attempt: int = 0
    last_answer: str = ""
    duplicate: bool = False


@dataclass(slots=True)
class Lane:
    """What waits for one address, and the requests in flight to it."""

    waiting: deque[Update] = field(default_factory=deque)
    parcels: deque[Parcel] = field(default_factory=deque)
    in_flight: int = 0
    gathering: bool = False  # what waits is left to collect company


class Delivery:
    """The delivery engine; `start` and `stop` frame its life inside an event loop."""

    def __init__(self, clock: Clock, timeline: Timeline, app_secret: str, rng: random.Random) -> None:
        self.app_secret = app_secret
        self.knobs = Knobs()
        self.counters = Counters()
        self.last_failure = ""
        self._clock = clock
        self._timeline = timeline
        self._rng = rng
        self._lanes: dict[str, Lane] = {}
        self._latencies: deque[float] = deque(maxlen=KEEP_LATENCIES)
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0  # updates and retries waiting on the timeline
        self._generation = 0

    async def start(self) -> None:
        """Open the connections' pool."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), headers={"User-Agent": "facebookexternalua"}
        )

    async def stop(self) -> None:
        """Abandon what waits and what is in flight."""
        self.clear()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def clear(self) -> None:
        """Forget what waits and start counting anew; requests in flight finish."""
        self._generation += 1
        self._held = 0
        for lane in self._lanes.values():
            lane.waiting.clear()
            lane.parcels.clear()
            lane.gathering = False
        self.counters = Counters()
        self._latencies.clear()
        self.last_failure = ""

    @property
    def moving(self) -> int:
        """Updates and requests that wait for a slot or are in flight."""
        return sum(len(lane.waiting) + len(lane.parcels) + lane.in_flight for lane in self._lanes.values())

    @property
    def pending(self) -> int:
        """What is moving, and what is held back for a delay or a retry."""
        return self._held + self.moving

    def put(self, url: str | None, update: Update) -> None:
        """Deliver an update to `url`, now or a little later, as the knobs say."""
        self.counters.produced += 1
        if not url or self.pending >= self.knobs.max_pending:
            self.counters.dropped += 1
            return
        delay = 0.0
        if self.knobs.delay_max_s:
            delay = self._rng.uniform(self.knobs.delay_min_s, self.knobs.delay_max_s)
        if self.knobs.reorder and self._rng.random() < self.knobs.reorder:
            delay += self._rng.uniform(0, self.knobs.reorder_s)
        if delay:
            self._hold(delay, url, update)
        else:
            self._enqueue(url, update)

    def put_raw(self, url: str, body: bytes, updates: int = 1) -> None:
        """Deliver these bytes, signed, as a webhook of their own: for bodies no builder here would make."""
        self.counters.produced += updates
        self._enqueue(url, Parcel(url, body, updates, self._clock.now()))

    def visit(self, url: str) -> None:
        """Open a page as a person's browser does, without going on to where it leads; whatever it answers."""
        task = asyncio.get_running_loop().create_task(self._visit(url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _visit(self, url: str) -> None:
        if self._session is None:
            return
        timeout = aiohttp.ClientTimeout(total=self.knobs.timeout_s)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with self._session.get(
                url, headers={"User-Agent": BROWSER}, timeout=timeout, allow_redirects=False
            ) as answer:
                await answer.read()

    def resume(self) -> None:
        """Go on after `paused` or `concurrency` was changed."""
        for url, lane in self._lanes.items():
            self._pump(url, lane)

    def latency_ms(self, quantile: float) -> float | None:
        """A quantile of the receiver's last answers' times in milliseconds, None without answers."""
        if not self._latencies:
            return None
        ordered = sorted(self._latencies)
        return round(ordered[min(len(ordered) - 1, int(quantile * len(ordered)))] * 1_000, 2)

    def _hold(self, delay: float, url: str, item: Update | Parcel) -> None:
        self._held += 1
        self._timeline.after(delay, self._release, self._generation, url, item)

    def _release(self, generation: int, url: str, item: Update | Parcel) -> None:
        if generation == self._generation:
            self._held -= 1
            self._enqueue(url, item)

    def _enqueue(self, url: str, item: Update | Parcel) -> None:
        lane = self._lanes.setdefault(url, Lane())
        if isinstance(item, Update):
            lane.waiting.append(item)
            if self.knobs.gather_s and len(lane.waiting) < self.knobs.max_batch:
                if not lane.gathering:
                    lane.gathering = True
                    self._timeline.after(self.knobs.gather_s, self._gathered, url, lane)
                return
        else:
            lane.parcels.append(item)
        self._pump(url, lane)

    def _gathered(self, url: str, lane: Lane) -> None:
        lane.gathering = False
        self._pump(url, lane)

    def _pump(self, url: str, lane: Lane) -> None:
        knobs = self.knobs
        while (
            not knobs.paused
            and lane.in_flight < knobs.concurrency
            and (lane.parcels or len(lane.waiting) >= (knobs.max_batch if lane.gathering else 1))
        ):
            if not lane.parcels:
                lane.parcels.extend(self._pack(url, lane.waiting))
            parcel = lane.parcels.popleft()
            lane.in_flight += 1
            task = asyncio.get_running_loop().create_task(self._send(lane, parcel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _pack(self, url: str, waiting: deque[Update]) -> list[Parcel]:
        count = min(len(waiting), self.knobs.max_batch, MAX_UPDATES)
        parcels = self._parcels(url, [waiting.popleft() for _ in range(count)])
        if self.knobs.duplicate and self._rng.random() < self.knobs.duplicate:
            copies = [Parcel(p.url, p.body, p.updates, p.first_at, duplicate=True) for p in parcels]
            self.counters.duplicates += len(copies)
            if self._rng.random() < 0.5:  # at the same time as the first, or a little later
                parcels += copies
            else:
                for copy in copies:
                    self._hold(self._rng.uniform(0, 5), url, copy)
        return parcels

    def _parcels(self, url: str, updates: list[Update]) -> list[Parcel]:
        body = meta_bytes(envelope(updates, self._clock.now(), self.knobs.merge, self._rng))
        if len(body) > MAX_BODY_BYTES and len(updates) > 1:
            middle = len(updates) // 2
            return self._parcels(url, updates[:middle]) + self._parcels(url, updates[middle:])
        return [Parcel(url, body, len(updates), self._clock.now())]

    async def _send(self, lane: Lane, parcel: Parcel) -> None:
        started = time.perf_counter()
        try:
            answer = await self._post(parcel)
        finally:
            lane.in_flight -= 1
        self.counters.requests += 1
        word = answer.partition(":")[0]
        self.counters.answers[word] = self.counters.answers.get(word, 0) + 1
        if answer == "200":
            self._latencies.append(time.perf_counter() - started)
            if not parcel.duplicate:
                self.counters.delivered += parcel.updates
        else:
            self.counters.failures += 1
            self.last_failure = answer
            self._retry(parcel)
        self._pump(parcel.url, lane)

    async def _post(self, parcel: Parcel) -> str:
        if self._session is None:
            raise RuntimeError("webhook delivery is not started: use the simulator inside its context")
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": signature(parcel.body, self.app_secret),
        }
        timeout = aiohttp.ClientTimeout(total=self.knobs.timeout_s)
        try:
            async with self._session.post(parcel.url, data=parcel.body, headers=headers, timeout=timeout) as response:
                await response.read()
                return str(response.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__}: {error}"

    def _retry(self, parcel: Parcel) -> None:
        steps = self.knobs.retry_s
        delay = steps[min(parcel.attempt, len(steps) - 1)] if steps else 0.0
        if not steps or self._clock.now() + delay - parcel.first_at > RETRY_FOR_S:
            if not parcel.duplicate:
                self.counters.expired += parcel.updates
            return
        parcel.attempt += 1
        self._hold(delay, parcel.url, parcel)


def envelope(updates: list[Update], now: float, merge: float, rng: random.Random) -> dict[str, Any]:
    """The body of one webhook: an entry for each account, a change for each update; with chance `merge` an update of
    the `messages` field joins the value before it, when that is of the same number."""
    entries: dict[tuple[str, bool], dict[str, Any]] = {}
    for update in updates:
        entry = entries.get((update.waba_id, update.timed))
        if entry is None:
            entry = {"id": update.waba_id, **({"time": int(now)} if update.timed else {}), "changes": []}
            entries[(update.waba_id, update.timed)] = entry
        changes = entry["changes"]
        if merge and changes and rng.random() < merge and _joined(changes[-1], update):
            continue
        changes.append({"field": update.field, "value": dict(update.value)})
    return {"object": "whatsapp_business_account", "entry": list(entries.values())}


def _joined(change: dict[str, Any], update: Update) -> bool:
    value = change["value"]
    if change["field"] != "messages" or update.field != "messages" or value["metadata"] != update.value["metadata"]:
        return False
    if {"errors", "user_actions"} & (update.value.keys() | value.keys()):
        return False
    for key in ("contacts", "messages", "statuses"):
        if key in update.value:
            known = value.get(key, [])
            value[key] = known + [item for item in update.value[key] if key != "contacts" or item not in known]
    return True

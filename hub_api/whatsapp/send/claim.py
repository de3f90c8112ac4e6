"""One round of claims over all numbers: what is most urgent anywhere, then notices and campaigns, of this shard first.

However many numbers have something to send, a round asks Redis once and the database a few times: read what is urgent,
reserve slots for it and for bulk, read as much bulk as there are slots, claim all of it in one statement.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from hub_api.platform import crypto, metrics
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.send import outbox
from hub_api.whatsapp.send.buckets import Buckets, Granted, Want
from hub_api.whatsapp.send.decide import Drop, PutOff, Send, decide
from hub_api.whatsapp.send.outbox import URGENT, Claimed, End, Number
from hub_api.whatsapp.send.pace import AHEAD_S, Pace, pace_of

# How long a list of bulk queues may be used; whether a number may send is checked at every claim. What is urgent is
# looked for in every round.
QUEUES_FOR_S = 1.0
# When all numbers have given what they may for now, rounds follow each other at this distance: sooner they would be small.
PACED_S = 0.15
# When customers are locked.
LOOK_AGAIN_S = 0.02

_URGENT, _BULK = [0, URGENT], [2, 3]


@dataclass(frozen=True, slots=True)
class Queue:
    """What one number has to send in one lane and shard."""

    priority: int
    shard: int
    number: Number


@dataclass(slots=True)
class Round:
    """What a round claimed, each message with its slot in seconds from `began` (monotonic). `again_s`: after how long
    another makes sense; None when there was nothing, or only what waits for calls in flight."""

    began: float
    claimed: list[tuple[Claimed, float]] = field(default_factory=list)
    again_s: float | None = None
    unused: dict[str, tuple[Granted, int]] = field(default_factory=dict)  # bulk slots, by the number's id at Meta
    refused: list[tuple[Row, PutOff]] = field(default_factory=list)  # found no place in their portfolio's quota


Choice = tuple[Row, Send, Number]


@dataclass(slots=True)
class _Found:
    """Candidates that may go, by customer the most urgent one, and what becomes of the others."""

    sends: dict[UUID, Choice] = field(default_factory=dict)
    drops: list[End] = field(default_factory=list)
    put_off: list[tuple[Row, PutOff]] = field(default_factory=list)


class Claims:
    """The rounds of one run over `shard`; where a number has no bulk in it, its nearest other shard is claimed from."""

    def __init__(self, services: Services, buckets: Buckets, shard: int) -> None:
        self._services, self._buckets, self._shard = services, buckets, shard
        self._bulk: list[Queue] = []
        self._bulk_until = 0.0

    async def round(self, urgent_room: int, bulk_room: int) -> Round:
        """Claim up to `urgent_room` replies and codes of any shard and up to `bulk_room` others, at most one a customer.

        It is committed when this returns: hand over what is claimed before anything else, then `settle` the round. What
        may not go any more is cancelled or failed with its reason, what may not go yet is put off. Raises crypto.BadKey
        when a token cannot be read.
        """
        found = _Found()
        if urgent_room > 0:
            queues = _fairly(await self._queues(outbox.queries.urgent_queues, _URGENT))
            await self._read(found, [(queue, _soon(queue.number.pace)) for queue in queues], urgent_room)
        bulk = _by_number(await self._bulk_queues()) if bulk_room > 0 else {}
        wants = _wants(Counter(number for _, _, number in found.sends.values()), bulk, bulk_room)
        granted = await self._buckets.reserve(wants)
        round_ = Round(time.monotonic())
        shares = [
            (queue, count)
            for number, queues in bulk.items()
            if (grant := granted.get(number.phone_number_id)) and (count := len(grant.slots.bulk))
            for queue in queues
        ]
        self._forget_short(shares, await self._read(found, shares, sum(count for _, count in shares)))
        await self._put_aside(found)
        chosen = _with_slots(found, granted)
        # Last of all: what fails before it leaves nothing claimed, and what it claims is called.
        await self._claim(round_, chosen, granted)
        round_.again_s = self._again(round_, found, wants, granted, with_slots=len(chosen))
        return round_

    async def settle(self, round_: Round) -> None:
        """What a round leaves behind: slots without a message go back, what found no quota waits for it."""
        await self._buckets.give_back(round_.unused)
        await outbox.put_off(self._services, round_.refused)

    async def _bulk_queues(self) -> list[Queue]:
        if time.monotonic() >= self._bulk_until or not self._bulk:
            self._bulk = await self._queues(outbox.queries.bulk_queues, _BULK)
            self._bulk_until = time.monotonic() + QUEUES_FOR_S
        return self._bulk

    async def _queues(self, query: str, priorities: list[int]) -> list[Queue]:
        """Queues with something to claim: most urgent lane first, nearest shard first."""
        settings = self._services.settings
        secret = settings.secret_key.get_secret_value()
        rows = await self._services.db.fetch(query, priorities, self._shard)
        numbers: dict[UUID, Number] = {}
        for row in rows:
            if row["id"] not in numbers:
                pace = pace_of(row["throughput_mps"], settings.reply_headroom, row["speed"])
                token = _token(secret, row["token_encrypted"])
                numbers[row["id"]] = Number(
                    row["id"], row["phone_number_id"], row["account_id"], row["portfolio_id"], pace, token
                )
        return [Queue(row["priority"], row["shard"], numbers[row["id"]]) for row in rows]

    async def _read(self, found: _Found, shares: Sequence[tuple[Queue, int]], most: int) -> list[Row]:
        """Read the heads of queues, up to so many of each, and decide about them; returns the rows."""
        if not shares:
            return []
        numbers = {queue.number.id: queue.number for queue, _ in shares}
        rows = await self._services.db.fetch(
            outbox.queries.candidates,
            [queue.priority for queue, _ in shares],
            [queue.shard for queue, _ in shares],
            [queue.number.id for queue, _ in shares],
            [count for _, count in shares],
            most,
        )
        for row in rows:
            match decide(row, random.random()):
                case Send() as send:
                    found.sends.setdefault(row["customer_id"], (row, send, numbers[row["number_id"]]))
                case Drop(state, title, code):
                    found.drops.append(End(row["id"], row["created_at"], "queued", state, title, code))
                case PutOff() as later:
                    found.put_off.append((row, later))
        return rows

    def _forget_short(self, shares: Iterable[tuple[Queue, int]], rows: Iterable[Row]) -> None:
        """Queues that had less than was asked for are looked up again before they are asked again."""
        read = Counter((row["priority"], row["shard"], row["number_id"]) for row in rows)
        short = {q for q, count in shares if read[q.priority, q.shard, q.number.id] < count}
        self._bulk = [queue for queue in self._bulk if queue not in short]

    async def _put_aside(self, found: _Found) -> None:
        await outbox.put_off(self._services, found.put_off)
        if found.drops:
            async with self._services.transaction() as tx:
                await outbox.finish(tx, found.drops)

    async def _claim(self, round_: Round, chosen: Sequence[Choice], granted: Mapping[str, Granted]) -> None:
        rows: list[Row] = []
        if chosen:
            ids, times, low, high = outbox.keys([row for row, _, _ in chosen])
            customers = [row["customer_id"] for row, _, _ in chosen]
            quota_of = [number.portfolio_id if send.outside_window else None for _, send, number in chosen]
            rows = await self._services.db.fetch(
                outbox.queries.claim, ids, times, customers, [number.id for _, _, number in chosen], quota_of, low, high
            )
        claims = {row["id"]: row for row in rows}
        slots = {number: (iter(grant.slots.urgent), iter(grant.slots.bulk)) for number, grant in granted.items()}
        used: Counter[str] = Counter()
        for row, send, number in chosen:
            claim = claims.get(row["id"])
            if claim is None:
                continue
            if claim["attempt"] is None:
                round_.refused.append((row, PutOff(claim["free_from"], "quota")))
                continue
            bulk = row["priority"] > URGENT
            used[number.phone_number_id] += bulk
            slot_s = next(slots[number.phone_number_id][bulk])
            round_.claimed.append((outbox.claimed(row, send, number, claim["attempt"], claim["reserved"]), slot_s))
        round_.unused = {
            number: (grant, left)
            for number, grant in granted.items()
            if (left := len(grant.slots.bulk) - used[number]) > 0
        }

    def _again(
        self, round_: Round, found: _Found, wants: Sequence[Want], granted: Mapping[str, Granted], *, with_slots: int
    ) -> float | None:
        """After how long the next round makes sense, seen from what this one met."""
        asked = [(want.bulk, len(granted[want.phone_number_id].slots.bulk)) for want in wants if want.bulk]
        all_gave = bool(asked) and not any(bulk == given for bulk, given in asked)
        if with_slots < len(found.sends) or all_gave:
            metrics.rounds_paced.inc()
            return max(LOOK_AGAIN_S, round_.began + PACED_S - time.monotonic())
        if round_.claimed or round_.refused or found.drops or found.put_off:
            return 0.0
        if found.sends:
            return LOOK_AGAIN_S
        return 0.0 if asked and self._bulk else None


def _fairly(queues: Sequence[Queue]) -> list[Queue]:
    """Lane by lane, one queue of every number before the second of any: a flood on one number hides no other's reply."""
    seen: Counter[tuple[int, UUID]] = Counter()
    ranked: list[tuple[int, int, int, Queue]] = []
    for queue in queues:
        key = (queue.priority, queue.number.id)
        ranked.append((queue.priority, seen[key], len(ranked), queue))
        seen[key] += 1
    return [queue for *_, queue in sorted(ranked, key=lambda ranked: ranked[:3])]


def _by_number(queues: Iterable[Queue]) -> dict[Number, list[Queue]]:
    """The lanes of each number, in their order."""
    found: dict[Number, list[Queue]] = {}
    for queue in queues:
        found.setdefault(queue.number, []).append(queue)
    return found


def _soon(pace: Pace) -> int:
    """The most messages that a number can have slots for at once."""
    return pace.catch_up + pace.reply_burst + int(pace.main * AHEAD_S) + 1


def _wants(urgent: Mapping[Number, int], bulk: Mapping[Number, list[Queue]], room: int) -> list[Want]:
    """What to ask of each number: `room` is shared by how fast the numbers are, chance decides who comes last."""
    most = {
        number: pace.catch_up + int(pace.main * pace.speed * AHEAD_S) + 1 for number in bulk if (pace := number.pace)
    }
    whole = sum(most.values())
    numbers = random.sample(list(bulk), len(bulk))
    shares: dict[Number, int] = {}
    for number in numbers:
        share = min(-(-room * most[number] // whole), most[number], room - sum(shares.values()))
        if share <= 0:
            break
        shares[number] = share
    return [
        Want(number.phone_number_id, number.pace, urgent.get(number, 0), shares.get(number, 0))
        for number in {**urgent, **shares}
    ]


def _with_slots(found: _Found, granted: Mapping[str, Granted]) -> list[Choice]:
    """What there are slots for, the most urgent first."""
    left = {n: [len(grant.slots.urgent), len(grant.slots.bulk)] for n, grant in granted.items()}
    chosen = []
    for choice in found.sends.values():
        slots, bulk = left[choice[2].phone_number_id], choice[0]["priority"] > URGENT
        if slots[bulk] > 0:
            slots[bulk] -= 1
            chosen.append(choice)
    return chosen


@lru_cache(maxsize=256)
def _token(secret: str, sealed: bytes) -> str:
    """An account's token: unsealed once and not for each of its numbers in every round."""
    return crypto.decrypt(secret, sealed)

"""From which number each of N template messages leaves: pure, by health, remaining quota and throughput.

A message goes where it would leave first: the number's line divided by its rate for bulk (throughput times speed). So
full numbers get less, slowed ones less, and what a stopped one loses the others share. A customer with an open
conversation stays with its number while that one can send.
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "spread.sql")

# Share of the rate that a number keeps while Meta judges its quality low: new conversations there would hurt it more.
_OF_QUALITY = {"YELLOW": 0.5, "RED": 0.1}


@dataclass(frozen=True, slots=True)
class Capacity:
    """A number that may send: its rate in messages a second, how many wait for it, what it may not send, and how many
    more users its portfolio may be charged with today (None: no limit)."""

    number_id: UUID
    rate: float
    waiting: int = 0
    held: frozenset[str] = frozenset()
    portfolio_id: str = ""
    quota_left: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A message to place. `sticky`: the number of the customer's open conversation; `costs_quota`: outside the window."""

    category: str
    sticky: UUID | None = None
    costs_quota: bool = True


def spread(wishes: Sequence[Wish], capacities: Sequence[Capacity]) -> list[UUID | None]:
    """The number of each wish, in their order; None when no number may send it.

    Where the quota of one portfolio is used up, another's numbers are taken; when all are, a message waits where it would
    leave first, since the quota moves on. Rates must be positive.
    """
    able = {capacity.number_id: capacity for capacity in capacities}
    left = {capacity.portfolio_id: capacity.quota_left for capacity in capacities}
    lines = {capacity.number_id: capacity.waiting for capacity in capacities}
    heap = [(_leaves_in(capacity, capacity.waiting), capacity.number_id) for capacity in capacities]
    heapq.heapify(heap)
    return [_place(wish, able, left, lines, heap) for wish in wishes]


def _place(
    wish: Wish,
    able: Mapping[UUID, Capacity],
    left: dict[str, int | None],
    lines: dict[UUID, int],
    heap: list[tuple[float, UUID]],
) -> UUID | None:
    own = able.get(wish.sticky) if wish.sticky else None
    if own is not None and wish.category not in own.held:
        return _taken(wish, own, left, lines, heap)
    passed: list[tuple[float, UUID]] = []
    fallback: Capacity | None = None
    chosen: Capacity | None = None
    while heap and chosen is None:
        leaves_in, number_id = heapq.heappop(heap)
        capacity = able[number_id]
        if leaves_in != _leaves_in(capacity, lines[number_id]):
            continue  # an older entry of a number whose line has grown since
        passed.append((leaves_in, number_id))
        if wish.category in capacity.held:
            continue
        quota = left[capacity.portfolio_id]
        if wish.costs_quota and quota is not None and quota <= 0:
            fallback = fallback or capacity
        else:
            chosen = capacity
    for entry in passed:
        heapq.heappush(heap, entry)
    chosen = chosen or fallback
    return _taken(wish, chosen, left, lines, heap) if chosen else None


def _taken(
    wish: Wish,
    capacity: Capacity,
    left: dict[str, int | None],
    lines: dict[UUID, int],
    heap: list[tuple[float, UUID]],
) -> UUID:
    lines[capacity.number_id] += 1
    quota = left[capacity.portfolio_id]
    if wish.costs_quota and quota is not None:
        left[capacity.portfolio_id] = quota - 1
    heapq.heappush(heap, (_leaves_in(capacity, lines[capacity.number_id]), capacity.number_id))
    return capacity.number_id


def _leaves_in(capacity: Capacity, line: int) -> float:
    return (line + 1) / capacity.rate


async def capacities(tx: Transaction, accounts: Collection[UUID], *, without: UUID | None = None) -> list[Capacity]:
    """The numbers of the accounts that may send now, but for `without`."""
    return [
        Capacity(
            row["id"],
            row["throughput_mps"] * row["speed"] * _OF_QUALITY.get(row["quality"], 1.0),
            row["waiting"],
            frozenset(row["held"]),
            row["portfolio_id"],
            row["quota_left"],
        )
        for row in await tx.db.fetch(queries.capacities, list(accounts))
        if row["id"] != without
    ]

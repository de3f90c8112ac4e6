"""Reading events as they commit, each once, whatever order their transactions end in."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from hub_api.chat.live.position import Position, TooOld
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Pool, Row

queries = sqlfile.load(__package__, "live.sql")

BATCH = 1000
# A number that did not come for so long belongs to a transaction that was rolled back, or that no talk waits for.
PATIENCE_S = 60.0
MOST_REPLAYED = 5000

# What changes in a conversation's row or its place in a list; the rest are ticks, which only its messages show.
_MOVES = ("message.received", "message.queued", "message.echoed")


@dataclass(frozen=True, slots=True)
class Told:
    """What some events concern: conversations whose row may have changed, and messages by their conversation."""

    conversations: frozenset[UUID]
    messages: dict[UUID, frozenset[UUID]]


def told(rows: list[Row], merged: Mapping[UUID, UUID]) -> Told:
    """Each conversation and message once, however many events there are of it; a merged one's messages under the one it is read with."""
    conversations: set[UUID] = set()
    messages: dict[UUID, set[UUID]] = {}
    for row in rows:
        if row["aggregate_type"] == "conversation":
            conversations.add(row["aggregate_id"])
        elif row["aggregate_type"] == "message" and row["conversation_id"]:
            shown_in = merged.get(row["conversation_id"], row["conversation_id"])
            messages.setdefault(shown_in, set()).add(row["aggregate_id"])
            if row["type"] in _MOVES:
                conversations.add(row["conversation_id"])
    return Told(frozenset(conversations), {key: frozenset(ids) for key, ids in messages.items()})


class Tail:
    """A reader at the end of `events`."""

    def __init__(self, db: Pool) -> None:
        self._db = db
        self.position = Position(0)
        self._noticed: dict[int, float] = {}

    async def begin(self) -> None:
        """Stand at the end: what is under way now is waited for."""
        (row,) = await self._db.fetch(queries.begin)
        self.position = Position(row["high"], frozenset(row["gaps"]))
        self._noticed = dict.fromkeys(self.position.gaps, time.monotonic())

    async def read(self) -> tuple[list[Row], bool]:
        """What committed since the last call, in order of its numbers; and whether more is waiting."""
        rows = await self._db.fetch(queries.since, self.position.high, list(self.position.gaps), BATCH)
        now = time.monotonic()
        position = self.position.after([row["seq"] for row in rows])
        self._noticed = {gap: self._noticed.get(gap, now) for gap in position.gaps}
        self.position = position.without([gap for gap, at in self._noticed.items() if now - at > PATIENCE_S])
        return rows, len(rows) >= BATCH

    async def between(self, earlier: Position, later: Position) -> list[Row]:
        """What a reader at `later` has seen and one at `earlier` has not. Raises TooOld."""
        rows = await self._db.fetch(
            queries.between,
            earlier.high, list(earlier.gaps), later.high, list(later.gaps), MOST_REPLAYED + 1,
        )  # fmt: skip
        if len(rows) > MOST_REPLAYED:
            raise TooOld(f"more than {MOST_REPLAYED} events lie after the cursor")
        return rows

"""How far a reader of `events` has come, exactly: the highest number seen, and those below it that nobody has seen yet.

Numbers are given when a row is written and seen when its transaction commits, so a later number may be seen first. A cursor
that were only the highest number would lose what commits after it; one that waits for the oldest open transaction (as the
relay's does) would let any long transaction stop the talk. So the missing numbers are remembered, and travel in the cursor.
"""

import re
import time
from collections.abc import Collection
from dataclasses import dataclass

from hub_api.errors import HubError, Invalid

MOST_GAPS = 2000  # rolled-back transactions leave numbers that never come; the oldest are given up first
LIVES_S = 12 * 3600  # a cursor; events of a day are looked at
_CURSOR = re.compile(r"(\d{1,12})-(\d{1,18})(?:~([1-9]\d{0,17}(?:\.[1-9]\d{0,17})*))?", re.ASCII)


class TooOld(HubError):
    """What lies after a cursor is too much or too long ago to be told again: read everything by REST."""

    code, status = "too_old", 410


@dataclass(frozen=True, slots=True)
class Position:
    """All numbers up to `high` were seen, but `gaps`."""

    high: int
    gaps: frozenset[int] = frozenset()

    def after(self, seen: Collection[int]) -> "Position":
        """The position once these numbers were seen too."""
        if not seen:
            return self
        high = max(self.high, *seen)
        skipped = range(max(self.high + 1, high - MOST_GAPS), high)
        gaps = (self.gaps | frozenset(skipped)) - frozenset(seen)
        return Position(high, frozenset(sorted(gaps)[-MOST_GAPS:]) if len(gaps) > MOST_GAPS else gaps)

    def without(self, given_up: Collection[int]) -> "Position":
        """The same, waiting no more for these."""
        return Position(self.high, self.gaps - frozenset(given_up)) if given_up else self

    def misses(self, number: int) -> bool:
        """Whether a reader here has not seen this number."""
        return number > self.high or number in self.gaps


def cursor_of(position: Position) -> str:
    """What a client gives back: when it was told, how far, and the gaps as distances below that."""
    below = ".".join(str(position.high - gap) for gap in sorted(position.gaps, reverse=True))
    return f"{int(time.time())}-{position.high}" + (f"~{below}" if below else "")


def read_cursor(cursor: str) -> Position:
    """The position that a cursor says. Raises Invalid for what is no cursor of ours, TooOld after `LIVES_S`."""
    found = _CURSOR.fullmatch(cursor) if len(cursor) <= 20 * MOST_GAPS else None
    if found is None:
        raise Invalid("`after` must be a cursor as a frame gave it, or null")
    if int(found[1]) < time.time() - LIVES_S:
        raise TooOld("this cursor is too old: read everything again")
    high = int(found[2])
    gaps = frozenset(high - int(one) for one in found[3].split(".")) if found[3] else frozenset()
    if len(gaps) > MOST_GAPS:
        raise Invalid("`after` must be a cursor as a frame gave it, or null")
    return Position(high, gaps)

"""How fast a number may send, and how often one person may get a message from it: pure arithmetic on times.

Throughput is a schedule. Each message of a number gets a slot, a moment before which it is not called; slots are handed
out a little ahead, so that claims may be large and calls still leave evenly. Of the limit that Meta gives a number, in and
out (§4.3: 80, 1,000 or 20 a second), a share is the headroom of replies. What is left is the main line: bulk, answers
beyond the headroom, and inbound messages, each one slot apart. The headroom's tokens are replies' own.

In no second do more slots begin than the parts of `Pace` sum up to. That is a quarter of the headroom less than Meta
allows, for calls that leave a little late and so closer to the next.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Slots are given out this far ahead. Together with the call's own queue it must stay under the claim's one second.
AHEAD_S = 0.3
# Meta allows one message in 6 s to a person, or up to 45 within 6 s and then a pause as long as they would have taken.
PAIR_SPACING_S = 6
PAIR_BURST = 45
# Calls leave up to a second after their claim: the pair limit is judged by so much stricter at both ends.
CALL_WITHIN_S = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """A number's schedule, in messages: `main` a second in a line that may be `catch_up` messages late, and for replies
    alone `reply_burst` at once and `reply_rate` a second. `speed` slows bulk alone."""

    main: int
    catch_up: int
    reply_rate: int
    reply_burst: int
    speed: float = 1.0


def pace_of(mps: int, headroom: Sequence[tuple[int, float]], speed: float = 1.0) -> Pace:
    """The schedule of a number that Meta allows `mps` messages a second.

    `headroom`: from which level on which share of the limit is kept for replies. Raises ValueError when it is empty.
    """
    _, share = max((pair for pair in headroom if pair[0] <= mps), default=min(headroom))
    kept = int(mps * share)
    quarter = kept // 4
    return Pace(mps - kept, quarter, quarter, quarter, speed)


@dataclass(slots=True)
class Line:
    """Where a number's schedule stands, in seconds of one clock: the next free slot of the main line, and the time at
    which the headroom is full again. The twin of the script in buckets.py, for a process that has no Redis."""

    main: float
    reply: float


@dataclass(frozen=True, slots=True)
class Slots:
    """Moments from which calls may leave, in seconds from now."""

    urgent: tuple[float, ...]
    bulk: tuple[float, ...]


def fresh(pace: Pace, now: float) -> Line:
    """A schedule nobody remembers: as if everything up to the horizon had been given out, since it may have been."""
    return Line(
        now + AHEAD_S + 1 / pace.main, now + pace.reply_burst / pace.reply_rate if pace.reply_rate else math.inf
    )


def reserve(line: Line, pace: Pace, now: float, urgent: int, bulk: int) -> Slots:
    """Take slots from `line`: up to `urgent` for replies, from the headroom and then the main line, and up to `bulk`."""
    from_headroom = 0
    if pace.reply_rate:
        line.reply = max(line.reply, now)
        free = now + pace.reply_burst / pace.reply_rate - line.reply
        from_headroom = min(urgent, int(free * pace.reply_rate + 1e-6))
        line.reply += from_headroom / pace.reply_rate
    line.main = max(line.main, now - pace.catch_up / pace.main)
    slots = [0.0] * from_headroom + _line_up(line, now, urgent - from_headroom, 1 / pace.main)
    campaign = _line_up(line, now, bulk, 1 / (pace.main * pace.speed))
    return Slots(tuple(slots), tuple(campaign))


def _line_up(line: Line, now: float, want: int, spacing: float) -> list[float]:
    slots: list[float] = []
    while len(slots) < want and line.main <= now + AHEAD_S:
        slots.append(max(0.0, line.main - now))
        line.main += spacing
    return slots


def pair_free_at(burst_at: datetime | None, burst_count: int | None, now: datetime) -> datetime | None:
    """When the next message of a number to a person may be claimed, if not now: `burst_count` were since `burst_at`.

    The rule stands once more in claim_messages (migration 0016), which judges it under the customer's lock.
    """
    if burst_at is None or burst_count is None:
        return None
    if now < burst_at + timedelta(seconds=PAIR_SPACING_S - CALL_WITHIN_S) and burst_count < PAIR_BURST:
        return None
    free_at = burst_at + timedelta(seconds=PAIR_SPACING_S * burst_count + CALL_WITHIN_S)
    return free_at if now < free_at else None

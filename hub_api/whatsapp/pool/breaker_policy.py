"""When a circuit breaker opens, tries and closes: pure.

closed → open when, of enough recent sends, half or more failed by a fault that is its own; for a time that doubles with
every opening in a row. open → half_open when the time is over: a trickle goes. half_open → closed when the trickle goes
through, or nothing was to be sent for a while; → open again, for longer, when it fails.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ENOUGH = 20
FAILING = 0.5
TRIAL_ENOUGH = 5
TRIAL_FAILING = 3
OPEN_FOR = timedelta(seconds=30)
OPEN_AT_MOST = timedelta(minutes=30)
TRIAL_AT_MOST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Recent:
    """What became of the last sends: how many, how many failed by a fault of the breaker's own kind, and how."""

    sent: int = 0
    failed: int = 0
    worst: str = ""


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker; `openings` in a row without having closed between, `open_until` when it is open."""

    state: str = "closed"
    openings: int = 0
    open_until: datetime | None = None
    reason: str | None = None
    changed_at: datetime | None = None


def judge(breaker: Breaker, recent: Recent, at: datetime) -> Breaker:
    """The breaker from `at` on. `recent`: since it changed, and of the last minute at most while it is closed."""
    match breaker.state:
        case "closed":
            if recent.sent >= ENOUGH and recent.failed >= FAILING * recent.sent:
                return _opened(breaker, recent, at)
        case "open":
            if breaker.open_until is None or breaker.open_until <= at:
                return Breaker("half_open", breaker.openings, None, breaker.reason, at)
        case "half_open":
            if recent.failed >= TRIAL_FAILING and recent.failed >= FAILING * recent.sent:
                return _opened(breaker, recent, at)
            if recent.sent >= TRIAL_ENOUGH and recent.failed < FAILING * recent.sent:
                return Breaker("closed", 0, None, None, at)
            if breaker.changed_at and at - breaker.changed_at >= TRIAL_AT_MOST:
                return Breaker("closed", 0, None, None, at)
        case _:
            pass
    return breaker


def _opened(breaker: Breaker, recent: Recent, at: datetime) -> Breaker:
    openings = breaker.openings + 1
    open_for = min(OPEN_FOR * 2 ** min(openings - 1, 10), OPEN_AT_MOST)
    reason = f"{recent.failed} de {recent.sent} envios falharam ({recent.worst})"
    return Breaker("open", openings, at + open_for, reason, at)

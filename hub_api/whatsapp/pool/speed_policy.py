"""How fast a number's bulk may go, from how people and Meta take it: pure, one step an hour or seldom more.

It slows at once when the rate of errors, blocks or opt-outs is surely too high (the lower end of a 95 % Wilson interval,
so that a few bad messages prove nothing), and recovers by a tenth an hour after three calm hours (a rate below half the
limit). What lies between changes nothing: that gap, and the hour between steps, keep it from flapping. Meta's quality
caps the speed: YELLOW a half, RED a tenth. Nobody reading any more stops the recovery.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt

FLOOR = 0.05
# Shares of what was sent, above which the number goes slower.
ERRORS, BLOCKS, OPT_OUTS = 0.10, 0.05, 0.02
SLOWER, MUCH_SLOWER = 0.6, 0.4  # the second when a rate is twice its limit
STEP_UP = 1.1
STEP_EVERY = timedelta(hours=1)
CALM_FOR = timedelta(hours=3)
ENOUGH = 50  # messages that say something
CAPS = {"YELLOW": 0.5, "RED": 0.1}
_Z = 1.96


@dataclass(frozen=True, slots=True)
class Window:
    """What became of a number's messages in some time: `errors` are failures that are not the customer's doing,
    `blocks` undeliverable ones (a block looks like that)."""

    sent: int = 0
    errors: int = 0
    blocks: int = 0
    opt_outs: int = 0
    delivered: int = 0
    read: int = 0


@dataclass(frozen=True, slots=True)
class Speed:
    """The factor of bulk's rate (FLOOR to 1), since when, and when it fell last."""

    factor: float = 1.0
    changed_at: datetime | None = None
    fell_at: datetime | None = None
    reason: str | None = None


def next_speed(now_has: Speed, hour: Window, day: Window, week: Window, quality: str, at: datetime) -> Speed:
    """The speed from `at` on. `hour`, `day` and `week` end there; the week is what the number is used to."""
    cap = CAPS.get(quality, 1.0)
    window = hour if hour.sent >= ENOUGH else day
    severity, what = _worst(window)
    since = at - now_has.changed_at if now_has.changed_at else None
    if now_has.factor > cap:
        return Speed(cap, at, at, f"qualidade {quality} na Meta")
    if since is not None and since < STEP_EVERY:
        return now_has
    if now_has.factor == cap < 1 or (severity > 1 and now_has.factor == FLOOR):
        return replace(now_has, changed_at=at, fell_at=at)  # no slower, but what keeps it there goes on
    if severity > 1:
        slower = MUCH_SLOWER if severity >= 2 else SLOWER
        return Speed(max(now_has.factor * slower, FLOOR), at, at, what)
    is_fresh = now_has.fell_at is not None and at - now_has.fell_at < CALM_FOR
    if now_has.factor >= cap or is_fresh or not _calm(window) or _unread(day, week):
        return now_has
    factor = min(now_has.factor * STEP_UP, cap)
    return Speed(factor, at, now_has.fell_at, None if factor == 1.0 else "recuperando aos poucos")


def _worst(window: Window) -> tuple[float, str | None]:
    """How many times over its limit the worst rate surely is, and its name."""
    rates = (
        (window.errors, ERRORS, "erros de envio"),
        (window.blocks, BLOCKS, "bloqueios ou mensagens não entregues"),
        (window.opt_outs, OPT_OUTS, "pedidos de descadastro"),
    )
    worst = max(((_surely(count, window.sent) / limit, name) for count, limit, name in rates), key=lambda one: one[0])
    return worst if worst[0] > 0 else (0.0, None)


def _calm(window: Window) -> bool:
    if window.sent == 0:
        return True
    return (
        window.errors < ERRORS / 2 * window.sent
        and window.blocks < BLOCKS / 2 * window.sent
        and window.opt_outs < OPT_OUTS / 2 * window.sent
    )


def _unread(day: Window, week: Window) -> bool:
    if day.delivered < ENOUGH or week.delivered < ENOUGH:
        return False
    return day.read / day.delivered < week.read / week.delivered / 2


def _surely(count: int, of: int) -> float:
    """The lower end of the Wilson score interval of count/of (Wilson 1927): the rate is hardly below it."""
    if of == 0:
        return 0.0
    share = min(count / of, 1.0)
    spread = _Z * sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return max((share + _Z**2 / (2 * of) - spread) / (1 + _Z**2 / of), 0.0)

"""How fast a number's bulk may go, from how people and Meta take it: pure, one step an hour or seldom more.

It slows at once when the rate of errors, blocks or opt-outs is surely too high (the lower end of a 95 % Wilson interval,
so that a few bad messages prove nothing), and recovers by a tenth an hour after three calm hours (a rate below half the
limit). What lies between changes nothing. Meta's quality caps the speed: YELLOW a half, RED a tenth. Nobody reading any
more stops the recovery.

It does not flap. Each turn needs more proof than the step before it: to rise again, all that was sent since the fall must
be calm too, and surely below the limit (upper end of a 99.7 % interval); what is on its way up falls only for a rate that is
above the limit beyond doubt (lower end of a 99.95 % interval), and merely waits for one that is probably so. Where too few
messages leave a question open, a week without another fall answers it.
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
# For so long after a rise a fall needs more proof, and so long after a fall a rise needs none.
TURNS_APART = timedelta(hours=72)
PROVEN_BY_TIME = timedelta(days=7)
# Deviations of the normal distribution: 95 %, 99.7 % and 99.95 % lie within.
_PROBABLY, _RECOVERED, _BEYOND_DOUBT = 1.96, 3.0, 3.5


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


def next_speed(
    now_has: Speed, hour: Window, day: Window, week: Window, since_fall: Window, quality: str, at: datetime
) -> Speed:
    """The speed from `at` on. `hour`, `day` and `week` end there, as does `since_fall`, what was sent since the speed fell
    last (a week at most); the week is what the number is used to."""
    cap = CAPS.get(quality, 1.0)
    if now_has.factor > cap:
        return Speed(cap, at, at, f"qualidade {quality} na Meta")
    if now_has.changed_at is not None and at - now_has.changed_at < STEP_EVERY:
        return now_has
    window = hour if hour.sent >= ENOUGH else day
    severity, what = _worst(window, _PROBABLY)
    if now_has.factor == cap < 1 or (severity > 1 and now_has.factor == FLOOR):
        return replace(now_has, changed_at=at, fell_at=at)  # no slower, but what keeps it there goes on
    needs_more = _rising(now_has, at) and _worst(window, _BEYOND_DOUBT)[0] <= 1
    if severity > 1 and not needs_more:
        slower = MUCH_SLOWER if severity >= 2 else SLOWER
        return Speed(max(now_has.factor * slower, FLOOR), at, at, what)
    if now_has.factor == cap or not _may_rise(now_has, window, since_fall, at) or _unread(day, week):
        return now_has
    factor = min(now_has.factor * STEP_UP, cap)
    return Speed(factor, at, now_has.fell_at, None if factor == 1.0 else "recuperando aos poucos")


def _rising(speed: Speed, at: datetime) -> bool:
    """Whether its last step was upwards and not long ago."""
    if speed.changed_at is None or speed.changed_at == speed.fell_at:
        return False
    return at - speed.changed_at < TURNS_APART


def _may_rise(speed: Speed, window: Window, since_fall: Window, at: datetime) -> bool:
    """Whether it has been calm for long enough, and proves it."""
    if not _calm(window):
        return False
    if speed.fell_at is None:
        return True
    calm_for = at - speed.fell_at
    return calm_for >= PROVEN_BY_TIME or (calm_for >= CALM_FOR and _recovered(since_fall))


def _rates(window: Window) -> tuple[tuple[int, float, str], ...]:
    return (
        (window.errors, ERRORS, "erros de envio"),
        (window.blocks, BLOCKS, "bloqueios ou mensagens não entregues"),
        (window.opt_outs, OPT_OUTS, "pedidos de descadastro"),
    )


def _worst(window: Window, deviations: float) -> tuple[float, str | None]:
    """How many times over its limit the worst rate surely is, and its name."""
    rates = ((_between(count, window.sent, deviations)[0] / limit, name) for count, limit, name in _rates(window))
    worst = max(rates, key=lambda one: one[0])
    return worst if worst[0] > 0 else (0.0, None)


def _recovered(window: Window) -> bool:
    return _calm(window) and all(
        _between(count, window.sent, _RECOVERED)[1] < limit for count, limit, _ in _rates(window)
    )


def _calm(window: Window) -> bool:
    return window.sent == 0 or all(count < limit / 2 * window.sent for count, limit, _ in _rates(window))


def _unread(day: Window, week: Window) -> bool:
    if day.delivered < ENOUGH or week.delivered < ENOUGH:
        return False
    return day.read / day.delivered < week.read / week.delivered / 2


def _between(count: int, of: int, deviations: float) -> tuple[float, float]:
    """The ends of the Wilson score interval of count/of (Wilson 1927): the rate hardly lies outside."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = min(count / of, 1.0), deviations**2
    middle, spread = share + z2 / (2 * of), deviations * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return max((middle - spread) / (1 + z2 / of), 0.0), (middle + spread) / (1 + z2 / of)

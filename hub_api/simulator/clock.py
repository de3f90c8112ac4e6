"""The simulator's clock, which can run faster than the world's, stand still or jump, and what is due on it."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Any

# What is due within so many real seconds happens together: a timer for each would cost more than the calls.
TICK_S = 0.005
DUE_PER_TICK = 500  # more due calls than this wait for the next turn of the loop, so that requests get theirs


class Clock:
    """Unix seconds that pass `speed` times as fast as real ones; at speed 0 only `advance` moves them."""

    def __init__(self, speed: float = 1.0, start: float | None = None) -> None:
        self.speed = speed
        self._base = time.time() if start is None else start
        self._anchor = time.monotonic()
        self._listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        """Simulated Unix time in seconds."""
        return self._base + (time.monotonic() - self._anchor) * self.speed

    def set(self, *, speed: float | None = None, now: float | None = None) -> None:
        """Change the pace, the time, or both, from this moment on. Raises ValueError on a negative speed."""
        if speed is not None and speed < 0:
            raise ValueError(f"the clock cannot run backwards: speed {speed} must be 0 or more")
        self._base = self.now() if now is None else now
        self._anchor = time.monotonic()
        if speed is not None:
            self.speed = speed
        for listener in self._listeners:
            listener()

    def advance(self, seconds: float) -> None:
        """Jump forward by simulated seconds; what is due by then happens now."""
        self.set(now=self.now() + seconds)

    def real_delay(self, when: float) -> float | None:
        """Real seconds until simulated time `when`; None while the clock stands still and `when` is ahead."""
        ahead = when - self.now()
        if ahead <= 0:
            return 0.0
        return ahead / self.speed if self.speed else None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever pace or time is changed by hand."""
        self._listeners.append(listener)


class Timeline:
    """Calls to make at simulated times, in order of time; needs a running event loop once something is planned."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_for = 0.0
        clock.on_change(self._rearm)

    def __len__(self) -> int:
        return len(self._due)

    def coming(self) -> int:
        """How many planned calls will happen by themselves: all while the clock runs, the due ones while it stands."""
        if self._clock.speed:
            return len(self._due)
        now = self._clock.now()
        return sum(1 for when, *_ in self._due if when <= now)

    def at(self, when: float, call: Callable[..., None], *args: Any) -> None:
        """Plan `call(*args)` for simulated Unix time `when` (at the loop's next turn if that is past)."""
        heapq.heappush(self._due, (when, next(self._sequence), call, args))
        if self._timer is None or when < self._timer_for:
            self._rearm()

    def after(self, seconds: float, call: Callable[..., None], *args: Any) -> None:
        """Plan `call(*args)` in so many simulated seconds."""
        self.at(self._clock.now() + seconds, call, *args)

    def clear(self) -> None:
        """Forget everything that was planned."""
        self._due.clear()
        self._rearm()

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._due:
            return
        delay = self._clock.real_delay(self._due[0][0])
        if delay is not None:
            self._timer_for = self._due[0][0]
            self._timer = asyncio.get_running_loop().call_later(max(delay, TICK_S) if delay else 0, self._run_due)

    def _run_due(self) -> None:
        self._timer = None
        now = self._clock.now()
        for _ in range(DUE_PER_TICK):
            if not self._due or self._due[0][0] > now:
                break
            _, _, call, args = heapq.heappop(self._due)
            call(*args)
        if self._timer is None:  # a call may have planned something and armed it already
            self._rearm()

"""The clocks of promises: pure. What a conversation is at a moment starts them, lets them run, stops or ends them.

- `first_response`: from when the conversation comes to people until the first message of a person.
- `next_response`: from the customer's oldest unanswered message until an answer; each wait is a clock of its own.
- `resolution`: from the opening until it is resolved; a reopening lets it go on where it stood.

While a conversation waits for the customer, or the bot has it, nobody is late: the clocks stand.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from hub_api.chat.hours import Hours

Target = Literal["first_response", "next_response", "resolution"]
TARGETS: tuple[Target, ...] = ("first_response", "next_response", "resolution")

WITH_US = ("queued", "assigned")
OVER = ("resolved", "closed")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a conversation was at `at`: the columns of `sla_marks`."""

    conversation_id: UUID
    at: datetime
    state: str
    queue_id: UUID | None
    priority: int
    opened_at: datetime
    line_at: datetime | None
    first_response_at: datetime | None
    unanswered_since: datetime | None


@dataclass(frozen=True, slots=True)
class Policy:
    """A promise: `target` within `seconds`, counted in `hours` (None: calendar time), with a warning so long before."""

    id: UUID
    target: str
    queue_id: UUID | None
    priority: int | None
    seconds: int
    warn_before_s: int
    hours: Hours | None = None
    hours_of: UUID | None = None  # the queue

    def spent(self, since: datetime, until: datetime) -> float:
        """Seconds of this promise's time between two moments, never below 0."""
        if self.hours is not None:
            return self.hours.between(since, until)
        return max((until - since).total_seconds(), 0.0)

    def after(self, since: datetime, seconds: float) -> datetime | None:
        """When so many seconds of its time have passed; None: never, within a year."""
        if self.hours is not None:
            return self.hours.after(since, max(seconds, 0.0))
        return since + timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Clock:
    """A promise's clock for one conversation: it runs from `running_since` on top of `spent_s`, or stands (None)."""

    policy: Policy
    started_at: datetime
    running_since: datetime | None = None
    spent_s: float = 0.0
    warned_at: datetime | None = None
    breached_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """When the promise is broken if nothing changes; None while it stands."""
        if self.running_since is None:
            return None
        return self.policy.after(self.running_since, self.policy.seconds - self.spent_s)

    @property
    def warn_at(self) -> datetime | None:
        """When to warn; None while it stands and for a promise without a warning."""
        if self.running_since is None or not self.policy.warn_before_s:
            return None
        return self.policy.after(self.running_since, self.policy.seconds - self.policy.warn_before_s - self.spent_s)

    def stand(self, at: datetime) -> "Clock":
        """The same, not running from `at` on."""
        if self.running_since is None:
            return self
        return replace(self, running_since=None, spent_s=self.spent_s + self.policy.spent(self.running_since, at))

    def run(self, at: datetime, policy: Policy) -> "Clock":
        """The same, running by `policy` from `at` on; as it was where it runs by that already."""
        if self.running_since is not None and self.policy == policy and self.ended_at is None:
            return self
        return replace(self.stand(at), running_since=at, policy=policy, ended_at=None)


def policy_for(policies: Iterable[Policy], target: str, moment: Moment) -> Policy | None:
    """The most special promise: queue and priority before queue, before priority, before any; of equals the newest."""
    fitting = [
        one
        for one in policies
        if one.target == target and one.queue_id in (None, moment.queue_id) and one.priority in (None, moment.priority)
    ]
    return max(fitting, key=lambda one: (one.queue_id is not None, one.priority is not None, one.id), default=None)


def follow(clock: Clock | None, target: str, moment: Moment, policy: Policy | None) -> Clock | None:
    """The clock after a moment; None where none ever ran. Without a policy (any more) a running one ends."""
    over = moment.state in OVER or policy is None or _is_answered(target, moment)
    if over or policy is None:
        if clock is None or clock.ended_at is not None:
            return clock
        return replace(clock.stand(moment.at), ended_at=moment.at)
    since = _since(target, moment)
    if since is None:
        return clock.stand(moment.at) if clock else None
    if clock is None or (target == "next_response" and clock.started_at != since):
        return Clock(policy, since, running_since=since)
    return clock.run(moment.at, policy)


def _is_answered(target: str, moment: Moment) -> bool:
    if target == "first_response":
        return moment.first_response_at is not None
    return target == "next_response" and moment.unanswered_since is None


def _since(target: str, moment: Moment) -> datetime | None:
    """From when the clock runs as of this moment; None while it stands."""
    if moment.state not in WITH_US:
        return None
    if target == "first_response":
        return moment.line_at or moment.at
    if target == "resolution":
        return moment.opened_at
    return moment.unanswered_since if moment.first_response_at is not None else None


def columns(clock: Clock) -> tuple[Any, ...]:
    """What `sla_clocks` keeps of it, in the order of the query `save_clock`."""
    return (
        clock.policy.id,
        clock.policy.hours_of,
        clock.started_at,
        clock.running_since,
        clock.spent_s,
        clock.due_at,
        clock.warn_at,
        clock.warned_at,
        clock.breached_at,
        clock.ended_at,
    )

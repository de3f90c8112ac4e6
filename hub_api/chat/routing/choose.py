"""Whom a conversation goes to: a pure decision from what it wants, who is there, and the queue's strategy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wants:
    """What a waiting conversation asks for: its queue's wishes and its own together.

    `skills`: skill -> least level 1..5. `languages`: one of them is spoken; empty: any. `last_agent_id`: who served the
    customer before. `preferred_id`: whom the external hook named.
    """

    priority: int = 1
    skills: Mapping[str, int] = field(default_factory=dict)
    languages: frozenset[str] = frozenset()
    last_agent_id: UUID | None = None
    preferred_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent who is online: `load` of `capacity` slots are taken. `idle_since`: he got or ended nothing since."""

    agent_id: UUID
    load: int
    capacity: int
    idle_since: datetime = _NEVER
    last_assigned_at: datetime | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    languages: frozenset[str] = frozenset()

    def taking_one(self, at: datetime) -> "Candidate":
        """The same agent with one conversation more."""
        return replace(self, load=self.load + 1, last_assigned_at=at, idle_since=at)

    def features(self) -> dict[str, Any]:
        """What the decision knew of him, as JSON."""
        told = asdict(self)
        return {
            **told,
            "agent_id": str(self.agent_id),
            "idle_since": self.idle_since.isoformat(),
            "last_assigned_at": self.last_assigned_at.isoformat() if self.last_assigned_at else None,
            "languages": sorted(self.languages),
            "skills": dict(self.skills),
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it, and why him: the rule that decided."""

    agent_id: UUID
    reason: str


def fits(wants: Wants, candidate: Candidate) -> bool:
    """Whether he has a free slot, every skill at its level, and a language."""
    return (
        candidate.load < candidate.capacity
        and all(candidate.skills.get(skill, 0) >= level for skill, level in wants.skills.items())
        and (not wants.languages or not wants.languages.isdisjoint(candidate.languages))
    )


def choose(wants: Wants, candidates: Sequence[Candidate], strategy: str) -> Choice | None:
    """The best of those that fit by `strategy` (a key of STRATEGIES); None when nobody fits. Equal ones: the lowest id.

    Whom the hook named wins if he fits, whatever the strategy. Raises KeyError for an unknown strategy.
    """
    fitting = [one for one in candidates if fits(wants, one)]
    if not fitting:
        return None
    if any(one.agent_id == wants.preferred_id for one in fitting):
        return Choice(wants.preferred_id, "hook")  # type: ignore[arg-type]
    if strategy == "last_agent":
        if any(one.agent_id == wants.last_agent_id for one in fitting):
            return Choice(wants.last_agent_id, "last_agent")  # type: ignore[arg-type]
        strategy = "least_busy"
    best = min(fitting, key=lambda one: (STRATEGIES[strategy](wants, one), one.agent_id))
    return Choice(best.agent_id, strategy)


def _least_busy(wants: Wants, one: Candidate) -> tuple[Any, ...]:
    return one.load / one.capacity, one.idle_since


def _round_robin(wants: Wants, one: Candidate) -> tuple[Any, ...]:
    return (one.last_assigned_at or _NEVER,)


def _weighted(wants: Wants, one: Candidate) -> tuple[Any, ...]:
    """Of critical conversations skill decides, of low ones free capacity, so that experts stay free for what needs them.

    score = urgency * skill + (1 - urgency) * free, with urgency = (priority - 1) / 4, skill the mean level of the wanted
    skills / 5 (1 when none is wanted), free the share of free slots: each from 0 to 1.
    """
    urgency = (wants.priority - 1) / 4
    skill = sum(one.skills.get(name, 0) for name in wants.skills) / (5 * len(wants.skills)) if wants.skills else 1.0
    free = 1 - one.load / one.capacity
    return -(urgency * skill + (1 - urgency) * free), one.idle_since


STRATEGIES: Mapping[str, Callable[[Wants, Candidate], tuple[Any, ...]]] = {
    "least_busy": _least_busy,
    "round_robin": _round_robin,
    "weighted": _weighted,
}

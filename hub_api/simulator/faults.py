"""Faults on demand: what the next calls, a share of them, or those of one number, user or template meet."""

import itertools
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Literal, get_args

Kind = Literal["error", "failed_status", "drop_before", "drop_after", "timeout", "delay", "http"]

_ids = itertools.count(1)


@dataclass(slots=True)
class Fault:
    """One rule. It applies to calls that match all given filters, `times` times at most, to `share` of them.

    error: the call is refused with `code`. failed_status: it is accepted and a failed status with `code` follows.
    drop_before / drop_after: the connection is cut before / after the message is accepted. timeout: accepted, answered
    only after `seconds`. delay: answered normally after `seconds`. http: a bare answer with `status` and `body`.
    Seconds are real ones: they are there to meet the caller's timeouts.
    """

    kind: Kind
    code: int = 131000
    details: str = ""
    seconds: float = 60.0
    status: int = 500
    body: str = ""
    times: int | None = None
    share: float = 1.0
    number_id: str | None = None
    user: str | None = None  # digits of the phone, or BSUID, as addressed
    template: str | None = None
    id: int = field(default_factory=lambda: next(_ids))
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown fault kind {self.kind!r}: use one of {', '.join(get_args(Kind))}")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share {self.share} must be between 0 and 1")


MediaKind = Literal["gone", "wrong_content", "truncated", "foreign_redirect", "foreign_url", "slow", "http"]


@dataclass(slots=True)
class MediaFault:
    """One rule for files, `times` times at most.

    gone: the address is answered with 404, as one whose 5 minutes are over. wrong_content: other bytes of the same length.
    truncated: half of them, then the connection is cut. foreign_redirect: a redirect to `url`. foreign_url: the look-up
    tells `url`. slow: the bytes come after `seconds`. http: a bare answer with `status`, to the look-up and the download.
    """

    kind: MediaKind
    times: int | None = None
    seconds: float = 5.0
    status: int = 500
    url: str = "http://127.0.0.1:1/"
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(MediaKind):
            raise ValueError(f"unknown media fault {self.kind!r}: use one of {', '.join(get_args(MediaKind))}")


class MediaFaults:
    """The rules for files in force; the first that applies wins."""

    def __init__(self) -> None:
        self.rules: list[MediaFault] = []

    def pick(self, *kinds: MediaKind) -> MediaFault | None:
        """The rule of one of these kinds that a call meets, if any; counts the hit and drops a rule that is used up."""
        for rule in self.rules:
            if rule.kind in kinds:
                rule.hits += 1
                if rule.times is not None and rule.hits >= rule.times:
                    self.rules.remove(rule)
                return rule
        return None


@dataclass(slots=True)
class GraphFault:
    """One rule for calls beside messages and files whose path ends in `path`, `times` times at most: refused with `code`,
    or, without one, answered with `answer` and nothing done."""

    path: str
    method: str = "POST"
    code: int | None = None
    details: str = ""
    answer: dict[str, Any] = field(default_factory=lambda: {"success": True})
    times: int | None = None
    hits: int = 0


class GraphFaults:
    """The rules for such calls in force; the first that applies wins."""

    def __init__(self) -> None:
        self.rules: list[GraphFault] = []

    def pick(self, method: str, path: str) -> GraphFault | None:
        """The rule that a call meets, if any; counts the hit and drops a rule that is used up."""
        for rule in self.rules:
            if rule.method == method and path.endswith(rule.path):
                rule.hits += 1
                if rule.times is not None and rule.hits >= rule.times:
                    self.rules.remove(rule)
                return rule
        return None


class Faults:
    """The rules in force, tried in the order they were added; the first that applies wins."""

    def __init__(self) -> None:
        self.rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force."""
        self.rules.append(fault)
        return fault

    def remove(self, fault_id: int | None = None) -> None:
        """Lift one rule, or all."""
        self.rules = [] if fault_id is None else [rule for rule in self.rules if rule.id != fault_id]

    def pick(self, number_id: str, address: str, template: str, rng: Random) -> Fault | None:
        """The rule this call meets, if any; counts the hit and drops a rule that is used up."""
        for rule in self.rules:
            if (
                rule.number_id not in (None, number_id)
                or (rule.user is not None and rule.user.lstrip("+") != address)
                or rule.template not in (None, template)
                or (rule.share < 1 and rng.random() >= rule.share)
            ):
                continue
            rule.hits += 1
            if rule.times is not None and rule.hits >= rule.times:
                self.rules.remove(rule)
            return rule
        return None

    def shown(self) -> list[dict[str, Any]]:
        """The rules as JSON objects."""
        return [asdict(rule) for rule in self.rules]

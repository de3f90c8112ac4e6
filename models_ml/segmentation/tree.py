"""The typed tree of a segment: what may be asked of customers, in and out of JSON.

`parse` takes JSON (untrusted) and either gives a tree of frozen nodes or raises `InvalidTree` with every fault and the path
at which it stands (`$.of[1].window_days`). A missing value (NULL) satisfies no condition; `not` of it does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args
from uuid import UUID

Comparison = Literal["eq", "ne", "lt", "le", "gt", "ge"]
TextTest = Literal["in", "not_in"]
TagTest = Literal["any", "all", "none"]
Response = Literal["received", "read", "replied", "not_read", "not_replied"]
ConsentState = Literal["granted", "refused", "unknown"]

COMPARISONS: tuple[str, ...] = get_args(Comparison)


@dataclass(frozen=True, slots=True)
class And:
    """All of these hold."""

    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these holds."""

    of: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold; true also where it cannot be told."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column against a value: texts by `in`/`not_in` a list, numbers and money (in units of currency) by comparison."""

    field: str
    op: str
    value: tuple[str, ...] | float | bool


@dataclass(frozen=True, slots=True)
class Known:
    """Whether a value is there at all: `known` false finds those of whom it is not known."""

    field: str
    known: bool


@dataclass(frozen=True, slots=True)
class Tags:
    """Any, all or none of these tags."""

    test: TagTest
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How often an action happened in `window_days` business days that ended `ago_days` before the day of the features."""

    action: str
    op: Comparison
    count: int
    window_days: int
    ago_days: int = 0
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a sequence."""

    action: str
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sequence:
    """`first`, and after it (by the clock) `then` at most `within_days` times 24 hours later, both in the window."""

    first: Step
    then: Step
    within_days: int
    window_days: int


@dataclass(frozen=True, slots=True)
class Inactivity:
    """No message of the customer for at least `days` days; `never`: who never wrote counts too."""

    days: int
    never: bool = True


@dataclass(frozen=True, slots=True)
class Campaign:
    """What became of the campaign messages (of these templates, else of any) that reached the customer in the window."""

    response: Response
    window_days: int
    template: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How many of the customer's messages in the window had this sentiment."""

    label: str
    op: Comparison
    count: int
    window_days: int


@dataclass(frozen=True, slots=True)
class Metric:
    """A customer's mean of a key figure over the window: first_response_seconds or satisfaction (1 to 5)."""

    metric: str
    op: Comparison
    value: float
    window_days: int


@dataclass(frozen=True, slots=True)
class Geography:
    """Where the customer lives, by macro_region, state_code, city or region_code (the network's)."""

    level: str
    places: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer has decided on marketing or utility messages."""

    scope: Literal["marketing", "utility"]
    state: ConsentState


@dataclass(frozen=True, slots=True)
class Random:
    """The share of customers whose bucket lies in [from_percent, to_percent); the salt decides who that is, for good."""

    salt: str
    from_percent: float
    to_percent: float


@dataclass(frozen=True, slots=True)
class Segment:
    """Who is in another segment, by its definition now."""

    segment_id: UUID


@dataclass(frozen=True, slots=True)
class Listed:
    """These customers, one by one."""

    customer_ids: tuple[UUID, ...]


Node = (
    And | Or | Not | Attribute | Known | Tags | Behaviour | Sequence | Inactivity | Campaign | Sentiment | Metric | Geography
    | Consent | Random | Segment | Listed
)  # fmt: skip


def to_json(node: Node) -> dict[str, Any]:
    """The tree as JSON values; `parse(to_json(tree)) == tree`."""
    from models_ml.segmentation.parse import NAMES

    shown: dict[str, Any] = {"type": NAMES[type(node)]}
    for field in fields(node):
        value = getattr(node, field.name)
        if value != field.default:
            shown[field.name] = _value(value)
    return shown


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(one) for one in value]
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Step):
        return {"action": value.action, **({"detail": list(value.detail)} if value.detail else {})}
    return to_json(value) if isinstance(value, Node) else value


def walk(node: Node, visit: Callable[[Node], None]) -> None:
    """Call `visit` with every node, parents first."""
    visit(node)
    match node:
        case And(of) | Or(of):
            for one in of:
                walk(one, visit)
        case Not(of):
            walk(of, visit)


def nested(node: Node) -> set[UUID]:
    """The segments that a tree speaks of."""
    found: set[UUID] = set()
    walk(node, lambda one: found.add(one.segment_id) if isinstance(one, Segment) else None)
    return found


def expand(node: Node, known: Mapping[UUID, Node], seen: tuple[UUID, ...] = ()) -> Node:
    """The tree with each nested segment replaced by its own tree. Raises LookupError naming one that is not `known`, and
    RecursionError when a segment is part of itself or they stand more than MAX_NESTED deep."""
    match node:
        case And(of):
            return And(tuple(expand(one, known, seen) for one in of))
        case Or(of):
            return Or(tuple(expand(one, known, seen) for one in of))
        case Not(one):
            return Not(expand(one, known, seen))
        case Segment(segment_id):
            if segment_id in seen:
                raise RecursionError(f"the segment {segment_id} is part of itself")
            if len(seen) >= MAX_NESTED:
                raise RecursionError(f"segments stand more than {MAX_NESTED} deep in each other")
            if segment_id not in known:
                raise LookupError(str(segment_id))
            return expand(known[segment_id], known, (*seen, segment_id))
        case _:
            return node


MAX_NESTED = 5

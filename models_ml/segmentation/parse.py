"""JSON into a tree: every fault is told with its path, and nothing that was not foreseen comes through."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple
from uuid import UUID

from models_ml.segmentation import catalogue, tree
from models_ml.segmentation.tree import Node

MAX_DEPTH: Final = 12
MAX_NODES: Final = 200
MAX_VALUES: Final = 500
MAX_LISTED: Final = 1_000
MAX_TEXT: Final = 200
MAX_DAYS: Final = 400
MAX_COUNT: Final = 1_000_000
MAX_NUMBER: Final = 1e12
MAX_FAULTS: Final = 50


class Fault(NamedTuple):
    """What is wrong, and where: `$.of[0].op`."""

    path: str
    message: str


class InvalidTree(ValueError):
    """The JSON is no segment; `faults` names each place."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in faults[:3]))
        self.faults = faults


class _Bad(Exception):
    """A value that cannot be taken; what is told is in the reader's list already."""


class _Reader:
    """The faults found so far, and how much of the tree was read."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.nodes = 0

    def bad(self, path: str, message: str) -> _Bad:
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(Fault(path, message))
        return _Bad()


Read = Callable[[_Reader, Any, str], Any]


class _Field(NamedTuple):
    """How a member of a node is read; without `required` its absence leaves the default."""

    read: Read
    required: bool = True


def parse(value: Any) -> Node:
    """The tree that a JSON value stands for. Raises InvalidTree."""
    reader = _Reader()
    try:
        found = _node(reader, value, "$", 1)
    except _Bad:
        found = None
    if reader.faults or found is None:
        raise InvalidTree(reader.faults)
    return found


def _node(reader: _Reader, value: Any, path: str, depth: int) -> Node:
    if not isinstance(value, Mapping):
        raise reader.bad(path, "must be an object with a `type`")
    reader.nodes += 1
    if reader.nodes > MAX_NODES:
        raise reader.bad(path, f"a segment has at most {MAX_NODES} conditions")
    if depth > MAX_DEPTH:
        raise reader.bad(path, f"conditions stand at most {MAX_DEPTH} deep")
    name = value.get("type")
    if not isinstance(name, str) or name not in _SHAPES:
        raise reader.bad(f"{path}.type", f"must be one of {', '.join(_SHAPES)}")
    if name in ("and", "or"):
        return _group(reader, name, value, path, depth)
    if name == "not":
        _only(reader, value, {"type", "of"}, path)
        return tree.Not(_node(reader, value.get("of"), f"{path}.of", depth + 1))
    made, members = _SHAPES[name]
    _only(reader, value, {"type", *members}, path)
    read = _members(reader, value, members, path)
    return _checked(reader, made(**read), path)


def _group(reader: _Reader, name: str, value: Mapping[str, Any], path: str, depth: int) -> Node:
    _only(reader, value, {"type", "of"}, path)
    of = value.get("of")
    if not isinstance(of, list) or not of:
        raise reader.bad(f"{path}.of", "must be a list of at least one condition")
    if len(of) > MAX_NODES:
        raise reader.bad(f"{path}.of", f"a segment has at most {MAX_NODES} conditions")
    read = []
    for place, one in enumerate(of):
        try:
            read.append(_node(reader, one, f"{path}.of[{place}]", depth + 1))
        except _Bad:
            continue
    if len(read) < len(of):
        raise _Bad
    return tree.And(tuple(read)) if name == "and" else tree.Or(tuple(read))


def _members(reader: _Reader, value: Mapping[str, Any], members: Mapping[str, _Field], path: str) -> dict[str, Any]:
    read, failed = {}, False
    for member, field in members.items():
        if member not in value:
            if field.required:
                reader.bad(f"{path}.{member}", "is missing")
                failed = True
            continue
        try:
            read[member] = field.read(reader, value[member], f"{path}.{member}")
        except _Bad:
            failed = True
    if failed:
        raise _Bad
    return read


def _only(reader: _Reader, value: Mapping[str, Any], allowed: set[str], path: str) -> None:
    for strange in value.keys() - allowed:
        reader.bad(path, f"has no member {_shown(strange)}; it has {', '.join(sorted(allowed))}")


def _shown(name: object) -> str:
    return repr(str(name)[:40].encode("ascii", "backslashreplace").decode())


def _checked(reader: _Reader, node: Node, path: str) -> Node:
    """What two members say of each other."""
    match node:
        case tree.Attribute(field, op, value):
            kind = catalogue.ATTRIBUTES[field]
            ops = ("in", "not_in") if kind == "text" else tree.COMPARISONS
            if op not in ops:
                raise reader.bad(f"{path}.op", f"{field} is compared by {', '.join(ops)}")
            if isinstance(value, tuple) != (kind == "text"):
                wanted = "a list of texts" if kind == "text" else "a number"
                raise reader.bad(f"{path}.value", f"{field} is compared with {wanted}")
        case tree.Behaviour(action=action, detail=detail):
            _detail(reader, action, detail, path)
        case tree.Sequence(first, then, within_days, window_days):
            _detail(reader, first.action, first.detail, f"{path}.first")
            _detail(reader, then.action, then.detail, f"{path}.then")
            if within_days > window_days:
                raise reader.bad(f"{path}.within_days", "is longer than window_days")
        case tree.Random(_, low, high) if low >= high:
            raise reader.bad(f"{path}.to_percent", "must be more than from_percent")
    return node


def _detail(reader: _Reader, action: str, detail: tuple[str, ...], path: str) -> None:
    if detail and catalogue.DETAILS[action] is None:
        raise reader.bad(f"{path}.detail", f"{action} has no detail")


def _text(reader: _Reader, value: Any, path: str) -> str:
    if not isinstance(value, str) or not value or len(value) > MAX_TEXT:
        raise reader.bad(path, f"must be a text of 1 to {MAX_TEXT} characters")
    if any(ord(sign) < 32 or 0xD800 <= ord(sign) <= 0xDFFF for sign in value):
        raise reader.bad(path, "holds a control character or half a character")
    return value


def _texts(reader: _Reader, value: Any, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_VALUES:
        raise reader.bad(path, f"must be a list of 1 to {MAX_VALUES} texts")
    return tuple(_text(reader, one, f"{path}[{place}]") for place, one in enumerate(value))


def _number(low: float, high: float) -> Read:
    def read(reader: _Reader, value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not _within(value, low, high):
            raise reader.bad(path, f"must be a number from {low:g} to {high:g}")
        return float(value)

    return read


def _within(value: float, low: float, high: float) -> bool:
    return (isinstance(value, int) or math.isfinite(value)) and low <= value <= high


def _whole(low: int, high: int) -> Read:
    def read(reader: _Reader, value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise reader.bad(path, f"must be a whole number from {low} to {high}")
        return value

    return read


def _bool(reader: _Reader, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise reader.bad(path, "must be true or false")
    return value


def _one_of(*values: str) -> Read:
    def read(reader: _Reader, value: Any, path: str) -> str:
        if not isinstance(value, str) or value not in values:
            raise reader.bad(path, f"must be one of {', '.join(values)}")
        return value

    return read


def _uuid(reader: _Reader, value: Any, path: str) -> UUID:
    try:
        return UUID(value if isinstance(value, str) and len(value) == 36 else "")
    except ValueError:
        raise reader.bad(path, "must be an id (UUID)") from None


def _uuids(reader: _Reader, value: Any, path: str) -> tuple[UUID, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_LISTED:
        raise reader.bad(path, f"must be a list of 1 to {MAX_LISTED} ids")
    return tuple(_uuid(reader, one, f"{path}[{place}]") for place, one in enumerate(value))


def _texts_or_number(reader: _Reader, value: Any, path: str) -> tuple[str, ...] | float:
    if isinstance(value, list):
        return _texts(reader, value, path)
    found: float = _number(-MAX_NUMBER, MAX_NUMBER)(reader, value, path)
    return found


def _step(reader: _Reader, value: Any, path: str) -> tree.Step:
    if not isinstance(value, Mapping):
        raise reader.bad(path, "must be an object with an `action`")
    _only(reader, value, {"action", "detail"}, path)
    return tree.Step(**_members(reader, value, {"action": _ACTION, "detail": _Field(_texts, required=False)}, path))


_ACTION = _Field(_one_of(*catalogue.DETAILS))
_COMPARISON = _Field(_one_of(*tree.COMPARISONS))
_WINDOW = _Field(_whole(1, MAX_DAYS))
_PERCENT = _Field(_number(0, 100))
_COUNT = _Field(_whole(0, MAX_COUNT))
_SHAPES: Final[Mapping[str, tuple[type[Any], Mapping[str, _Field]]]] = {
    "and": (tree.And, {}),
    "or": (tree.Or, {}),
    "not": (tree.Not, {}),
    "attribute": (
        tree.Attribute,
        {
            "field": _Field(_one_of(*catalogue.ATTRIBUTES)),
            "op": _Field(_one_of("in", "not_in", *tree.COMPARISONS)),
            "value": _Field(_texts_or_number),
        },
    ),
    "known": (tree.Known, {"field": _Field(_one_of(*sorted(catalogue.NULLABLE))), "known": _Field(_bool)}),
    "tags": (tree.Tags, {"test": _Field(_one_of("any", "all", "none")), "tags": _Field(_texts)}),
    "behaviour": (
        tree.Behaviour,
        {
            "action": _ACTION,
            "op": _COMPARISON,
            "count": _COUNT,
            "window_days": _WINDOW,
            "ago_days": _Field(_whole(0, MAX_DAYS), required=False),
            "detail": _Field(_texts, required=False),
        },
    ),
    "sequence": (
        tree.Sequence,
        {"first": _Field(_step), "then": _Field(_step), "within_days": _WINDOW, "window_days": _WINDOW},
    ),
    "inactivity": (tree.Inactivity, {"days": _WINDOW, "never": _Field(_bool, required=False)}),
    "campaign": (
        tree.Campaign,
        {
            "response": _Field(_one_of("received", "read", "replied", "not_read", "not_replied")),
            "window_days": _WINDOW,
            "template": _Field(_texts, required=False),
        },
    ),
    "sentiment": (
        tree.Sentiment,
        {"label": _Field(_one_of(*catalogue.SENTIMENTS)), "op": _COMPARISON, "count": _COUNT, "window_days": _WINDOW},
    ),
    "kpi": (
        tree.Metric,
        {
            "metric": _Field(_one_of(*catalogue.METRICS)),
            "op": _COMPARISON,
            "value": _Field(_number(0, MAX_NUMBER)),
            "window_days": _WINDOW,
        },
    ),
    "geography": (tree.Geography, {"level": _Field(_one_of(*catalogue.PLACES)), "places": _Field(_texts)}),
    "consent": (
        tree.Consent,
        {
            "scope": _Field(_one_of(*catalogue.CONSENTS)),
            "state": _Field(_one_of("granted", "refused", "unknown")),
        },
    ),
    "random": (tree.Random, {"salt": _Field(_text), "from_percent": _PERCENT, "to_percent": _PERCENT}),
    "segment": (tree.Segment, {"segment_id": _Field(_uuid)}),
    "list": (tree.Listed, {"customer_ids": _Field(_uuids)}),
}
NAMES: Final[Mapping[type[Any], str]] = {made: name for name, (made, _) in _SHAPES.items()}

"""A tree into one parameterised ClickHouse query: identifiers from the catalogue alone, every value bound.

A condition is an expression over one row of gold.customer_features (alias `f`) of one day. What that row does not have ready
is a subquery over gold.customer_actions_daily, by whose first key column (`action`) ClickHouse reads little of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from models_ml.segmentation import tree
from models_ml.segmentation.catalogue import ACTIONS, ATTRIBUTES, CONSENTS, FEATURES, METRICS, READY
from models_ml.segmentation.tree import Node

SIGNS: Mapping[str, str] = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
MICROS = 1_000_000
# Of a day's row of actions: its first and its last moment, once when they are one; twice the microseconds.
_MOMENTS = "arrayMap(one -> toUInt64(2 * toUnixTimestamp64Micro(one)), if(first_at = last_at, [first_at], [first_at, last_at]))"
BUCKETS = 10_000  # a random share is told to a hundredth of a percent


@dataclass(frozen=True)
class Compiled:
    """A condition over `f`, the values it names, the columns it reads (lineage), and how many subqueries it has."""

    condition: str
    parameters: Mapping[str, Any]
    columns: frozenset[str]
    subqueries: int


@dataclass
class _Build:
    """What one compilation has bound and read so far."""

    as_of: date
    prefix: str
    parameters: dict[str, Any] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)
    subqueries: int = 0

    def bind(self, value: Any, kind: str) -> str:
        name = f"{self.prefix}{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def column(self, name: str) -> str:
        self.columns.add(f"{FEATURES}.{name}")
        return f"f.{name}"


def compile_tree(node: Node, as_of: date, prefix: str = "p") -> Compiled:
    """The condition of an expanded tree (`tree.expand`) for the features of the day `as_of`.

    `prefix` keeps the names of several segments in one query apart. Raises TypeError on a nested segment that was not
    expanded.
    """
    build = _Build(as_of, prefix)
    condition = _condition(build, node)
    return Compiled(condition, build.parameters, frozenset(build.columns), build.subqueries)


def members_query(compiled: Compiled, as_of: date) -> tuple[str, dict[str, Any]]:
    """Who is in the segment: a query with one column, customer_id, and its values."""
    sql = f"SELECT f.customer_id AS customer_id FROM {FEATURES} AS f WHERE f.day = {{as_of:Date}} AND {compiled.condition}"  # noqa: S608
    return sql, {**compiled.parameters, "as_of": as_of}


def preview_query(compiled: Compiled, as_of: date, sample: int) -> tuple[str, dict[str, Any]]:
    """How many are in it, of how many customers, and `sample` of them, always the same: one row."""
    sql = (
        f"SELECT countIf(inside) AS members, count() AS customers, "  # noqa: S608 - identifiers of the catalogue
        f"arraySlice(groupArraySortedIf({{sample:UInt32}})(tuple(cityHash64(customer_id), customer_id), inside), 1).2 AS sample FROM "
        f"(SELECT f.customer_id AS customer_id, {compiled.condition} AS inside FROM {FEATURES} AS f WHERE f.day = {{as_of:Date}})"
    )
    # The number of a parametric aggregate cannot be a bound value: it is our own integer.
    return sql.replace("{sample:UInt32}", str(int(sample))), {**compiled.parameters, "as_of": as_of}


def membership_query(segments: Mapping[str, Compiled], as_of: date) -> tuple[str, dict[str, Any]]:
    """All these segments in one pass over the features: rows (key, customer_id) of who is in which.

    Keys are bound too; the segments must have been compiled with different prefixes.
    """
    parameters: dict[str, Any] = {"as_of": as_of}
    inside = []
    for place, (key, compiled) in enumerate(segments.items()):
        parameters |= compiled.parameters
        parameters[f"key{place}"] = key
        inside.append(f"if({compiled.condition}, {{key{place}:String}}, '')")
    sql = (
        f"SELECT arrayJoin(arrayFilter(one -> one != '', [{', '.join(inside)}])) AS key, f.customer_id AS customer_id "  # noqa: S608
        f"FROM {FEATURES} AS f WHERE f.day = {{as_of:Date}}"
    )
    return sql, parameters


def _condition(build: _Build, node: Node) -> str:
    return _COMPILERS[type(node)](build, node)


def _joined(build: _Build, of: Iterable[Node], word: str) -> str:
    return f"({word.join(_condition(build, one) for one in of)})"


def _attribute(build: _Build, node: tree.Attribute) -> str:
    column, kind = build.column(node.field), ATTRIBUTES[node.field]
    if kind == "text":
        assert isinstance(node.value, tuple)  # noqa: S101 - as parse.py reads it
        word = "IN" if node.op == "in" else "NOT IN"
        return f"({column} {word} {build.bind(list(node.value), 'Array(String)')})"
    assert isinstance(node.value, float)  # noqa: S101 - as parse.py reads it
    value, of_kind = (round(node.value * MICROS), "Int64") if kind == "money" else (node.value, "Float64")
    compared = build.bind(value, of_kind)
    return f"(ifNull({column} {SIGNS[node.op]} {compared}, false))"


def _tags(build: _Build, node: tree.Tags) -> str:
    function = {"any": "hasAny", "all": "hasAll", "none": "NOT hasAny"}[node.test]
    return f"({function}({build.column('tags')}, {build.bind(list(node.tags), 'Array(String)')}))"


def _inactivity(build: _Build, node: tree.Inactivity) -> str:
    quiet = f"{build.column('inactive_days')} >= {build.bind(node.days, 'UInt32')}"
    return f"(ifNull({quiet}, {'true' if node.never else 'false'}))"


def _consent(build: _Build, node: tree.Consent) -> str:
    column = build.column(CONSENTS[node.scope])
    if node.state == "unknown":
        return f"({column} IS NULL)"
    return f"(ifNull({column} = {'true' if node.state == 'granted' else 'false'}, false))"


def _random(build: _Build, node: tree.Random) -> str:
    salted = f"concat({build.bind(node.salt, 'String')}, ':', toString(f.customer_id))"
    bucket = f"reinterpretAsUInt32(reverse(substring(MD5({salted}), 1, 4))) % {BUCKETS}"
    low, high = (build.bind(round(edge * BUCKETS / 100), "UInt32") for edge in (node.from_percent, node.to_percent))
    return f"({bucket} >= {low} AND {bucket} < {high})"


def _listed(build: _Build, node: tree.Listed) -> str:
    return f"(f.customer_id IN {build.bind(list(node.customer_ids), 'Array(UUID)')})"


def _unexpanded(build: _Build, node: tree.Segment) -> str:
    raise TypeError(f"the nested segment {node.segment_id} was not expanded")


def _counted(
    build: _Build, action: str, op: str, count: int, window_days: int, ago_days: int, detail: tuple[str, ...]
) -> str:
    """Whoever has no row has done it zero times: where zero satisfies, the subquery finds who does not."""
    ready = None if detail or ago_days else READY.get((action, window_days))
    if ready:
        return f"({build.column(ready)} {SIGNS[op]} {build.bind(count, 'UInt32')})"
    zero = {"eq": count == 0, "ne": count != 0, "lt": count > 0, "le": True, "gt": False, "ge": count == 0}[op]
    having = f"sum(actions) {SIGNS[op]} {build.bind(count, 'UInt32')}"
    found = _acted(build, [action], window_days, ago_days, detail)
    inner = f"SELECT customer_id FROM {found} GROUP BY customer_id HAVING {'NOT ' if zero else ''}({having})"  # noqa: S608
    return f"(f.customer_id {'NOT ' if zero else ''}IN ({inner}))"


def _acted(build: _Build, actions: list[str], window_days: int, ago_days: int, detail: tuple[str, ...]) -> str:
    """The rows of some actions in a window, as FROM … WHERE of a subquery."""
    build.subqueries += 1
    build.columns |= {f"{ACTIONS}.{name}" for name in ("day", "customer_id", "action", "actions")}
    last = build.as_of - timedelta(days=ago_days)
    days = f"day > {build.bind(last - timedelta(days=window_days), 'Date')} AND day <= {build.bind(last, 'Date')}"
    named = f"action IN {build.bind(actions, 'Array(String)')}"
    return f"{ACTIONS} WHERE {named} AND {days}{_detailed(build, detail)}"


def _detailed(build: _Build, detail: tuple[str, ...]) -> str:
    if not detail:
        return ""
    build.columns.add(f"{ACTIONS}.detail")
    return f" AND detail IN {build.bind(list(detail), 'Array(String)')}"


def _campaign(build: _Build, node: tree.Campaign) -> str:
    def did(action: str) -> str:
        return _counted(build, f"campaign_{action}", "ge", 1, node.window_days, 0, node.template)

    if not node.response.startswith("not_"):
        return did(node.response)
    return f"({did('received')} AND NOT {did(node.response.removeprefix('not_'))})"


def _metric(build: _Build, node: tree.Metric) -> str:
    build.columns.add(f"{ACTIONS}.value")
    found = _acted(build, [METRICS[node.metric]], node.window_days, 0, ())
    having = f"sum(value) / sum(actions) {SIGNS[node.op]} {build.bind(node.value, 'Float64')}"
    return f"(f.customer_id IN (SELECT customer_id FROM {found} GROUP BY customer_id HAVING {having}))"  # noqa: S608


def _sequence(build: _Build, node: tree.Sequence) -> str:
    """A then B: of each day the first and the last time are enough. Within a day some A stands before some B when the first A
    is before the last B; of an earlier day the last A is nearest, of a later day the first B.

    One pass over the rows of both with the engine's own funnel. Its moments are twice the microseconds, and one more for an A:
    so a B at the same moment comes before it, as nothing that follows. Lists of both, compared each with each, took twice as long.
    """
    build.columns |= {f"{ACTIONS}.first_at", f"{ACTIONS}.last_at"}
    found = _acted(build, sorted({node.first.action, node.then.action}), node.window_days, 0, ())
    first, then = (
        f"if(action = {build.bind(step.action, 'String')}{_detailed(build, step.detail)}, {_MOMENTS}, [])"
        for step in (node.first, node.then)
    )
    moments = f"arrayConcat(arrayMap(one -> one + 1, {first}), {then})"
    within = (
        2 * node.within_days * 86_400 * MICROS - 1
    )  # a parameter of an aggregate cannot be bound: it is our own integer
    inner = (
        f"SELECT customer_id FROM (SELECT customer_id, arrayJoin({moments}) AS moment FROM {found}) GROUP BY customer_id "  # noqa: S608
        f"HAVING windowFunnel({within})(moment, moment % 2 = 1, moment % 2 = 0) = 2"
    )
    return f"(f.customer_id IN ({inner}))"


_COMPILERS: Mapping[type[Any], Callable[[_Build, Any], str]] = {
    tree.And: lambda build, node: _joined(build, node.of, " AND "),
    tree.Or: lambda build, node: _joined(build, node.of, " OR "),
    tree.Not: lambda build, node: f"(NOT {_condition(build, node.of)})",
    tree.Attribute: _attribute,
    tree.Known: lambda build, node: f"({build.column(node.field)} IS {'NOT ' if node.known else ''}NULL)",
    tree.Tags: _tags,
    tree.Behaviour: lambda build, node: _counted(
        build, node.action, node.op, node.count, node.window_days, node.ago_days, node.detail
    ),
    tree.Sequence: _sequence,
    tree.Inactivity: _inactivity,
    tree.Campaign: _campaign,
    tree.Sentiment: lambda build, node: _counted(
        build, f"message_{node.label}", node.op, node.count, node.window_days, 0, ()
    ),
    tree.Metric: _metric,
    tree.Geography: lambda build, node: (
        f"({build.column(node.level)} IN {build.bind(list(node.places), 'Array(String)')})"
    ),
    tree.Consent: _consent,
    tree.Random: _random,
    tree.Listed: _listed,
    tree.Segment: _unexpanded,
}

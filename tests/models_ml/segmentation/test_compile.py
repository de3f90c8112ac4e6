"""The compiled query against a plain evaluator over random customers, and JSON in and out."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub_api.platform.clickhouse import connect
from models_ml.segmentation import catalogue, tree
from models_ml.segmentation.compile import compile_tree, members_query, membership_query, preview_query
from models_ml.segmentation.parse import InvalidTree, parse
from tests.models_ml.segmentation.evaluator import holds
from tests.models_ml.segmentation.strategies import trees
from tests.models_ml.segmentation.world import AS_OF, IDS, World, make_world
from tests.support.data import empty
from tests.support.warehouse import EmbeddedWarehouse


@pytest.fixture(scope="module")
def world(warehouse_server: EmbeddedWarehouse) -> Iterator[World]:
    empty(warehouse_server.url())
    client = connect(warehouse_server.url())
    yield make_world(client)
    client.close()
    empty(warehouse_server.url())


@settings(max_examples=250)
@given(node=trees(IDS))
def test_the_query_finds_whom_the_evaluator_finds(world: World, node: tree.Node) -> None:
    compiled = compile_tree(node, AS_OF)
    expected = {who.id for who in world.customers if holds(node, who, AS_OF)}
    assert world.ids(*members_query(compiled, AS_OF)) == expected
    sql, parameters = preview_query(compiled, AS_OF, 5)
    ((members, customers, sample),) = world.client.query(sql, parameters=parameters).result_rows
    assert (members, customers) == (len(expected), len(IDS))
    assert len(sample) == min(5, len(expected)) and set(sample) <= expected


@settings(max_examples=60)
@given(nodes=st.lists(trees(IDS), min_size=2, max_size=5))
def test_many_segments_in_one_pass_are_as_each_alone(world: World, nodes: list[tree.Node]) -> None:
    compiled = {str(place): compile_tree(node, AS_OF, prefix=f"s{place}_") for place, node in enumerate(nodes)}
    sql, parameters = membership_query(compiled, AS_OF)
    rows = world.client.query(sql, parameters=parameters).result_rows
    for place, node in enumerate(nodes):
        found = [row[1] for row in rows if row[0] == str(place)]
        assert set(found) == {who.id for who in world.customers if holds(node, who, AS_OF)}
        assert len(found) == len(set(found))


@given(node=trees(IDS))
def test_json_out_and_in_is_the_same_tree(node: tree.Node) -> None:
    assert parse(tree.to_json(node)) == node


@given(node=trees(IDS))
def test_no_value_stands_in_the_text_of_the_query(node: tree.Node) -> None:
    compiled = compile_tree(node, AS_OF)
    bare = re.sub(r"\{\w+:[\w()]+\}", "", compiled.condition)
    assert not re.search(r"['\"](?!:')", bare.replace("':'", "")), bare
    assert set(re.findall(r"\{(\w+):", compiled.condition)) == set(compiled.parameters)


def test_the_catalogue_names_columns_that_the_tables_have(world: World) -> None:
    columns = {
        row[0]: row[1]
        for row in world.client.query(
            "SELECT name, type FROM system.columns WHERE database = 'gold' AND table = 'customer_features'"
        ).result_rows
    }
    named = {*catalogue.ATTRIBUTES, *catalogue.PLACES, *catalogue.CONSENTS.values(), *catalogue.READY.values(), "tags"}
    assert named <= columns.keys()
    assert {name for name in catalogue.ATTRIBUTES if columns[name].startswith("Nullable")} == catalogue.NULLABLE


def test_nested_segments_are_replaced_and_never_turn_in_circles() -> None:
    a, b, c = (UUID(int=number) for number in (1, 2, 3))
    leaf = tree.Inactivity(30)
    known: dict[UUID, tree.Node] = {a: tree.Not(tree.Segment(b)), b: leaf, c: tree.And((tree.Segment(c), leaf))}
    assert tree.expand(tree.Or((tree.Segment(a), leaf)), known) == tree.Or((tree.Not(leaf), leaf))
    assert tree.nested(tree.Or((tree.Segment(a), tree.Not(tree.Segment(c))))) == {a, c}
    with pytest.raises(RecursionError, match="part of itself"):
        tree.expand(tree.Segment(c), known)
    with pytest.raises(LookupError):
        tree.expand(tree.Segment(UUID(int=9)), known)
    with pytest.raises(TypeError, match="not expanded"):
        compile_tree(tree.Segment(a), AS_OF)


@pytest.mark.parametrize(
    ("given_json", "path", "says"),
    [
        (None, "$", "object"),
        ({"type": "sql", "of": "1=1"}, "$.type", "must be one of and, or, not"),
        ({"type": "and", "of": []}, "$.of", "at least one"),
        ({"type": "and", "of": [{"type": "attribute", "field": "phone", "op": "in", "value": ["1"]}]}, "$.of[0].field", "status"),
        ({"type": "attribute", "field": "plan_kind", "op": "gt", "value": ["x"]}, "$.op", "in, not_in"),
        ({"type": "attribute", "field": "tenure_days", "op": "gt", "value": ["x"]}, "$.value", "a number"),
        ({"type": "attribute", "field": "tenure_days", "op": "gt", "value": float("nan")}, "$.value", "number from"),
        ({"type": "behaviour", "action": "contact", "op": "ge", "count": True, "window_days": 7}, "$.count", "whole number"),
        ({"type": "behaviour", "action": "contact", "op": "ge", "count": 1}, "$.window_days", "missing"),
        ({"type": "behaviour", "action": "rated", "op": "ge", "count": 1, "window_days": 7, "detail": ["x"]}, "$.detail", "no detail"),
        ({"type": "not", "of": {"type": "inactivity", "days": 0}}, "$.of.days", "1 to 400"),
        ({"type": "random", "salt": "x", "from_percent": 50, "to_percent": 50}, "$.to_percent", "more than"),
        ({"type": "tags", "test": "any", "tags": ["a\u0000"]}, "$.tags[0]", "control character"),
        ({"type": "tags", "test": "any", "tags": ["\ud800"]}, "$.tags[0]", "half a character"),
        ({"type": "inactivity", "days": 3, "x'y": 1}, "$", "has no member"),
        ({"type": "list", "customer_ids": ["1"]}, "$.customer_ids[0]", "UUID"),
        ({"type": "sequence", "first": {"action": "contact"}, "then": {"action": "x"}, "within_days": 3, "window_days": 9}, "$.then.action", "one of"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_path(given_json: Any, path: str, says: str) -> None:
    with pytest.raises(InvalidTree) as told:
        parse(given_json)
    assert any(fault.path == path and says in fault.message for fault in told.value.faults), told.value.faults


def test_a_tree_too_deep_or_too_wide_is_refused_quickly() -> None:
    deep: dict[str, Any] = {"type": "inactivity", "days": 1}
    for _ in range(3000):
        deep = {"type": "not", "of": deep}
    wide = {"type": "and", "of": [{"type": "inactivity", "days": 1}] * 10_000}
    for value in (deep, wide):
        with pytest.raises(InvalidTree, match="at most"):
            parse(value)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from([*catalogue.DETAILS, "and", "not", "in", "type", "of"])),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["type", "of", "field", "op", "value", "action", "window_days", "count", "first", "then", "x"]), inner, max_size=6)),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=400)
@given(value=json_values)
def test_any_json_is_a_tree_or_an_invalid_one(value: Any) -> None:
    try:
        node = parse(value)
    except InvalidTree as error:
        assert error.faults and all(fault.path.startswith("$") for fault in error.faults)
    else:
        assert parse(tree.to_json(node)) == node

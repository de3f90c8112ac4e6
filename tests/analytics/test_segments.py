"""Segments through their door: made, changed by versions, previewed, frozen; hostile trees; members by the tables' run."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from clickhouse_connect.driver.client import Client

from assets.gold.segment.definitions import read_definitions
from assets.gold.segment.membership import refresh
from assets.warehouse import Warehouse
from hub_api.analytics.segments import freeze
from hub_api.analytics.segments import preview as previews
from hub_api.chat.merge import merge
from hub_api.platform.clickhouse import connect
from hub_api.platform.warehouse import TooExpensive, ask
from models_ml.segmentation import catalogue, tree
from models_ml.segmentation.parse import parse
from tests.auth.people import Person, add_person, add_team, call
from tests.models_ml.segmentation.evaluator import holds
from tests.models_ml.segmentation.strategies import WORDS
from tests.models_ml.segmentation.world import AS_OF, IDS, World, make_world
from tests.support.data import empty, table_hash
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

SEGMENTS = "/api/v1/segments"
ACTIVE: dict[str, Any] = {"type": "behaviour", "action": "message", "op": "ge", "count": 1, "window_days": 30}
REFUSED: dict[str, Any] = {"type": "not", "of": {"type": "consent", "scope": "marketing", "state": "refused"}}


@pytest.fixture
def world(warehouse_server: EmbeddedWarehouse) -> Iterator[World]:
    empty(warehouse_server.url())
    client = connect(warehouse_server.url())
    yield make_world(client)
    client.close()
    empty(warehouse_server.url())


@pytest.fixture
async def hub(
    database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse, world: World
) -> AsyncIterator[Hub]:
    """A hub with this warehouse, whose customers PostgreSQL knows too."""
    settings = make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())
    async with running_hub(settings) as running:
        await running.fetch(
            "INSERT INTO customers (id, name, phone, state_code) SELECT id, 'Ana', '+5511987654321', 'SP' FROM unnest($1::uuid[]) AS id",
            IDS,
        )
        yield running


@pytest.fixture
async def marketer(hub: Hub) -> Person:
    return await add_person(hub, "marketer")


async def make(hub: Hub, who: Person, definition: dict[str, Any], name: str = "") -> dict[str, Any]:
    body = {"name": name or f"Segmento {uuid4().hex[:8]}", "definition": definition}
    status, made = await call(hub, "POST", SEGMENTS, who.headers, json=body)
    assert status == 201, made
    return made


AS_OF_TIME = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC)


async def in_thread(act: Callable[[], Any]) -> Any:
    """What an asset does runs a loop of its own."""
    return await asyncio.to_thread(act)


async def post_raw(hub: Hub, path: str, who: Person, body: Any) -> tuple[int, Any]:
    """JSON as a hostile client writes it: NaN, Infinity and half characters included."""
    headers = {**who.headers, "Content-Type": "application/json"}
    return await call(hub, "POST", path, headers, data=json.dumps(body).encode())


def inside(world: World, definition: dict[str, Any]) -> set[UUID]:
    return {who.id for who in world.customers if holds(parse(definition), who, AS_OF)}


async def test_a_segment_is_made_changed_by_versions_and_put_away(hub: Hub, marketer: Person) -> None:
    body = {"name": "Ativos", "description": "com acento: ção", "definition": ACTIVE}
    key = {**marketer.headers, "Idempotency-Key": "a"}
    first, again = [await call(hub, "POST", SEGMENTS, key, json=body) for _ in range(2)]
    assert first == again and first[0] == 201 and first[1]["version"] == 1
    path = f"{SEGMENTS}/{first[1]['id']}"
    assert (await call(hub, "POST", SEGMENTS, marketer.headers, json={**body, "name": "ATIVOS"}))[1][
        "code"
    ] == "segment_name_taken"
    changed = {"definition": {"type": "and", "of": [ACTIVE, REFUSED]}}
    status, second = await call(hub, "PUT", path, {**marketer.headers, "If-Match": '"1"'}, json=changed)
    assert (status, second["version"], second["name"]) == (200, 2, "Ativos")
    assert (await call(hub, "PUT", path, {**marketer.headers, "If-Match": '"1"'}, json=changed))[0] == 412
    assert (await call(hub, "PUT", path, marketer.headers, json=changed))[1]["version"] == 2, (
        "the same tree is no new version"
    )
    _, versions = await call(hub, "GET", f"{path}/versions?limit=1", marketer.headers)
    assert [one["version"] for one in versions["items"]] == [2] and versions["next_cursor"]
    _, versions = await call(hub, "GET", f"{path}/versions?cursor={versions['next_cursor']}", marketer.headers)
    assert [one["definition"] for one in versions["items"]] == [ACTIVE]
    outer = await make(hub, marketer, {"type": "not", "of": {"type": "segment", "segment_id": first[1]["id"]}})
    assert (await call(hub, "DELETE", path, marketer.headers))[1]["code"] == "segment_in_use"
    circle = {"definition": {"type": "segment", "segment_id": outer["id"]}}
    status, refused = await call(hub, "PUT", path, marketer.headers, json=circle)
    assert status == 422 and "part of itself" in refused["errors"][0]["message"]
    assert (await call(hub, "DELETE", f"{SEGMENTS}/{outer['id']}", marketer.headers))[0] == 204
    assert (await call(hub, "DELETE", path, marketer.headers))[0] == 204
    _, listed = await call(hub, "GET", SEGMENTS, marketer.headers)
    assert listed["items"] == []
    deeds = await hub.fetch("SELECT action FROM audit_log WHERE object_id = $1 ORDER BY created_at", first[1]["id"])
    assert [row["action"] for row in deeds] == [
        "segment.created",
        "segment.changed",
        "segment.changed",
        "segment.archived",
    ]


async def test_a_preview_counts_as_the_evaluator_and_shows_people_as_the_caller_may_see_them(
    hub: Hub, marketer: Person, world: World
) -> None:
    definition = {"type": "and", "of": [ACTIVE, REFUSED]}
    expected = inside(world, definition)
    status, shown = await call(hub, "POST", f"{SEGMENTS}/preview", marketer.headers, json={"definition": definition})
    assert status == 200, shown
    assert (shown["members"], shown["customers"], shown["as_of"]) == (len(expected), len(IDS), str(AS_OF))
    assert {UUID(one["id"]) for one in shown["sample"]} <= expected and len(shown["sample"]) == min(10, len(expected))
    assert {one["phone"] for one in shown["sample"]} == {"…4321"}
    assert "{p0:" in shown["sql"] and shown["parameters"] and "gold.customer_features.messages_30d" in shown["columns"]
    assert shown["cost"]["estimated_rows"] >= len(IDS) and 0 < shown["cost"]["seconds"] < 5
    executive = await add_person(hub, "executive")
    _, shown = await call(hub, "POST", f"{SEGMENTS}/preview", executive.headers, json={"definition": definition})
    assert shown["members"] == len(expected) and shown["sample"] is None
    admin = await add_person(hub, "admin")
    _, shown = await call(hub, "POST", f"{SEGMENTS}/preview", admin.headers, json={"definition": definition})
    assert {one["phone"] for one in shown["sample"]} == {"+5511987654321"}
    agent = await add_person(hub, "agent")
    assert (await call(hub, "POST", f"{SEGMENTS}/preview", agent.headers, json={"definition": definition}))[0] == 403


async def test_a_frozen_list_has_its_proof_and_follows_merges_and_erasures_only(
    hub: Hub, marketer: Person, world: World
) -> None:
    made = await make(hub, marketer, ACTIVE)
    path, expected = f"{SEGMENTS}/{made['id']}", sorted(inside(world, ACTIVE))
    key = {**marketer.headers, "Idempotency-Key": "freeze"}
    first, again = [await call(hub, "POST", f"{path}/snapshots", key) for _ in range(2)]
    assert first == again and first[0] == 201 and first[1]["state"] == "frozen"
    frozen = await hub.fetchval(
        "SELECT detail FROM audit_log WHERE action = 'segment.frozen' AND object_id = $1", made["id"]
    )
    assert frozen["snapshot"] == first[1]["id"]
    digest = hashlib.sha256(b"".join(one.bytes for one in expected)).hexdigest()
    assert (first[1]["members"], first[1]["members_sha256"]) == (len(expected), digest)
    assert first[1]["definition"] == ACTIVE and first[1]["asset_version"].startswith(f"{AS_OF}:")
    world.client.command("TRUNCATE TABLE gold.customer_features")
    assert (await call(hub, "POST", f"{path}/snapshots", marketer.headers))[1]["code"] == "customers_not_built"
    listed, cursor = [], ""
    while cursor is not None:
        _, page = await call(
            hub, "GET", f"{SEGMENTS}/snapshots/{first[1]['id']}/members?limit=7{cursor}", marketer.headers
        )
        listed += [UUID(one["customer_id"]) for one in page["items"]]
        assert {(one["name"], one["phone"]) for one in page["items"]} == {("Ana", "…4321")}
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert listed == expected
    async with hub.services.transaction() as tx:
        pair = expected[:2]
        await tx.db.fetch("SELECT FROM customers WHERE id = ANY($1) FOR UPDATE", pair)
        await merge(tx, *pair, AS_OF_TIME)
    left = await hub.fetch(
        "SELECT customer_id FROM segment_snapshot_members WHERE snapshot_id = $1", UUID(first[1]["id"])
    )
    assert {row["customer_id"] for row in left} == set(expected) - {expected[1]}
    assert (await call(hub, "GET", f"{SEGMENTS}/snapshots/{first[1]['id']}", marketer.headers))[1][
        "members_sha256"
    ] == digest


async def test_a_list_whose_process_died_is_given_up_and_made_anew_by_the_same_request(
    hub: Hub, marketer: Person, world: World
) -> None:
    made = await make(hub, marketer, ACTIVE)
    path, expected = f"{SEGMENTS}/{made['id']}/snapshots", sorted(inside(world, ACTIVE))
    keys = [{**marketer.headers, "Idempotency-Key": name} for name in ("died", "at work")]
    died, at_work = [UUID((await call(hub, "POST", path, key))[1]["id"]) for key in keys]
    left = "UPDATE segment_snapshots SET state = 'freezing', frozen_at = NULL, members = NULL, members_sha256 = NULL, created_at = now() - $2::interval WHERE id = $1"
    await hub.fetch(left, died, timedelta(minutes=16))
    await hub.fetch(left, at_work, timedelta(minutes=1))
    await hub.fetch("DELETE FROM segment_snapshot_members WHERE customer_id = ANY($1)", expected[::2])
    assert (await call(hub, "POST", path, keys[0]))[1]["state"] == "freezing", "whose process may live"
    began = await hub.fetchval("SELECT created_at FROM segment_snapshots WHERE id = $1", died)
    assert await freeze.end_dead(hub.services) == 1
    state = "SELECT state, (SELECT count(*) FROM segment_snapshot_members WHERE snapshot_id = s.id) AS members FROM segment_snapshots s WHERE id = $1"
    assert [tuple(row) for row in await hub.fetch(state, died)] == [("failed", 0)]
    assert (await hub.fetch(state, at_work))[0]["state"] == "freezing"
    status, again = await call(hub, "POST", path, keys[0])
    digest = hashlib.sha256(b"".join(one.bytes for one in expected)).hexdigest()
    assert (status, again["id"], again["state"]) == (201, str(died), "frozen")
    assert (again["members"], again["members_sha256"]) == (len(expected), digest)
    # The one that was thought dead wakes up: what it has left to say changes nothing.
    await hub.fetch(freeze.queries.add_members, died, began, [one for one in IDS if one not in expected])
    await hub.fetch(freeze.queries.fail_snapshot, died, began)
    assert [tuple(row) for row in await hub.fetch(state, died)] == [("frozen", len(expected))]


async def test_two_freezes_of_one_snapshot_at_once_make_one_list(hub: Hub, marketer: Person, world: World) -> None:
    made = await make(hub, marketer, ACTIVE)
    path, expected = f"{SEGMENTS}/{made['id']}/snapshots", inside(world, ACTIVE)
    for round_ in range(3):
        key = {**marketer.headers, "Idempotency-Key": f"race {round_}"}
        answers = await asyncio.gather(*(call(hub, "POST", path, key) for _ in range(4)))
        assert {status for status, _ in answers} <= {201, 409}, answers
        made_ids = {shown["id"] for status, shown in answers if status == 201}
        assert len(made_ids) == 1, "one list, whoever made it"
        snapshot = UUID(made_ids.pop())
        rows = await hub.fetch("SELECT customer_id FROM segment_snapshot_members WHERE snapshot_id = $1", snapshot)
        assert sorted(row["customer_id"] for row in rows) == sorted(expected)
        _, shown = await call(hub, "GET", f"{SEGMENTS}/snapshots/{snapshot}", marketer.headers)
        digest = hashlib.sha256(b"".join(one.bytes for one in sorted(expected))).hexdigest()
        assert (shown["state"], shown["members"], shown["members_sha256"]) == ("frozen", len(expected), digest)
    assert await hub.fetchval("SELECT count(*) FROM segment_snapshots") == 3
    told = await hub.fetchval("SELECT count(*) FROM audit_log WHERE action = 'segment.frozen'")
    assert told == 3, "who lost the race has done nothing that could be told"


def changes(client: Client) -> dict[tuple[str, str], int]:
    rows = client.query(
        "SELECT change, why, count() FROM gold.segment_membership_history GROUP BY change, why"
    ).result_rows
    return {(row[0], row[1]): row[2] for row in rows}


async def named(hub: Hub, segment: dict[str, Any], who: Person) -> dict[UUID, tuple[str | None, str | None]]:
    """The members by the last run, each with the name and phone that this caller is told."""
    status, page = await call(hub, "GET", f"{SEGMENTS}/{segment['id']}/members?limit=500", who.headers)
    assert status == 200, page
    return {UUID(one["customer_id"]): (one["name"], one["phone"]) for one in page["items"]}


async def sample(hub: Hub, who: Person) -> list[str]:
    """Whom the preview shows to this caller."""
    _, shown = await call(hub, "POST", f"{SEGMENTS}/preview", who.headers, json={"definition": ACTIVE})
    return [one["id"] for one in shown["sample"]]


async def whose_names_are_told(hub: Hub, segment: dict[str, Any], marketer: Person) -> None:
    """Those of customers whom the caller sees elsewhere too; one who was erased has none."""
    (mine, _), (_, others) = await add_team(hub, "nossa"), await add_team(hub, "outra")
    everybody = await named(hub, segment, marketer)
    assert set(everybody.values()) == {("Ana", "…4321")}
    sampled = await sample(hub, marketer)
    theirs, erased = UUID(sampled[0]), next(one for one in sorted(everybody) if str(one) not in sampled)
    await hub.fetch(
        "INSERT INTO conversations (id, customer_id, state, protocol, queue_id, opened_at) "
        "VALUES ($1, $1, 'queued', next_protocol(now(), 'UTC'), (SELECT id FROM queues WHERE key = $2), now())",
        theirs, others,
    )  # fmt: skip
    await hub.fetch("UPDATE customers SET name = NULL, phone = NULL, status = 'erased' WHERE id = $1", erased)
    supervisor = await add_person(hub, "supervisor", mine)
    seen = await named(hub, segment, supervisor)
    assert {one for one, told in seen.items() if told == (None, None)} == {theirs, erased}
    assert await sample(hub, supervisor) == sampled[1:], "nor is he in the preview"
    assert set(seen.values()) == {("Ana", "+5511987654321"), (None, None)}
    assert set((await named(hub, segment, await add_person(hub, "executive"))).values()) == {(None, None)}
    assert (await named(hub, segment, marketer))[theirs] == ("Ana", "…4321")
    looked = "SELECT object_id FROM audit_log WHERE action = 'personal_data.viewed' AND detail = '{\"what\": \"segment members\"}'"
    assert [row["object_id"] for row in await hub.fetch(looked)] == [str(theirs)], "beyond his own queues it is noted"


async def test_members_are_computed_as_far_as_something_changed_and_who_came_and_went_is_told(
    hub: Hub, marketer: Person, world: World
) -> None:
    definitions = [
        ACTIVE,
        REFUSED,
        {
            "type": "sequence",
            "first": {"action": "contact"},
            "then": {"action": "message"},
            "within_days": 9,
            "window_days": 90,
        },
    ]
    made = [await make(hub, marketer, one) for one in definitions]
    nested = await make(hub, marketer, {"type": "not", "of": {"type": "segment", "segment_id": made[0]["id"]}})
    settings, client = hub.services.settings, world.client
    warehouse = Warehouse(settings)

    def run() -> Any:
        return refresh(warehouse, read_definitions(settings))

    first = await in_thread(run)
    sizes = [len(inside(world, one)) for one in definitions]
    assert (first.computed, first.same, first.entered) == (4, 0, sum(sizes) + len(IDS) - sizes[0])
    assert first.lineage[made[2]["name"]] == sorted(
        f"{catalogue.ACTIONS}.{one}" for one in ("action", "actions", "customer_id", "day", "first_at", "last_at")
    )
    before = [table_hash(client, f"gold.segment_{table}") for table in ("membership", "membership_history")]
    second = await in_thread(run)
    assert (second.computed, second.same, second.entered, second.left) == (0, 4, 0, 0)
    assert before == [table_hash(client, f"gold.segment_{table}") for table in ("membership", "membership_history")]
    assert set(await named(hub, made[0], marketer)) == inside(world, ACTIVE)
    await whose_names_are_told(hub, made[0], marketer)
    _, shown = await call(hub, "POST", f"{SEGMENTS}/preview", marketer.headers, json={"definition": ACTIVE})
    assert {"segment_id": made[0]["id"], "customers": sizes[0]} in shown["overlap"]
    # Another definition: that one and what speaks of it, no other.
    everybody = {"definition": {"type": "random", "salt": "x", "from_percent": 0, "to_percent": 100}}
    assert (await call(hub, "PUT", f"{SEGMENTS}/{made[0]['id']}", marketer.headers, json=everybody))[0] == 200
    third = await in_thread(run)
    assert (third.computed, third.same) == (2, 2)
    assert changes(client)["entered", "definition"] == len(IDS) - sizes[0]
    assert changes(client)["left", "definition"] == len(IDS) - sizes[0]
    # Somebody is erased, another writes for the first time, a segment is put away.
    quiet = next(who.id for who in world.customers if who.id not in inside(world, ACTIVE))
    client.command(
        f"ALTER TABLE gold.customer_features DELETE WHERE customer_id = '{quiet}' SETTINGS mutations_sync = 1"
    )
    assert (await call(hub, "DELETE", f"{SEGMENTS}/{nested['id']}", marketer.headers))[0] == 204
    assert (await call(hub, "DELETE", f"{SEGMENTS}/{made[1]['id']}", marketer.headers))[0] == 204
    await in_thread(run)
    seen = changes(client)
    assert seen["left", "gone"] >= 1 and seen["left", "archived"] == sizes[1]
    members = client.query("SELECT segment_id, count() FROM gold.segment_membership GROUP BY segment_id").result_rows
    told = client.query(
        "SELECT segment_id, countIf(change = 'entered') - countIf(change = 'left') AS n FROM gold.segment_membership_history GROUP BY segment_id HAVING n > 0"
    ).result_rows
    assert sorted(members) == sorted(told)
    _, history = await call(hub, "GET", f"{SEGMENTS}/{made[0]['id']}/history", marketer.headers)
    assert {(one["change"], one["why"]) for one in history["items"]} == {
        ("entered", "data"),
        ("entered", "definition"),
        ("left", "gone"),
    }
    warehouse.close()


HOSTILE = [
    *WORDS, "f.customer_id; SELECT 1", "1) OR (1=1", "customer_id", "phone", "day", "\u0000", "\ud800", "{as_of:Date}", "file('/etc/passwd')",
    "system.users", "'" * 50, "x" * 5000, "\\", "\\'", "`", "𝕏", "٣", None, True, -1, 0, 3, 10**40, 1e308, float("inf"), float("nan"), [], {}, [[]],
    [None], ["' OR ''='"], {"$": 1}, "and", "not", "in", "ge",
]  # fmt: skip
MEMBERS = ["type", "of", "field", "op", "value", "action", "count", "window_days", "detail", "first", "then", "within_days", "days", "never",
           "response", "template", "label", "metric", "level", "places", "scope", "state", "salt", "from_percent", "to_percent", "segment_id",
           "customer_ids", "test", "tags", "known", "ago_days", "sql", "__proto__", "f.day"]  # fmt: skip


def hostile(chance: Random, sound: list[dict[str, Any]]) -> Any:
    """A sound tree with something wrong in it: other values, other members, other depth."""
    node: Any = dict(chance.choice(sound))
    for _ in range(chance.randint(1, 3)):
        way = chance.random()
        if way < 0.35 and len(node) > 1:
            name = chance.choice([one for one in node if one != "type"])
            like = [chance.choice(WORDS)] if isinstance(node[name], list) else chance.randint(1, 60)
            node[name] = like if isinstance(node[name], list | int) and not isinstance(node[name], bool) else node[name]
        elif way < 0.6 and len(node) > 1:
            node[chance.choice([one for one in node if one != "type"])] = chance.choice(HOSTILE)
        elif way < 0.8:
            node[chance.choice(MEMBERS)] = chance.choice(HOSTILE)
        else:
            node = {
                "type": chance.choice(["and", "or", "not"]),
                "of": chance.choice([node, [node], [node, chance.choice(HOSTILE)]]),
            }
    return node


async def test_no_field_operator_or_value_of_a_segment_reaches_the_engine_unbound(hub: Hub, world: World) -> None:
    admin = await add_person(hub, "admin")
    sound: list[dict[str, Any]] = [
        ACTIVE, REFUSED,
        {"type": "attribute", "field": "plan_kind", "op": "in", "value": ["fiber"]},
        {"type": "attribute", "field": "late_micros", "op": "gt", "value": 10},
        {"type": "tags", "test": "any", "tags": ["vip"]},
        {"type": "geography", "level": "city", "places": ["Niterói"]},
        {"type": "sequence", "first": {"action": "outage"}, "then": {"action": "contact"}, "within_days": 2, "window_days": 30},
        {"type": "kpi", "metric": "satisfaction", "op": "lt", "value": 3, "window_days": 90},
        {"type": "campaign", "response": "not_read", "window_days": 30, "template": ["oferta"]},
        {"type": "random", "salt": "x", "from_percent": 0, "to_percent": 10},
        {"type": "list", "customer_ids": [str(IDS[0])]},
        {"type": "inactivity", "days": 30},
    ]  # fmt: skip
    chance, seen = Random(23), dict[int, int]()
    everything = await ask(hub.services, "SELECT count() FROM gold.customer_features")
    for _ in range(250):
        definition = hostile(chance, sound)
        status, shown = await post_raw(hub, f"{SEGMENTS}/preview", admin, {"definition": definition})
        assert status in (200, 400, 422), (status, shown, definition)
        seen[status] = seen.get(status, 0) + 1
        if status == 200:
            assert shown["members"] == len(inside(world, definition)), definition
            assert set(shown["columns"]) <= ALLOWED
        else:
            assert shown["code"] in ("invalid", "refused", "too_expensive"), shown
    assert seen[200] > 30 and seen[422] > 100, seen
    assert (await ask(hub.services, "SELECT count() FROM gold.customer_features")).rows == everything.rows


ALLOWED = {
    *(f"{catalogue.FEATURES}.{one}" for one in (*catalogue.ATTRIBUTES, *catalogue.PLACES, *catalogue.READY.values())),
    *(f"{catalogue.FEATURES}.{one}" for one in (*catalogue.CONSENTS.values(), "tags")),
    *(f"{catalogue.ACTIONS}.{one}" for one in ("day", "customer_id", "action", "actions", "detail", "value", "first_at", "last_at")),
}  # fmt: skip


async def test_a_question_that_costs_too_much_is_ended_and_told(
    hub: Hub, marketer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TooExpensive):
        await ask(
            hub.services,
            "SELECT sum(cityHash64(number)) FROM numbers(100000000000)",
            settings={"max_execution_time": 1},
        )
    monkeypatch.setattr(previews, "LIMITS", {"max_rows_to_read": 10})
    status, told = await call(hub, "POST", f"{SEGMENTS}/preview", marketer.headers, json={"definition": ACTIVE})
    assert (status, told["code"]) == (422, "too_expensive")


async def test_a_segment_too_deep_is_refused_and_not_a_server_error(hub: Hub, marketer: Person) -> None:
    for depth in (11, 12, 50, 150, 5000):
        raw = (
            '{"definition": '
            + '{"type": "not", "of": ' * depth
            + '{"type": "inactivity", "days": 3}'
            + "}" * depth
            + "}"
        )
        headers = {**marketer.headers, "Content-Type": "application/json"}
        status, _ = await call(hub, "POST", f"{SEGMENTS}/preview", headers, data=raw)
        assert status == 200 if depth < 12 else status in (400, 422), (depth, status)
    assert isinstance(parse({"type": "inactivity", "days": 3}), tree.Inactivity)


async def test_a_builder_is_told_what_may_be_asked_and_which_values_there_are(
    hub: Hub, marketer: Person, world: World
) -> None:
    status, offered = await call(hub, "GET", f"{SEGMENTS}/catalogue", marketer.headers)
    assert status == 200 and {one["field"]: one["kind"] for one in offered["attributes"]} == dict(catalogue.ATTRIBUTES)
    assert {one["action"]: one["detail"] for one in offered["actions"]} == dict(catalogue.DETAILS)
    for of in ("status", "city", "tags", "message.type"):
        status, told = await call(hub, "GET", f"{SEGMENTS}/values?of={of}", marketer.headers)
        assert status == 200 and told["items"], of
        counts = [one["customers"] for one in told["items"]]
        assert counts == sorted(counts, reverse=True), of
        node: dict[str, Any] = {
            "status": {"type": "attribute", "field": "status", "op": "in"},
            "city": {"type": "geography", "level": "city"},
            "tags": {"type": "tags", "test": "any"},
            "message.type": {"type": "behaviour", "action": "message", "op": "ge", "count": 1, "window_days": 400},
        }[of]
        member = {"status": "value", "city": "places", "tags": "tags", "message.type": "detail"}[of]
        first = told["items"][0]
        assert len(inside(world, {**node, member: [first["value"]]})) == first["customers"], of
    for strange in ("monthly_micros", "customer_id", "resolved.type", "message.", "status' OR 1"):
        assert (await call(hub, "GET", f"{SEGMENTS}/values", marketer.headers, params={"of": strange}))[0] == 422
    agent = await add_person(hub, "agent")
    assert (await call(hub, "GET", f"{SEGMENTS}/values?of=city", agent.headers))[0] == 403


async def test_sizes_are_those_of_the_last_run(hub: Hub, marketer: Person, world: World) -> None:
    made = await make(hub, marketer, ACTIVE)
    assert (await call(hub, "GET", f"{SEGMENTS}/sizes", marketer.headers))[1] == {"items": []}
    settings = hub.services.settings
    await in_thread(lambda: refresh(Warehouse(settings), read_definitions(settings)))
    _, told = await call(hub, "GET", f"{SEGMENTS}/sizes", marketer.headers)
    (size,) = told["items"]
    assert (size["segment_id"], size["members"], size["version"]) == (made["id"], len(inside(world, ACTIVE)), 1)

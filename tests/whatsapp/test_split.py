"""Bodies that nobody would send and somebody will: whatever stands beside it, a valid item comes through."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.platform.metrics import items_dead
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp import jobs
from hub_api.whatsapp.inbound import Message
from hub_api.whatsapp.jobs import FEW, split_inbox
from hub_api.whatsapp.parse import Unparsable, parse
from hub_api.whatsapp.scan import WrongShape, elements, members
from hub_api.whatsapp.split import split
from tests.support.hub import FIXTURES
from tests.whatsapp.gateway import (
    NUMBER,
    WABA,
    Gateway,
    add_number,
    raw_body,
    running_gateway,
    split_once,
    text,
    text_body,
)

GOOD = json.dumps(text("wamid.GOOD", "sou válida")).encode()

POISON: dict[str, bytes] = {
    "lone surrogate": rb'{"id":"wamid.1","from":"5511","timestamp":"1","type":"text","text":{"body":"\ud83d"}}',
    "invalid UTF-8": b'{"id":"wamid.1","from":"5511","timestamp":"1","type":"text","text":{"body":"\xff\xfe"}}',
    "raw NUL": b'{"id":"wamid.1","from":"5511","timestamp":"1","type":"text","text":{"body":"\x00"}}',
    "escaped NUL": rb'{"id":"wamid.1","from":"5511","timestamp":"1","type":"text","text":{"body":"\u0000"}}',
    "NUL in an identifier": rb'{"id":"wamid.1","from":"55\u000011","timestamp":"1","type":"text"}',
    "NaN": b'{"id":"wamid.1","from":"5511","timestamp":NaN,"type":"text","text":{"body":"x"}}',
    "infinite number": b'{"id":"wamid.1","from":"5511","timestamp":1e999,"type":"text","text":{"body":"x"}}',
    "number of 10,000 digits": b'{"id":"wamid.1","from":"5511","type":"text","timestamp":%s}' % (b"9" * 10_000),
    "100,000 brackets": b'{"id":"wamid.1","from":"5511","type":"x","x":%s%s}' % (b"[" * 100_000, b"]" * 100_000),
    "100,000 open brackets of objects": b'{"id":"wamid.1","x":%s1%s}' % (b'{"a":' * 100_000, b"}" * 100_000),
    "unknown escape": rb'{"id":"wamid.1","from":"5511","type":"text","text":{"body":"\x41"}}',
    "wrong types": b'{"id":5,"from":{},"timestamp":[],"type":null,"text":7}',
    "a number": b"17",
    "null": b"null",
    "a text": b'"messages"',
    "an array": b"[[]]",
    "an empty object": b"{}",
    "an endless identifier": b'{"id":"wamid.1","from":"%s","type":"text"}' % (b"5" * 100_000),
    "no JSON": b"hello",
}


def delivered(body: bytes) -> list[Message]:
    """The messages that come out of a body, the broken ones left aside."""
    messages = []
    for item in split(body).items:
        try:
            messages.append(parse(item))
        except Unparsable:
            continue
    return messages


def lost(body: bytes) -> int:
    """How many of a body's items ended as problems, at splitting or parsing."""
    found, unparsable = split(body), 0
    for item in found.items:
        try:
            parse(item)
        except Unparsable:
            unparsable += 1
    return len(found.problems) + unparsable


@pytest.mark.parametrize("kind", POISON)
def test_a_poisoned_message_costs_its_neighbours_nothing_and_is_kept_with_a_reason(kind: str):
    body = raw_body(GOOD, POISON[kind], GOOD.replace(b"GOOD", b"NEXT"))
    assert [message.wamid for message in delivered(body)] == ["wamid.GOOD", "wamid.NEXT"]
    assert lost(body) == 1


def test_one_poisoned_message_among_five_hundred_leaves_499():
    messages = [GOOD.replace(b"GOOD", b"%d" % number) for number in range(499)]
    for poison in (POISON["lone surrogate"], POISON["100,000 brackets"], POISON["NUL in an identifier"]):
        body = raw_body(*messages[:250], poison, *messages[250:])
        assert len(delivered(body)) == 499
        assert lost(body) == 1


def test_a_megabyte_of_text_and_an_unknown_type_are_kept():
    long, new = text("wamid.1", "a" * 1_000_000), {**text("wamid.2"), "type": "hologram", "hologram": {}}
    first, second = delivered(json.dumps(text_body(long, new)).encode())
    assert (len(first.content), second.type) == (1_000_000, "hologram")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_a_webhook"),
        (b"hello", "not_a_webhook"),
        (b"[]", "not_a_webhook"),
        (b"null", "not_a_webhook"),
        (b"\xff\xfe", "not_a_webhook"),
        (b"{}", "wrong_object"),
        (b'{"object":"page","entry":[]}', "wrong_object"),
        (b'{"object":7,"entry":[]}', "wrong_object"),
        (b'{"object":"whatsapp_business_account"}', "not_a_webhook"),
        (b'{"object":"whatsapp_business_account","entry":{}}', "not_a_webhook"),
        (b'{"object":"whatsapp_business_account","entry":[5]}', "bad_entry"),
        (b'{"object":"whatsapp_business_account","entry":[{}]}', "bad_entry"),
        (b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[null]}]}', "bad_change"),
        (b'{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"x"}]}]}', "bad_change"),
        (b'{"object":"whatsapp_business_account","entry":[{"changes":[{"field":5,"value":{}}]}]}', "bad_change"),
    ],
)
def test_what_is_no_webhook_becomes_one_problem_that_holds_it(body: bytes, reason: str):
    found = split(body)
    assert (found.items, [problem.reason for problem in found.problems]) == ([], [reason])
    again = split(found.problems[0].body)
    assert [problem.reason for problem in again.problems] == [reason], "replaying it comes to the same"


def test_a_problem_holds_the_bad_element_alone_and_replays_to_itself():
    found = split(raw_body(GOOD, POISON["wrong types"]))
    (problem,) = found.problems
    assert (problem.reason, problem.phone_number_id, problem.waba_id) == ("wrong_type", NUMBER, WABA)
    assert b"sou v" not in problem.body
    assert split(problem.body).problems == [problem]


def test_a_value_that_does_not_tell_its_number_is_a_problem_that_can_be_repaired():
    body = text_body(text("wamid.1"))
    del body["entry"][0]["changes"][0]["value"]["metadata"]
    (problem,) = split(json.dumps(body).encode()).problems
    assert problem.reason == "no_phone_number_id"


@pytest.mark.parametrize("broken", ["contacts", "statuses", "errors"])
@pytest.mark.parametrize("what", [5, "x", {}, [5], None, [None], [[]]])
def test_broken_lists_beside_messages_cost_no_message(broken: str, what: Any):
    body = text_body(text("wamid.1"))
    body["entry"][0]["changes"][0]["value"][broken] = what
    found = split(json.dumps(body).encode())
    message = next(item for item in found.items if item.kind == "message")
    assert parse(message).content == "oi"


def test_errors_beside_statuses_are_the_number_s_own():
    body = text_body()
    value = body["entry"][0]["changes"][0]["value"]
    del value["messages"]
    value |= {"statuses": [{"id": "wamid.1", "status": "sent"}], "errors": [{"code": 130429}]}
    status, error = map(parse, split(json.dumps(body).encode()).items)
    assert (status.status, [fault.code for fault in error.faults]) == ("sent", [130429])


def test_a_body_that_breaks_off_gives_what_was_complete():
    whole = raw_body(*[GOOD.replace(b"GOOD", b"%d" % number) for number in range(5)])
    for end in range(0, len(whole), 7):
        found = split(whole[:end])
        complete = whole[:end].count(b'"sou v')
        assert len(found.items) >= complete - 1


def test_an_update_of_an_unknown_field_is_kept_whole():
    value = {"anything": [1, {"deep": "é"}], "metadata": {"phone_number_id": NUMBER}}
    entry = {"id": WABA, "time": 5, "changes": [{"field": "new_field", "value": value}]}
    (item,) = split(json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()).items
    update = parse(item)
    assert (update.field, update.value, update.time, update.phone_number_id) == ("new_field", value, 5, NUMBER)


def test_a_known_field_with_nothing_known_in_it_is_kept_as_an_update():
    body = text_body()
    body["entry"][0]["changes"][0]["value"] = {"something": "new"}
    (item,) = split(json.dumps(body).encode()).items
    assert (item.kind, parse(item).value) == ("update", {"something": "new"})


# --- hypothesis: bodies of any shape with a valid message among them

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
fixtures = st.sampled_from(sorted(path.name for path in FIXTURES.glob("*.json")))


def mutated(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one of its parts, anywhere, replaced by anything."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(sorted(value)))
        return {**value, name: mutated(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], mutated(draw, value[place]), *value[place + 1 :]]
    return draw(json_values)


@st.composite
def broken_fixtures(draw: st.DrawFn) -> dict[str, Any]:
    """A fixture with something wrong somewhere in its changes."""
    body = json.loads((FIXTURES / draw(fixtures)).read_text())
    body["entry"] = [mutated(draw, entry) for entry in body["entry"]]
    return body


def with_good_entry(body: dict[str, Any], place: int) -> bytes:
    """The body with an entry of one valid message put among its entries."""
    good = text_body(text("wamid.GOOD", "sou válida"))["entry"][0]
    entries = body["entry"]
    return json.dumps({**body, "entry": [*entries[:place], good, *entries[place:]]}).encode()


@settings(max_examples=150, deadline=None)
@given(broken_fixtures(), st.integers(0, 2))
def test_a_valid_entry_beside_any_broken_one_comes_through(body: dict[str, Any], place: int):
    raw = with_good_entry(body, place)
    assert "wamid.GOOD" in [getattr(message, "wamid", None) for message in delivered(raw)]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([*POISON.values(), b'{"id":"\\ud800"}', b""]), max_size=4),
    st.integers(0, 4),
    st.binary(max_size=30),
)
def test_a_valid_message_beside_any_poison_comes_through(poison: list[bytes], place: int, junk: bytes):
    body = raw_body(*poison[:place], GOOD, *poison[place:]) + junk
    assert [message.wamid for message in delivered(body)].count("wamid.GOOD") == 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_the_splitter_raise(raw: bytes):
    split(raw)
    split(raw_body(raw))
    split(b'{"object":"whatsapp_business_account","entry":' + raw)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), json_values, max_size=5),
    st.lists(json_values, max_size=6),
)
def test_the_lenient_scan_finds_what_a_decoder_finds(objects: dict[str, Any], values: list[Any]):
    spoiled = '{"spoil":"\\ud800"}'  # makes msgspec refuse the text, so that the scan has to do it
    raw = json.dumps({"first of all": 0, **objects})[:-1] + ',"last of all":' + spoiled + "}"
    found = members(raw.encode())
    for name, value in objects.items():
        if json.dumps(name)[1:-1] == name:  # keys with escapes are not asked for by name
            assert same(json.loads(found[name]), value)
    listed = elements(("[" + ",".join([*map(json.dumps, values), spoiled]) + "]").encode())
    assert all(same(json.loads(raw), value) for raw, value in zip(listed, values, strict=False))
    assert len(listed) == len(values) + 1


def same(left: Any, right: Any) -> bool:
    return json.dumps(left) == json.dumps(right)


@pytest.mark.parametrize("raw", [b"", b"5", b'"x"', b"null", b"]", b"}", b"\xff"])
def test_what_is_no_container_is_said_so(raw: bytes):
    with pytest.raises(WrongShape):
        members(raw)
    with pytest.raises(WrongShape):
        elements(raw)


# --- the job: what is stored is split once, in order, and what is not ours is parked


@pytest.fixture
async def opened(services: Services) -> Services:
    await add_number(services)
    return services


@pytest.fixture
async def gateway(opened: Services) -> AsyncIterator[Gateway]:
    async with running_gateway(opened) as running:
        yield running


async def items(services: Services) -> list[Row]:
    return await services.db.fetch("SELECT * FROM inbox_item ORDER BY id")


async def dead(services: Services) -> list[tuple[str, str, str]]:
    rows = await services.db.fetch("SELECT source, kind, reason FROM dead_letter ORDER BY received_at, id")
    return [tuple(row) for row in rows]


async def test_stored_webhooks_become_items_in_their_order(opened: Services):
    async with running_gateway(opened) as gateway:
        for number in range(5):
            assert await gateway.post(text_body(text(f"wamid.{number}.a"), text(f"wamid.{number}.b"))) == 200
        await gateway.split()
    rows = await items(opened)
    wamids = [json.loads(row["payload"])["data"]["id"] for row in rows]
    assert wamids == [f"wamid.{number}.{letter}" for number in range(5) for letter in "ab"]
    assert {(row["kind"], row["contact_key"], row["lane"]) for row in rows} == {("message", "BR.1", rows[0]["lane"])}
    marks = await opened.db.fetch("SELECT split_at, item_count FROM webhook_event")
    assert all(mark["split_at"] and mark["item_count"] == 2 for mark in marks)
    assert await split_once(opened, 16) == 0


async def test_foreign_numbers_groups_and_foreign_accounts_are_parked(opened: Services):
    async with running_gateway(opened) as gateway:
        for name in ("text_foreign_number.json", "group_text.json", "status_group.json", "text.json"):
            assert await gateway.post(name) == 200
        foreign = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290000000999", "changes": [{"field": "security", "value": {}}]}],
        }
        assert await gateway.post(foreign) == 200
        await gateway.split()
    assert await dead(opened) == [
        ("parked", "message", "foreign_number"),
        ("parked", "group", "group"),
        ("parked", "group", "group"),
        ("parked", "update", "foreign_account"),
    ]
    assert [row["kind"] for row in await items(opened)] == ["message"]


async def test_tests_of_metas_dashboard_are_kept_once_of_each_kind_and_counted(opened: Services):
    def tested(*changes: dict) -> dict:
        return {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": list(changes)}]}

    metadata = {"display_phone_number": "16505551111", "phone_number_id": "123456123"}
    message = {
        "from": "16315551181",
        "id": "ABGGFlA5Fpa",
        "timestamp": "1504902988",
        "type": "text",
        "text": {"body": "this is"},
    }
    text_test = {
        "field": "messages",
        "value": {"messaging_product": "whatsapp", "metadata": metadata, "messages": [message]},
    }
    before = counted("dashboard_test")
    async with running_gateway(opened) as gateway:
        for _ in range(3):
            security = {"field": "security", "value": {"event": "PIN_CHANGED"}}
            for body in (tested(text_test), tested(security, security), tested({"field": "flows", "value": {}})):
                assert await gateway.post(body) == 200
            await gateway.split()
    assert await opened.db.fetch("SELECT kind, detail FROM dead_letter ORDER BY detail") == [
        ("update", "Meta's dashboard tests flows"),
        ("message", "Meta's dashboard tests message"),
        ("update", "Meta's dashboard tests security"),
    ]
    assert counted("dashboard_test") - before == 12 and await items(opened) == []
    assert await opened.db.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NOT NULL") == 9


def counted(reason: str) -> float:
    return items_dead.labels(reason)._value.get()


async def test_hostile_bodies_through_the_real_door_leave_dead_letters_and_lose_no_neighbour(opened: Services):
    async with running_gateway(opened) as gateway:
        for poison in POISON.values():
            assert await gateway.post(raw_body(GOOD, poison)) == 200
        for junk in (b"", b"hello", b"\xff\xfe\x00", b'{"object":"page"}', b"[" * 200_000):
            assert await gateway.post(junk) == 200
        await gateway.split()
    good = [row for row in await items(opened) if b"wamid.GOOD" in row["payload"]]
    assert len(good) == len(POISON)
    letters = await dead(opened)
    assert {(source, kind) for source, kind, _ in letters} == {("split", "webhook")}
    assert len(letters) + len(await items(opened)) == 2 * len(POISON) + 5


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.builds(with_good_entry, broken_fixtures(), st.integers(0, 2))
        | st.builds(lambda junk: raw_body(GOOD, junk), st.sampled_from(list(POISON.values())) | st.binary(max_size=40)),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.binary(max_size=200), max_size=3),
)
async def test_any_hostile_body_is_acknowledged_and_its_valid_neighbour_becomes_an_item(
    gateway: Gateway, hostile: list[bytes], junk: list[bytes]
):
    services = gateway.services
    await services.db.execute("TRUNCATE webhook_event, inbox_item, dead_letter")
    assert [await gateway.post(body) for body in [*hostile, *junk]] == [200] * (len(hostile) + len(junk))
    await gateway.split()
    good = [row for row in await items(services) if row["kind"] == "message" and b'"wamid.GOOD"' in row["payload"]]
    assert len(good) == len(hostile)
    assert await services.db.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 0


async def test_thousands_of_messages_in_one_body_are_split_whole(opened: Services):
    messages = [text(f"wamid.{number}") for number in range(10_000)]
    async with running_gateway(opened) as gateway:
        assert await gateway.post(text_body(*messages)) == 200
        await gateway.split()
    assert await opened.db.fetchval("SELECT count(*) FROM inbox_item") == 10_000


async def test_a_webhook_that_postgresql_cannot_take_apart_blocks_no_other(opened: Services):
    await opened.db.execute("ALTER TABLE inbox_item ADD CHECK (contact_key <> 'BR.666')")
    cursed = text("wamid.2", **{"from": "5511900000000", "from_user_id": "BR.666"})
    async with running_gateway(opened) as gateway:
        for message in (text("wamid.1"), cursed, text("wamid.3")):
            assert await gateway.post(text_body(message)) == 200
        await gateway.split()
    assert [json.loads(row["payload"])["data"]["id"] for row in await items(opened)] == ["wamid.1", "wamid.3"]
    assert await dead(opened) == [("split", "webhook", "not_storable")]


async def test_a_redelivery_is_stored_and_split_again_for_the_handler_to_recognise(opened: Services):
    async with running_gateway(opened) as gateway:
        for _ in range(2):
            assert await gateway.post("text.json") == 200
        await gateway.split()
    first, second = await items(opened)
    assert (first["payload"], first["lane"]) == (second["payload"], second["lane"])
    assert first["webhook_id"] != second["webhook_id"]


async def test_the_job_splits_all_that_waits_and_handles_a_few_itself(opened: Services):
    async with running_gateway(opened) as gateway:
        for _ in range(3):
            assert await gateway.post("batch_mixed.json") == 200
    await opened.redis.flushdb()
    await split_inbox.function(opened)
    assert await opened.db.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 0
    assert await items(opened) == []
    assert await opened.db.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'") > 0
    # It looks once more: what did not fit into one look, for its size, was told by a ring that is used up by now.
    assert await opened.redis.keys("bell:whatsapp.*") == [b"bell:whatsapp.jobs.split_inbox"]


async def test_of_many_the_job_rings_the_lanes_that_got_items(opened: Services):
    async with running_gateway(opened) as gateway:
        for number in range(FEW + 1):
            assert await gateway.post(text_body(text(f"wamid.{number}"))) == 200
    await opened.redis.flushdb()
    await split_inbox.function(opened)
    lanes = {row["lane"] for row in await items(opened)}
    assert len(lanes) >= 1
    assert {key.decode() for key in await opened.redis.keys("bell:*")} == {
        f"bell:whatsapp.jobs.handle_lane:{lane}" for lane in lanes
    }
    assert await opened.db.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 0


async def test_a_lane_that_cannot_be_handled_now_stops_no_other_and_loses_nothing(
    opened: Services, monkeypatch: pytest.MonkeyPatch
):
    async with running_gateway(opened) as gateway:
        for number in range(8):
            assert (
                await gateway.post(
                    text_body(
                        text(f"wamid.{number}", **{"from": f"55119000000{number:02}", "from_user_id": f"BR.{number}"})
                    )
                )
                == 200
            )
    drain, broken = jobs.drain, set()

    async def fails_first(services: Services, lane: int, stop_at: float) -> bool:
        if not broken:
            broken.add(lane)
            raise ConnectionError("the database went away")
        return await drain(services, lane, stop_at)

    monkeypatch.setattr(jobs, "drain", fails_first)
    with pytest.raises(ConnectionError):
        await split_inbox.function(opened)
    left = await items(opened)
    assert {row["lane"] for row in left} == broken
    assert await opened.db.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'") == 8 - len(left)

"""silver: messages and conversations folded by version, whatever order their events came in."""

from random import Random

from hub_api.events import MessageEdited, MessagePriced, MessageRevoked
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk


def test_a_message_ends_in_the_state_of_its_newest_version(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    sent = talk.we("2026-03-10 14:01")
    talk.changed(sent, "delivered", "2026-03-10 14:03", version=4)
    talk.changed(sent, "failed", "2026-03-10 14:02", version=3, error_code=131026)
    talk.changed(sent, "accepted", "2026-03-10 14:01:01", version=2)
    given(*reversed(talk.events))
    given.build("2026-03-10", upto="silver.messages")
    row = given.row("SELECT state, counts, error_code, version, toString(accepted_at) AS accepted FROM silver.messages")
    assert row == {
        "state": "delivered",
        "counts": True,
        "error_code": 131026,
        "version": 4,
        "accepted": "2026-03-10 14:01:01.000000",
    }


def test_a_status_of_a_later_day_changes_the_row_of_the_message_s_day(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    sent = talk.we("2026-03-10 14:01")
    talk.changed(sent, "read", "2026-03-12 09:00", version=2)
    given(*talk.events)
    given.build("2026-03-10", "2026-03-11", "2026-03-12", upto="silver.messages")
    assert given.rows("SELECT toString(day) AS day, state FROM silver.messages") == [
        {"day": "2026-03-10", "state": "read"}
    ]


def test_a_price_told_apart_changes_the_price_and_nothing_else(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    sent = talk.we("2026-03-10 14:01")
    talk.changed(sent, "delivered", "2026-03-10 14:02", version=2)
    priced = MessagePriced(
        aggregate_id=sent, aggregate_version=3, occurred_at=at("2026-03-10 14:03"), conversation_id=talk.id,
        customer_id=named("customer ana"), pricing_category="service", pricing_type="regular", cost_micros=6_800, cost_currency="USD",
    )  # fmt: skip
    given(*talk.events, priced)
    given.build("2026-03-10", upto="silver.messages")
    row = given.row("SELECT state, pricing_category, pricing_type, version FROM silver.messages")
    assert row == {"state": "delivered", "pricing_category": "service", "pricing_type": "regular", "version": 3}


def test_an_edited_message_has_its_newest_words(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    message = talk.customer("2026-03-10 14:00", "sem sinau")
    about = {"aggregate_id": message, "conversation_id": talk.id, "customer_id": named("customer ana")}
    edits = [
        MessageEdited(**about, aggregate_version=3, occurred_at=at("2026-03-10 14:02"), content=None),
        MessageEdited(**about, aggregate_version=2, occurred_at=at("2026-03-10 14:01"), content="sem sinal"),
    ]
    given(*talk.events, edits[1])
    given.build("2026-03-10", upto="silver.messages")
    assert given.row("SELECT content FROM silver.messages") == {"content": "sem sinal"}
    given(edits[0], MessageRevoked(**about, aggregate_version=4, occurred_at=at("2026-03-10 14:03")))
    given.build("2026-03-10", upto="silver.messages")
    row = given.row("SELECT content, revoked_at IS NOT NULL AS revoked FROM silver.messages")
    assert row == {"content": None, "revoked": 1}


def test_a_conversation_is_folded_by_version_in_any_order(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.moves("2026-03-10 14:05", "queued", "suporte")
    talk.moves("2026-03-10 14:10", "assigned")
    talk.moves("2026-03-10 15:00", "resolved")
    talk.rated("2026-03-10 15:01", 2)
    talk.moves("2026-03-10 16:00", "queued", "retencao")
    talk.moves("2026-03-11 10:00", "assigned")
    talk.moves("2026-03-11 11:00", "resolved")
    talk.recommends("2026-03-11 11:01", 3)
    talk.rated("2026-03-11 11:01", 5)
    talk.recommends("2026-03-11 11:02", 9)
    talk.moves("2026-03-11 12:00", "closed")
    events = list(talk.events)
    Random(1).shuffle(events)
    for event in events:
        given(event)
    given.build("2026-03-10", "2026-03-11", upto="silver.conversation_states")
    row = given.row(
        "SELECT toString(day) AS day, state, queue, reopened_count, satisfaction, nps, version, "
        "toString(queued_at) AS queued, toString(resolved_at) AS resolved, toString(recommended_at) AS recommended FROM silver.conversations"
    )
    assert row == {
        "day": "2026-03-10", "state": "closed", "queue": "retencao", "reopened_count": 1, "satisfaction": 5, "nps": 9, "version": 12,
        "queued": "2026-03-10 14:05:00.000000", "resolved": "2026-03-11 11:00:00.000000",
        "recommended": "2026-03-11 11:02:00.000000",
    }  # fmt: skip
    steps = given.rows(
        "SELECT toString(day) AS day, previous_state, state, previous_queue, queue FROM silver.conversation_states ORDER BY version"
    )
    assert [tuple(step.values()) for step in steps] == [
        ("2026-03-10", "", "bot", "", ""),
        ("2026-03-10", "bot", "queued", "", "suporte"),
        ("2026-03-10", "queued", "assigned", "suporte", "suporte"),
        ("2026-03-10", "assigned", "resolved", "suporte", "suporte"),
        ("2026-03-10", "resolved", "queued", "suporte", "retencao"),
        ("2026-03-11", "queued", "assigned", "retencao", "retencao"),
        ("2026-03-11", "assigned", "resolved", "retencao", "retencao"),
        ("2026-03-11", "resolved", "closed", "retencao", "retencao"),
    ]


def test_the_steps_of_one_day_know_the_queue_of_the_day_before(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.moves("2026-03-10 14:05", "queued", "suporte")
    talk.moves("2026-03-11 14:10", "assigned")
    given(*talk.events)
    given.build("2026-03-10", "2026-03-11", upto="bronze.events")
    given.build("2026-03-11", upto="silver.conversation_states")
    (step,) = given.rows("SELECT previous_state, previous_queue, queue FROM silver.conversation_states")
    assert step == {"previous_state": "queued", "previous_queue": "suporte", "queue": "suporte"}

"""raw to bronze: typed, deduplicated, on the right business day."""

import json

from hub_api.events import (
    BusinessRecorded,
    ConsentChanged,
    CustomerMerged,
    ExperimentAssigned,
    ExperimentPlanned,
    GoalRecorded,
    MessageQueued,
    MessageReceived,
    PlannedMetric,
    assignment_id,
)
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk


def test_a_day_is_a_business_day_of_the_hub_s_zone(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 02:59:59.999999")  # 23:59 on the 9th in São Paulo
    talk.customer("2026-03-10 03:00:00")
    given(*talk.events)
    given.build("2026-03-09", "2026-03-10", upto="bronze.events")
    rows = given.rows("SELECT toString(day) AS day, type FROM bronze.events ORDER BY event_time")
    assert rows == [
        {"day": "2026-03-09", "type": "conversation.opened"},
        {"day": "2026-03-10", "type": "message.received"},
    ]


def test_copies_of_an_event_become_one(given: Given) -> None:
    event = Talk("ana", "2026-03-10 14:00").events[0]
    same = uuid7()
    given(event, event, ids=[same, same])
    given(event, ids=[same])
    given.build("2026-03-10", upto="bronze.events")
    assert given.rows("SELECT id FROM bronze.events") == [{"id": same}]


def test_fields_are_typed_and_absent_ones_are_empty(given: Given) -> None:
    merged = CustomerMerged(
        aggregate_id=named("old"), aggregate_version=3, occurred_at=at("2026-03-10 14:00"), into=named("new")
    )
    consent = ConsentChanged(
        aggregate_id=named("ana"), aggregate_version=2, occurred_at=at("2026-03-10 14:00"), scope="marketing", granted=False,
        source="customer_message",
    )  # fmt: skip
    invoice = BusinessRecorded(
        aggregate_id=named("invoice"), aggregate_version=1, occurred_at=at("2026-03-10 14:00"), kind="invoices",
        external_id="F-1", status="open", customer_id=named("ana"),
    )  # fmt: skip
    given(merged, consent, invoice)
    given.build("2026-03-10", upto="bronze.events")
    columns = "type, customer_id, merged_into, scope, granted, kind, external_id, status, content"
    rows = {row.pop("type"): row for row in given.rows(f"SELECT {columns} FROM bronze.events")}
    nothing = {
        "merged_into": None,
        "scope": "",
        "granted": None,
        "kind": "",
        "external_id": "",
        "status": "",
        "content": None,
    }
    assert rows["customer.merged"] == {**nothing, "customer_id": named("old"), "merged_into": named("new")}
    assert rows["consent.changed"] == {**nothing, "customer_id": named("ana"), "scope": "marketing", "granted": False}
    expected = {"customer_id": named("ana"), "kind": "invoices", "external_id": "F-1", "status": "open"}
    assert rows["business.recorded"] == {**nothing, **expected}


def test_experiments_and_goals_are_typed_and_the_plan_is_kept_whole(given: Given) -> None:
    experiment, campaign, ana = named("experiment"), named("campaign"), named("ana")
    moment = at("2026-03-10 14:00")
    planned = ExperimentPlanned(
        aggregate_id=experiment, aggregate_version=1, occurred_at=moment, experiment="turbo", control="c", shares={"c": 0.5, "a": 0.5},
        goal="sold", window_days=7, metrics=(PlannedMetric(name="conversion", role="primary", effect=0.02),), campaign_id=campaign,
    )  # fmt: skip
    assigned = ExperimentAssigned(
        aggregate_id=assignment_id(experiment, ana), aggregate_version=1, occurred_at=moment, experiment_id=experiment,
        experiment="turbo", variant="a", customer_id=ana, campaign_id=campaign,
    )  # fmt: skip
    goal = GoalRecorded(
        aggregate_id=named("goal"), aggregate_version=1, occurred_at=moment, kind="sold", external_id="G-1", customer_id=ana,
        value_micros=19_900_000,
    )  # fmt: skip
    sent = MessageQueued(
        aggregate_id=named("m"), aggregate_version=1, occurred_at=moment, conversation_id=named("talk"), customer_id=ana,
        message_type="template", content="oi", author="campaign", category="marketing", shard=0, campaign_id=campaign, variant="a",
    )  # fmt: skip
    given(planned, assigned, goal, sent)
    given.build("2026-03-10", upto="silver.messages")
    columns = "type, customer_id, campaign_id, experiment_id, experiment, variant, kind, value_micros, value_currency"
    rows = {row.pop("type"): tuple(row.values()) for row in given.rows(f"SELECT {columns} FROM bronze.events")}
    assert rows == {
        "experiment.planned": (None, campaign, experiment, "turbo", "", "", None, ""),
        "experiment.assigned": (ana, campaign, experiment, "turbo", "a", "", None, ""),
        "goal.recorded": (ana, None, None, "", "", "sold", 19_900_000, "BRL"),
        "message.queued": (ana, campaign, None, "", "a", "", None, ""),
    }
    plan = given.row("SELECT experiment_plan AS plan FROM bronze.events WHERE experiment_plan != ''")["plan"]
    assert json.loads(plan) == json.loads(json.dumps(planned.payload()))
    assert given.row("SELECT campaign_id, variant FROM silver.messages") == {"campaign_id": campaign, "variant": "a"}


def test_an_absurd_time_counts_on_the_day_of_its_recording(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("1970-01-01 00:00:00")
    talk.customer("2100-01-01 00:00:00")
    given(*talk.events, recorded_at=at("2026-03-10 14:00:05"))
    given.build("2026-03-10", upto="silver.messages")
    assert given.row(
        "SELECT count() AS messages, min(sent_at) AS first, max(sent_at) AS last FROM silver.messages"
    ) == {
        "messages": 2,
        "first": at("2026-03-10 14:00:05").replace(tzinfo=None),
        "last": at("2026-03-10 14:00:05").replace(tzinfo=None),
    }


class Unheard(Event, frozen=True, kw_only=True):
    type = "something.of.the.future"
    aggregate_type = "something"
    queue: dict[str, int]


def test_an_event_of_a_type_not_known_yet_is_kept_and_harms_none(given: Given) -> None:
    strange = Unheard(aggregate_id=named("x"), aggregate_version=1, occurred_at=at("2026-03-10 14:00"), queue={"a": 1})
    given(strange, *Talk("ana", "2026-03-10 14:00").events)
    given.build("2026-03-10")
    assert given.row("SELECT count() AS events, uniq(type) AS types FROM bronze.events") == {"events": 2, "types": 2}
    assert given.row("SELECT count() AS n FROM gold.conversation_facts") == {"n": 1}


def test_text_of_any_kind_survives(given: Given) -> None:
    text = "linha\nnova \\ \"aspas\" 'simples' tab\t ção 👍 \u2028 <b>"
    event = MessageReceived(
        aggregate_id=named("m"), aggregate_version=1, occurred_at=at("2026-03-10 14:00"), conversation_id=named("c"),
        customer_id=named("ana"), message_type="text", content=text, received_at=at("2026-03-10 14:00:01"),
    )  # fmt: skip
    given(event)
    given.build("2026-03-10", upto="silver.messages")
    assert given.row("SELECT content, customer_id FROM silver.messages") == {
        "content": text,
        "customer_id": named("ana"),
    }


def test_a_batch_above_the_one_asked_for_is_left_out(given: Given) -> None:
    given(*Talk("ana", "2026-03-10 14:00").events)
    given(*Talk("bia", "2026-03-10 15:00").events)
    given.batch = 1
    given.build("2026-03-10", upto="bronze.events")
    assert given.rows("SELECT conversation_id FROM bronze.events") == [{"conversation_id": named("ana")}]

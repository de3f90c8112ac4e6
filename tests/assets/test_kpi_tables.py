"""gold: waits, handling, hand-overs, business time, agents' hours, promises, numbers and costs; given events, expect rows."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from pydantic import ValidationError

from assets.checks import _agree
from assets.gold.calendar.build import build_calendar, calendar_days
from assets.warehouse import load_sql
from hub_api.analytics.dashboards.tree import read_tree
from hub_api.events import BusinessRecorded, ConsentChanged, CustomerCreated, MessageStateChanged
from hub_api.platform.eventlog import Event
from hub_api.settings import Calendar
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk
from tests.support.data import table_hash

CHECKS = (
    ("assets.gold.service", "conversation_facts"), ("assets.gold.service", "message_facts"), ("assets.gold.service", "sla_daily"),
    ("assets.gold.agent", "agent_days"), ("assets.gold.agent", "agent_work_hourly"), ("assets.gold.agent", "agent_kpi_hourly"), ("assets.gold.number", "number_health_hourly"), ("assets.gold.cost", "cost_daily"),
    ("assets.gold.service", "backlog_changes"), ("assets.gold.service", "service_kpi_hourly"), ("assets.gold.service", "opt_outs"), ("assets.gold.calendar", "business_calendar"),
)  # fmt: skip
DAYS = [
    "2026-03-10",
    "2026-03-11",
    "2026-03-12",
]  # Tuesday to Thursday; service 08:00 to 20:00, that is 11:00 to 23:00 UTC


def test_business_time_leaves_out_nights_weekends_and_holidays() -> None:
    calendar = Calendar(
        business_hours="1-5 08:00-20:00, 6 08:00-14:00", holiday_state="SP", history_start=date(2026, 1, 1)
    )
    days = {row[0]: row for row in calendar_days(calendar)}
    assert days[date(2026, 3, 10)][2:5] == (at("2026-03-10 11:00"), at("2026-03-10 23:00"), 43200)
    assert days[date(2026, 3, 14)][4] == 6 * 3600 and days[date(2026, 3, 15)][4] == 0  # Saturday, Sunday
    assert days[date(2026, 4, 21)][1] == "Tiradentes" and days[date(2026, 4, 21)][4] == 0
    assert days[date(2026, 7, 9)][4] == 0, "a holiday of São Paulo"
    week = [days[date(2026, 3, 9) + timedelta(days=n)] for n in range(8)]
    assert week[7][5] - week[0][5] == sum(row[4] for row in week[:7]) == (5 * 12 + 6) * 3600


@pytest.mark.parametrize(
    "text", ["1-5", "5-1 08:00-18:00", "1 18:00-08:00", "1-5 08:00-12:00, 3 13:00-18:00", "8 08:00-09:00"]
)
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="business_hours"):
        Calendar(business_hours=text)


def test_the_calendar_made_again_has_the_same_rows(given: Given) -> None:
    build_calendar(given.warehouse)
    before = table_hash(given.warehouse.client, "gold.business_calendar")
    assert build_calendar(given.warehouse) == before[0]
    assert table_hash(given.warehouse.client, "gold.business_calendar") == before
    assert given.rows("SELECT name FROM system.tables WHERE name LIKE '%building%'") == []


def test_waiting_and_handling_are_the_times_of_the_states_in_both_kinds_of_time(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 22:00")
    talk.customer("2026-03-10 22:00")
    talk.moves("2026-03-10 22:30", "queued", "suporte")  # 19:30 there: half an hour before closing
    talk.moves("2026-03-11 12:00", "assigned", agent="bia")  # 09:00: an hour after opening
    talk.we("2026-03-11 12:10", by="bia")
    talk.moves("2026-03-11 12:10", "waiting_customer", agent="bia")
    talk.moves("2026-03-11 12:40", "assigned", agent="bia")
    talk.moves("2026-03-11 12:50", "queued", "vendas")
    talk.moves("2026-03-11 13:00", "assigned", agent="caio")
    talk.moves("2026-03-11 13:30", "resolved", agent="caio")
    given(*talk.events)
    given.build(*DAYS)
    row = given.row(
        "SELECT wait_seconds, wait_business_seconds AS wait_b, handling_seconds, handling_business_seconds AS handling_b, transfers, "
        "first_response_seconds, first_response_business_seconds AS first_b, resolution_business_seconds AS resolution_b, "
        "is_abandoned, is_contained, sla_first_response_kept AS kept, sla_resolution_kept AS kept_r FROM gold.conversation_facts"
    )
    assert row == {
        "wait_seconds": 13.5 * 3600 + 600, "wait_b": 1.5 * 3600 + 600, "handling_seconds": 50 * 60, "handling_b": 50 * 60, "transfers": 1,
        "first_response_seconds": 14 * 3600 + 600, "first_b": 2 * 3600 + 600, "resolution_b": 3.5 * 3600, "is_abandoned": False,
        "is_contained": False, "kept": False, "kept_r": True,
    }  # fmt: skip


def test_abandoned_contained_and_repeated_demands(given: Given) -> None:
    left = Talk("left", "2026-03-10 14:00", person="ana")
    left.customer("2026-03-10 14:00")
    left.moves("2026-03-10 14:01", "queued", "suporte")
    left.moves("2026-03-10 18:00", "closed")
    alone = Talk("alone", "2026-03-11 14:00", person="bruno")
    alone.customer("2026-03-11 14:00")
    alone.we("2026-03-11 14:00:01", "bot")
    alone.moves("2026-03-11 14:02", "resolved")
    again = Talk("again", "2026-03-12 14:00", person="bruno", previous="alone")
    again.customer("2026-03-12 14:00")
    given(*left.events, *alone.events, *again.events)
    given.build(*DAYS)
    rows = given.rows(
        "SELECT is_abandoned, is_contained, repeats_id, sla_first_response_kept AS kept, messages_bot FROM gold.conversation_facts ORDER BY opened_at"
    )
    assert [tuple(row.values()) for row in rows] == [
        (True, False, None, False, 0),
        (False, True, None, None, 1),
        (False, False, named("alone"), None, 0),
    ]
    assert given.rows(
        "SELECT promise, kept, broken, undecided FROM gold.sla_daily WHERE day = '2026-03-11' ORDER BY promise"
    ) == [
        {"promise": "first_response", "kept": 0, "broken": 0, "undecided": 1},
        {"promise": "resolution", "kept": 1, "broken": 0, "undecided": 0},
    ]


def test_dashboards_of_conversations_say_what_the_catalogue_says(given: Given) -> None:
    """A conversation that we began and nobody answered is in no figure of service; one never resolved cannot come back."""
    solved, back, begun, kept = (Talk(name, "2026-03-10 14:00") for name in ("solved", "back", "begun", "kept"))
    for talk in (solved, back, kept):
        talk.customer("2026-03-10 14:00:01")
    begun.we("2026-03-10 14:00:02", author="campaign", category="marketing")
    for talk in (solved, back):
        talk.moves("2026-03-10 14:01", "queued", "atendimento")
        talk.we("2026-03-10 14:02")
        talk.moves("2026-03-10 14:05", "resolved")
        talk.rated("2026-03-10 14:06", 4)
    back.moves("2026-03-10 15:00", "queued", "atendimento")
    kept.we("2026-03-10 14:00:03", author="bot")
    kept.moves("2026-03-10 14:10", "resolved")
    given(*(event for talk in (solved, back, begun, kept) for event in talk.events))
    given.build("2026-03-10")
    metrics = read_tree().datasets["conversations"].spec["metrics"]
    found = {}
    for metric, kpi in (
        ("resolution_rate",) * 2,
        ("reopen_rate",) * 2,
        ("csat",) * 2,
        ("containment", "bot_containment"),
    ):
        ((shown,),) = given.warehouse.rows(f"SELECT {metrics[metric]['sql']} FROM gold.bi_conversations")
        ((defined,),) = given.warehouse.rows(f"SELECT sum(numerator) / sum(denominator) FROM gold.kpi_{kpi}")
        assert shown == pytest.approx(defined), metric
        found[metric] = shown
    assert found == pytest.approx({"resolution_rate": 2 / 3, "reopen_rate": 1 / 3, "csat": 4, "containment": 1 / 2})


def test_region_and_plan_are_those_known_at_the_end_of_the_day(given: Given) -> None:
    talk = Talk("ana", "2026-03-11 14:00")
    talk.customer("2026-03-11 14:00")

    def contract(version: int, day: str, plan: str) -> BusinessRecorded:
        return BusinessRecorded(aggregate_id=named("contract"), aggregate_version=version, occurred_at=at(f"{day} 12:00"), kind="contracts",
                                external_id="c-1", status="active", customer_id=talk.customer_id, plan=plan)  # fmt: skip

    person = CustomerCreated(
        aggregate_id=talk.customer_id, aggregate_version=1, occurred_at=at("2026-03-10 12:00"), state_code="PE"
    )
    given(person, contract(1, "2026-03-10", "fibra-300"), contract(2, "2026-03-12", "fibra-1g"), *talk.events)
    given.build(*DAYS)
    shown = "SELECT state_code, region, plan FROM gold.{} LIMIT 1"
    for table in ("conversation_facts", "message_facts"):
        assert given.row(shown.format(table)) == {"state_code": "PE", "region": "Nordeste", "plan": "fibra-300"}


def test_an_agent_s_hour_counts_parallel_conversations_once_as_busy(given: Given) -> None:
    one, two = Talk("one", "2026-03-10 14:00"), Talk("two", "2026-03-10 14:00")
    for talk, taken, done in ((one, "14:10", "14:50"), (two, "14:30", "15:20")):
        talk.customer("2026-03-10 14:00")
        talk.moves("2026-03-10 14:05", "queued", "suporte")
        talk.moves(f"2026-03-10 {taken}", "assigned", agent="bia")
        talk.we(f"2026-03-10 {taken}:30", by="bia")
        talk.moves(f"2026-03-10 {done}", "resolved", agent="bia")
    later = Talk("later", "2026-03-10 15:50")
    later.we("2026-03-10 15:50", by="bia")
    given(*one.events, *two.events, *later.events)
    given.build("2026-03-10")
    rows = given.rows("SELECT toHour(hour) AS hour, conversations, taken, resolved, messages, attended_seconds, handling_seconds, "
                      "busy_seconds FROM gold.agent_kpi_hourly ORDER BY hour")  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        (14, 2, 2, 1, 2, 3000.0, 4200.0, 3000.0),
        (15, 2, 0, 1, 1, 3000.0, 1200.0, 1200.0),
    ]


def test_an_opt_out_leads_to_the_message_before_it(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.we("2026-03-10 14:00", "campaign", category="marketing", becomes=(("delivered", "2026-03-10 14:01"),))
    given(*talk.events, *(
        ConsentChanged(aggregate_id=who, aggregate_version=2, occurred_at=at("2026-03-11 10:00"), scope="marketing", granted=False, source="keyword")
        for who in (talk.customer_id, named("a stranger"))
    ))  # fmt: skip
    given.build(*DAYS)
    rows = given.rows("SELECT customer_id, conversation_id FROM gold.opt_outs")
    assert {row["customer_id"]: row["conversation_id"] for row in rows} == {
        talk.customer_id: talk.id,
        named("a stranger"): UUID(int=0),
    }


def random_events(rng: Random, talks: int = 40) -> list[Event]:
    """Conversations of a few people over three days: several agents, queues, numbers, fates, prices, ratings, opt-outs."""
    events: list[Event] = []
    for number in range(talks):
        person = f"person {rng.randint(0, 12)}"
        moment = datetime(2026, 3, 10, 3, tzinfo=UTC) + timedelta(seconds=round(rng.uniform(0, 2.5 * 86400)))
        talk = Talk(f"talk {number}", str(moment.replace(tzinfo=None)), person=person)
        for _ in range(rng.randint(1, 12)):
            moment += timedelta(seconds=round(rng.expovariate(1 / 1500), 3))
            text = str(moment.replace(tzinfo=None))
            match rng.choice(["customer", "customer", "agent", "bot", "move", "move", "move", "rate", "no"]):
                case "customer":
                    talk.customer(text)
                case "agent" | "bot" as author:
                    fates = rng.choice([("delivered",), ("delivered", "read"), ("failed",), ()])
                    sent = talk.we(text, author, by=rng.choice(["bia", "caio"]) if author == "agent" else None,
                                   category=rng.choice(["service", "marketing"]))  # fmt: skip
                    for version, fate in enumerate(fates, start=2):
                        events.append(MessageStateChanged(
                            aggregate_id=sent, aggregate_version=version, occurred_at=moment + timedelta(seconds=version),
                            conversation_id=talk.id, customer_id=talk.customer_id, from_state="sent", to_state=fate,
                            error_code=rng.choice([131026, 131000]) if fate == "failed" else None,
                            cost_micros=6800 if fate == "delivered" else None, cost_currency="USD" if fate == "delivered" else None,
                        ))  # fmt: skip
                case "move":
                    state = rng.choice(["queued", "assigned", "waiting_customer", "resolved", "bot", "closed"])
                    if state != talk.state:
                        talk.moves(text, state, rng.choice(["suporte", "vendas"]) if state == "queued" else None,
                                   agent=rng.choice(["bia", "caio"]) if state in ("assigned", "resolved") else None)  # fmt: skip
                case "rate":
                    talk.rated(text, grade := rng.randint(1, 5))
                    talk.recommends(text, 2 * grade)
                case "no":
                    events.append(ConsentChanged(aggregate_id=talk.customer_id, aggregate_version=number + 2, occurred_at=moment,
                                                 scope="marketing", granted=False, source="keyword"))  # fmt: skip
        events += talk.events
    rng.shuffle(events)
    return events


def test_every_check_agrees_on_a_day_without_agents(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:00")
    given(*talk.events)
    given.build(*DAYS)
    for package, table in CHECKS:
        rows = given.warehouse.rows(load_sql(package, f"{table}.check.sql"), DAYS)
        assert rows and all(_agree(ours, theirs) for _, ours, theirs in rows), (table, rows)


@pytest.mark.parametrize("seed", range(2))
def test_every_check_agrees_on_random_events_and_sees_a_changed_figure(given: Given, seed: int) -> None:
    given(*random_events(Random(seed)))
    given.build(*DAYS)
    for package, table in CHECKS:
        rows = given.warehouse.rows(load_sql(package, f"{table}.check.sql"), DAYS)
        assert rows and all(_agree(ours, theirs) for _, ours, theirs in rows), (table, rows)
    spoilt = {
        "sla_daily": "kept = kept + 1", "agent_kpi_hourly": "busy_seconds = busy_seconds + 1",
        "number_health_hourly": "delivered = delivered + 1", "cost_daily": "cost_micros = cost_micros + 1", "message_facts": "cost_micros = cost_micros + 1",
        "backlog_changes": "change = 1", "agent_days": "acts = acts + 1", "agent_work_hourly": "messages = messages + 1", "opt_outs": "sent_at = toDateTime64(0, 6, 'UTC')",
    }  # fmt: skip
    for package, table in CHECKS:
        if table in spoilt:
            given.warehouse.client.command(
                f"ALTER TABLE gold.{table} UPDATE {spoilt[table]} WHERE 1 SETTINGS mutations_sync = 1"
            )
            rows = given.warehouse.rows(load_sql(package, f"{table}.check.sql"), DAYS)
            assert not all(_agree(ours, theirs) for _, ours, theirs in rows), f"the check of {table} sees nothing"

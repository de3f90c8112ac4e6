"""gold, service: what counts as an answer, and hourly figures equal to an independent computation."""

from collections import defaultdict
from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.assets.conftest import Given, at
from tests.assets.story import Talk

ZONE = ZoneInfo("America/Sao_Paulo")
FACTS = "SELECT first_response_seconds, first_answer_seconds, messages_in, messages_out, messages_person, is_bot_only FROM gold.conversation_facts"


def facts_of(given: Given, talk: Talk) -> dict[str, object]:
    given(*talk.events)
    given.build("2026-03-10")
    return given.row(FACTS)


def test_the_bot_answers_but_only_a_person_responds(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:00:00")
    talk.we("2026-03-10 14:00:01.250", "bot")
    talk.customer("2026-03-10 14:01:00")
    talk.we("2026-03-10 14:10:00", "agent")
    talk.we("2026-03-10 14:11:00", "agent")
    assert facts_of(given, talk) == {
        "first_response_seconds": 600.0, "first_answer_seconds": 1.25, "messages_in": 2, "messages_out": 3,
        "messages_person": 2, "is_bot_only": False,
    }  # fmt: skip


def test_what_failed_was_cancelled_or_came_before_is_no_answer(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 13:00")
    talk.we("2026-03-10 13:00:00", "campaign")
    talk.we("2026-03-10 13:30:00", "agent")  # before the customer's first message
    talk.customer("2026-03-10 14:00:00")
    talk.we("2026-03-10 14:01:00", "campaign")
    talk.we("2026-03-10 14:02:00", "agent", becomes=(("failed", "2026-03-10 14:02:05"),))
    talk.we("2026-03-10 14:03:00", "agent", becomes=(("cancelled", "2026-03-10 14:03:05"),))
    talk.we(
        "2026-03-10 14:04:00",
        "agent",
        becomes=(("failed", "2026-03-10 14:04:05"), ("delivered", "2026-03-10 14:05:00")),
    )
    assert facts_of(given, talk) == {
        "first_response_seconds": 240.0, "first_answer_seconds": 240.0, "messages_in": 1, "messages_out": 4,
        "messages_person": 2, "is_bot_only": False,
    }  # fmt: skip


def test_nobody_answered(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.customer("2026-03-10 14:00:00")
    found = facts_of(given, talk)
    assert (found["first_response_seconds"], found["first_answer_seconds"], found["is_bot_only"]) == (None, None, True)
    kpi = given.row(
        "SELECT first_response_count, first_response_seconds_median, resolution_rate FROM gold.service_kpi_hourly WHERE messages_in > 0"
    )
    assert kpi == {"first_response_count": 0, "first_response_seconds_median": None, "resolution_rate": 0.0}


def test_a_conversation_without_a_word_of_the_customer_has_no_response_time(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 14:00")
    talk.we("2026-03-10 14:00:00", "agent")
    found = facts_of(given, talk)
    assert (found["first_response_seconds"], found["first_answer_seconds"], found["messages_out"]) == (None, None, 1)


def test_the_backlog_falls_in_the_hour_of_the_resolution_and_ends_with_the_newest_event(given: Given) -> None:
    talk = Talk("ana", "2026-03-10 13:59")
    talk.customer("2026-03-10 13:59")
    talk.moves("2026-03-10 14:30", "queued", "suporte")
    talk.moves("2026-03-10 15:10", "assigned")
    talk.moves("2026-03-10 17:00", "resolved")
    talk.moves("2026-03-10 17:30", "queued")
    given(*talk.events)
    given.build("2026-03-10")
    rows = given.rows(
        "SELECT toHour(hour) AS hour, queue, backlog, backlog_waiting AS waiting, resolutions, reopened "
        "FROM gold.service_kpi_hourly ORDER BY hour, queue"
    )
    assert [tuple(row.values()) for row in rows] == [
        (13, "", 1, 0, 0, 0),
        (13, "suporte", 0, 0, 0, 0),  # opened then; its last queue is suporte
        (14, "suporte", 1, 1, 0, 0),
        (15, "suporte", 1, 0, 0, 0),
        (16, "suporte", 1, 0, 0, 0),
        (17, "suporte", 1, 1, 1, 1),
    ]


def stories(rng: Random) -> list[Talk]:
    """Conversations over three days: answered by bot or people, failing, moving through queues, resolved or not."""
    talks = []
    for number in range(60):
        moment = at("2026-03-10 03:00") + timedelta(seconds=rng.uniform(0, 3 * 86400 - 30_000))
        talk = Talk(f"talk {number}", str(moment.replace(tzinfo=None)))
        for _ in range(rng.randint(1, 8)):
            text = str(moment.replace(tzinfo=None))
            match rng.choice(["customer", "customer", "agent", "bot", "move", "move", "rate"]):
                case "customer":
                    talk.customer(text)
                case "agent" | "bot" as author:
                    fate = rng.choice(["sent", "sent", "failed", "read"])
                    talk.we(text, author, becomes=((fate, text),))
                case "move":
                    state = rng.choice(["queued", "assigned", "resolved", "bot"])
                    if state != talk.state:
                        talk.moves(text, state, rng.choice(["suporte", "vendas"]) if state == "queued" else None)
                case "rate":
                    talk.rated(text, rng.randint(1, 5))
            moment += timedelta(seconds=rng.expovariate(1 / 2500))
        talks.append(talk)
    return talks


def hour_of(moment: datetime) -> datetime:
    return moment.astimezone(ZONE).replace(minute=0, second=0, microsecond=0)


def recomputed(talks: list[Talk]) -> pd.DataFrame:
    """The hourly figures from the stories, with pandas and plain loops."""
    cohort, hourly = [], defaultdict(lambda: defaultdict(float))
    final: dict[object, str] = {}
    for talk in talks:
        for event in talk.events:
            if event.type == "message.state_changed":
                final[event.aggregate_id] = event.to_state
    newest = max(event.occurred_at for talk in talks for event in talk.events)
    steps: list[list[tuple[datetime, str, str]]] = []
    for talk in talks:
        queue, said, trail = "", [], []
        for event in talk.events:
            if event.type in ("conversation.opened", "conversation.state_changed"):
                queue = getattr(event, "queue", None) or queue
                trail.append((event.occurred_at, event.to_state if trail else event.state, queue))
                if len(trail) > 1:
                    slot = hourly[hour_of(event.occurred_at), queue]
                    slot["resolutions"] += trail[-1][1] == "resolved"
                    slot["reopened"] += trail[-2][1] == "resolved" and trail[-1][1] in ("bot", "queued", "assigned")
            elif event.type in ("message.received", "message.queued"):
                inbound = event.type == "message.received"
                counts = final.get(event.aggregate_id) != "failed"
                said.append((event.occurred_at, inbound, None if inbound else event.author, counts))
                slot = hourly[hour_of(event.occurred_at), queue]
                slot["messages_in" if inbound else "messages_out"] += counts
        steps.append(trail)
        first = min((at_ for at_, inbound, _, _ in said if inbound), default=None)
        answers = [
            (at_, author) for at_, inbound, author, counts in said if not inbound and counts and first and at_ >= first
        ]
        people = [at_ for at_, author in answers if author == "agent"]
        ratings = [event.satisfaction for event in talk.events if event.type == "conversation.rated"]
        cohort.append({
            "hour": hour_of(talk.events[0].occurred_at), "queue": queue,
            "response": (min(people) - first).total_seconds() if people else None,
            "answer": (min(at_ for at_, _ in answers) - first).total_seconds() if answers else None,
            "resolved": trail[-1][1] == "resolved", "rating": ratings[-1] if ratings else None,
        })  # fmt: skip
    hour = hour_of(at("2026-03-10 03:00"))
    while hour <= hour_of(newest):
        for trail in steps:
            past = [step for step in trail if step[0] < hour + timedelta(hours=1)]
            if past and past[-1][1] != "resolved":
                hourly[hour, past[-1][2]]["backlog"] += 1
                hourly[hour, past[-1][2]]["backlog_waiting"] += past[-1][1] == "queued"
        hour += timedelta(hours=1)
    frame = pd.DataFrame(cohort)
    for (hour, queue), group in frame.groupby(["hour", "queue"]):
        slot, response, answer = hourly[hour, queue], group["response"].dropna(), group["answer"].dropna()
        slot |= {
            "conversations_opened": len(group), "first_response_count": len(response), "first_answer_count": len(answer),
            "first_response_seconds_sum": response.sum(), "first_answer_seconds_sum": answer.sum(),
            "resolved_count": group["resolved"].sum(), "satisfaction_count": group["rating"].count(), "satisfaction_sum": group["rating"].sum(),
        }  # fmt: skip
        if len(response):
            slot |= {
                "first_response_seconds_median": response.median(),
                "first_response_seconds_p90": response.quantile(0.9),
            }
        if len(answer):
            slot |= {"first_answer_seconds_median": answer.median(), "first_answer_seconds_p90": answer.quantile(0.9)}
    return pd.DataFrame(
        [{"hour": hour, "queue": queue, **slot} for (hour, queue), slot in hourly.items() if any(slot.values())]
    )


@pytest.mark.parametrize("seed", [7, 8])
def test_hourly_figures_equal_those_that_pandas_computes_from_the_messages(given: Given, seed: int) -> None:
    talks = stories(Random(seed))
    given(*(event for talk in talks for event in talk.events))
    given.build("2026-03-10", "2026-03-11", "2026-03-12")
    expected = recomputed(talks).set_index(["hour", "queue"]).sort_index()
    found = pd.DataFrame(
        given.rows(
            "SELECT * EXCEPT (day, resolution_rate), toTimeZone(hour, 'UTC') AS hour FROM gold.service_kpi_hourly"
        )
    )
    found["hour"] = pd.to_datetime(found["hour"], utc=True).dt.tz_convert(str(ZONE))
    expected.index = expected.index.set_levels(
        pd.to_datetime(expected.index.levels[0], utc=True).tz_convert(str(ZONE)), level=0
    )
    found = found.set_index(["hour", "queue"]).sort_index()[expected.columns]
    quantiles = [column for column in expected.columns if column.endswith(("median", "p90"))]
    counts = [column for column in expected.columns if column not in quantiles]
    assert len(found) > 100
    pd.testing.assert_frame_equal(
        found[counts].astype(float), expected[counts].fillna(0).astype(float), check_exact=False, rtol=0, atol=1e-6
    )
    pd.testing.assert_frame_equal(found[quantiles].astype(float), expected[quantiles].astype(float), rtol=1e-12)
    facts = pd.DataFrame(given.rows("SELECT first_response_seconds AS s FROM gold.conversation_facts"))["s"].dropna()
    exact = given.row(
        "SELECT count(first_response_seconds) AS n, quantileExactInclusive(0.5)(first_response_seconds) AS median, "
        "quantileExactInclusive(0.9)(first_response_seconds) AS p90 FROM gold.conversation_facts"
    )
    # To the last digits of a double: both interpolate between neighbours, in another order of operations.
    assert exact == pytest.approx({"n": len(facts), "median": facts.median(), "p90": facts.quantile(0.9)}, rel=1e-12)

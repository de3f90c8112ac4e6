"""Clocks of promises: pure, told moment by moment, and against another way to count."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.hours import hours_of
from hub_api.chat.sla.clocks import Moment, Policy, follow, policy_for
from hub_api.settings import Calendar

TALK, QUEUE = UUID(int=1), UUID(int=2)
T0 = datetime(2026, 11, 25, 15, tzinfo=UTC)  # a Wednesday, noon in São Paulo


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def moment(seconds, state, *, answered=None, asked=0.0, priority=1, queue=QUEUE):
    return Moment(
        TALK, at(seconds), state, queue, priority, T0, T0 if state != "bot" else None,
        at(answered) if answered is not None else None, at(asked) if asked is not None else None,
    )  # fmt: skip


def policy(target, seconds=100, **more):
    return Policy(UUID(int=9), target, None, None, seconds, more.pop("warn_before_s", 20), **more)


def told(target, *moments, **more):
    clock = None
    for one in moments:
        clock = follow(clock, target, one, policy(target, **more))
    return clock


def test_a_first_answer_is_due_from_the_queue_on_and_warned_of_before():
    clock = told("first_response", moment(0, "queued"), moment(5, "assigned"))
    assert clock.due_at == at(100) and clock.warn_at == at(80)
    ended = follow(clock, "first_response", moment(30, "waiting_customer", answered=30, asked=None), clock.policy)
    assert ended.due_at is None and ended.ended_at == at(30) and ended.spent_s == 30


def test_nothing_runs_while_the_bot_has_it():
    assert told("first_response", moment(0, "bot")) is None
    assert told("resolution", moment(0, "bot")) is None


def test_each_wait_for_a_next_answer_is_a_clock_of_its_own():
    clock = told("next_response", moment(0, "assigned", answered=1, asked=None))
    assert clock is None
    clock = told("next_response", moment(50, "assigned", answered=1, asked=50))
    assert clock.due_at == at(150)
    clock = follow(clock, "next_response", moment(60, "waiting_customer", answered=1, asked=None), clock.policy)
    assert clock.ended_at == at(60)
    again = follow(clock, "next_response", moment(500, "assigned", answered=1, asked=500), clock.policy)
    assert again.started_at == at(500) and again.due_at == at(600) and again.breached_at is None


def test_a_resolution_stands_while_the_customer_is_waited_for_and_goes_on_when_it_is_reopened():
    clock = told(
        "resolution", moment(0, "queued"), moment(40, "waiting_customer", answered=40, asked=None),
        moment(1000, "assigned", answered=40, asked=1000), moment(1010, "resolved", answered=40, asked=None),
    )  # fmt: skip
    assert clock.ended_at == at(1010) and clock.spent_s == 50 and clock.due_at is None
    again = follow(clock, "resolution", moment(2000, "queued", answered=40, asked=2000), clock.policy)
    assert again.ended_at is None and again.due_at == at(2050)


def test_a_more_urgent_promise_counts_what_was_spent():
    clock = told("resolution", moment(0, "queued"))
    quick = policy("resolution", 60)
    assert follow(clock, "resolution", moment(50, "queued", priority=5), quick).due_at == at(60)
    assert follow(clock, "resolution", moment(50, "queued"), None).ended_at == at(50)


def test_business_time_does_not_run_at_night():
    hours = hours_of(Calendar(business_hours="1-5 08:00-12:10"))
    clock = told("first_response", moment(0, "queued"), seconds=1200, hours=hours)
    assert clock.due_at == datetime(2026, 11, 26, 11, 10, tzinfo=UTC)  # ten minutes today, ten tomorrow from 8


def test_the_most_special_promise_counts():
    def one(number, queue=None, priority=None):
        return Policy(UUID(int=number), "resolution", queue, priority, 10, 0)

    every = [one(1), one(2, priority=5), one(3, QUEUE), one(4, QUEUE, 5)]
    urgent, usual = moment(0, "queued", priority=5), moment(0, "queued")
    other = moment(0, "queued", priority=5, queue=UUID(int=7))
    chosen = [policy_for(every, "resolution", each).id.int for each in (urgent, usual, other)]
    assert chosen == [4, 3, 2]
    assert policy_for(every, "first_response", usual) is None


@given(
    st.lists(
        st.tuples(st.sampled_from(["queued", "assigned", "waiting_customer", "bot", "resolved"]), st.integers(1, 90)),
        max_size=12,
    )
)
def test_what_is_spent_is_the_time_with_us(steps):
    """Against a sum over the steps: a clock that began counts the time of every step in which people had it."""
    clock, now, with_us, began = None, 0, 0.0, None
    rule = policy("resolution", 10_000)
    for state, lasts in steps:
        clock = follow(clock, "resolution", moment(now, state, asked=0), rule)
        if state in ("queued", "assigned"):
            began = now if began is None else began
            with_us += lasts
        now += lasts
    if clock is None:
        assert began is None
        return
    # It runs from the opening on: what came before people had it counts, once.
    assert clock.stand(at(now)).spent_s == with_us + began

"""The plan of a campaign, over random calendars, zones and bounds: never outside hours, cap, quota, budget or end."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_api.campaigns.sending.rhythm import next_after
from hub_api.campaigns.timing import MARGIN, Pacing, Standing, When, admit, forecast, hours_at, may_go, turn_at
from hub_api.campaigns.zones import STATES

ZONE = "America/Sao_Paulo"
states = st.sampled_from(["", *sorted(STATES)])
# Years with clock changes too (Brazil had summer time until 2019), and zones that still have them.
moments = st.datetimes(datetime(2016, 1, 1), datetime(2031, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
zones = st.sampled_from([ZONE, "America/Manaus", "America/New_York", "Europe/Lisbon", "Australia/Lord_Howe"])


@st.composite
def hours(draw: st.DrawFn) -> str:
    """Some weekdays with an opening of half an hour at least."""
    days = draw(st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True))
    parts = []
    for day in days:
        opens = draw(st.integers(0, 46))
        closes = draw(st.integers(opens + 1, 47))
        parts.append(f"{day} {opens // 2:02d}:{opens % 2 * 30:02d}-{closes // 2:02d}:{closes % 2 * 30:02d}")
    return ", ".join(parts)


@st.composite
def whens(draw: st.DrawFn) -> When:
    start = draw(moments)
    until = draw(st.none() | st.integers(1, 24 * 20).map(lambda h: start + timedelta(hours=h)))
    clock = draw(st.none() | st.times().map(lambda at: at.replace(microsecond=0)))
    return When(start, draw(hours()), draw(zones), draw(st.booleans()), until, clock, draw(st.booleans()))


@given(whens(), states, st.none() | st.integers(0, 23), st.integers(0, 24 * 30))
def test_a_turn_lies_in_the_hours_of_its_place(when: When, state: str, habit: int | None, later: int) -> None:
    earliest = when.start + timedelta(hours=later)
    at = turn_at(when, state or None, habit, earliest)
    if at is None:
        return
    place = hours_at(when.hours, when.zone, when.holidays, state or None)
    local = at.astimezone(place.zone)
    opens, closes = place.weekly[local.isoweekday()]
    assert at >= earliest and place.is_open(at) and may_go(when, state or None, at)
    assert local.date() not in place.closed and opens <= local.time().replace(fold=0) < closes
    assert when.until is None or at < when.until


@settings(max_examples=60)
@given(
    whens(),
    st.dictionaries(states, st.integers(1, 5_000), min_size=1, max_size=5),
    st.floats(0.01, 400),
    st.none() | st.integers(1, 3_000),
    st.none() | st.tuples(st.integers(0, 2_000), st.integers(1, 3_000)),
    st.none() | st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)),
    st.integers(-48, 48),
)
def test_no_plan_breaks_hours_cap_quota_or_budget(
    when: When,
    people: dict[str, int],
    rate: float,
    per_day: int | None,
    quota: tuple[int, int] | None,
    budget: tuple[int, int] | None,
    ahead: int,
) -> None:
    now = when.start + timedelta(hours=ahead)
    left, a_day = (min(quota), quota[1]) if quota else (None, None)
    pacing = Pacing(per_day, budget_micros=budget[0] if budget else None, price_micros=budget[1] if budget else None)
    steps, over = forecast(when, people, now=now, rate=rate, pacing=pacing, quota_left=left, quota_a_day=a_day, days=21)
    sent: Counter[str] = Counter()
    by_day: Counter[object] = Counter()
    for step in steps:
        assert step.count > 0 and now <= step.begin < step.end and step.begin >= when.start
        assert step.count <= (step.end - step.begin).total_seconds() * rate + 1
        for state, count in step.states.items():
            place = hours_at(when.hours, when.zone, when.holidays, state or None)
            assert place.is_open(step.begin) and place.is_open(step.end - timedelta(microseconds=1))
            assert place.between(step.begin, step.end) >= (step.end - step.begin).total_seconds() - 1e-3
            sent[state] += count
        assert when.until is None or step.end <= when.until
        by_day[step.begin.astimezone(ZoneInfo(when.zone)).date()] += step.count
    assert sum(sent.values()) + over == sum(people.values())
    assert all(sent[state] <= people[state] for state in sent)
    assert per_day is None or max(by_day.values(), default=0) <= per_day
    if budget:
        assert sum(sent.values()) * budget[1] <= budget[0]
    if a_day is not None:
        assert all(
            sum(one.count for one in steps if one.begin < step.end and one.end > step.end - timedelta(days=1)) <= a_day
            for step in steps
        )
        used = a_day - (left or 0)
        assert sum(one.count for one in steps if one.begin < now + timedelta(days=1)) + used <= a_day or not steps


@given(
    st.integers(1, 1_000), st.none() | st.integers(1, 5_000), st.none() | st.integers(0, 10**9), st.none() | st.integers(0, 10**6),
    st.lists(st.integers(0, 400), max_size=60),
)  # fmt: skip
def test_whatever_leaves_when_the_bounds_hold(
    runway: int, per_day: int | None, budget: int | None, price: int | None, leaving: list[int]
) -> None:
    pacing, waiting, placed = Pacing(per_day, runway, budget, price), 0, 0
    for left in leaving:
        now = admit(pacing, Standing(waiting, placed, placed))
        waiting, placed = waiting + now, placed + now
        assert waiting <= runway and (per_day is None or placed <= per_day)
        assert budget is None or placed * (price if price is not None else 1) <= budget or placed == 0
        waiting -= min(left, waiting)


def test_a_habit_counts_within_the_hours_and_gives_way_to_them() -> None:
    when = When(datetime(2026, 11, 23, 11, tzinfo=UTC), "1-5 09:00-20:00", ZONE, best_hour=True)  # Monday, 8:00 there
    assert turn_at(when, "SP", 18, when.start) == datetime(2026, 11, 23, 18, tzinfo=UTC)  # 15:00 there
    assert turn_at(when, "SP", 5, when.start) == datetime(
        2026, 11, 23, 12, tzinfo=UTC
    )  # 2:00 there: the opening instead
    assert turn_at(when, "AC", None, when.start) == datetime(2026, 11, 23, 14, tzinfo=UTC)  # Acre is two hours behind


def test_a_clock_time_is_the_recipients_own() -> None:
    when = When(datetime(2026, 11, 23, 3, tzinfo=UTC), "1-5 09:00-20:00", ZONE, local_time=time(10))
    assert turn_at(when, "SP", None, when.start) == datetime(2026, 11, 23, 13, tzinfo=UTC)
    assert turn_at(when, "AM", None, when.start) == datetime(2026, 11, 23, 14, tzinfo=UTC)


def test_holidays_of_the_recipients_state_are_kept() -> None:
    when = When(
        datetime(2026, 7, 9, 12, tzinfo=UTC), "1-7 08:00-21:00", ZONE
    )  # Revolução Constitucionalista: São Paulo only
    sao_paulo, rio = (turn_at(when, state, None, when.start) for state in ("SP", "RJ"))
    assert rio == when.start and sao_paulo is not None and sao_paulo.date() == datetime(2026, 7, 10).date()


@given(moments, st.integers(0, 23), st.sampled_from(["day", "week", "month"]), st.integers(1, 7), st.integers(1, 28))
def test_a_rhythm_always_comes_again(at: datetime, hour: int, every: str, weekday: int, month_day: int) -> None:
    found = next_after({"every": every, "hour": hour, "weekday": weekday, "month_day": month_day}, at, ZoneInfo(ZONE))
    local = found.astimezone(ZoneInfo(ZONE))
    assert at < found <= at + timedelta(days=33)
    assert every != "week" or local.isoweekday() == weekday
    assert every != "month" or local.day == month_day


@given(whens(), states, st.integers(0, 23))
def test_the_best_hour_is_kept_where_the_hours_allow_it(when: When, state: str, habit: int) -> None:
    when = replace(when, best_hour=True, local_time=None, until=None)
    place = hours_at(when.hours, when.zone, when.holidays, state or None)
    at = turn_at(when, state or None, habit, when.start)
    first = when.start.replace(hour=habit, minute=0, second=0, microsecond=0)
    moments_ = [max(first + timedelta(days=days), when.start) for days in range(8)]
    able = [
        one
        for days, one in enumerate(moments_)
        if one < first + timedelta(days=days, hours=1) and place.is_open(one) and place.is_open(one + MARGIN)
    ]
    if able and all(not place.is_open(one) for one in moments_ if one < able[0]):
        assert at == able[0] and at.hour == habit
    assert at is None or may_go(when, state or None, at)


@given(
    moments, st.integers(0, 23), st.sampled_from(["day", "week", "month"]), st.integers(1, 7), st.integers(1, 28), zones
)
def test_a_rhythm_neither_skips_nor_doubles_when_clocks_change(
    at: datetime, hour: int, every: str, weekday: int, month_day: int, name: str
) -> None:
    zone = ZoneInfo(name)
    days = []
    for _ in range(30):
        at = next_after({"every": every, "hour": hour, "weekday": weekday, "month_day": month_day}, at, zone)
        days.append(at.astimezone(zone).date())
    gaps = {(after - before).days for before, after in pairwise(days)}
    assert gaps == {1} if every == "day" else gaps == {7} if every == "week" else gaps <= {28, 29, 30, 31}


@given(
    whens(),
    st.lists(st.tuples(states, st.none() | st.integers(0, 23), st.floats(0, 2000)), max_size=12),
    st.integers(1, 3),
)
def test_a_journeys_steps_lie_in_the_hours_one_after_the_other(
    when: When, people: list[tuple[str, int | None, float]], steps: int
) -> None:
    for state, habit, after_hours in people:
        at = turn_at(when, state or None, habit, when.start)
        for _ in range(steps):
            if at is None:
                break
            assert may_go(when, state or None, at)
            following = turn_at(when, state or None, None, at + timedelta(hours=after_hours))
            assert following is None or following >= at + timedelta(hours=after_hours)
            at = following

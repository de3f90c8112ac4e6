"""When a report leaves, over drawn rhythms, times and zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from hub_api.analytics.reports.when import Rhythm, before, next_due, period_of

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
hours = st.integers(0, 23)
rhythms = st.one_of(
    st.builds(Rhythm, every=st.just("day"), hour=hours),
    st.builds(Rhythm, every=st.just("week"), hour=hours, weekday=st.integers(1, 7)),
    st.builds(Rhythm, every=st.just("month"), hour=hours, month_day=st.integers(1, 28)),
)
zones = st.sampled_from(("America/Sao_Paulo", "America/Noronha", "America/Rio_Branco", "Europe/Lisbon")).map(ZoneInfo)
times = st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
LONGEST = {"day": 1, "week": 7, "month": 31}


@given(rhythms, times, zones)
@example(Rhythm("day", 0), datetime(2018, 11, 4, 2, 59, tzinfo=UTC), SAO_PAULO)  # midnight that summer time left out
def test_a_report_is_due_later_on_a_day_of_its_rhythm_and_none_is_skipped(
    rhythm: Rhythm, after: datetime, zone: ZoneInfo
) -> None:
    due = next_due(rhythm, after, zone)
    assert after < due <= after + timedelta(days=LONGEST[rhythm.every], hours=2)
    local = due.astimezone(zone)
    assert rhythm.falls_on(local.date())
    assert local.hour == rhythm.hour or (local.hour - rhythm.hour) % 24 == 1
    assert next_due(rhythm, due - timedelta(microseconds=1), zone) == due


@given(rhythms, times, zones)
def test_a_period_ends_the_day_before_and_periods_follow_each_other(
    rhythm: Rhythm, after: datetime, zone: ZoneInfo
) -> None:
    due = next_due(rhythm, after, zone)
    first, last = period_of(rhythm.every, due, zone)
    following, _ = period_of(rhythm.every, next_due(rhythm, due, zone), zone)
    assert first <= last < due.astimezone(zone).date()
    assert following == last + timedelta(days=1)
    earlier_first, earlier_last = before(first, last)
    assert earlier_last == first - timedelta(days=1) and earlier_last - earlier_first == last - first


def test_the_known_periods() -> None:
    monday = datetime(2026, 3, 2, 11, tzinfo=UTC)  # 8 in São Paulo
    assert period_of("day", monday, SAO_PAULO) == (date(2026, 3, 1), date(2026, 3, 1))
    assert period_of("week", monday, SAO_PAULO) == (date(2026, 2, 23), date(2026, 3, 1))
    assert period_of("month", monday, SAO_PAULO) == (date(2026, 2, 1), date(2026, 2, 28))
    assert next_due(Rhythm("week", 8, weekday=1), monday, SAO_PAULO) == monday + timedelta(days=7)
    assert period_of("day", datetime(2026, 3, 2, 2, tzinfo=UTC), SAO_PAULO)[1] == date(2026, 2, 28), (
        "still the 1st there"
    )

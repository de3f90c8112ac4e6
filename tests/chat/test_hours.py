"""Hours of service: what is open, and counting in business time, against a count of every minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.hours import hours_of
from hub_api.settings import Calendar

CALENDAR = Calendar(business_hours="1-5 08:00-20:00, 6 08:00-14:00", holiday_state="SP")
HOURS = hours_of(CALENDAR)
ZONE = ZoneInfo("America/Sao_Paulo")


def local(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (local(25, 8), True),  # a Wednesday
        (local(25, 7, 59), False),
        (local(25, 20), False),
        (local(28, 13, 59), True),  # Saturday
        (local(28, 14), False),
        (local(29, 10), False),  # Sunday
        (local(2, 10), False),  # Finados, a Monday
        (local(20, 10), False),  # Consciência Negra, a Friday
        (datetime(2026, 7, 9, 10, tzinfo=ZONE), False),  # Revolução Constitucionalista: a holiday of São Paulo only
    ],
)
def test_open_by_weekday_and_closed_on_holidays(at, is_open):
    assert HOURS.is_open(at) is is_open
    assert HOURS.is_open(at.astimezone(UTC)) is is_open


def test_a_holiday_of_one_state_is_a_working_day_elsewhere():
    elsewhere = hours_of(Calendar(business_hours="1-5 08:00-20:00", holiday_state="RJ"))
    assert elsewhere.is_open(datetime(2026, 7, 9, 10, tzinfo=ZONE))
    assert hours_of(CALENDAR, holidays_closed=False).is_open(local(20, 10))


def test_the_next_opening_skips_the_weekend_and_a_holiday():
    assert HOURS.next_opening(local(25, 9)) == local(25, 9)
    assert HOURS.next_opening(local(28, 15)) == local(30, 8)
    assert HOURS.next_opening(datetime(2026, 10, 31, 15, tzinfo=ZONE)) == local(3, 8)  # Sunday, then Finados
    assert hours_of(CALENDAR, "1 08:00-09:00").next_opening(local(24, 9)) == local(30, 8)


def test_business_time_runs_over_a_night():
    assert HOURS.after(local(25, 19, 50), 1200) == local(26, 8, 10)
    assert HOURS.between(local(25, 19, 50), local(26, 8, 10)) == 1200
    assert HOURS.between(local(26, 8), local(25, 8)) == 0


minutes = st.integers(0, 60 * 24 * 20)


@given(minutes, st.integers(1, 60 * 30))
def test_what_lies_between_and_what_comes_after_agree_with_counting_minutes(start, length):
    since = local(10, 0).astimezone(UTC) + timedelta(minutes=start)
    until = since + timedelta(minutes=length)
    counted = sum(HOURS.is_open(since + timedelta(minutes=one)) for one in range(length))
    assert HOURS.between(since, until) == counted * 60
    ends = HOURS.after(since, length * 60)
    assert ends is not None and HOURS.between(since, ends) == length * 60
    assert HOURS.is_open(ends - timedelta(seconds=1))

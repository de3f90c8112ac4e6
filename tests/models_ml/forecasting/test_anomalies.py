"""Alarms are few when nothing happens, as few as promised, and there when something does.

HUB_TEST_SIMULATIONS: how many days without anomaly are looked at (`make soak` looks at more).
"""

import os
from datetime import date, timedelta

import numpy as np
import pytest

from models_ml.forecasting.anomalies import Judged, alarms, judge_averages, judge_counts
from tests.models_ml.forecasting.samples import hours

SIMULATIONS = int(os.environ.get("HUB_TEST_SIMULATIONS", "12"))
VOLUMES = (5, 40, 400)


def judged(moments: list, counts: np.ndarray, key: object) -> list[Judged]:
    past, now = slice(None, -24), slice(-24, None)
    return judge_counts(key, moments[past], counts[past], moments[now], counts[now], widths=((1, 1), (6, 3)))


def test_days_on_which_nothing_happened_are_quiet() -> None:
    """At alpha 5 % at most one day in twenty alarms; three standard errors of chance are allowed on top."""
    alarmed = 0
    for seed in range(SIMULATIONS):
        looks = [one for a_day in VOLUMES for one in judged(*hours(35 + seed % 7, a_day, seed=1000 + seed), a_day)]
        alarmed += bool(alarms(looks, alpha=0.05, least_change=0))
    assert alarmed / SIMULATIONS <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / SIMULATIONS)


@pytest.mark.parametrize("a_day", VOLUMES)
def test_a_wave_of_contacts_is_found_in_its_hours(a_day: int) -> None:
    moments, counts = hours(40, a_day, seed=a_day)
    counts = counts.copy()
    counts[-24 + 13 : -24 + 18] += 4 + a_day // 16
    found = alarms(judged(moments, counts, "MG-31"))
    assert found
    assert all(10 <= one.key[1].hour <= 17 and one.value > one.expected for one in found)


def test_silence_in_a_busy_hour_is_found_too() -> None:
    moments, counts = hours(40, 800, seed=9)
    counts = counts.copy()
    counts[-24 + 10 : -24 + 13] = 2
    assert {one.key[1].hour for one in alarms(judged(moments, counts, "all")) if one.key[2] == 1} == {10, 11, 12}


def test_an_earlier_wave_neither_hides_the_next_one_nor_makes_quiet_look_strange() -> None:
    moments, counts = hours(42, 400, seed=11)
    counts = counts.copy()
    counts[-24 * 8 + 13 : -24 * 8 + 18] += 300  # the same weekday a week before
    assert alarms(judged(moments, counts, "quiet")) == []
    counts[-24 + 13 : -24 + 18] += 60
    assert alarms(judged(moments, counts, "again"))


def averages(days: int, seed: int) -> dict[date, tuple[float, float]]:
    rng = np.random.default_rng(seed)
    first = date(2026, 8, 1)
    return {
        first + timedelta(days=number): (4.2 + rng.normal(0, 0.05) + rng.normal(0, 1) / np.sqrt(60), 60.0)
        for number in range(days)
    }


def test_averages_alarm_as_often_as_their_p_values_say() -> None:
    low = 0
    for seed in range(1500):
        past = averages(41, seed)
        day = max(past)
        one = judge_averages("satisfaction", past, day, *past[day])
        assert one is not None
        low += one.p_value < 0.05
    assert 0.03 < low / 1500 < 0.075


def test_a_bad_day_is_found_and_too_short_a_past_says_nothing() -> None:
    past = averages(40, 3)
    day = max(past) + timedelta(days=1)
    one = judge_averages("satisfaction", past, day, 2.9, 60)
    assert one is not None and alarms([one, *[Judged("other", 1, 1, 0.5)] * 50]) == [one]
    assert judge_averages("satisfaction", averages(8, 3), day, 2.9, 60) is None
    assert judge_averages("satisfaction", past, day, 2.9, 0) is None


def test_holm_as_by_hand() -> None:
    """Of 0.001, 0.0098, 0.02 and 0.4 at 4 %: 0.001 < 1 %, 0.0098 < 1.33 %, 0.02 is not under 2 %, and all after it stay."""
    looks = [Judged(p, 2.0, 1.0, p) for p in (0.4, 0.02001, 0.0098, 0.001)]
    assert [one.p_value for one in alarms(looks, alpha=0.04)] == [0.001, 0.0098]


def test_what_is_certain_but_small_is_no_alarm() -> None:
    assert alarms([Judged("x", 1.1, 1.0, 1e-12)]) == []

"""Forecasts beat the last week repeated, know holidays, and hold what they promise."""

import numpy as np
import pytest

from models_ml.forecasting.backtest import backtest, pinball
from models_ml.forecasting.calendar import day_kind, is_holiday
from models_ml.forecasting.volume import forecast, seasonal_naive
from tests.models_ml.forecasting.samples import hours


@pytest.mark.parametrize(("a_day", "worst"), [(40, 0.9), (400, 0.85), (5000, 0.85)])
def test_it_beats_the_seasonal_naive_forecast(a_day: float, worst: float) -> None:
    found = backtest(*hours(84, a_day, seed=a_day))
    assert found.mase < worst
    assert found.mae < found.mae_naive
    assert found.pinball < 0.85 * found.pinball_naive
    assert 0.72 <= found.coverage <= 0.95  # counts are whole numbers: where they are small, 80 % cannot be met exactly
    assert abs(found.bias) < 0.05


def test_intervals_of_another_level_hold_that_level() -> None:
    assert 0.9 <= backtest(*hours(84, 2000, seed=3), level=0.95).coverage <= 0.99
    assert 0.38 <= backtest(*hours(84, 2000, seed=3), level=0.5).coverage <= 0.62


def test_a_holiday_is_foreseen_by_those_before_it() -> None:
    """7 September is in the past; 12 October is forecast, a Monday that the last week cannot know."""
    moments, counts = hours(60, 1000, seed=4)
    origin = next(number for number, moment in enumerate(moments) if (moment.month, moment.day) == (10, 12))
    made = forecast(moments[:origin], counts[:origin], moments[origin : origin + 24])
    actual, naive = counts[origin : origin + 24].sum(), seasonal_naive(counts[:origin], 24).sum()
    assert abs(made.mean.sum() - actual) < 0.25 * actual
    assert abs(naive - actual) > actual


def test_a_holiday_that_never_was_is_taken_for_a_sunday() -> None:
    """The 17 days before 7 September have none."""
    moments, counts = hours(40, 1000, seed=4)
    origin = next(number for number, moment in enumerate(moments) if (moment.month, moment.day) == (9, 7))
    made = forecast(moments[:origin], counts[:origin], moments[origin : origin + 24 * 7])
    holiday, sunday = made.mean[:24].sum(), made.mean[-24:].sum()
    assert holiday == pytest.approx(sunday, rel=0.05)
    assert holiday < 0.6 * made.mean[48:72].sum()  # Wednesday


def test_the_calendar_knows_carnival_and_holidays_of_a_state() -> None:
    from datetime import date

    assert is_holiday(date(2026, 2, 17))
    assert is_holiday(date(2026, 6, 4))
    assert not is_holiday(date(2026, 7, 9))
    assert is_holiday(date(2026, 7, 9), "SP")
    assert [day_kind(date(2026, 9, day)) for day in (7, 8, 12, 13)] == [6, 1, 5, 6]


def test_the_quantiles_are_in_order_and_nothing_is_negative() -> None:
    moments, counts = hours(30, 6, seed=5)
    made = forecast(moments[:-168], counts[:-168], moments[-168:])
    assert (made.low >= 0).all()
    assert (made.low <= made.median).all()
    assert (made.median <= made.high).all()


def test_silence_is_forecast_as_silence() -> None:
    moments, counts = hours(30, 6, seed=5)
    made = forecast(moments[:-24], np.zeros(len(counts) - 24), moments[-24:])
    assert made.mean.sum() < 0.5


def test_a_past_that_is_too_short_and_hours_that_are_not_ahead_are_refused() -> None:
    moments, counts = hours(20, 50, seed=6)
    with pytest.raises(ValueError, match="14 days"):
        forecast(moments[:300], counts[:300], moments[300:324])
    with pytest.raises(ValueError, match="known already"):
        forecast(moments[:400], counts[:400], moments[390:400])


def test_the_pinball_loss_of_a_worked_example() -> None:
    losses = pinball(np.array([10.0, 10.0]), np.array([8.0, 13.0]), 0.9)
    assert losses == pytest.approx([1.8, 0.3])

"""What people buy in a simulated history."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from hub_api.simulator.history.campaign import _moments

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("a_day", [0.0, 5e-324, 1e-300, 1e-12])
def test_who_hardly_ever_buys_waits_longer_than_a_calendar_counts(a_day: float) -> None:
    """Rates are drawn from a gamma distribution, whose smallest values are as good as never."""
    assert list(_moments(Random(7), BEGIN, BEGIN + timedelta(days=90), a_day)) == []


def test_purchases_come_at_their_rate_within_their_time() -> None:
    end = BEGIN + timedelta(days=90)
    drawn = [list(_moments(Random(seed), BEGIN, end, 0.1)) for seed in range(400)]
    assert all(BEGIN < at < end for moments in drawn for at in moments)
    assert 8.4 < sum(map(len, drawn)) / len(drawn) < 9.6  # 9 expected, four standard errors of 0.15

"""Erlang's formulas against published figures, each other, and the Markov chain behind them."""

import numpy as np
import pytest
from scipy.linalg import expm

from models_ml.forecasting.staffing import erlang_a, erlang_b, erlang_c, people_needed


@pytest.mark.parametrize(
    ("load", "servers", "blocked"),
    # Tables of Erlang B (any textbook on traffic): at these loads the loss is the round figure at the head of the column.
    [
        (4.461, 10, 0.01),
        (12.031, 20, 0.01),
        (2.2185, 5, 0.05),
        (37.901, 50, 0.01),
        (84.064, 100, 0.01),
        (0.0101, 1, 0.01),
    ],
)
def test_erlang_b_as_tabled(load: float, servers: int, blocked: float) -> None:
    assert erlang_b(load, servers) == pytest.approx(blocked, rel=2e-3)


@pytest.mark.parametrize(
    ("servers", "waits", "within"),
    # The usual worked example of call centres: 100 calls in half an hour of 180 s each, target 20 s.
    [(11, 0.6821, 0.3896), (12, 0.4494, 0.6401), (13, 0.2853, 0.7956), (14, 0.1741, 0.8884)],
)
def test_erlang_c_as_published(servers: int, waits: float, within: float) -> None:
    found = erlang_c(200, 180, servers, 20)
    assert found.waits == pytest.approx(waits, abs=6e-5)
    assert found.within_target == pytest.approx(within, abs=6e-5)


def test_the_average_wait_of_that_example() -> None:
    found = erlang_c(200, 180, 14, 20)
    assert found.average_wait_s == pytest.approx(7.8, abs=0.05)
    assert found.occupancy == pytest.approx(0.714, abs=5e-4)


def test_erlang_a_as_published() -> None:
    """Gans, Koole and Mandelbaum (2003), "Telephone Call Centers": 50 agents, 48 calls a minute, a minute each, patience of
    two: 3.1 % give up, the wait is 3.7 s and agents are 93 % busy, where without giving up it were 20.8 s and 96 %."""
    patient, impatient = erlang_c(48 * 60, 60, 50, 20), erlang_a(48 * 60, 60, 50, 20, 120)
    assert (patient.average_wait_s, patient.occupancy) == pytest.approx((20.8, 0.96), abs=0.05)
    assert impatient.abandons == pytest.approx(0.031, abs=5e-4)
    assert impatient.average_wait_s == pytest.approx(3.7, abs=0.05)
    assert impatient.occupancy == pytest.approx(0.93, abs=5e-3)


def test_endless_patience_is_erlang_c() -> None:
    patient, almost = erlang_c(200, 180, 13, 30), erlang_a(200, 180, 13, 30, 1e7)
    assert almost.waits == pytest.approx(patient.waits, abs=1e-4)
    assert almost.within_target == pytest.approx(patient.within_target, abs=1e-4)


def test_erlang_a_is_the_stationary_state_of_its_chain() -> None:
    """Another way to the same figures: balance of births and deaths, and a customer followed to his end by the matrix
    exponential of who is ahead of him."""
    arrivals, serving, leaving, servers, target_s, states = 400 / 3600, 1 / 200, 1 / 300, 20, 60, 400
    weights = [1.0]
    for busy in range(1, states):
        leaves = min(busy, servers) * serving + max(0, busy - servers) * leaving
        weights.append(weights[-1] * arrivals / leaves)
    share = np.array(weights) / sum(weights)
    most = 120
    moves = np.zeros((most + 3, most + 3))  # so many ahead; then: served, gone
    for ahead in range(most + 1):
        moves[ahead, most + 2] = leaving
        moves[ahead, ahead - 1 if ahead else most + 1] += servers * serving + ahead * leaving
        moves[ahead, ahead] -= moves[ahead].sum()
    served = expm(moves * target_s)[: most + 1, most + 1]
    waiting = np.maximum(0, np.arange(states) - servers) @ share
    found = erlang_a(400, 200, servers, target_s, 300)
    assert found.within_target == pytest.approx(
        share[:servers].sum() + served @ share[servers : servers + most + 1], abs=1e-8
    )
    assert found.waits == pytest.approx(share[servers:].sum(), abs=1e-8)
    assert found.abandons == pytest.approx(leaving * waiting / arrivals, abs=1e-8)
    assert found.average_wait_s == pytest.approx(waiting / arrivals, abs=1e-5)


def test_more_load_than_servers() -> None:
    assert erlang_c(200, 180, 10, 20).within_target == 0
    crowded = erlang_a(2000, 180, 20, 20, 60)
    assert crowded.abandons == pytest.approx(0.8, abs=0.01)  # of 100 erlangs 20 are served
    assert crowded.occupancy == pytest.approx(1, abs=1e-3)


def test_people_needed_is_the_least_number_that_keeps_the_promise() -> None:
    for per_hour in (1, 20, 200, 3000):
        needed = people_needed(per_hour, 300, target_s=120, share=0.8)
        met, missed = erlang_c(per_hour, 300, needed, 120), erlang_c(per_hour, 300, needed - 1, 120)
        assert met.within_target >= 0.8 and met.occupancy <= 0.85
        assert missed.within_target < 0.8 or missed.occupancy > 0.85
    assert people_needed(0, 300) == 0
    assert people_needed(200, 300, at_once=3) < people_needed(200, 300)
    assert people_needed(200, 300, patience_s=180) <= people_needed(200, 300)
    with pytest.raises(ValueError, match="between 0 and 1"):
        people_needed(10, 300, share=1.0)

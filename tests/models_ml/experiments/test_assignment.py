"""Assignment by salted hash: the same everywhere, even, independent between salts, and light to import."""

import hashlib
import subprocess
import sys
from collections import Counter
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as dist

from models_ml.experiments.assignment import BUCKETS, bucket, fraction, in_holdout, variant_of
from models_ml.experiments.stats import Proportion
from models_ml.experiments.thompson import allocate


def test_it_is_the_documented_hash() -> None:
    number = int.from_bytes(hashlib.sha256(b"oferta-junho\x1f42").digest()[:8], "big")
    assert fraction("oferta-junho", "42") == number / 2**64
    assert bucket("oferta-junho", "42") == number * 10_000 // 2**64
    assert bucket("oferta-junho", "42") == 7_889, "an assignment of the past must never change"


@given(st.text(max_size=30), st.text(max_size=40), st.lists(st.integers(1, 50), min_size=1, max_size=6))
def test_every_unit_has_one_variant_and_keeps_it(salt: str, unit: str, weights: list[int]) -> None:
    shares = {f"v{n}": weight / sum(weights) for n, weight in enumerate(weights)}
    mine = variant_of(salt, unit, shares)
    assert mine in shares and mine == variant_of(salt, unit, dict(shares))
    assert 0 <= fraction(salt, unit) < 1 and 0 <= bucket(salt, unit) < BUCKETS
    assert in_holdout(salt, unit, 1.0) and not in_holdout(salt, unit, 0.0)


def test_shares_are_kept_and_salts_are_independent() -> None:
    shares, people = {"controle": 0.2, "a": 0.4, "b": 0.4}, [uuid4() for _ in range(30_000)]
    first = [variant_of("um", person, shares) for person in people]
    counts = Counter(first)
    assert dist.chisquare([counts[v] for v in shares], [s * len(people) for s in shares.values()]).pvalue > 1e-6
    second = [variant_of("dois", person, shares) for person in people]
    both = Counter(zip(first, second, strict=True))
    table = [[both[one, other] for other in shares] for one in shares]
    assert dist.chi2_contingency(table).pvalue > 1e-6


def test_a_growing_share_moves_only_who_must_move() -> None:
    before, after = {"controle": 0.5, "a": 0.5}, {"controle": 0.5, "a": 0.3, "b": 0.2}
    for number in range(2_000):
        was, now = variant_of("s", str(number), before), variant_of("s", str(number), after)
        assert was == now or (was == "a" and now == "b")


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 1.2, "b": -0.2}])
def test_shares_that_cannot_be_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sum to 1"):
        variant_of("s", "1", shares)


def test_it_loads_without_numpy() -> None:
    script = "import sys, models_ml.experiments.assignment; print('numpy' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_thompson_favours_the_better_and_keeps_the_floor() -> None:
    shares = allocate({"a": Proportion(1_000, 100), "b": Proportion(1_000, 140), "c": Proportion(1_000, 60)}, floor=0.1)
    assert shares["b"] > 0.75 and shares["c"] == pytest.approx(0.1, abs=1e-3)
    assert sum(shares.values()) == pytest.approx(1) and min(shares.values()) >= 0.1
    turned = allocate({"a": Proportion(1_000, 100), "b": Proportion(1_000, 140)}, 0.0, higher_is_better=False)
    assert turned["a"] > 0.99
    with pytest.raises(ValueError, match="floors"):
        allocate({"a": Proportion(1, 0)}, floor=1.5)

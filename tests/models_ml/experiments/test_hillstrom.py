"""A real randomised experiment with a control group (Hillstrom 2008): the published visits, and what may be said of them."""

import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from models_ml.experiments.plan import plan_of
from models_ml.experiments.readout import Arm, Look, read_out
from models_ml.experiments.stats import Pair, Proportion
from models_ml.experiments.verdict import Decision

FILE = next(
    (found for parent in Path(__file__).parents if (found := parent / "shared/data/hillstrom_email/campaign.csv.gz").exists()),
    None,
)  # fmt: skip
PLAN = {
    "experiment": "hillstrom", "control": "No E-Mail", "window_days": 14,
    "shares": {"No E-Mail": 1 / 3, "Mens E-Mail": 1 / 3, "Womens E-Mail": 1 / 3},
    "metrics": [
        {"name": "conversion", "role": "primary", "effect": 0.02},
        {"name": "value", "role": "secondary", "effect": 0.5},
    ],
}  # fmt: skip


@pytest.mark.skipif(FILE is None, reason="the data sets of ../shared/data are not beside this checkout")
def test_the_published_visits_are_read_out() -> None:
    visits, people, spend = Counter(), Counter(), defaultdict(lambda: [0.0] * 5)
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            arm, x, y = row["segment"], float(row["history"]), float(row["spend"])
            people[arm] += 1
            visits[arm] += int(row["visit"])
            spend[arm] = [s + more for s, more in zip(spend[arm], (y, y * y, x, x * x, x * y), strict=True)]
    arms = {
        arm: Arm({"conversion": Proportion(people[arm], visits[arm]), "value": Pair(people[arm], *spend[arm])})
        for arm in people
    }
    plan = plan_of(PLAN)
    look = Look("2008-03-20", arms, [(dict(people), plan.shares)], Proportion(64_000, 0), complete=True)
    rows = {(row.variant, row.metric.name): row for row in read_out(plan, [look])}
    published = {"Mens E-Mail": 18.3, "Womens E-Mail": 15.1, "No E-Mail": 10.6}
    for arm, percent in published.items():
        row = rows[arm, "conversion"]
        print(f"{arm}: published {percent} %, ours {100 * row.reading.value:.2f} %, {row.verdict}")
        assert round(100 * row.reading.value, 1) == percent
    for arm in ("Mens E-Mail", "Womens E-Mail"):
        assert rows[arm, "conversion"].decision is Decision.BETTER
        assert not rows[arm, "conversion"].checks.balance.blocks
        assert rows[arm, "conversion"].reading.belief.probability_better > 0.9999
    assert rows["Mens E-Mail", "conversion"].reading.difference.value == pytest.approx(0.07659, abs=5e-6)
    assert rows["Mens E-Mail", "value"].reading.difference.value == pytest.approx(0.76983, abs=5e-6)

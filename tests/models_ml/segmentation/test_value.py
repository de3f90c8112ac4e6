"""RFM, value tiers and learned groups: planted answers found, and real purchases ranked by what came after."""

import csv
import gzip
from collections import defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from models_ml.segmentation import clusters, rfm


def shared_data(name: str) -> Path:
    """A folder of the shared data, which lies beside some parent of the checkout; skips where it is not."""
    for parent in Path(__file__).resolve().parents:
        if (found := parent / "shared" / "data" / name).is_dir():
            return found
    pytest.skip(f"shared/data/{name} is not here")


def test_quintiles_rank_ties_together_and_missing_ones_last() -> None:
    assert rfm.quintiles(np.array([10.0, 20, 30, 40, 50])).tolist() == [1, 2, 3, 4, 5]
    assert rfm.quintiles(np.array([10.0, 20, 30, 40, 50]), higher_is_better=False).tolist() == [5, 4, 3, 2, 1]
    assert rfm.quintiles(np.array([1.0, 1, 1, 1])).tolist() == [3, 3, 3, 3]
    assert rfm.quintiles(np.array([np.nan, 1, 2])).tolist()[0] == 1
    assert rfm.quintiles(np.array([])).tolist() == []
    with pytest.raises(ValueError, match="never negative"):
        rfm.rfm(np.array([1.0]), np.array([-1.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="same customers"):
        rfm.rfm(np.array([1.0]), np.array([1.0, 2]), np.array([1.0]))


def test_scores_of_nine_months_rank_what_customers_buy_in_the_next_nine() -> None:
    purchases = defaultdict(list)
    with gzip.open(shared_data("cdnow") / "transactions.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            purchases[row["customer_id"]].append((date.fromisoformat(row["date"]), float(row["amount"])))
    cut = date(1997, 9, 30)
    known = {one: rows for one, rows in purchases.items() if min(rows)[0] <= cut}
    past = {one: [row for row in rows if row[0] <= cut] for one, rows in known.items()}
    later = np.array([sum(amount for day, amount in rows if day > cut) for rows in known.values()])
    assert len(past) == 23_570
    found = rfm.rfm(
        np.array([float((cut - max(rows)[0]).days) for rows in past.values()]),
        np.array([float(len({day for day, _ in rows})) for rows in past.values()]),
        np.array([sum(amount for _, amount in rows) for rows in past.values()]),
    )
    for scores in (found.recency, found.frequency, found.money):
        means = [later[scores == score].mean() for score in sorted(set(scores.tolist()))]
        assert means == sorted(means), means
    groups = np.array(found.group)
    best, lost = later[groups == "Campeões"].mean(), later[groups == "Perdidos"].mean()
    assert best > 8 * lost, (best, lost)
    shares = [np.mean(found.recency == score) for score in range(1, 6)]
    assert min(shares) > 0.12 and max(shares) < 0.28, "quintiles are fifths, but for ties"


def customers(count: int, **figures: float) -> dict[str, np.ndarray]:
    plain = {"monthly": 100.0, "tenure_days": 365.0, "billed": 1200.0, "paid": 1200.0, "paid_late_share": 0.0, "late_days": 0.0,
             "contacts": 1.0, "speed_mbps": 300.0, "data_gb": 0.0, "tickets": 0.0}  # fmt: skip
    return {name: np.full(count, figures.get(name, value)) for name, value in plain.items()}


def test_value_rises_with_plan_and_tenure_and_falls_with_debt_and_tickets() -> None:
    base = customers(6)
    base["monthly"] = np.array([100.0, 200, 100, 100, 100, 0])
    base["tenure_days"] = np.array([365.0, 365, 3650, 365, 365, 3650])
    base["late_days"] = np.array([0.0, 0, 0, 90, 0, 0])
    base["tickets"] = np.array([0.0, 0, 0, 0, 3, 0])
    score = rfm.telecom_value(**base).score
    assert score[1] > score[0] and score[2] > score[0] and score[3] < score[0] and score[4] < score[0] and score[5] == 0
    assert (score >= 0).all() and (score <= 100).all()
    many = customers(1000)
    many["monthly"] = np.arange(1000.0)
    tiers = rfm.telecom_value(**many).tier
    assert [tiers.count(name) for name, _ in rfm.TIERS] == [50, 150, 300, 500]
    assert tiers[0] == "Bronze" and tiers[-1] == "Diamante"


def planted(seed: int, shares: tuple[float, ...] = (0.5, 0.3, 0.2), count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Three kinds of customers: loyal ones, those with technical trouble, those in debt."""
    chance = np.random.default_rng(seed)
    kinds = chance.choice(3, count, p=shares)
    centres = np.array([
        [1.2e8, 1500, 1, 0, 6, 0, 0, 0], [1.0e8, 400, 12, 8, 1, 0, 0, 4], [6e7, 120, 2, 0, 0, 1.5e8, 6, 0],
    ])  # fmt: skip
    return centres[kinds] * chance.lognormal(0, 0.25, (count, 8)), kinds


def test_planted_groups_are_found_named_and_come_again() -> None:
    figures, kinds = planted(1)
    model = clusters.fit(figures, list(clusters.COLUMNS))
    assert model is not None and model.k == 3
    labels = clusters.assign(model, figures)
    assert clusters.agreement(labels, kinds) > 0.98
    assert model.stability[3] > 0.95
    names = [one.name for one in model.profiles]
    assert (
        len(set(names)) == 3
        and any("técnicos" in name.lower() for name in names)
        and any("atras" in name.lower() for name in names)
    )
    assert abs(sum(one.share for one in model.profiles) - 1) < 1e-9
    assert clusters.from_json(clusters.to_json(model)) == model
    assert clusters.fit(figures, list(clusters.COLUMNS)) == model, "the same figures give the same fit"


def test_a_refit_keeps_the_numbers_of_the_groups_and_tells_a_drift() -> None:
    figures, _ = planted(1)
    first = clusters.fit(figures, list(clusters.COLUMNS))
    assert first is not None
    moved, kinds = planted(2, shares=(0.1, 0.3, 0.6))
    again = clusters.fit(moved, list(clusters.COLUMNS), previous=first)
    assert again is not None and again.k == 3
    assert clusters.agreement(clusters.assign(first, moved), clusters.assign(again, moved)) > 0.95
    assert (clusters.assign(first, moved) == clusters.assign(again, moved)).mean() > 0.97
    shares = np.bincount(clusters.assign(first, moved), minlength=3) / len(moved)
    assert clusters.stability_index([one.share for one in first.profiles], shares.tolist()) > clusters.DRIFTED
    same, _ = planted(3)
    shares = np.bincount(clusters.assign(first, same), minlength=3) / len(same)
    assert clusters.stability_index([one.share for one in first.profiles], shares.tolist()) < 0.05
    assert len(kinds) == len(moved)


def test_customers_who_do_not_differ_make_no_groups_and_bad_figures_are_refused() -> None:
    assert clusters.fit(np.ones((1000, 8)), list(clusters.COLUMNS)) is None
    with pytest.raises(ValueError, match="negative"):
        clusters.fit(-np.ones((10, 8)), list(clusters.COLUMNS))
    with pytest.raises(ValueError, match="columns"):
        clusters.fit(np.ones((10, 3)), list(clusters.COLUMNS))

"""Customers whose probability of leaving is known, because it was written down first."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from models_ml.churn import Model, TrainingReport, train

PLANS = ("combo", "controle", "pré")


def mixed(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features of several kinds with gaps, the answers, and the true probabilities (about 20 % on average)."""
    rng = np.random.default_rng(seed)
    contacts, tenure = rng.poisson(1.2, rows).astype(float), rng.exponential(30, rows)
    plan = rng.choice(PLANS, rows)
    log_odds = -2.2 + 0.9 * (contacts >= 2) + 1.2 * (plan == "pré") - 0.02 * tenure
    truth = 1 / (1 + np.exp(-log_odds))
    noise = rng.normal(size=rows)
    noise[rng.random(rows) < 0.2] = np.nan
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(rows)], "contacts": contacts, "tenure": tenure, "plan": plan,
            "noise": noise, "bill": [f"{value:.2f}" if value > 0.2 else " " for value in rng.random(rows)],
            "country": "BR", "since": pd.Timestamp("2026-01-01"),
        }
    )  # fmt: skip
    return frame, (rng.random(rows) < truth).astype(int), truth


@cache
def trained(rows: int = 2000) -> tuple[Model, TrainingReport]:
    """A model of `mixed(rows, seed=1)`, trained once for all tests of a session."""
    frame, target, _ = mixed(rows, seed=1)
    return train(frame, target, folds=2)


def shared_data(name: str) -> Path | None:
    """The folder of a real data set beside the checkout, None where it is not."""
    for parent in Path(__file__).resolve().parents:
        if (parent / "shared" / "data" / name).is_dir():
            return parent / "shared" / "data" / name
    return None

"""What happened to the assignment on its way to the people: deliveries that differ, and people who saw two variants.

Every analysis is by intention to treat: a unit counts in the arm it was assigned to, whatever reached it. Where delivery
differs between arms, the difference in outcomes is of the whole treatment, its delivery included, and this is flagged.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats as dist

from models_ml.experiments.compare import Interval, proportion_interval
from models_ml.experiments.stats import Proportion

DELIVERY_P = 0.001
DELIVERY_GAP = 0.01  # in shares: below it a difference is too small to matter, however certain
CROSSOVER_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether delivery differs between the arms that send: p of the chi-square test, widest gap of shares, flag."""

    p: float
    gap: float
    differs: bool


@dataclass(frozen=True, slots=True)
class Crossover:
    """The share of units that were in more than one arm, its interval, and whether it is too many to ignore."""

    share: float
    interval: Interval
    flagged: bool


def delivery(sent_and_delivered: Mapping[str, Proportion]) -> Delivery:
    """Delivered of sent, by arm. Arms that sent nothing (a control without message) are left out."""
    arms = [arm for arm in sent_and_delivered.values() if arm.n]
    if len(arms) < 2:
        return Delivery(1.0, 0.0, False)
    table = np.array([[arm.successes, arm.n - arm.successes] for arm in arms])
    gap = max(arm.mean for arm in arms) - min(arm.mean for arm in arms)
    if (table.sum(axis=0) == 0).any():
        return Delivery(1.0, 0.0, False)
    p = float(dist.chi2_contingency(table, correction=False).pvalue)
    return Delivery(p, gap, p < DELIVERY_P and gap >= DELIVERY_GAP)


def crossover(crossed: Proportion, alpha: float = 0.05) -> Crossover:
    """Units seen in several arms, of all. Flagged when more than CROSSOVER_SHARE of them is certain at 1 - alpha/2."""
    interval = proportion_interval(crossed, alpha)
    return Crossover(crossed.mean, interval, bool(crossed.n) and interval.low > CROSSOVER_SHARE)

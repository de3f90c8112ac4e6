"""RFM scores and value tiers of a telecom's customers, from plain figures by customer.

Recency, frequency and monetary value are each scored 1 (worst) to 5 (best) by their place among all customers (Hughes, 1994:
quintiles), ties together. The value tier adds what an operator knows: tenure, plan, usage, payment and tickets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Figures = npt.NDArray[np.float64]
    Scores = npt.NDArray[np.int64]

SCORES: Final = 5

# Names of RFM groups by recency and the mean of frequency and money, the worst recency first (pt-BR, for people).
_GROUPS: Final[Sequence[Sequence[str]]] = (
    ("Perdidos", "Perdidos", "Hibernando", "Não podemos perder", "Não podemos perder"),
    ("Perdidos", "Hibernando", "Em risco", "Em risco", "Não podemos perder"),
    ("Quase dormindo", "Quase dormindo", "Precisam de atenção", "Fiéis", "Fiéis"),
    ("Promissores", "Promissores", "Potenciais fiéis", "Fiéis", "Campeões"),
    ("Novos", "Potenciais fiéis", "Potenciais fiéis", "Campeões", "Campeões"),
)

# What makes the value score of 0 to 100, and how much of it. Payment and tickets take away what they cost the operator.
WEIGHTS: Final[Mapping[str, float]] = {"plan": 0.40, "tenure": 0.20, "payment": 0.20, "usage": 0.10, "tickets": 0.10}
TIERS: Final[Sequence[tuple[str, float]]] = (("Diamante", 0.95), ("Ouro", 0.80), ("Prata", 0.50), ("Bronze", 0.0))


@dataclass(frozen=True, slots=True)
class Rfm:
    """Scores 1 to 5 by customer, and the group they make."""

    recency: "Scores"
    frequency: "Scores"
    money: "Scores"
    group: list[str]


def quintiles(values: "Figures", *, higher_is_better: bool = True) -> "Scores":
    """Scores 1 to 5 by rank among all values; equal values get the same score, that of the middle of their ranks.

    A missing value (NaN) gets 1. An empty array gives an empty one.
    """
    import numpy as np
    from scipy.stats import rankdata

    scores = np.ones(len(values), dtype=np.int64)
    known = ~np.isnan(values)
    if known.any():
        order = values[known] if higher_is_better else -values[known]
        share = (rankdata(order, method="average") - 0.5) / known.sum()
        scores[known] = np.clip(np.ceil(share * SCORES), 1, SCORES).astype(np.int64)
    return scores


def rfm(recency_days: "Figures", frequency: "Figures", money: "Figures") -> Rfm:
    """RFM of customers: days since the last purchase (NaN: never), purchases and money in the period, same order and length.

    Raises ValueError when the lengths differ or a figure is negative.
    """
    import numpy as np

    if not len(recency_days) == len(frequency) == len(money):
        raise ValueError("recency, frequency and money must be of the same customers")
    if any(np.nanmin(figures, initial=0) < 0 for figures in (recency_days, frequency, money)):
        raise ValueError("recency, frequency and money are never negative")
    recent = quintiles(recency_days, higher_is_better=False)
    often, much = quintiles(frequency), quintiles(money)
    both = np.ceil((often + much) / 2).astype(np.int64)
    group = [_GROUPS[r - 1][b - 1] for r, b in zip(recent.tolist(), both.tolist(), strict=True)]
    return Rfm(recent, often, much, group)


@dataclass(frozen=True, slots=True)
class Value:
    """Score 0 to 100 by customer, its parts (each 0 to 1), and the tier."""

    score: "Figures"
    parts: Mapping[str, "Figures"]
    tier: list[str]


def telecom_value(
    *,
    monthly: "Figures",
    tenure_days: "Figures",
    billed: "Figures",
    paid: "Figures",
    paid_late_share: "Figures",
    late_days: "Figures",
    contacts: "Figures",
    speed_mbps: "Figures",
    data_gb: "Figures",
    tickets: "Figures",
) -> Value:
    """Value tiers, all arrays of the same customers: `monthly` revenue and `billed`/`paid` amounts of a year in one currency,
    shares 0 to 1, days and counts.

    plan and usage by rank among customers with a contract; tenure grows to 1 in five years; payment is the share paid of what
    was billed, less half the share paid late, and nothing at all from 90 days of debt; tickets falls by the number of
    service tickets of 90 days. Contacts count as usage of the service. Who pays nothing a month is of the lowest tier.
    """
    import numpy as np

    active = monthly > 0
    plan = _among(monthly, active)
    usage = np.mean([_among(figures, active) for figures in (contacts, speed_mbps, data_gb)], axis=0)
    share_paid = np.divide(paid, billed, out=np.ones_like(paid), where=billed > 0)
    payment = np.clip(np.minimum(share_paid, 1) - paid_late_share / 2, 0, 1) * np.clip(1 - late_days / 90, 0, 1)
    parts = {
        "plan": plan,
        "tenure": np.clip(tenure_days / (5 * 365), 0, 1),
        "payment": payment,
        "usage": usage,
        "tickets": 1 / (1 + tickets),
    }
    score = 100 * sum((WEIGHTS[name] * part for name, part in parts.items()), np.zeros(len(monthly)))
    score = np.where(active, score, 0.0)
    return Value(score, parts, _tiers(score, active))


def _among(figures: "Figures", chosen: "npt.NDArray[np.bool_]") -> "Figures":
    """Rank among the chosen as a share of 0 to 1; 0 for the others, and for all when nobody differs."""
    import numpy as np
    from scipy.stats import rankdata

    share = np.zeros(len(figures))
    if chosen.any() and np.ptp(figures[chosen]) > 0:
        share[chosen] = (rankdata(figures[chosen], method="average") - 0.5) / chosen.sum()
    return share


def _tiers(score: "Figures", active: "npt.NDArray[np.bool_]") -> list[str]:
    share = _among(score, active)
    names = []
    for rank, pays in zip(share.tolist(), active.tolist(), strict=True):
        names.append(next(name for name, least in TIERS if rank >= least) if pays else TIERS[-1][0])
    return names

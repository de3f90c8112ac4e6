"""Bayesian answers with proper priors: beta-binomial for proportions, normal-inverse-gamma for means.

Nothing is drawn at random: distributions of a difference are integrated over quantiles, so that a rerun gives the same digits.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from models_ml.experiments.compare import Interval
from models_ml.experiments.stats import Mean, Proportion

Floats = NDArray[np.float64]

# Gauss-Legendre nodes and weights on probabilities: they crowd at both tails, where quantiles bend most.
_AT, _WEIGHTS = np.polynomial.legendre.leggauss(512)
_LEVELS, _WEIGHTS = (_AT + 1) / 2, _WEIGHTS / 2


@dataclass(frozen=True, slots=True)
class BetaPrior:
    """Beta(a, b) of a proportion; 1, 1 is uniform. Raises ValueError unless it is proper (both above 0)."""

    a: float = 1.0
    b: float = 1.0

    def __post_init__(self) -> None:
        if self.a <= 0 or self.b <= 0:
            raise ValueError("a proper beta prior has both parameters above 0")


@dataclass(frozen=True, slots=True)
class NormalPrior:
    """Normal-inverse-gamma of a mean and its variance: mean `mu` worth `kappa` units; variance inverse-gamma(`alpha`, `beta`).

    Raises ValueError unless it is proper (kappa, alpha and beta above 0).
    """

    mu: float
    kappa: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        if min(self.kappa, self.alpha, self.beta) <= 0:
            raise ValueError("a proper normal-inverse-gamma prior has kappa, alpha and beta above 0")


class Posterior(ABC):
    """The marginal posterior of an arm's mean."""

    mean: float

    @abstractmethod
    def cdf(self, values: Floats) -> Floats:
        """The chance to be at most each of `values`."""

    @abstractmethod
    def ppf(self, chances: Floats) -> Floats:
        """Quantiles."""

    def interval(self, alpha: float = 0.05) -> Interval:
        """Equal-tailed credible interval."""
        low, high = self.ppf(np.array([alpha / 2, 1 - alpha / 2]))
        return Interval(float(low), float(high))

    @cached_property
    def nodes(self) -> Floats:
        """Quantiles at the nodes' probabilities, ascending."""
        return self.ppf(_LEVELS)


class Beta(Posterior):
    """Beta(a, b)."""

    def __init__(self, a: float, b: float) -> None:
        self.a, self.b, self.mean = a, b, a / (a + b)

    def cdf(self, values: Floats) -> Floats:
        """The chance to be at most each of `values`."""
        return special.betainc(self.a, self.b, np.clip(values, 0, 1))  # type: ignore[no-any-return]

    def ppf(self, chances: Floats) -> Floats:
        """Quantiles."""
        return special.betaincinv(self.a, self.b, chances)  # type: ignore[no-any-return]


class Student(Posterior):
    """Student's t with `freedom` degrees, moved to `mean` and stretched by `scale`."""

    def __init__(self, freedom: float, mean: float, scale: float) -> None:
        self.freedom, self.mean, self.scale = freedom, mean, scale

    def cdf(self, values: Floats) -> Floats:
        """The chance to be at most each of `values`."""
        return special.stdtr(self.freedom, (values - self.mean) / self.scale)  # type: ignore[no-any-return]

    def ppf(self, chances: Floats) -> Floats:
        """Quantiles."""
        return self.mean + self.scale * special.stdtrit(self.freedom, chances)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Belief:
    """What the data and the prior say of treated minus control."""

    difference: float
    interval: Interval
    probability_better: float  # that treated is above control, or below where less is better
    expected_loss: float  # what is lost on average by taking the treatment, in units of the metric


def of_proportion(one: Proportion, prior: BetaPrior = BetaPrior()) -> Posterior:
    """Beta posterior (Gelman et al., "Bayesian Data Analysis", 3rd edition, section 2.4)."""
    return Beta(prior.a + one.successes, prior.b + one.n - one.successes)


def of_mean(one: Mean, prior: NormalPrior) -> Posterior:
    """Student posterior of the mean under a normal-inverse-gamma prior (Murphy, "Conjugate Bayesian analysis of the
    Gaussian distribution", 2007, section 6; Gelman et al., section 3.3)."""
    n, kappa, alpha = one.n, prior.kappa + one.n, prior.alpha + one.n / 2
    mu = (prior.kappa * prior.mu + one.total) / kappa
    within = max(one.squares - one.total * one.mean, 0.0)
    beta = prior.beta + within / 2 + prior.kappa * n * (one.mean - prior.mu) ** 2 / (2 * kappa)
    return Student(2 * alpha, mu, sqrt(beta / (alpha * kappa)))


def unit_information(pooled: Mean) -> NormalPrior:
    """A prior that weighs as much as one unit of all arms together (Kass and Wasserman 1995, JASA 90): proper, on the
    metric's own scale, and the same for every arm, so that it favours none."""
    return NormalPrior(pooled.mean, 1.0, 1.0, max(pooled.variance, 1e-12))


def compare(control: Posterior, treated: Posterior, alpha: float = 0.05, *, higher_is_better: bool = True) -> Belief:
    """Distribution of treated minus control, the arms being independent."""
    nodes = control.nodes
    better = min(1.0, max(0.0, float(1 - _WEIGHTS @ treated.cdf(nodes))))
    ends = [_quantile(nodes, treated, tail) for tail in (alpha / 2, 1 - alpha / 2)]
    # E[max(control - treated, 0)]: for each node of control, the treated ones below it.
    below = np.searchsorted(treated.nodes, nodes)
    chance = np.concatenate([[0.0], np.cumsum(_WEIGHTS)])[below]
    mean_below = np.concatenate([[0.0], np.cumsum(_WEIGHTS * treated.nodes)])[below]
    loss, difference = float(_WEIGHTS @ (nodes * chance - mean_below)), treated.mean - control.mean
    if not higher_is_better:  # E[max(treated - control, 0)] = E[max(control - treated, 0)] + E[treated - control]
        better, loss = 1 - better, loss + difference
    return Belief(difference, Interval(*ends), better, max(loss, 0.0))


def probability_best(posteriors: list[Posterior]) -> list[float]:
    """For each arm the probability that it is above all others; they sum to 1."""
    best = []
    for number, one in enumerate(posteriors):
        others = [other.cdf(one.nodes) for n, other in enumerate(posteriors) if n != number]
        best.append(float(_WEIGHTS @ np.prod(others, axis=0)) if others else 1.0)
    total = sum(best)
    return [share / total for share in best]


def _quantile(nodes: Floats, treated: Posterior, level: float) -> float:
    """Where the distribution function of treated minus control reaches `level`."""
    spread = max(float(nodes[-1] - nodes[0]), float(treated.nodes[-1] - treated.nodes[0]), 1e-12)
    centre = treated.mean - float(_WEIGHTS @ nodes)
    return float(
        optimize.brentq(
            lambda shift: float(_WEIGHTS @ treated.cdf(nodes + shift)) - level,
            centre - 4 * spread, centre + 4 * spread, xtol=1e-9 * spread,
        )
    )  # fmt: skip

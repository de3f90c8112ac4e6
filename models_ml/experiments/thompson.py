"""Thompson allocation: new units go to variants by how likely each is the best, and every variant keeps a floor.

Thompson, "On the Likelihood that One Unknown Probability Exceeds Another" (Biometrika 25, 1933). The shares are the
probabilities themselves and not draws, so that the plan of a day can be written down; the floor keeps every arm's estimate
alive and inverse weighting bounded.
"""

from collections.abc import Mapping

from models_ml.experiments.bayes import BetaPrior, of_proportion, probability_best
from models_ml.experiments.stats import Proportion


def allocate(
    arms: Mapping[str, Proportion], floor: float = 0.1, prior: BetaPrior = BetaPrior(), *, higher_is_better: bool = True
) -> dict[str, float]:
    """Share of the next units for each arm; each at least `floor`, summing to 1.

    Raises ValueError without arms, and for a floor that the arms together exceed.
    """
    if not arms or not 0 <= floor * len(arms) <= 1:
        raise ValueError("there must be arms, and their floors together must not exceed 1")
    turned = [one if higher_is_better else Proportion(one.n, one.n - one.successes) for one in arms.values()]
    best = probability_best([of_proportion(one, prior) for one in turned])
    free = 1 - floor * len(arms)
    return {name: floor + free * chance for name, chance in zip(arms, best, strict=True)}

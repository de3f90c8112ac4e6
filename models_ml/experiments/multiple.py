"""Several arms and metrics at once: p values adjusted for how many were asked."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values in the given order; rejecting those at most alpha keeps the chance of any false one at alpha.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure" (Scandinavian Journal of Statistics 6, 1979).
    """
    order = sorted(range(len(p_values)), key=lambda n: p_values[n])
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[number]))
        adjusted[number] = largest
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values in the given order; rejecting those at most q keeps the expected share of false ones at q.

    Benjamini and Hochberg, "Controlling the False Discovery Rate" (JRSS B 57, 1995).
    """
    order = sorted(range(len(p_values)), key=lambda n: p_values[n], reverse=True)
    adjusted, smallest = [1.0] * len(p_values), 1.0
    for rank, number in enumerate(order):
        smallest = min(smallest, p_values[number] * (len(p_values) / (len(p_values) - rank)))
        adjusted[number] = smallest
    return adjusted

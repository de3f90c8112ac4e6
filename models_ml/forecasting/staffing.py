"""How many people an hour needs: Erlang C (everybody waits) and Erlang A (people give up).

Formulas: Erlang (1917); Erlang A after Palm, as Mandelbaum and Zeltyn write it, "Service Engineering in Action: The
Palm/Erlang-A Queue" (2007): with the building block J(t) = int_t^inf exp(l/th (1 - e^(-th x)) - n mu x) dx and
eps = 1 / B(n - 1), P(offered wait > t) = l J(t) / (eps + l J(0)). Rates are per second.
"""

from dataclasses import dataclass
from math import ceil, exp, inf

import numpy as np

POINTS = 4000


@dataclass(frozen=True)
class Service:
    """What customers meet with `servers` at work: shares 0 to 1, waits in seconds."""

    servers: int
    waits: float  # share of customers who wait at all
    within_target: float  # share of all customers who are answered within the target
    average_wait_s: float
    abandons: float
    occupancy: float


def erlang_b(load: float, servers: int) -> float:
    """Share lost when nobody waits; `load` in erlangs (arrivals a second times seconds of work)."""
    inverse = 1.0
    for number in range(1, servers + 1):
        inverse = 1 + inverse * number / load if load > 0 else inf
    return 1 / inverse


def erlang_c(per_hour: float, handling_s: float, servers: int, target_s: float) -> Service:
    """Patient customers. With no more servers than erlangs the queue grows without end: everybody waits for ever."""
    load = per_hour / 3600 * handling_s
    if load <= 0:
        return Service(servers, 0.0, 1.0, 0.0, 0.0, 0.0)
    if servers <= load:
        return Service(servers, 1.0, 0.0, inf, 0.0, 1.0)
    blocked = erlang_b(load, servers)
    waits = blocked / (1 - load / servers * (1 - blocked))
    spare = (servers - load) / handling_s
    return Service(
        servers, waits, 1 - waits * exp(-spare * target_s), waits / spare, 0.0, load / servers
    )  # fmt: skip


def erlang_a(per_hour: float, handling_s: float, servers: int, target_s: float, patience_s: float) -> Service:
    """Customers give up after an exponential time of mean `patience_s`; stable with any number of servers from 1 on.

    `within_target` counts only those answered; the average wait is over all, those who gave up included.
    """
    arrivals, serving, leaving = per_hour / 3600, 1 / handling_s, 1 / patience_s
    if arrivals <= 0:
        return Service(servers, 0.0, 1.0, 0.0, 0.0, 0.0)
    if servers < 1:
        return Service(0, 1.0, 0.0, patience_s, 1.0, 0.0)

    def exponent(waited: np.ndarray) -> np.ndarray:
        return arrivals / leaving * (1 - np.exp(-leaving * waited)) - servers * serving * waited

    peak = max(0.0, patience_s * float(np.log(arrivals / (servers * serving))))
    highest = float(exponent(np.array(peak)))
    reach = peak + target_s + 1 / (servers * serving)
    while float(exponent(np.array(reach))) - highest > -40:
        reach *= 1.5
    points, shares = np.polynomial.legendre.leggauss(64)
    edges = np.unique(np.concatenate([np.linspace(0, reach, POINTS // 64), [target_s]]))
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    waited = (middle[:, None] + half[:, None] * points).ravel()
    density = arrivals * np.exp(exponent(waited) - highest) * (half[:, None] * shares).ravel()
    ahead = np.exp(-highest) / erlang_b(arrivals / serving, servers - 1)
    whole = ahead + density.sum()
    waits = float(density.sum() / whole)
    patient = density * np.exp(-leaving * waited)
    answered_late = float(patient[waited > target_s].sum() / whole)
    abandons = float(((density - patient).sum()) / whole)
    return Service(
        servers, waits, 1 - abandons - answered_late, abandons * patience_s, abandons,
        arrivals * (1 - abandons) / serving / servers,
    )  # fmt: skip


def people_needed(
    per_hour: float,
    handling_s: float,
    *,
    target_s: float = 120.0,
    share: float = 0.8,
    patience_s: float | None = None,
    most_busy: float = 0.85,
    at_once: int = 1,
) -> int:
    """The least number of people with whom `share` of the customers are answered within `target_s` and who are busy at most
    `most_busy` of their time; each serves `at_once` conversations side by side. With `patience_s` by Erlang A.

    Raises ValueError for a share or an occupancy that nobody can keep.
    """
    if not (0 < share < 1 and 0 < most_busy < 1 and at_once >= 1):
        raise ValueError("share and most_busy lie between 0 and 1, and each serves at least one conversation")
    if per_hour <= 0 or handling_s <= 0:
        return 0
    servers = max(1, ceil(per_hour / 3600 * handling_s / most_busy - 1e-9) if patience_s is None else 1)
    while True:
        met = (
            erlang_c(per_hour, handling_s, servers, target_s)
            if patience_s is None
            else erlang_a(per_hour, handling_s, servers, target_s, patience_s)
        )
        if met.within_target >= share and met.occupancy <= most_busy:
            return ceil(servers / at_once)
        servers += 1

"""Contributions are the Shapley values of their games, by going through every coalition, and sum to the log-odds."""

from collections.abc import Callable, Iterable
from itertools import combinations
from math import factorial

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from models_ml.churn.explain import kernel_contributions, tree_contributions, tree_games
from tests.models_ml.churn.samples import mixed, trained


def by_coalitions(value: Callable[[frozenset[int]], float], players: int) -> list[float]:
    """Shapley's own formula."""

    def subsets(others: list[int]) -> Iterable[frozenset[int]]:
        for size in range(len(others) + 1):
            yield from map(frozenset, combinations(others, size))

    found = []
    for player in range(players):
        total = 0.0
        for known in subsets([other for other in range(players) if other != player]):
            share = factorial(len(known)) * factorial(players - len(known) - 1) / factorial(players)
            total += share * (value(known | {player}) - value(known))
        found.append(total)
    return found


def expected_output(nodes: np.ndarray, row: np.ndarray, owner: list[int], known: frozenset[int], at: int = 0) -> float:
    """A tree's output when only the features `known` are: Lundberg's algorithm 1, one node at a time."""
    node = nodes[at]
    if node["is_leaf"]:
        return float(node["value"])
    value = row[node["feature_idx"]]
    left, right = int(node["left"]), int(node["right"])
    if owner[node["feature_idx"]] in known:
        goes_left = bool(node["missing_go_to_left"]) if np.isnan(value) else value <= node["num_threshold"]
        return expected_output(nodes, row, owner, known, left if goes_left else right)
    share = nodes[left]["count"] / node["count"]
    return share * expected_output(nodes, row, owner, known, left) + (1 - share) * expected_output(
        nodes, row, owner, known, right
    )


def test_a_trees_contributions_are_shapley_values_with_indicators_as_one_player() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(600, 6))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    target = (np.nan_to_num(rows[:, 0]) * np.nan_to_num(rows[:, 1]) + np.nan_to_num(rows[:, 4]) > 0).astype(int)
    owner = [0, 1, 2, 3, 3, 3]  # three columns belong to one feature
    boosting = HistGradientBoostingClassifier(max_iter=8, max_depth=4, min_samples_leaf=5).fit(rows, target)
    found = tree_contributions(tree_games(boosting, owner), rows[:15], owner, 4)
    for row, ours in zip(rows[:15], found, strict=True):
        expected = np.sum(
            [
                by_coalitions(lambda known, tree=tree.nodes, row=row: expected_output(tree, row, owner, known), 4)
                for (tree,) in boosting._predictors
            ],
            axis=0,
        )
        assert ours == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("players", [1, 2, 5, 6])
def test_a_kernels_contributions_are_shapley_values(players: int) -> None:
    rng = np.random.default_rng(players)
    factors, means, weights = rng.random((4, players, 7)), rng.random((players, 7)), rng.normal(size=7)
    found = kernel_contributions(factors, means, weights)
    for row, ours in zip(factors, found, strict=True):

        def value(known: frozenset[int], row: np.ndarray = row) -> float:
            return float(np.prod([row[j] if j in known else means[j] for j in range(players)], axis=0) @ weights)

        assert ours == pytest.approx(by_coalitions(value, players), abs=1e-10)


def test_the_average_and_the_contributions_sum_to_the_log_odds() -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    average, contributions = model.explain(frame)
    score = model.predict(frame)
    assert contributions.shape == (2000, len(model.columns.names))
    assert average + contributions.sum(axis=1) == pytest.approx(np.log(score / (1 - score)), abs=1e-6)


def test_reasons_name_what_raises_the_probability_and_nothing_that_lowers_it() -> None:
    frame, _, _ = mixed(2000, seed=1)
    model, _ = trained()
    riskiest = frame.assign(contacts=9.0, plan="pré", tenure=1.0).head(1)
    safest = frame.assign(contacts=0.0, plan="combo", tenure=90.0).head(1)
    assert {name for name, _, _ in model.reasons(riskiest)[0]} == {"contacts", "plan", "tenure"}
    assert all(added > 0 for _, _, added in model.reasons(safest)[0])
    assert not {"contacts", "plan", "tenure"} & {name for name, _, _ in model.reasons(safest)[0]}

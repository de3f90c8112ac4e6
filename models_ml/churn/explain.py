"""Exact contributions of features to one prediction, additive on the scale of log-odds.

Trees: Shapley values of the path-dependent game of Lundberg, Erion and Lee, "Consistent Individualized Feature
Attribution for Tree Ensembles" (2018, arXiv:1802.03888): a split on an unknown feature is averaged by the share of training
rows on each side. A tree's game is the sum of its leaves' games, and a leaf's game depends only on which of the features
on its path let the row through (Mitchell, Frank and Holmes, "GPUTreeShap", 2022, arXiv:2010.13972, extract paths alike): so
each leaf has one small table by that pattern, and a row is a look-up. Indicators of one category are one player.

Kernels: a Gaussian kernel is a product over features, and a product of independent features is a game whose Shapley values
are integrals of polynomials, int_0^1 prod_{i != j} (e_i + t (k_i - e_i)) dt, by Owen's multilinear extension (1972), which
Gauss-Legendre quadrature with half as many nodes as features takes exactly. An unknown feature is at its mean e_i.

Linear parts: the weight times the distance from the mean in training, which is the Shapley value for independent
features (Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017, corollary 1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import factorial
from typing import Any

import numpy as np

from models_ml.churn.columns import Floats

MAX_PLAYERS = 10  # a table has 2 to this power rows; trees here are at most six splits deep


@dataclass(frozen=True)
class LeafGame:
    """A leaf's players, in the order of bits, and their Shapley values for each pattern of who lets the row through."""

    leaf: int
    players: tuple[int, ...]
    table: Floats  # [pattern, player]


@dataclass(frozen=True)
class TreeGame:
    """A tree with its leaves' tables; `expected` is its mean output over the rows it was trained on, path by path."""

    nodes: Any
    games: dict[int, LeafGame]
    expected: float


def tree_games(boosting: Any, owner: Sequence[int]) -> list[TreeGame]:
    """The games of a fitted HistGradientBoostingClassifier of two classes, whose columns belong to players `owner`."""
    return [_tree_game(predictor.nodes, owner) for (predictor,) in boosting._predictors]


def _tree_game(nodes: Any, owner: Sequence[int]) -> TreeGame:
    games, expected = {}, 0.0
    for leaf, path in _paths(nodes):
        shares: dict[int, float] = {}
        for column, share in path:
            shares[owner[column]] = shares.get(owner[column], 1.0) * share
        value = float(nodes["value"][leaf])
        expected += value * float(np.prod(list(shares.values()) or [1.0]))
        games[leaf] = LeafGame(leaf, tuple(shares), value * _shapley(np.array(list(shares.values()))))
    return TreeGame(nodes, games, expected)


def _paths(nodes: Any, node: int = 0, path: tuple[tuple[int, float], ...] = ()) -> Iterator[tuple[int, Any]]:
    """Leaves with the (column, share of the parent's training rows) of each split above them."""
    if nodes["is_leaf"][node]:
        yield node, path
        return
    for child in (int(nodes["left"][node]), int(nodes["right"][node])):
        share = float(nodes["count"][child]) / float(nodes["count"][node])
        yield from _paths(nodes, child, (*path, (int(nodes["feature_idx"][node]), share)))


@cache
def _patterns(players: int) -> Floats:
    if players > MAX_PLAYERS:
        raise ValueError(f"a path has {players} features; contributions are exact up to {MAX_PLAYERS}")
    return ((np.arange(1 << players)[:, None] >> np.arange(players)) & 1).astype(float)


def _shapley(shares: Floats) -> Floats:
    """For each pattern and player of the game "product of known indicators and unknown shares": its Shapley value.

    The product over the others is a polynomial in the number of known ones, whose coefficients are weighted as Shapley
    weighs coalitions of that size.
    """
    players = len(shares)
    through = _patterns(players)
    values = np.empty_like(through)
    for player in range(players):
        polynomial = np.zeros((len(through), players))
        polynomial[:, 0] = 1.0
        for other in range(players):
            if other != player:
                grown = polynomial * shares[other]
                grown[:, 1:] += polynomial[:, :-1] * through[:, other : other + 1]
                polynomial = grown
        weights = np.array([factorial(s) * factorial(players - s - 1) / factorial(players) for s in range(players)])
        values[:, player] = (through[:, player] - shares[player]) * (polynomial @ weights)
    return values


def tree_contributions(games: Sequence[TreeGame], matrix: Floats, owner: Sequence[int], players: int) -> Floats:
    """For each row of `matrix` and player: its share of (output - expected output), summed over the trees."""
    found = np.zeros((len(matrix), players))
    for game in games:
        _walk(game, matrix, owner, 0, {}, found)
    return found


def _walk(
    game: TreeGame, matrix: Floats, owner: Sequence[int], node: int, through: dict[int, Any], found: Floats
) -> None:
    nodes = game.nodes
    if nodes["is_leaf"][node]:
        leaf = game.games[node]
        if leaf.players:
            pattern = np.zeros(len(matrix), dtype=np.intp)
            for bit, player in enumerate(leaf.players):
                pattern |= through[player].astype(np.intp) << bit
            found[:, list(leaf.players)] += leaf.table[pattern]
        return
    values = matrix[:, nodes["feature_idx"][node]]
    left = values <= nodes["num_threshold"][node]
    if nodes["missing_go_to_left"][node]:
        left |= np.isnan(values)
    player = owner[nodes["feature_idx"][node]]
    known = through.get(player)
    for child, passes in ((int(nodes["left"][node]), left), (int(nodes["right"][node]), ~left)):
        _walk(game, matrix, owner, child, {**through, player: passes if known is None else known & passes}, found)


def kernel_contributions(factors: Floats, means: Floats, weights: Floats) -> Floats:
    """For each row and feature its Shapley value in sum_l weights[l] * prod_j factors[row, j, l], unknown factors at `means`
    [feature, landmark]."""
    rows, players, _ = factors.shape
    nodes, shares = np.polynomial.legendre.leggauss((players + 1) // 2)
    change = factors - means
    found = np.zeros((rows, players))
    for node, share in zip((nodes + 1) / 2, shares / 2, strict=True):
        between = means + node * change
        before, after = np.ones_like(between), np.ones_like(between)
        for player in range(1, players):
            before[:, player] = before[:, player - 1] * between[:, player - 1]
            after[:, -player - 1] = after[:, -player] * between[:, -player]
        found += share * np.einsum("rjl,l->rj", change * before * after, weights)
    return found

"""What a suite of expectations is: Great Expectations as data, a module for each domain with its `SUITES`. Whoever runs them
(assets/checker.py) takes `suites()`.

Every suite starts with the row count, since ranges on an empty frame pass.
"""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

Expectation = tuple[str, dict[str, Any]]
STATES = ["bot", "queued", "assigned", "waiting_customer", "resolved", "closed"]
MAX_ROWS = 300_000  # above it a deterministic sample is checked: a frame of every row would not fit beside the engines


@dataclass(frozen=True)
class Suite:
    """The expectations of one table, the columns they need, and the key by which a sample is drawn. Without `by_day` the
    table is of what is so now, and all of it is checked."""

    table: str
    key: str
    expectations: tuple[Expectation, ...]
    by_day: bool = True

    @property
    def columns(self) -> list[str]:
        """The columns that the expectations speak of."""
        named = {
            value
            for _, arguments in self.expectations
            for name, value in arguments.items()
            if name.startswith("column")
        }
        return sorted(named | {self.key})


def never_null(column: str) -> Expectation:
    """The column always has a value."""
    return "expect_column_values_to_not_be_null", {"column": column}


def unique(column: str) -> Expectation:
    """No value comes twice."""
    return "expect_column_values_to_be_unique", {"column": column}


def between(column: str, low: float | None, high: float | None) -> Expectation:
    """Every value there is lies in the range, ends included."""
    return "expect_column_values_to_be_between", {"column": column, "min_value": low, "max_value": high}


def one_of(column: str, values: list[str]) -> Expectation:
    """Every value is one of these."""
    return "expect_column_values_to_be_in_set", {"column": column, "value_set": values}


def at_most(column: str, other: str) -> Expectation:
    """The column never exceeds the other one; rows where either is missing do not count."""
    return "expect_column_pair_values_a_to_be_greater_than_b", {
        "column_A": other, "column_B": column, "or_equal": True, "ignore_row_if": "either_value_is_missing",
    }  # fmt: skip


@cache
def suites() -> Mapping[str, Suite]:
    """The suites of all domains by table: every module beside this one, found by its place. Raises ValueError when two speak
    of one table."""
    package = __package__ or __name__
    found: dict[str, Suite] = {}
    for module in pkgutil.iter_modules(import_module(package).__path__):
        for suite in getattr(import_module(f"{package}.{module.name}"), "SUITES", ()):
            if suite.table in found:
                raise ValueError(f"{suite.table} has two suites of expectations")
            found[suite.table] = suite
    return found

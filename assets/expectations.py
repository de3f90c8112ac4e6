"""What is expected of each table: Great Expectations suites as data. Whoever runs them (assets/checker.py) imports it.

Every suite starts with the row count, since ranges on an empty frame pass.
"""

from dataclasses import dataclass
from typing import Any

Expectation = tuple[str, dict[str, Any]]
STATES = ["bot", "queued", "assigned", "waiting_customer", "resolved", "closed"]
NINETY_DAYS_S = 90 * 86400
MAX_ROWS = 300_000  # above it a deterministic sample is checked: a frame of every row would not fit beside the engines


@dataclass(frozen=True)
class Suite:
    """The expectations of one table, the columns they need, and the key by which a sample is drawn."""

    table: str
    key: str
    expectations: tuple[Expectation, ...]

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


SUITES = {
    suite.table: suite
    for suite in (
        Suite(
            "silver.messages",
            "message_id",
            (
                unique("message_id"),
                one_of("direction", ["in", "out"]),
                one_of("author", ["customer", "bot", "agent", "campaign", "system", "phone_app"]),
                one_of(
                    "state",
                    [
                        *("received", "echoed", "queued", "claimed", "accepted", "held", "sent", "delivered", "read"),
                        *("played", "failed", "unknown", "cancelled"),
                    ],
                ),
                between("version", 1, None),
            ),
        ),
        Suite(
            "silver.conversations",
            "conversation_id",
            (
                unique("conversation_id"),
                one_of("state", STATES),
                between("priority", 1, 5),
                between("satisfaction", 1, 5),
                between("version", 1, None),
            ),
        ),
        Suite(
            "gold.conversation_facts",
            "conversation_id",
            (
                unique("conversation_id"),
                one_of("state", STATES),
                between("priority", 1, 5),
                between("first_response_seconds", 0, NINETY_DAYS_S),
                between("first_answer_seconds", 0, NINETY_DAYS_S),
                at_most("first_answer_seconds", "first_response_seconds"),
                at_most("messages_person", "messages_out"),
                between("satisfaction", 1, 5),
            ),
        ),
        Suite(
            "gold.service_kpi_hourly",
            "hour",
            (
                never_null("queue"),
                at_most("first_response_count", "conversations_opened"),
                at_most("first_response_count", "first_answer_count"),
                at_most("resolved_count", "conversations_opened"),
                at_most("first_response_seconds_median", "first_response_seconds_p90"),
                between("first_response_seconds_sum", 0, None),
                between("resolution_rate", 0, 1),
                at_most("backlog_waiting", "backlog"),
                at_most("satisfaction_count", "conversations_opened"),
            ),
        ),
        Suite(
            "gold.message_costs_daily",
            "number_id",
            (
                never_null("currency"),
                one_of("category", ["service", "utility", "marketing", "authentication"]),
                at_most("delivered", "messages"),
                at_most("charged", "delivered"),
                at_most("untold", "delivered"),
                between("cost_micros", 0, None),
            ),
        ),
    )
}

"""What is expected of each table: Great Expectations suites as data. Whoever runs them (assets/checker.py) imports it.

Every suite starts with the row count, since ranges on an empty frame pass.
"""

from dataclasses import dataclass
from typing import Any

Expectation = tuple[str, dict[str, Any]]
STATES = ["bot", "queued", "assigned", "waiting_customer", "resolved", "closed"]
MOODS = ["negative", "neutral", "positive", "mixed"]
NINETY_DAYS_S = 90 * 86400
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
                at_most("first_response_business_seconds", "first_response_seconds"),
                at_most("resolution_business_seconds", "resolution_seconds"),
                at_most("wait_business_seconds", "wait_seconds"),
                at_most("handling_business_seconds", "handling_seconds"),
                between("wait_seconds", 0, None),
                between("handling_seconds", 0, None),
                between("first_response_business_seconds", 0, None),
                between("cost_micros", 0, None),
                between("satisfaction", 1, 5),
            ),
        ),
        Suite(
            "gold.message_facts",
            "message_id",
            (
                unique("message_id"),
                one_of("direction", ["in", "out"]),
                between("reply_seconds", 0, 86400),
                between("cost_micros", 0, None),
                at_most("is_read", "is_delivered"),
                at_most("is_delivered", "is_accepted"),
                at_most("is_refused_by_user", "is_failed"),
            ),
        ),
        Suite("gold.opt_outs", "event_id", (unique("event_id"), one_of("scope", ["marketing", "utility", "all"]))),
        Suite(
            "gold.business_calendar",
            "day",
            (unique("day"), between("open_seconds", 0, 86_400), at_most("opens_at", "closes_at")),
        ),
        Suite("gold.backlog_changes", "conversation_id", (between("change", -1, 1), never_null("queue"))),
        Suite("gold.agent_days", "agent_id", (at_most("first_at", "last_at"), between("acts", 1, None))),
        Suite(
            "gold.agent_work_hourly",
            "conversation_id",
            (
                at_most("busy_micros", "handling_micros"),
                between("busy_micros", 0, 3_600_000_000),
                between("attended_micros", 0, 3_600_000_000),
            ),
        ),
        Suite(
            "gold.agent_kpi_hourly",
            "agent_id",
            (
                between("occupancy", 0, 1),
                at_most("busy_seconds", "attended_seconds"),
                at_most("busy_seconds", "handling_seconds"),
                between("attended_seconds", 0, 3600),
            ),
        ),
        Suite(
            "gold.sla_daily",
            "queue",
            (
                one_of("promise", ["first_response", "resolution"]),
                at_most("kept", "conversations"),
                at_most("broken", "conversations"),
                between("kept_share", 0, 1),
            ),
        ),
        Suite(
            "gold.number_health_hourly",
            "number_id",
            (
                at_most("accepted", "messages_out"),
                at_most("delivered", "accepted"),
                at_most("read", "delivered"),
                at_most("replied", "delivered"),
                at_most("refused_by_user", "failed"),
                between("cost_micros", 0, None),
            ),
        ),
        Suite(
            "gold.cost_daily",
            "number_id",
            (at_most("resolved", "conversations"), between("cost_micros", 0, None)),
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
        Suite(
            "gold.experiment_assignments",
            "customer_id",
            (never_null("experiment"), never_null("variant"), never_null("assigned_at")),
        ),
        Suite(
            "gold.experiment_results",
            "experiment_id",
            (
                one_of("kind", ["proportion", "mean", "ratio"]),
                one_of("role", ["primary", "secondary", "guardrail"]),
                one_of(
                    "decision",
                    [*("control", "blocked", "early", "better", "worse", "undecided"), *("kept", "broken", "open")],
                ),
                never_null("verdict"),
                between("p_value", 0, 1),
                between("sequential_p", 0, 1),
                between("srm_p", 0, 1),
                between("probability_better", 0, 1),
                at_most("difference_low", "difference"),
                at_most("difference", "difference_high"),
                at_most("sequential_low", "sequential_high"),
                at_most("p_value", "p_adjusted"),
                at_most("delivered", "sent"),
            ),
        ),
        Suite(
            "gold.campaign_funnel",
            "campaign_id",
            (
                never_null("variant"),
                at_most("converted", "goals"),
                between("value_micros", 0, None),
                between("cost_micros", 0, None),
            ),
        ),
        Suite(
            "gold.message_sentiment",
            "message_id",
            (
                unique("message_id"),
                one_of("label", MOODS),
                *(between(share, 0, 1) for share in MOODS),
                between("score", -1, 1),
                between("intent_probability", 0, 1),
                never_null("model"),
                one_of(
                    "reason",
                    [
                        *("billing", "cancellation", "installation", "payments", "plans", "service", "technical"),
                        "smalltalk",
                    ],
                ),
            ),
        ),
        Suite(
            "gold.conversation_sentiment",
            "conversation_id",
            (
                unique("conversation_id"),
                between("messages", 1, None),
                between("score_start", -1, 1),
                between("score_end", -1, 1),
                between("score_slope", -2, 2),
                at_most("score_minimum", "score_mean"),
                at_most("negative_messages", "messages"),
                one_of("final_label", MOODS),
            ),
        ),
    )
}

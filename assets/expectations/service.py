"""What is expected of the tables of service: conversations, messages, promises, backlog; see `assets/expectations/suite.py`."""

from assets.expectations.suite import STATES, Suite, at_most, between, never_null, one_of, unique

NINETY_DAYS_S = 90 * 86400
SUITES = (
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
            between("nps", 0, 10),
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
        "gold.sla_daily",
        "queue",
        (
            one_of("promise", ["first_response", "resolution"]),
            at_most("kept", "conversations"),
            at_most("broken", "conversations"),
            between("kept_share", 0, 1),
        ),
    ),
)

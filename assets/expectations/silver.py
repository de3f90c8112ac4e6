"""What is expected of messages and conversations as they are folded from events; see `assets/expectations/suite.py`."""

from assets.expectations.suite import STATES, Suite, between, never_null, one_of, unique

SUITES = (
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
        "silver.message_labels",
        "message_id",
        (
            one_of("sentiment", ["", "negative", "neutral", "positive", "mixed"]),
            one_of("chosen_by", ["", "random", "uncertain"]),
            between("confidence", 0, 1),
            never_null("teacher"),
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
            between("nps", 0, 10),
            between("version", 1, None),
        ),
    ),
)

"""What is expected of the tables of sentiment; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of, unique

MOODS = ["negative", "neutral", "positive", "mixed"]
SUITES = (
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

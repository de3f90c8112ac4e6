"""What is expected of the tables of numbers and costs; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of

SUITES = (
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

"""What is expected of the agents' tables; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between

SUITES = (
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
)

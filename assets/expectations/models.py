"""What is expected of the tables that models write; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of

SUITES = (
    Suite(
        "gold.churn_risk",
        "customer_id",
        (
            never_null("customer_id"),
            between("probability", 0, 1),
            one_of("band", ["high", "medium", "low"]),
            between("horizon_days", 1, 365),
            never_null("model_version"),
        ),
    ),
    Suite(
        "gold.churn_drift",
        "feature",
        (
            between("psi", 0, None),
            between("by_chance", 0, None),
            one_of("verdict", ["stable", "watch", "act"]),
            never_null("model_version"),
        ),
    ),
    Suite(
        "gold.volume_forecast",
        "hour",
        (
            between("contacts", 0, None),
            between("contacts_low", 0, None),
            at_most("contacts_low", "contacts_high"),
            at_most("staff", "staff_high"),
            between("handling_seconds", 0, 86400),
        ),
    ),
    Suite(
        "gold.kpi_anomalies",
        "started_at",
        (
            one_of("metric", ["contacts", "first_response_seconds", "satisfaction", "resolution_rate"]),
            one_of("dimension", ["all", "queue", "state"]),
            between("p_value", 0, 0.01),
            one_of("direction", ["above", "below"]),
            between("looks", 1, None),
        ),
    ),
)

"""What is expected of the copies of what people decide; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of, unique

SUITES = (
    Suite("silver.kpi_baseline", "kpi", (unique("kpi"), at_most("measured_from", "measured_to")), by_day=False),
    Suite(
        "silver.benefits_and_costs",
        "entry_id",
        (
            unique("entry_id"),
            one_of("kind", ["benefit", "cost"]),
            one_of("every", ["month", "once"]),
            between("amount_micros", 1, None),
            at_most("valid_from", "valid_to"),
        ),
        by_day=False,
    ),
    Suite(
        "silver.exchange_rates", "currency", (between("brl_micros", 1, None), never_null("valid_from")), by_day=False
    ),
    Suite("silver.service_levels", "hour", (unique("hour"), at_most("failures", "requests")), by_day=False),
    Suite("silver.segments", "segment_id", (unique("segment_id"), between("version", 1, None)), by_day=False),
)

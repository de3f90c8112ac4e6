"""What is expected of the tables of experiments and campaigns; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of

SUITES = (
    Suite(
        "gold.experiment_assignments",
        "customer_id",
        (never_null("experiment"), never_null("variant"), never_null("assigned_at")),
    ),
    Suite(
        "gold.experiment_results",
        "experiment_id",
        (
            one_of("kind", ["proportion", "mean", "ratio", "quantile"]),
            one_of("role", ["primary", "secondary", "guardrail"]),
            one_of(
                "decision",
                [
                    *("control", "blocked", "early", "better", "worse", "undecided", "informs"),
                    *("kept", "broken", "open"),
                ],
            ),
            one_of("guardrails", ["", "broken", "early", "open", "kept"]),
            between("next_share", 0, 1),
            between("harm_p", 0, 1),
            at_most("harm_low", "harm_high"),
            at_most("incremental_low", "incremental_high"),
            between("cost", 0, None),
            between("cost_per_incremental", 0, None),
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
            at_most("clicked", "clicks"),
            between("value_micros", 0, None),
            between("cost_micros", 0, None),
        ),
    ),
    Suite(
        "gold.campaign_customers_daily",
        "customer_id",
        (
            never_null("variant"),
            at_most("converted", "goals"),
            at_most("clicked", "clicks"),
            between("value_micros", 0, None),
            between("cost_micros", 0, None),
        ),
    ),
)

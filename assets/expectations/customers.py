"""What is expected of the tables about customers and segments; see `assets/expectations/suite.py`."""

from assets.expectations.suite import Suite, at_most, between, never_null, one_of, unique

ACTIONS = (
    *(
        "message",
        "message_negative",
        "message_neutral",
        "message_positive",
        "message_mixed",
        "contact",
        "technical_contact",
        "answered",
        "resolved",
        "reopened",
        "rated",
    ),
    *("campaign_received", "campaign_read", "campaign_replied", "opt_in", "opt_out"),
    *("ticket_opened", "invoice_late", "payment", "contract_started", "contract_ended", "outage"),
)  # of gold.customer_actions_daily

SUITES = (
    Suite(
        "silver.customers",
        "customer_id",
        (
            unique("customer_id"),
            never_null("lives_as"),
            one_of("status", ["active", "inactive", "blocked", "merged"]),
        ),
        by_day=False,
    ),
    Suite(
        "silver.contracts",
        "contract_id",
        (
            unique("contract_id"),
            one_of("status", ["active", "suspended", "cancelled"]),
            one_of("plan_kind", ["fiber", "mobile_postpaid", "mobile_prepaid", "mobile_control", "tv", "combo"]),
            between("price_micros", 0, None),
        ),
        by_day=False,
    ),
    Suite(
        "silver.invoices",
        "invoice_id",
        (
            unique("invoice_id"),
            one_of("status", ["open", "paid", "overdue", "cancelled"]),
            between("amount_micros", 0, None),
            between("paid_micros", 0, None),
        ),
        by_day=False,
    ),
    Suite(
        "silver.service_tickets",
        "ticket_id",
        (unique("ticket_id"), one_of("status", ["open", "scheduled", "done", "cancelled"])),
        by_day=False,
    ),
    Suite(
        "silver.outages",
        "outage_id",
        (unique("outage_id"), one_of("service", ["fiber", "mobile", "tv", "all"])),
        by_day=False,
    ),
    Suite(
        "gold.customer_actions_daily",
        "customer_id",
        (
            one_of("action", list(ACTIONS)),
            between("actions", 1, None),
            between("value", 0, None),
            at_most("first_at", "last_at"),
        ),
    ),
    Suite(
        "gold.customer_features",
        "customer_id",
        (
            never_null("customer_id"),
            one_of("status", ["active", "inactive", "blocked"]),
            one_of("contract_status", ["", "active", "suspended", "cancelled"]),
            at_most("contracts_active", "contracts"),
            at_most("messages_7d", "messages_30d"),
            at_most("messages_30d", "messages_90d"),
            at_most("technical_contacts_90d", "contacts_90d"),
            at_most("invoices_paid_late_365d", "invoices_365d"),
            between("satisfaction_90d", 1, 5),
            between("inactive_days", 0, None),
        ),
    ),
    Suite(
        "gold.segment_membership",
        "customer_id",
        (never_null("segment_id"), between("version", 1, None), never_null("entered_on")),
        by_day=False,
    ),
    Suite(
        "gold.customer_value",
        "customer_id",
        (
            unique("customer_id"),
            between("recency", 1, 5),
            between("frequency", 1, 5),
            between("money", 1, 5),
            between("value_score", 0, 100),
            one_of("tier", ["Diamante", "Ouro", "Prata", "Bronze"]),
        ),
        by_day=False,
    ),
)

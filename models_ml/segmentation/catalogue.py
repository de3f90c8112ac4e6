"""What a segment may ask for: the columns of gold.customer_features and the actions of gold.customer_actions_daily.

This list is the only source of identifiers in a compiled query; a test compares it with the tables' schemas.
"""

from collections.abc import Mapping
from typing import Final, Literal

FEATURES: Final = "gold.customer_features"
ACTIONS: Final = "gold.customer_actions_daily"

Kind = Literal["text", "number", "money", "bool"]

# Attributes: column -> kind. Money is told in the currency's unit and stored in millionths of it.
ATTRIBUTES: Final[Mapping[str, Kind]] = {
    "status": "text",
    "language": "text",
    "contract_status": "text",
    "plan_id": "text",
    "plan_kind": "text",
    **dict.fromkeys(("known_days", "contracts", "contracts_active", "tenure_days", "contract_ended_days"), "number"),
    **dict.fromkeys(("speed_mbps", "data_gb", "inactive_days"), "number"),
    **dict.fromkeys(("resolved_90d", "reopened_90d", "ratings_90d", "satisfaction_90d", "satisfaction_last"), "number"),
    **dict.fromkeys(("first_response_seconds_90d", "invoices_365d", "invoices_paid_late_365d"), "number"),
    **dict.fromkeys(("invoices_late", "late_days", "tickets_open", "outages_30d"), "number"),
    **dict.fromkeys(("monthly_micros", "late_micros", "billed_micros_365d", "paid_micros_365d"), "money"),
}
NULLABLE: Final = frozenset(
    {"contract_ended_days", "inactive_days", "satisfaction_90d", "satisfaction_last", "first_response_seconds_90d"}
)
PLACES: Final = ("macro_region", "state_code", "city", "region_code")
CONSENTS: Final[Mapping[str, str]] = {"marketing": "consent_marketing", "utility": "consent_utility"}

# Actions that a condition may count, and what their detail says.
DETAILS: Final[Mapping[str, str | None]] = {
    "message": "type",
    "contact": "queue",
    "technical_contact": "queue",
    "answered": "queue",
    "resolved": None,
    "reopened": None,
    "rated": None,
    "campaign_received": "template",
    "campaign_read": "template",
    "campaign_replied": "template",
    "opt_in": "scope",
    "opt_out": "scope",
    "ticket_opened": "kind",
    "invoice_late": None,
    "payment": None,
    "contract_started": "plan",
    "contract_ended": "plan",
    "outage": "service",
}

# Counts that gold.customer_features has ready: (action, window in days) -> column.
READY: Final[Mapping[tuple[str, int], str]] = {
    **{
        (action, days): f"{prefix}_{days}d"
        for action, prefix in {
            "message": "messages",
            "contact": "contacts",
            "technical_contact": "technical_contacts",
            "campaign_received": "campaigns_received",
            "campaign_read": "campaigns_read",
            "campaign_replied": "campaigns_replied",
        }.items()
        for days in (7, 30, 90)
    },
    ("resolved", 90): "resolved_90d",
    ("reopened", 90): "reopened_90d",
    ("rated", 90): "ratings_90d",
    ("ticket_opened", 30): "tickets_30d",
    ("ticket_opened", 90): "tickets_90d",
    ("outage", 30): "outages_30d",
}

# Means per customer over a window: sum of `value` by number of actions, in the unit of the action's value.
METRICS: Final[Mapping[str, str]] = {"first_response_seconds": "answered", "satisfaction": "rated"}

# Sentiment of a customer's messages, as actions of the same table.
SENTIMENTS: Final = ("negative", "neutral", "positive", "mixed")

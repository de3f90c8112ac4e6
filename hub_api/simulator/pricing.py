"""The `pricing` object of statuses, by the rules in force at the time of the message.

Per delivered message since 1 July 2025; utility templates and replies inside the window are billable since
1 October 2026, replies after 1,000 free ones per number and month of the account's time zone.
Source: developers.facebook.com/documentation/business-messaging/whatsapp/pricing (and /pricing/non-template-messages).
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.simulator.model import Number

IN_WINDOW_BILLABLE_SINCE = datetime(2026, 10, 1, tzinfo=UTC).timestamp()
FREE_SERVICE_MESSAGES = 1_000


def price(number: Number, category: str, now: float, *, in_window: bool, free_entry: bool) -> dict[str, Any]:
    """Pricing of one message sent now. `category` is marketing, marketing_lite, utility, authentication or service.

    Counts a service message towards the number's free ones of the month."""
    if free_entry:
        return _pricing("referral_conversion", "free_entry_point")
    if category == "service":
        if now < IN_WINDOW_BILLABLE_SINCE:
            return _pricing(category, "free_customer_service")
        month = month_of(int(now // 3_600), number.waba.timezone)
        used = number.service_messages.get(month, 0)
        number.service_messages[month] = used + 1
        return _pricing(category, "free_customer_service" if used < FREE_SERVICE_MESSAGES else "regular")
    if category == "utility" and in_window and now < IN_WINDOW_BILLABLE_SINCE:
        return _pricing(category, "free_customer_service")
    return _pricing(category, "regular")


@lru_cache(maxsize=64)
def month_of(hour: int, timezone: str) -> str:
    """The month (YYYY-MM) in which an hour since the epoch falls in a time zone."""
    return datetime.fromtimestamp(hour * 3_600, ZoneInfo(timezone)).strftime("%Y-%m")


def is_charged(category: str, now: float, *, in_window: bool, free_entry: bool) -> bool:
    """Whether such a message needs a payment method: since 30 September 2026 replies do, too."""
    if free_entry:
        return False
    return now >= IN_WINDOW_BILLABLE_SINCE or category not in ("service", "utility") or not in_window


def _pricing(category: str, type_: str) -> dict[str, Any]:
    return {"billable": type_ == "regular", "pricing_model": "PMP", "type": type_, "category": category}

"""What a message costs by what the channel told of it (`messages.pricing`), in millionths of a currency.

`type` says whether it is charged, `category` what it counts as, `rate_micros` and `currency` what that category cost then;
these come with one status or another, so they are merged before they are read. Undelivered messages cost nothing,
whatever their pricing says: whoever sums looks at the state, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

FREE_TYPES = frozenset({"free_customer_service", "free_entry_point", "free_group_customer_service"})


class Money(NamedTuple):
    """An amount in millionths of its currency."""

    micros: int
    currency: str


def charged(pricing: Mapping[str, Any] | None) -> Money | None:
    """What a delivered message with this pricing costs; None when the channel has not told, or no rate is known.

    The same rule as charged_micros() of the schema (migration 0011). `billable` is on its way out at Meta: it decides
    only where `type` is missing.
    """
    if not pricing:
        return None
    kind, billable, currency = pricing.get("type"), pricing.get("billable"), pricing.get("currency")
    if kind in FREE_TYPES or (kind is None and billable is False):
        return Money(0, currency or "")
    if kind is None and billable is not True:
        return None
    rate = pricing.get("rate_micros")
    return Money(rate, currency) if rate is not None and currency is not None else None

"""When a message is free, and whose rates apply: the table of channel document §4.2, pure."""

from datetime import UTC, datetime

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

# Utility templates inside the window and replies beyond the free ones are charged since then (0 h UTC).
IN_WINDOW_CHARGED_SINCE = datetime(2026, 10, 1, tzinfo=UTC)
# Delivered replies that are free per number and month of the account's zone; what is left does not carry over.
FREE_SERVICE = 1_000


def is_free(category: str, at: datetime, *, in_window: bool, free_entry: bool, service_used: int) -> bool:
    """Whether a message sent at `at` costs nothing.

    `in_window`: the customer wrote within 24 h; `free_entry`: a free entry runs; `service_used`: replies delivered free
    by the number this month.
    """
    if free_entry:
        return True
    if category == "service":
        return at < IN_WINDOW_CHARGED_SINCE or service_used < FREE_SERVICE
    return category == "utility" and in_window and at < IN_WINDOW_CHARGED_SINCE


def country_of(wa_id: str | None, user_id: str | None) -> str | None:
    """The country (ISO 3166, two letters) by which Meta prices a recipient: of the phone, else of the BSUID."""
    if wa_id:
        digits = wa_id.lstrip("+")
        # No calling code begins with another one; parsing the whole number would take 50 times as long.
        codes = (int(digits[:length]) for length in (1, 2, 3) if digits[:length].isdecimal())
        regions = (COUNTRY_CODE_TO_REGION_CODE.get(code) for code in codes)
        return next((found[0] for found in regions if found), None)
    country = (user_id or "").partition(".")[0]
    return country if len(country) == 2 and country.isalpha() and country.isupper() else None

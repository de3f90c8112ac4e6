"""What is known of a day beforehand: holidays of Brazil and of one state."""

from datetime import date
from functools import cache

# Not holidays by law, but days on which most offices are closed and people write as on a holiday.
CLOSED_BY_CUSTOM = ("carnival", "carnaval", "ash wednesday", "quarta-feira de cinzas", "corpus christi")


@cache
def holidays_of(year: int, state: str | None = None) -> frozenset[date]:
    """National holidays of a year with carnival and Corpus Christi, and those of a federative unit (UF)."""
    import holidays

    found = holidays.country_holidays(
        "BR", subdiv=state, years=year, categories=("public", "optional"), language="en_US"
    )
    public = holidays.country_holidays("BR", subdiv=state, years=year)
    custom = {day for day, name in found.items() if any(word in name.lower() for word in CLOSED_BY_CUSTOM)}
    return frozenset({*public, *custom})


def is_holiday(day: date, state: str | None = None) -> bool:
    """Whether a day is one of `holidays_of`."""
    return day in holidays_of(day.year, state)


def day_kind(day: date, state: str | None = None) -> int:
    """What a day's shape follows: 0 Monday to 6 Sunday, and 6 for a holiday too: people write as on a Sunday."""
    return 6 if is_holiday(day, state) else day.weekday()

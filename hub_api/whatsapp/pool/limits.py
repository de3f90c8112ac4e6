"""Meta's words for limits: how many users a portfolio may message outside the 24 h window in a day (§4.3)."""

import re

_TIER = re.compile(r"TIER_(\d+)(K)?")
UNLIMITED = "TIER_UNLIMITED"


class UnknownTier(ValueError):
    """A word for a limit that we do not know: what is known stays."""


def users_of(tier: str) -> int | None:
    """The limit of `TIER_250`, `TIER_2K`, … or of a number as text; None: unlimited. Raises UnknownTier."""
    if tier in (UNLIMITED, "-1"):
        return None
    if match := _TIER.fullmatch(tier):
        return int(match[1]) * (1000 if match[2] else 1)
    if tier.isdigit() and int(tier) > 0:
        return int(tier)
    raise UnknownTier(tier)

"""How much a visitor, and an address, may ask for: nobody signs in here, so what costs is counted."""

import structlog
from redis.exceptions import RedisError

from hub_api.errors import Unavailable
from hub_api.platform import request_info
from hub_api.platform.ratelimit import Limit, take
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

LONGEST_TEXT = 4000  # characters of a message
LONGEST_FRAME = 24_000  # characters of a whole frame
MOST_FILE_BYTES = 10 * 1024 * 1024

# What is asked for: at most so many in so many seconds, of one visitor (0: not counted) and of one address.
_LIMITS = {
    "connect": ((0, 60), (90, 60)),
    "start": ((0, 3600), (40, 3600)),  # a new visitor: a row, and a person in the customers' list
    "message": ((20, 60), (120, 60)),
    "form": ((3, 3600), (20, 3600)),
    "file": ((10, 600), (60, 600)),
    "code": ((3, 900), (10, 3600)),  # a message that costs
    "verify": ((10, 900), (30, 3600)),
}
_PHONE = (3, 3600)


async def spend(services: Services, what: str, visitor: str | None = None, *, phone: str | None = None) -> None:
    """Count one of `what`. Raises TooMany; and Unavailable for what costs when Redis is away, the rest goes on then."""
    (per_visitor, visitor_s), (per_address, address_s) = _LIMITS[what]
    address = request_info.limit_key(request_info.current.get().address)
    limits = [Limit(f"site:{what}:address:{address}", per_address, address_s)]
    if visitor is not None and per_visitor:
        limits.append(Limit(f"site:{what}:visitor:{visitor}", per_visitor, visitor_s))
    if phone is not None:
        limits.append(Limit(f"site:{what}:phone:{phone}", *_PHONE))
    try:
        await take(services.redis, limits, "too many: wait a little")
    except RedisError as error:
        if what in ("code", "verify", "start"):
            raise Unavailable("limits cannot be counted now: try again") from error
        log.warning("site_limit_not_counted", what=what, error=type(error).__name__)

"""Rate limits on Redis with a sliding window, judged on Redis' clock.

The window slides by two counters: what the current period counted, and of the one before the share that the window still
covers (an error of a few per cent against a list of every request, at two numbers a key instead of thousands).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from hub_api.errors import TooMany

# KEYS one per limit; ARGV [limit, window_ms] per key. Counts the request in all windows or, if one is full, in none.
# Per key: 1 when it has room, what is left, and milliseconds until there is room (until the period ends, if there is).
_SLIDE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local rooms, answer, full = {}, {}, false
for i, key in ipairs(KEYS) do
    local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local period = math.floor(now / window)
    local passed = now - period * window
    local counts = redis.call('HMGET', key, 'period', 'count', 'before')
    local known, count, before = tonumber(counts[1]) or 0, tonumber(counts[2]) or 0, tonumber(counts[3]) or 0
    if known ~= period then
        before = known == period - 1 and count or 0
        count = 0
    end
    local used = count + before * (window - passed) / window
    local wait = window - passed
    if used + 1 > limit then
        full = true
        if before > 0 and count + 1 <= limit then
            wait = math.ceil(window * (1 - (limit - 1 - count) / before)) - passed
        end
    end
    rooms[i] = {key, window, period, count, before}
    answer[i] = {used + 1 > limit and 0 or 1, math.max(0, math.floor(limit - used - 1)), math.max(1, wait)}
end
if not full then
    for _, room in ipairs(rooms) do
        redis.call('HSET', room[1], 'period', room[3], 'count', room[4] + 1, 'before', room[5])
        redis.call('PEXPIRE', room[1], 2 * room[2])
    end
end
return answer
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in any `window_s` seconds under `key`, which names what is limited and for whom."""

    key: str
    count: int
    window_s: float = 60


@dataclass(frozen=True, slots=True)
class Room:
    """What a limit has left after this request, and in how many seconds there is more."""

    limit: Limit
    remaining: int
    reset_s: float

    @property
    def headers(self) -> dict[str, str]:
        """The usual headers; seconds, rounded up."""
        return {
            "RateLimit-Limit": str(self.limit.count),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(-int(-self.reset_s // 1)),
        }


async def take(redis: Redis, limits: Sequence[Limit], message: str) -> list[Room]:
    """Count one request under every limit. Raises TooMany, counting it nowhere, when one is full; RedisError when away."""
    arguments = [number for limit in limits for number in (limit.count, int(limit.window_s * 1000))]
    answers = await redis.eval(_SLIDE, len(limits), *(f"limit:{limit.key}" for limit in limits), *arguments)
    rooms = [Room(limit, int(left), int(wait) / 1000) for limit, (_, left, wait) in zip(limits, answers, strict=True)]
    full = [room for room, (free, _, _) in zip(rooms, answers, strict=True) if not free]
    if full:
        worst = max(full, key=lambda room: room.reset_s)
        raise TooMany(message, retry_after_s=worst.reset_s, headers=worst.headers)
    return rooms

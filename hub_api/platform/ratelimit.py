"""Rate limits on Redis with a sliding window, judged on Redis' clock.

A small limit (guesses of passwords) is exact: the times of its last requests are kept. A large one (calls of the API) has
two numbers: what the current period counted, and of the one before the share that the window still covers. That is right
for a steady caller; one who comes in bursts may have up to twice the limit in an unlucky window, never two such in a row.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from hub_api.errors import TooMany

EXACT_UP_TO = 100

# KEYS one per limit, and one to be read with them or none; ARGV [limit, window_ms, exact] per limit. Counts the request in
# all windows or, if one is full, in none. Answers per limit: 1 when it has room, what is left, and milliseconds until there
# is more; and the value of the last key.
_SLIDE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local keep, answer, full = {}, {}, false
for i = 1, #ARGV / 3 do
    local key = KEYS[i]
    local limit, window, exact = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), ARGV[3 * i] == '1'
    local room, left, wait
    if exact then
        local times, used, oldest = redis.call('LRANGE', key, 0, limit - 1), 0, now
        for _, at in ipairs(times) do
            if tonumber(at) > now - window then used, oldest = used + 1, tonumber(at) end
        end
        room, left, wait = used < limit, limit - used - 1, oldest + window - now
        keep[i] = function()
            redis.call('LPUSH', key, string.format('%.0f', now))
            redis.call('LTRIM', key, 0, limit - 1)
            redis.call('PEXPIRE', key, window)
        end
    else
        local period = math.floor(now / window)
        local passed = now - period * window
        local counts = redis.call('HMGET', key, 'period', 'count', 'before')
        local known, count, before = tonumber(counts[1]) or 0, tonumber(counts[2]) or 0, tonumber(counts[3]) or 0
        if known ~= period then
            before = known == period - 1 and count or 0
            count = 0
        end
        local used = count + before * (window - passed) / window
        room, left, wait = used + 1 <= limit, limit - used - 1, window - passed
        if not room and before > 0 and count + 1 <= limit then
            wait = math.ceil(window * (1 - (limit - 1 - count) / before)) - passed
        end
        keep[i] = function()
            redis.call('HSET', key, 'period', period, 'count', count + 1, 'before', before)
            redis.call('PEXPIRE', key, 2 * window)
        end
    end
    full = full or not room
    answer[i] = {room and 1 or 0, math.max(0, math.floor(left)), math.max(1, wait)}
end
if not full then
    for _, count_it in ipairs(keep) do count_it() end
end
local read = KEYS[#ARGV / 3 + 1]
return {answer, read and redis.call('GET', read) or false}
"""
_SLIDE_SHA = hashlib.sha1(_SLIDE.encode(), usedforsecurity=False).hexdigest()  # how Redis knows a script it has seen


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
    answers, _ = await ask(redis, limits)
    return judge(limits, answers, message)


async def ask(redis: Redis, limits: Sequence[Limit], read: str | None = None) -> tuple[Any, bytes | None]:
    """Count one request, in one way there and back: answers for `judge`, and the value of the key `read`. Raises RedisError."""
    keys, arguments = [], []
    for limit in limits:
        exact = limit.count <= EXACT_UP_TO
        keys.append(f"limit:{'exact' if exact else 'period'}:{limit.key}")
        arguments += [limit.count, int(limit.window_s * 1000), int(exact)]
    if read is not None:
        keys.append(read)
    try:
        answers, value = await redis.evalsha(_SLIDE_SHA, len(keys), *keys, *arguments)
    except NoScriptError:  # its first use, or Redis was restarted: the whole script, which is known from then on
        answers, value = await redis.eval(_SLIDE, len(keys), *keys, *arguments)
    return answers, value


def judge(limits: Sequence[Limit], answers: Any, message: str) -> list[Room]:
    """What is left under each limit. Raises TooMany when one is full."""
    rooms = [Room(limit, int(left), int(wait) / 1000) for limit, (_, left, wait) in zip(limits, answers, strict=True)]
    full = [room for room, (free, _, _) in zip(rooms, answers, strict=True) if not free]
    if full:
        worst = max(full, key=lambda room: room.reset_s)
        raise TooMany(message, retry_after_s=worst.reset_s, headers=worst.headers)
    return rooms

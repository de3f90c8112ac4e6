"""How fast a number may send: one token bucket per number in Redis, shared by all senders, on Redis's own clock.

Tokens are taken for a whole claim at once and what the claim did not need goes back. A bucket that is new (first send,
Redis flushed or restarted) starts empty, so a restart can never double the rate. With Redis away each process falls
back to `FALLBACK_PER_S` per number from a bucket of its own: slow, and safe with up to a dozen sender processes.
"""

import time
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)

# Inbound messages use the same throughput at Meta, so a fifth of it is left to them.
SHARE = 0.8
# At most an eighth of a second's tokens may pile up: in no second more than 0.9 of the limit leaves.
BURST_S = 0.125
FALLBACK_PER_S = 5.0
# Redis that did not answer is asked again after so long; waiting for it at every claim would stop sending.
ASK_AGAIN_S = 1.0

_TAKE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local rate, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(bucket[1]) or 0, tonumber(bucket[2]) or now
if now > at then
    tokens = math.min(burst, tokens + (now - at) * rate / 1000000)
    at = now
end
local granted = math.min(want, math.floor(tokens))
if granted < 0 then granted = 0 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens - granted), 'at', string.format('%.0f', at))
redis.call('PEXPIRE', KEYS[1], 3600000)
local wait = 0
if granted == 0 then wait = math.ceil((1 - tokens) / rate * 1000 + (at - now) / 1000) end
return {granted, wait}
"""

_SLOW = """
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'tokens', '0', 'at', string.format('%.0f', now[1] * 1000000 + now[2] + ARGV[1] * 1000))
redis.call('PEXPIRE', KEYS[1], 3600000)
"""


@dataclass
class _Local:
    """The same bucket in this process, for the time without Redis."""

    tokens: float = 0.0
    at: float = field(default_factory=time.monotonic)

    def take(self, want: int) -> tuple[int, float]:
        now = time.monotonic()
        self.tokens = min(FALLBACK_PER_S, self.tokens + (now - self.at) * FALLBACK_PER_S)
        self.at = now
        granted = min(want, int(self.tokens))
        self.tokens -= granted
        return granted, 0.0 if granted else (1 - self.tokens) / FALLBACK_PER_S


class Buckets:
    """The buckets of all numbers, as one process sees them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._take = redis.register_script(_TAKE)
        self._slow = redis.register_script(_SLOW)
        self._local: dict[UUID, _Local] = {}
        self._away_until = 0.0

    async def take(self, number_id: UUID, mps: int, want: int) -> tuple[int, float]:
        """Up to `want` tokens of a number whose limit at Meta is `mps` messages per second: how many were given, and
        when there were none the seconds until one is due."""
        rate = mps * SHARE
        if time.monotonic() < self._away_until:
            return self._local.setdefault(number_id, _Local()).take(want)
        try:
            granted, wait_ms = await self._take(keys=[_key(number_id)], args=[rate, max(rate * BURST_S, 1), want])
        except (RedisError, OSError) as error:
            if number_id not in self._local:
                log.warning("bucket_local", number=str(number_id), error=type(error).__name__, per_s=FALLBACK_PER_S)
            self._away_until = time.monotonic() + ASK_AGAIN_S
            return self._local.setdefault(number_id, _Local()).take(want)
        self._local.pop(number_id, None)
        return int(granted), int(wait_ms) / 1000

    async def give_back(self, number_id: UUID, count: int) -> None:
        """Return tokens for which there was no message; without Redis they are lost, which is the safe side."""
        if count <= 0 or number_id in self._local:
            return
        try:
            await self._redis.hincrbyfloat(_key(number_id), "tokens", count)
        except (RedisError, OSError) as error:
            log.warning("tokens_lost", number=str(number_id), count=count, error=type(error).__name__)

    async def slow(self, number_id: UUID, seconds: float) -> None:
        """Give nothing from this number's bucket for `seconds`: Meta said it was too fast."""
        try:
            await self._slow(keys=[_key(number_id)], args=[seconds * 1000])
        except (RedisError, OSError) as error:
            log.warning("bucket_not_slowed", number=str(number_id), error=type(error).__name__)


def _key(number_id: UUID) -> str:
    return f"bucket:{number_id}"

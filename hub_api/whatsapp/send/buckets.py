"""The schedules of all numbers in Redis, shared by all senders, on Redis's own clock.

One call reserves slots for every number of a round (pace.py says which). A schedule that is not there (first send, Redis
flushed or restarted) starts as if everything had just been given out, so a restart can never double the rate. With Redis
away each process falls back to `FALLBACK_PER_S` per number by a schedule of its own: slow, and safe with up to a dozen
sender processes.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from hub_api.whatsapp.send.pace import AHEAD_S, Line, Pace, Slots, fresh, reserve

log = structlog.get_logger(__name__)

FALLBACK_PER_S = 5
# Redis that did not answer is asked again after so long; waiting for it at every claim would stop sending.
ASK_AGAIN_S = 1.0
# Inbound messages that came in a heap hold a number's line back for at most so long.
INBOUND_DEBT_S = 1.0

# pace.reserve and pace.fresh in microseconds, for each key. `slot` is kept for whoever counts inbound messages.
_RESERVE = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
local ahead, out = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
    local at = 2 + (i - 1) * 7
    local slot, catch_up, reply_slot = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local reply_room, bulk_slot = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
    local urgent, bulk = tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
    local line = redis.call('HMGET', key, 'main', 'reply')
    local main = tonumber(line[1]) or now + ahead + slot
    local reply = math.max(tonumber(line[2]) or now + reply_room, now)
    local kept = 0
    if reply_slot > 0 then
        kept = math.max(0, math.min(urgent, math.floor((now + reply_room - reply) / reply_slot + 0.000001)))
        reply = reply + kept * reply_slot
    end
    main = math.max(main, now - catch_up)
    local first_urgent = main
    local lined = math.max(0, math.min(urgent - kept, math.floor((now + ahead - main) / slot) + 1))
    main = main + lined * slot
    local first_bulk = main
    local given = math.max(0, math.min(bulk, math.floor((now + ahead - main) / bulk_slot) + 1))
    main = main + given * bulk_slot
    local kept_main = string.format('%.0f', main)
    redis.call('HSET', key, 'main', kept_main, 'reply', string.format('%.0f', reply), 'slot', ARGV[at])
    redis.call('PEXPIRE', key, 604800000)
    out[i] = {kept, lined, string.format('%.0f', first_urgent - now), given, string.format('%.0f', first_bulk - now),
              kept_main}
end
return out
"""

# The last slots of a reservation go back, when nobody has taken any after them.
_GIVE_BACK = """
for i, key in ipairs(KEYS) do
    local main = redis.call('HGET', key, 'main')
    if main and main == ARGV[2 * i - 1] then
        redis.call('HSET', key, 'main', string.format('%.0f', tonumber(main) - tonumber(ARGV[2 * i])))
    end
end
"""

_COUNT_INBOUND = """
local now = redis.call('TIME')
now = now[1] * 1000000 + now[2]
for i, key in ipairs(KEYS) do
    local line = redis.call('HMGET', key, 'main', 'slot')
    if line[1] and line[2] then
        local main = math.max(tonumber(line[1]), now)
        local after = math.min(main + tonumber(ARGV[i + 1]) * tonumber(line[2]), math.max(main, now + tonumber(ARGV[1])))
        redis.call('HSET', key, 'main', string.format('%.0f', after))
    end
end
"""

_SLOW = """
local now = redis.call('TIME')
local from = now[1] * 1000000 + now[2] + tonumber(ARGV[1])
local line = redis.call('HMGET', KEYS[1], 'main', 'reply')
redis.call('HSET', KEYS[1], 'main', string.format('%.0f', math.max(tonumber(line[1]) or 0, from)),
           'reply', string.format('%.0f', math.max(tonumber(line[2]) or 0, from + tonumber(ARGV[2]))))
redis.call('PEXPIRE', KEYS[1], 604800000)
"""

_US = 1_000_000
_FALLBACK = Pace(FALLBACK_PER_S, 1, 0, 0)
_NO_REPLIES = 0  # microseconds of a reply's slot when nothing is kept for replies


@dataclass(frozen=True, slots=True)
class Want:
    """What a round would send from a number, by its id at Meta."""

    phone_number_id: str
    pace: Pace
    urgent: int
    bulk: int


@dataclass(frozen=True, slots=True)
class Granted:
    """The slots a number got, and how to return the last of them."""

    slots: Slots
    end: str = ""  # where the line then stood; empty when it is not Redis's
    bulk_slot_us: float = 0.0


class Buckets:
    """The schedules of all numbers, as one process sees them."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._reserve = redis.register_script(_RESERVE)
        self._give_back = redis.register_script(_GIVE_BACK)
        self._slow = redis.register_script(_SLOW)
        self._local: dict[str, Line] = {}
        self._away_until = 0.0

    async def reserve(self, wants: Sequence[Want]) -> dict[str, Granted]:
        """Slots for every number of `wants`, by its id at Meta."""
        if not wants:
            return {}
        if time.monotonic() < self._away_until:
            return self._fall_back(wants)
        keys = [_key(want.phone_number_id) for want in wants]
        try:
            given = await self._reserve(
                keys=keys, args=[AHEAD_S * _US, *(a for want in wants for a in _arguments(want))]
            )
        except (RedisError, OSError) as error:
            if not self._local:
                log.warning("buckets_local", numbers=len(wants), error=type(error).__name__, per_s=FALLBACK_PER_S)
            self._away_until = time.monotonic() + ASK_AGAIN_S
            return self._fall_back(wants)
        self._local.clear()
        return {want.phone_number_id: _granted(want, *row) for want, row in zip(wants, given, strict=True)}

    def _fall_back(self, wants: Sequence[Want]) -> dict[str, Granted]:
        now = time.monotonic()
        granted = {}
        for want in wants:
            line = self._local.setdefault(want.phone_number_id, fresh(_FALLBACK, now))
            granted[want.phone_number_id] = Granted(reserve(line, _FALLBACK, now, want.urgent, want.bulk))
        return granted

    async def give_back(self, unused: Mapping[str, tuple[Granted, int]]) -> None:
        """Return the last slots of bulk, as many as had no message; without Redis they are lost, which is the safe side."""
        due = {number: (granted, count) for number, (granted, count) in unused.items() if count > 0 and granted.end}
        if not due:
            return
        args = [part for granted, count in due.values() for part in (granted.end, granted.bulk_slot_us * count)]
        try:
            await self._give_back(keys=[_key(number) for number in due], args=args)
        except (RedisError, OSError) as error:
            log.warning("slots_lost", numbers=len(due), error=type(error).__name__)

    async def slow(self, phone_number_id: str, pace: Pace, seconds: float) -> None:
        """Give this number no slot for `seconds`: Meta said it was too fast."""
        room_s = pace.reply_burst / pace.reply_rate if pace.reply_rate else 0.0
        try:
            await self._slow(keys=[_key(phone_number_id)], args=[seconds * _US, room_s * _US])
        except (RedisError, OSError) as error:
            log.warning("bucket_not_slowed", number=phone_number_id, error=type(error).__name__)


async def count_inbound(redis: Redis, messages: Mapping[str, int]) -> None:
    """Inbound messages, by the number's id at Meta, use its throughput too: its line moves on as if it had sent them.

    Never raises for Redis: what is not counted costs a refusal at worst.
    """
    if not messages:
        return
    try:
        keys = [_key(number) for number in messages]
        await redis.eval(_COUNT_INBOUND, len(keys), *keys, str(INBOUND_DEBT_S * _US), *map(str, messages.values()))
    except (RedisError, OSError) as error:
        log.warning("inbound_not_counted", numbers=len(messages), error=type(error).__name__)


def _arguments(want: Want) -> tuple[float, ...]:
    pace = want.pace
    slot = _US / pace.main
    reply_slot = _US / pace.reply_rate if pace.reply_rate else _NO_REPLIES
    return (
        slot,
        slot * pace.catch_up,
        reply_slot,
        reply_slot * pace.reply_burst,
        slot / pace.speed,
        want.urgent,
        want.bulk,
    )


def _granted(want: Want, kept: int, lined: int, urgent_us: str, given: int, bulk_us: str, end: str) -> Granted:
    slot_s = 1 / want.pace.main
    bulk_s = slot_s / want.pace.speed
    first_urgent, first_bulk = float(urgent_us) / _US, float(bulk_us) / _US
    slots = Slots(
        (0.0,) * kept + tuple(max(0.0, first_urgent + n * slot_s) for n in range(lined)),
        tuple(max(0.0, first_bulk + n * bulk_s) for n in range(given)),
    )
    return Granted(slots, end, bulk_s * _US)


def _key(phone_number_id: str) -> str:
    return f"pace:{phone_number_id}"

"""rq jobs as doorbells: a job handles a chunk of a lane or shard, finds its work in PostgreSQL, and may run twice.

A ring says nothing but "look again". While one ring of a kind waits in the queue, further ones are dropped: the key
`bell:<job>:<args>` is set by the ringer and cleared when the job starts, before it looks for work. A ring lost with
its process or with Redis is made good by the sweep (`hub_api/cron.py`), which looks for work without a handled mark.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rq import Queue

from hub_api.platform import trace
from hub_api.platform.metrics import rings_lost

log = structlog.get_logger(__name__)

# A bell whose job never started (its worker was killed) must not silence the lane for longer than a sweep's period.
BELL_TTL_MS = 5_000

# A ring that waited longer has been followed by the sweep's: under overload old ones must not pile up in Redis.
RING_TTL_S = 60

JobFunction = Callable[..., Awaitable[None]]


@dataclass(frozen=True)
class Job:
    """A job by name: `function(services, *args)` runs on the worker's event loop, cut off after `timeout_s`."""

    name: str
    queue: str
    timeout_s: int
    function: JobFunction


Ring = tuple[Job, tuple[int | str, ...]]

REGISTRY: dict[str, Job] = {}


def job(queue: str, *, timeout_s: int = 60) -> Callable[[JobFunction], Job]:
    """Declare `async def name(services, *args)` a job of `queue`. Raises ValueError on a name taken twice."""

    def register(function: JobFunction) -> Job:
        name = f"{function.__module__.removeprefix('hub_api.')}.{function.__name__}"
        if name in REGISTRY:
            raise ValueError(f"two jobs are named {name}")
        REGISTRY[name] = Job(name, queue, timeout_s, function)
        return REGISTRY[name]

    return register


def bell_key(name: str, args: Sequence[int | str]) -> str:
    """The Redis key that is set while a ring of this job and these arguments waits."""
    return ":".join(["bell", name, *map(str, args)])


class Bells:
    """Rings jobs of a process. Redis away is no error: the sweep rings again when it is back."""

    def __init__(self, redis: Redis, sync_redis: SyncRedis) -> None:
        self._redis = redis
        self._sync_redis = sync_redis

    async def ring(self, rings: Iterable[Ring]) -> None:
        """Ring each job that is not already waiting. Never raises for Redis: what is lost is counted."""
        due = list(rings)
        if not due:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for job, args in due:
                    pipeline.set(bell_key(job.name, args), b"1", nx=True, px=BELL_TTL_MS)
                set_now = await pipeline.execute()
            fresh = [ring for ring, was_set in zip(due, set_now, strict=True) if was_set]
            if fresh:
                await asyncio.to_thread(self._enqueue, fresh, trace.carried())
        except RedisError as error:
            rings_lost.inc(len(due))
            log.warning("ring_lost", jobs=sorted({job.name for job, _ in due}), error=type(error).__name__)

    def _enqueue(self, rings: Sequence[Ring], carried: str | None) -> None:
        with self._sync_redis.pipeline() as pipeline:
            for job, args in rings:
                Queue(job.queue, connection=self._sync_redis).enqueue_call(
                    "hub_api.platform.worker.perform",
                    args=(job.name, *args),
                    timeout=job.timeout_s + 5,  # rq's own alarm stands behind our cancellation
                    ttl=RING_TTL_S,
                    result_ttl=0,
                    failure_ttl=3600,
                    meta={"trace": carried} if carried else None,
                    pipeline=pipeline,
                )
            pipeline.execute()


async def no_rings(rings: Iterable[Ring]) -> Any:
    """For tools and tests that write without ringing: the sweep finds the work."""

"""A worker process: rq on the main thread, one event loop with the process's pools on another.

rq runs each async job in a loop of its own, which breaks shared pools; so our rq entry point is synchronous and
submits to the one loop. `SimpleWorker` does not fork: a fork per job costs four times the throughput.
"""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, TypeVar

import structlog
import uvloop
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, get_current_job
from rq.worker import DequeueStrategy

from hub_api.errors import HubError
from hub_api.platform import trace
from hub_api.platform.metrics import job_duration_seconds, jobs_total
from hub_api.platform.queue import REGISTRY, bell_key
from hub_api.platform.redis import connect_sync
from hub_api.platform.services import Services
from hub_api.settings import Settings

log = structlog.get_logger(__name__)

# What a process still has in hand when it ends, a send call that nobody answers above all, is waited for so long.
CLOSE_WITHIN_S = 20.0
# A loop that does not turn for so long, after a job's time was up, will not turn again.
STUCK_AFTER_S = 2.0

Opener = Callable[[Settings], AbstractAsyncContextManager[Services]]
T = TypeVar("T")


class JobFailed(HubError):
    """What rq is told of a failure."""

    code = "job_failed"


class LoopThread:
    """An event loop on its own thread with the services opened on it; `run` submits and waits."""

    def __init__(self, settings: Settings, opener: Opener) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="jobs", daemon=True)
        self._thread.start()
        self._context = opener(settings)
        self.services = self.run(self._context.__aenter__(), timeout_s=30)

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """The coroutine's result. After `timeout_s` it is cancelled and TimeoutError raised."""
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, timeout_s), self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():  # rq's alarm, after ours found no ear
                future.cancel()
                self._end_if_stuck()
            raise

    def _end_if_stuck(self) -> None:
        """End the process when its loop turns no more: no job could run on it again, and who keeps us starts another."""
        try:
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self._loop).result(STUCK_AFTER_S)
        except TimeoutError:
            log.critical("worker_stuck", remedy="the process ends and is started again")
            os._exit(70)

    def close(self) -> None:
        """Close the services and stop the loop."""
        self.run(self._context.__aexit__(None, None, None), timeout_s=CLOSE_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)


class _Worker(SimpleWorker):
    """Back at work within seconds after Redis is: with rq's own steps it may sleep for a minute of that. With `worker_ttl`
    a connection that died without a word is noticed within a minute, not after seven."""

    max_connection_wait_time = 2.0


_thread: LoopThread | None = None


def perform(name: str, *args: int | str) -> None:
    """The one function rq calls: clear the bell, then run the job. A failure is logged; the sweep rings again."""
    if _thread is None:
        raise RuntimeError("perform() runs in a worker process only: start one with `hub worker`")
    job, services = REGISTRY[name], _thread.services
    started = time.perf_counter()
    ringing = get_current_job()
    carried = ringing.meta.get("trace") if ringing else None
    try:
        _thread.run(_look(services, name, args, carried), timeout_s=job.timeout_s)
    except Exception as error:
        jobs_total.labels(name, "failed").inc()
        log.exception("job_failed", job=name, args=args, error=type(error).__name__)
        # rq prints and stores what it is given as it is: the cause, which may quote a row, is in our log alone.
        raise JobFailed(f"{name} failed with {type(error).__name__}: its log line job_failed has the cause") from None
    jobs_total.labels(name, "done").inc()
    job_duration_seconds.labels(name).observe(time.perf_counter() - started)


async def _look(services: Services, name: str, args: Sequence[int | str], carried: str | None) -> None:
    with trace.work(name, carried=carried, kind="consumer"):
        await _look_now(services, name, args)


async def _look_now(services: Services, name: str, args: Sequence[int | str]) -> None:
    # Cleared before looking: a ring that comes while we work must lead to another look.
    with suppress(RedisError):  # it expires by itself; the work is in PostgreSQL
        await services.redis.delete(bell_key(name, args))
    await REGISTRY[name].function(services, *args)


def work(settings: Settings, queues: Sequence[str], opener: Opener) -> None:
    """Run jobs of `queues` until SIGTERM; the job in hand is finished first."""
    global _thread  # noqa: PLW0603 - rq calls `perform` by name, with nothing but its arguments
    _thread = LoopThread(settings, opener)
    connection = connect_sync(settings.redis_url.get_secret_value(), read_timeout_s=None)
    try:
        worker = _Worker([Queue(name, connection=connection) for name in queues], connection=connection, worker_ttl=60)
        worker.work(logging_level="WARNING", dequeue_strategy=DequeueStrategy.ROUND_ROBIN)
    finally:
        _thread.close()
        _thread = None
        connection.close()

"""What this process has answered and how fast, added to PostgreSQL each minute: the figures of availability and response time
that dashboards compare with their targets, from the same counters as `/metrics`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isinf

import asyncpg
import structlog

from hub_api.platform import sqlfile
from hub_api.platform.metrics import http_request_seconds, http_requests
from hub_api.platform.pgtypes import Pool

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "service_levels.sql")

EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Answers of this process since it began: all, those with 5xx, and how many took how long.

    `counts` has one more than `bounds` (seconds): answers up to each bound and above the one before, then those above all.
    """

    requests: int
    failures: int
    bounds: tuple[float, ...]
    counts: tuple[int, ...]

    def since(self, before: "Counted") -> "Counted":
        """What came after `before`."""
        return Counted(
            self.requests - before.requests, self.failures - before.failures, self.bounds,
            tuple(now - then for now, then in zip(self.counts, before.counts, strict=True)),
        )  # fmt: skip


def count() -> Counted:
    """What the counters of this process stand at; with HUB_METRICS_DIR too they are its own here."""
    requests = failures = 0
    for sample in next(iter(http_requests.collect())).samples:
        if sample.name.endswith("_total"):
            requests += int(sample.value)
            failures += int(sample.value) if sample.labels["status"].startswith("5") else 0
    reached = {
        float(sample.labels["le"]): int(sample.value)
        for sample in next(iter(http_request_seconds.collect())).samples
        if sample.name.endswith("_bucket")
    }
    bounds = sorted(reached)
    counts = [reached[bound] - (reached[bounds[place - 1]] if place else 0) for place, bound in enumerate(bounds)]
    return Counted(requests, failures, tuple(bound for bound in bounds if not isinf(bound)), tuple(counts))


@asynccontextmanager
async def recorded(db: Pool) -> AsyncIterator[None]:
    """While open, what this process answers is added to `service_levels` each minute, and the rest at the end."""
    before = count()

    async def add() -> None:
        nonlocal before
        now = count()
        new = now.since(before)
        if not new.requests:
            return
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        try:
            await db.execute(queries.add, hour, new.requests, new.failures, list(new.bounds), list(new.counts))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
            log.warning("service_levels_wait", error=type(error).__name__)  # the next minute has them too
            return
        before = now

    async def keep_adding() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await add()

    adding = asyncio.create_task(keep_adding(), name="record service levels")
    try:
        yield
    finally:
        adding.cancel()
        await asyncio.gather(adding, return_exceptions=True)
        await add()

"""(g) The pool: what a message costs one sender with 10, 100 and 1,000 numbers, what a backlog costs in memory, and how a
hundred numbers at 80/s are shared by more senders. Rates depend on how busy the machine is; the cost in the sender's own
CPU time hardly does."""

import os
import time
from dataclasses import dataclass

import psutil

from tests.benchmarks.report import Row
from tests.benchmarks.stack import engines
from tests.support.pool import Pool, Size, running_pool
from tests.support.pool_measures import used_share

MESSAGES, BACKLOG = 12_000, 100_000
FAST = 1_000  # a level at which the sender, not the pace, is the bound
LEVEL, HEADROOM = 80, 0.15  # HUB_REPLY_HEADROOM's default at that level
PATIENCE_S = 600
# Handling statuses is another process's work, and measured by bench_inbox.
QUIET = ("failed",)


@dataclass(frozen=True)
class Run:
    """One drain: messages a second, the senders' CPU time per message, the largest sender's memory, the share used."""

    per_s: float
    cpu_us: float
    resident_mb: float
    share: float
    twice: int


async def run(scale: float) -> list[Row]:
    """Growth with numbers, memory with the backlog, more senders."""
    size = max(1_000, int(MESSAGES * scale))
    rows = await _growth(size)
    rows += await _memory(size, int(BACKLOG * scale))
    return rows + await _senders(size)


async def _growth(size: int) -> list[Row]:
    rows, few = [], 0.0
    for numbers in (10, 100, 1_000):
        measured = await _drain(Size(numbers=numbers, levels=(FAST,), accounts=numbers // 10, statuses=QUIET), size)
        few = few or measured.cpu_us
        rows.append(
            Row(
                f"{numbers} numbers, one sender",
                f"{measured.cpu_us:.0f} us CPU",
                few / measured.cpu_us,
                "10 numbers",
                0.5,
                f"{measured.per_s:,.0f}/s, {measured.resident_mb:.0f} MB, accepted twice: {measured.twice}",
            )
        )
    return rows


async def _memory(size: int, backlog: int) -> list[Row]:
    shape = Size(numbers=100, levels=(FAST,), accounts=10, statuses=QUIET)
    little = await _drain(shape, size)
    with engines() as stack:
        async with running_pool(stack, shape) as pool:
            before = await pool.db.fetchval("SELECT pg_database_size(current_database())")
            await pool.queue(backlog)
            grown = await pool.db.fetchval("SELECT pg_database_size(current_database())") - before
            much = await _measure(pool, size)
    return [
        Row(
            f"a sender's memory with {backlog:,} queued",
            f"{much.resident_mb:.0f} MB",
            little.resident_mb / much.resident_mb,
            f"{size:,} queued",
            0.9,
            f"in PostgreSQL {grown / 1e6:.0f} MB with customers, conversations and indexes",
        )
    ]


async def _senders(size: int) -> list[Row]:
    rows, one = [], 0.0
    for senders in (1, 2, 4):
        shape = Size(numbers=100, levels=(LEVEL,), accounts=20, portfolios=2, senders=senders, statuses=QUIET)
        measured = await _drain(shape, size * 2)
        one = one or measured.per_s
        load = os.getloadavg()[0]
        rows.append(
            Row(
                f"100 numbers at {LEVEL}/s, {senders} senders",
                f"{measured.per_s:,.0f}/s",
                measured.per_s / one,
                "one sender",
                None,
                f"{measured.share:.0%} of what they may; {measured.cpu_us:.0f} us CPU; load {load:.1f} on {os.cpu_count()} cores",
            )
        )
    return rows


async def _drain(shape: Size, size: int) -> Run:
    with engines() as stack:
        async with running_pool(stack, shape) as pool:
            await pool.queue(size)
            return await _measure(pool, size)


async def _measure(pool: Pool, size: int) -> Run:
    """From a tenth to nine tenths of the messages."""
    pool.start_senders()
    await pool.until_accepted(size // 10, PATIENCE_S)
    began, before, cpu = time.monotonic(), await pool.tally(), _cpu_s(pool)
    await pool.until_accepted(size * 9 // 10, PATIENCE_S)
    after = await pool.tally()
    seconds, spent = time.monotonic() - began, _cpu_s(pool) - cpu
    resident = max(psutil.Process(sender.process.pid).memory_info().rss for sender in pool.senders)
    sent = after["accepted"] - before["accepted"]
    return Run(
        sent / seconds,
        spent / sent * 1e6,
        resident / 1e6,
        used_share(before, after, seconds, HEADROOM, after["numbers"]),
        len((await pool.simulator("GET", "accepted"))["more_than_once"]),
    )


def _cpu_s(pool: Pool) -> float:
    times = [psutil.Process(sender.process.pid).cpu_times() for sender in pool.senders]
    return sum(spent.user + spent.system for spent in times)

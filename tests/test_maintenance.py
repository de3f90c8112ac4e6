"""What runs on a clock: the sweep finds every queue, retention commits as it goes, months are made whatever lies in their way."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from hub_api import maintenance
from hub_api.platform.ids import uuid7
from hub_api.platform.migrate import make_partitions
from hub_api.platform.services import Services
from tests.support.waiting import eventually


async def test_a_long_backlog_of_one_lane_hides_no_other_lane_from_the_sweep(services: Services):
    await services.db.execute(
        "INSERT INTO inbox_item (webhook_id, received_at, lane, kind, payload) "
        "SELECT $1, now(), CASE WHEN n = 6000 THEN 7 ELSE 2 END, 'message', '{}' FROM generate_series(1, 6000) AS n",
        uuid7(),
    )
    (work,) = await services.db.fetch(maintenance.queries.waiting_work)
    assert work["lanes"] == [2, 7]


async def test_retention_keeps_what_it_has_deleted_so_far_while_one_row_makes_it_wait(services: Services):
    old = datetime.now(UTC) - timedelta(days=40)
    count = maintenance.RETENTION_CHUNK + 1
    await services.db.execute(
        "INSERT INTO parked_status (id, wamid, status, occurred_at, payload, created_at) "
        "SELECT gen_random_uuid(), n::text, 'read', now(), '{}', $1::timestamptz + n * interval '1 ms' "
        "FROM generate_series(1, $2) AS n",
        old,
        count,
    )
    async with services.db.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("SELECT FROM parked_status WHERE wamid = $1 FOR UPDATE", str(count))
        running = asyncio.create_task(maintenance.retention.function(services))
        await eventually(lambda: _left(services, "parked_status", 1))
        assert not running.done()
        await transaction.rollback()
    await running
    assert await _left(services, "parked_status", 0)


async def test_months_that_passed_without_a_clock_are_made_with_the_rows_that_fell_into_default(services: Services):
    """The scheduler was away for half a year: rows lie in DEFAULT, which forbids to make their month."""
    today, at = date(2031, 7, 10), datetime(2031, 7, 9, 12, tzinfo=UTC)
    message, conversation, customer = uuid7(), uuid7(), uuid7()
    async with services.db.acquire() as db:
        await db.execute(
            "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
            "VALUES ($1, $2, $3, $4, 'out', 'bot', 'text', 'instalação', 'queued')",
            *(message, at, conversation, customer),
        )
        await db.execute("INSERT INTO webhook_event (id, received_at, body) VALUES ($1, $2, 'x')", uuid7(), at)
        await db.execute(
            "INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, created_at) "
            "VALUES ($1, 'a', 'b', $1, 1, now(), '{}', $2)",
            uuid7(),
            at,
        )
        stamp = await db.fetchrow("SELECT seq, xid, id FROM events")
        assert await make_partitions(db, today=today) == 4 * 5
        assert await make_partitions(db, today=today) == 0
        for table in ("messages", "webhook_event", "events"):
            assert await _left(services, f"{table}_default", 0) and await _left(services, f"{table}_203107", 1)
        assert await db.fetchrow("SELECT seq, xid, id FROM events") == stamp
        assert await db.fetchval("SELECT id FROM messages WHERE search @@ to_tsquery('portuguese', 'instalações')")
        await db.execute("UPDATE messages SET state = 'claimed' WHERE id = $1", message)
        with pytest.raises(asyncpg.CheckViolationError, match="cannot go from claimed to cancelled"):
            await db.execute("UPDATE messages SET state = 'cancelled' WHERE id = $1", message)
        await db.execute(
            "INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, created_at) "
            "VALUES ($1, 'a', 'b', $1, 1, now(), '{}', $2)",
            uuid7(),
            at,
        )
        assert await _left(services, "events_203107", 2)


async def _left(services: Services, table: str, count: int) -> bool:
    return bool(await services.db.fetchval(f"SELECT count(*) = $1 FROM {table}", count))

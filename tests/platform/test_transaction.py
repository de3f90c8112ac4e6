"""A transaction carries its events and rings: both with the commit, neither without."""

from datetime import UTC, datetime

import pytest

from hub_api.events import CustomerCreated
from hub_api.platform import queue
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import create_pool, transaction

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
async def pool(database_url):
    opened = await create_pool(database_url, size=2, name="test")
    yield opened
    await opened.close()


@pytest.fixture
def rung():
    return []


@pytest.fixture
def open_transaction(pool, rung):
    async def ring(rings):
        rung.extend(rings)

    return lambda: transaction(pool, lambda events: (), ring)


async def nothing(services):
    """A job that does nothing."""


IDLE = queue.Job("test.idle", "test", 1, nothing)


async def test_events_and_rings_leave_with_the_commit(pool, rung, open_transaction):
    async with open_transaction() as tx:
        tx.emit(CustomerCreated(aggregate_id=uuid7(), aggregate_version=1, occurred_at=NOW, state_code="SP"))
        tx.ring(IDLE, 3)
        tx.ring(IDLE, 3)
        assert rung == []
    assert rung == [(IDLE, (3,))]
    row = await pool.fetchrow("SELECT type, payload, xid::text::bigint AS xid FROM events")
    assert (row["type"], row["payload"]) == ("customer.created", {"state_code": "SP", "source": "whatsapp"})
    assert row["xid"] > 0


async def test_a_rollback_takes_events_and_rings_with_it(pool, rung, open_transaction):
    with pytest.raises(RuntimeError, match="changed my mind"):
        async with open_transaction() as tx:
            tx.emit(CustomerCreated(aggregate_id=uuid7(), aggregate_version=1, occurred_at=NOW))
            tx.ring(IDLE)
            raise RuntimeError("changed my mind")
    assert rung == []
    assert await pool.fetchval("SELECT count(*) FROM events") == 0


async def test_a_waiting_bell_is_not_rung_again_until_its_job_looks(redis_url):
    from rq import Queue

    from hub_api.platform.redis import connect, connect_sync

    redis, sync_redis = connect(redis_url), connect_sync(redis_url)
    bells = queue.Bells(redis, sync_redis)
    for _ in range(5):
        await bells.ring([(IDLE, (1,))])
    assert len(Queue("test", connection=sync_redis)) == 1
    await redis.delete(queue.bell_key(IDLE.name, (1,)))
    await bells.ring([(IDLE, (1,))])
    assert len(Queue("test", connection=sync_redis)) == 2
    await redis.aclose()
    sync_redis.close()


async def test_redis_away_is_counted_and_not_raised():
    from hub_api.platform.metrics import rings_lost
    from hub_api.platform.redis import connect, connect_sync

    before = rings_lost._value.get()
    nowhere = "redis://127.0.0.1:1/0"
    await queue.Bells(connect(nowhere), connect_sync(nowhere)).ring([(IDLE, ())])
    assert rings_lost._value.get() == before + 1

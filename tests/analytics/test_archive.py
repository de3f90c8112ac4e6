"""A month of events leaves PostgreSQL once it is proved to be in the lake, and comes back to the last byte."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from assets.raw.reconcile import reconcile
from hub_api.analytics.relay import relay_until_empty
from hub_api.errors import Conflict, NotFound
from hub_api.platform.clickhouse import connect
from hub_api.platform.ids import uuid7
from hub_api.platform.lake.archive import NotProved, archive, archive_again, bring_back, list_archived
from hub_api.platform.lake.restore import Corrupted
from hub_api.platform.lake.write import bring_up_to_date
from hub_api.settings import Settings
from tests.analytics.conftest import session
from tests.support.hours import let_the_day_last

NOW: datetime
MONTH: date
LATER: date  # by then this month need not be kept
# What a text format could lose: tabs, line ends, quotes, backslashes, NULs as JSON has them, letters of four bytes.
WORDS = ["a\tb\nc", "d'e\"f\\g\\N", "ção 😀 \\u0041", "", "\r\n\\t"]
WRITE = """
INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, trace_id)
VALUES ($1, 'customer.created', 'customer', $2, 1, $3, $4, $5)
"""


@pytest.fixture(autouse=True)
def now() -> None:
    """Of each test, which is long after this file was read: a run may go over midnight, and into another month."""
    global NOW, MONTH, LATER
    for zone in ("UTC", "America/Sao_Paulo"):
        let_the_day_last(60, zone)
    NOW = datetime.now(UTC)
    MONTH = NOW.date().replace(day=1)
    LATER = MONTH + timedelta(days=31 * 14)


@pytest.fixture
async def settings(data_settings: Settings, tmp_path: Path) -> Settings:
    return data_settings.model_copy(update={"home": tmp_path})


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Events of this month about things of the last days, relayed and written to the lake; one of today is not in it."""
    connection = await session(settings)
    for number in range(40):
        at = NOW - timedelta(days=1 + number % 5, milliseconds=number)
        payload = {"state_code": "SP", "said": WORDS[number % len(WORDS)], "n": number}
        await connection.execute(WRITE, uuid7(), uuid7(), at, payload, f"trace {number}" if number % 3 else None)
    await relay_until_empty(settings)
    await bring_up_to_date(settings)
    yield connection
    await connection.close()


async def rows(db: asyncpg.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch("SELECT *, payload::text AS told FROM events ORDER BY xid, seq")]


async def attached(db: asyncpg.Connection) -> bool:
    return await db.fetchval("SELECT relispartition FROM pg_class WHERE relname = $1", f"events_{MONTH:%Y%m}")


def lake_files(settings: Settings) -> list[Path]:
    return sorted((settings.home / "lake" / "raw" / "events").rglob("*.parquet"))


async def test_a_month_leaves_and_comes_back_to_the_last_byte(settings: Settings, db: asyncpg.Connection) -> None:
    before = await rows(db)
    assert await archive(settings) == [], "months within HUB_EVENTS_MONTHS stay"
    assert await archive(settings.model_copy(update={"events_months": 0}), LATER) == []
    left = await archive(settings, LATER)
    assert (left[-1].month, left[-1].events, len(left[-1].days)) == (MONTH, 40, 5)
    assert await rows(db) == [] and await db.fetchval("SELECT to_regclass($1)", f"events_{MONTH:%Y%m}") is None
    assert await archive(settings, LATER) == []
    # PostgreSQL has none of them, and that is no difference.
    (day,) = await reconcile(settings, [NOW.astimezone(settings.zone).date().isoformat()])
    assert day.equal and day.repaired == 0
    assert await bring_up_to_date(settings) == {}

    back = await bring_back(settings, MONTH)
    assert (back.events, back.hash) == (40, left[-1].hash)
    assert await rows(db) == before and await attached(db)
    assert await relay_until_empty(settings) == 0, "what was relayed once is not sent again"
    with pytest.raises(Conflict):
        await bring_back(settings, MONTH)
    assert await archive(settings, LATER) == [], "a person brought it back: the clock lets it be"
    assert [row["month"] for row in await list_archived(settings) if row["returned_at"]] == [MONTH]
    await archive_again(settings, MONTH)
    assert [one.month for one in await archive(settings, LATER)] == [MONTH]
    with pytest.raises(NotFound):
        await archive_again(settings, MONTH)
    with pytest.raises(NotFound):
        await bring_back(settings, date(2001, 1, 1))


async def test_a_month_that_is_not_in_the_lake_to_the_last_event_stays(
    settings: Settings, db: asyncpg.Connection
) -> None:
    await db.execute(WRITE, uuid7(), uuid7(), NOW - timedelta(days=2), {"late": True}, None)
    with pytest.raises(NotProved, match=r"1 events of .* have not reached the warehouse"):
        await archive(settings, LATER)
    await relay_until_empty(settings)
    with pytest.raises(NotProved, match="hub lake sync"):
        await archive(settings, LATER)
    await bring_up_to_date(settings)
    # The same number of events, one with other words.
    await db.execute("UPDATE events SET payload = payload || '{\"n\": -1}' WHERE payload ->> 'n' = '7'")
    with pytest.raises(NotProved, match="other ones"):
        await archive(settings, LATER)
    assert await attached(db) and len(await rows(db)) == 41
    await db.execute("UPDATE events SET payload = payload || '{\"n\": 7}' WHERE payload ->> 'n' = '-1'")
    file = lake_files(settings)[0]
    kept = file.read_bytes()
    file.write_bytes(kept[:-30] + bytes(30))
    with pytest.raises(Corrupted):
        await archive(settings, LATER)
    assert await attached(db) and len(await rows(db)) == 41
    file.write_bytes(kept)
    assert (await archive(settings, LATER))[-1].events == 41
    # Nor does a damaged lake bring anything back.
    file.write_bytes(kept[:-30] + bytes(30))
    with pytest.raises(Corrupted):
        await bring_back(settings, MONTH)
    assert await rows(db) == [] and await db.fetchval("SELECT to_regclass($1)", f"events_back_{MONTH:%Y%m}") is None
    file.write_bytes(kept)
    assert (await bring_back(settings, MONTH)).events == 41


async def test_a_run_that_died_is_finished_by_the_next_and_an_old_reader_only_delays_it(
    settings: Settings, db: asyncpg.Connection
) -> None:
    await db.execute(f"ALTER TABLE events DETACH PARTITION events_{MONTH:%Y%m}")  # as a run that was killed leaves it
    assert (await archive(settings, LATER))[-1].events == 40
    await bring_back(settings, MONTH)
    await archive_again(settings, MONTH)
    reader = await session(settings)
    transaction = reader.transaction()
    await transaction.start()
    await reader.fetchval("SELECT count(*) FROM events")
    leaving = asyncio.create_task(archive(settings, LATER))
    await db.execute(WRITE, uuid7(), uuid7(), NOW, {}, None, timeout=30)  # writers wait two seconds at most
    await transaction.rollback()
    await reader.close()
    with pytest.raises(NotProved):  # the one just written is not relayed
        await leaving
    assert await attached(db)


async def test_an_erasure_in_the_lake_is_no_loss_when_the_month_comes_back(
    settings: Settings, db: asyncpg.Connection
) -> None:
    left = (await archive(settings, LATER))[-1]
    client = connect(settings.clickhouse_url)
    client.command(
        "ALTER TABLE raw.events UPDATE payload = '{}' WHERE JSONExtractInt(payload, 'n') = 3",
        settings={"mutations_sync": 2},
    )
    client.close()
    await bring_up_to_date(settings)
    back = await bring_back(settings, MONTH)
    assert back.events == left.events and back.hash != left.hash
    assert [row["told"] for row in await rows(db)].count("{}") == 1

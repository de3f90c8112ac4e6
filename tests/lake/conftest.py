"""A history in PostgreSQL, its tables in the warehouse, and a lake in a folder of the test's own."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from hub_api.platform.eventlog import insert_events
from hub_api.platform.lake.write import bring_up_to_date
from hub_api.platform.services import open_services
from hub_api.settings import Settings
from hub_api.simulator.history.run import Plan, make_history
from pipelines.materialize import days_between, materialize
from tests.analytics.conftest import session
from tests.assets.story import Talk
from tests.support.data import empty
from tests.support.hours import let_the_day_last
from tests.support.hub import make_settings
from tests.support.postgres import Databases
from tests.support.valkey import EmbeddedValkey
from tests.support.warehouse import EmbeddedWarehouse

DAYS, CUSTOMERS = 17, 120
OURS = """
SELECT concat(database, '.', name) FROM system.tables
WHERE database IN ('bronze', 'silver', 'gold') AND engine LIKE '%MergeTree' AND name != 'built_days' ORDER BY 1
"""


@dataclass
class Built:
    """Settings of a hub whose history of a few days is built."""

    settings: Settings
    days: list[str]

    def client(self) -> Client:
        return connect(self.settings.clickhouse_url)

    def write(self) -> dict[str, dict[str, object]]:
        return asyncio.run(bring_up_to_date(self.settings))

    def hashes(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Rows and hash of every table of every day; of events what they say, not how they came."""
        client, found = self.client(), {}
        told = "id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, recorded_at, payload"
        sources = [("raw.events", f"SELECT toDate(event_time, 'America/Sao_Paulo') AS day, {told} FROM raw.events")]
        sources += [(table, f"SELECT * FROM {table}") for (table,) in client.query(OURS).result_rows]
        for table, rows in sources:
            days = "toString(day)" if "day" in client.query(f"{rows} LIMIT 0").column_names else "'all'"
            sql = f"SELECT {days} AS d, count(), sum(cityHash64(tuple(*))) FROM ({rows}) GROUP BY d"
            found |= {(table, day): (count, hash_) for day, count, hash_ in client.query(sql).result_rows}
        client.close()
        return found


@pytest.fixture(scope="package")
def history(
    databases: Databases, valkey_server: EmbeddedValkey, warehouse_server: EmbeddedWarehouse, tmp_path_factory
) -> Iterator[Built]:
    """Made once for this folder, whose tests leave it as they found it, on one day: today is in no file."""
    let_the_day_last(400)
    empty(warehouse_server.url())
    url, home = databases.create(), tmp_path_factory.mktemp("home")
    settings = make_settings(url, valkey_server.url(), clickhouse_url=warehouse_server.url(), home=home)
    asyncio.run(_tell(settings))
    client = connect(settings.clickhouse_url)
    first = client.command("SELECT min(toDate(period, 'America/Sao_Paulo')) FROM raw.events_by_period")
    client.close()
    days = days_between(date.fromisoformat(str(first)), datetime.now(settings.zone).date())
    materialize(settings, days)
    yield Built(settings, days)
    databases.drop(url)


async def _tell(settings: Settings) -> None:
    async with open_services(settings, lambda events: (), "test") as services:
        await make_history(services, Plan(DAYS, CUSTOMERS, seed=7))
    talk = Talk("somebody who writes now", f"{datetime.now(UTC):%Y-%m-%d %H:%M}")  # today is in no lake
    talk.customer(datetime.now(UTC))
    db = await session(settings)
    await insert_events(db, talk.events)
    await db.close()
    await relay_until_empty(settings)


@pytest.fixture
def lake(history: Built) -> Path:
    """The folder of the lake, brought up to date."""
    history.write()
    return history.settings.home / "lake"

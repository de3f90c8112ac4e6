"""The warehouse of the test session: started once, emptied for each test that asks for it."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client

from hub_api.platform.clickhouse import apply_schema, connect
from hub_api.settings import Settings
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse

DATABASES = ("raw", "bronze", "silver", "gold")
OURS = f"database IN {DATABASES}"


def data_settings_for(database_url: str, clickhouse_url: str, **overrides: object) -> Settings:
    """Settings for this database and this warehouse; no Redis and no Meta behind them."""
    return make_settings(database_url, "redis://127.0.0.1:1", clickhouse_url=clickhouse_url, **overrides)


@contextmanager
def warehouse_with_schema() -> Iterator[EmbeddedWarehouse]:
    """A warehouse process with every table of `assets`; in memory, since each build makes and drops tables by the dozen."""
    with EmbeddedWarehouse(in_memory=True) as server:
        apply_schema(data_settings_for("postgresql://none@127.0.0.1:1/none", server.url()))
        yield server


def empty(url: str) -> None:
    """Remove every row of every layer: four statements, since each table's own would take ten times as long."""
    client = connect(url)
    try:
        for database in DATABASES:
            client.command(f"TRUNCATE ALL TABLES FROM {database}")
    finally:
        client.close()


def table_hash(client: Client, table: str) -> tuple[int, int]:
    """Row count and an order-free hash of all columns; as a tuple, since the hash of a list with a NULL is NULL."""
    return client.query(f"SELECT count(), sum(cityHash64(tuple(*))) FROM {table}").result_rows[0]

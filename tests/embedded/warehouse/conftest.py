"""The warehouse of these tests: ours, and a real ClickHouse too when HUB_TEST_CLICKHOUSE_URL names one (an admin)."""

import os
import uuid
from collections.abc import Iterator

import pytest
from clickhouse_connect.driver.client import Client

from hub_api.platform.clickhouse import connect
from tests.support.warehouse import EmbeddedWarehouse

SERVERS = ["embedded", *(["external"] if os.environ.get("HUB_TEST_CLICKHOUSE_URL") else [])]


@pytest.fixture(scope="session")
def warehouse() -> Iterator[EmbeddedWarehouse]:
    """The session's warehouse process. A test that stops or kills it makes one of its own."""
    with EmbeddedWarehouse() as server:
        yield server


@pytest.fixture(scope="session", params=SERVERS)
def server_url(request: pytest.FixtureRequest) -> str:
    """Address of each server under test, as its admin."""
    if request.param == "external":
        return os.environ["HUB_TEST_CLICKHOUSE_URL"]
    server: EmbeddedWarehouse = request.getfixturevalue("warehouse")
    return server.url()


@pytest.fixture(scope="session")
def session_client(server_url: str) -> Iterator[Client]:
    client = connect(server_url, {})
    yield client
    client.close()


@pytest.fixture
def client(session_client: Client) -> Client:
    """A client of the server under test."""
    return session_client


@pytest.fixture
def database(client: Client) -> Iterator[str]:
    """A database of this test's own, dropped after it."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    client.command(f"CREATE DATABASE {name}")
    yield name
    client.command(f"DROP DATABASE {name} SYNC")


def create_table(client: Client, name: str) -> None:
    """A table with a deduplication window: id UInt64, text String, day Date."""
    client.command(
        f"CREATE TABLE {name} (id UInt64, text String, day Date DEFAULT '2026-01-01') ENGINE = MergeTree "
        "PARTITION BY day ORDER BY id SETTINGS non_replicated_deduplication_window = 1000"
    )


@pytest.fixture
def table(client: Client, database: str) -> str:
    """An empty table on the server under test."""
    create_table(client, f"{database}.items")
    return f"{database}.items"


@pytest.fixture
def watcher(warehouse: EmbeddedWarehouse) -> Iterator[Client]:
    """An admin of the embedded warehouse, for tests of what only it promises."""
    client = connect(warehouse.url(), {})
    yield client
    client.close()


@pytest.fixture
def own_table(watcher: Client) -> Iterator[str]:
    """An empty table on the embedded warehouse."""
    name = f"raw.items_{uuid.uuid4().hex[:8]}"
    create_table(watcher, name)
    yield name
    watcher.command(f"DROP TABLE {name} SYNC")

"""Engines for the whole suite: one PostgreSQL and one Valkey per session, a database of its own per test."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest
import redis
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from hub_api import roles
from hub_api.platform.services import Services
from hub_api.settings import Settings
from tests.support.chance import EXPLORE
from tests.support.data import data_settings_for, empty, warehouse_with_schema
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.models import FOLDER
from tests.support.outbox import ASTRAY
from tests.support.postgres import Databases, EmbeddedPostgres
from tests.support.valkey import EmbeddedValkey
from tests.support.warehouse import EmbeddedWarehouse

# How long an example takes depends on what else the machine does: a slow one is no failure.
hypothesis_settings.register_profile(
    "hub", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=not EXPLORE
)
hypothesis_settings.load_profile("hub")
# Every stack and run of the session finds the models of messages there; the first that needs them trains them.
os.environ.setdefault("HUB_MODELS_DIR", str(FOLDER))


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Makes databases on the session's server: ours, or HUB_TEST_DATABASE_URL (a superuser's)."""
    if given := os.environ.get("HUB_TEST_DATABASE_URL"):
        made = Databases(given)
        yield made
        made.drop(made.url_of(made.template))
        return
    with EmbeddedPostgres() as server:
        yield Databases(server.url())


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Address of a migrated database of this test's own, dropped after it."""
    url = databases.create()
    yield url
    databases.drop(url)


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """Address of an empty database of this test's own, for tests of migrations."""
    url = databases.create(empty=True)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[EmbeddedValkey]:
    """The session's Valkey. A test that stops or kills it makes one of its own: `EmbeddedValkey(durable=True)`."""
    with EmbeddedValkey() as server:
        yield server


@pytest.fixture
def redis_url(valkey_server: EmbeddedValkey) -> str:
    """Address of an empty Valkey: flushed before each test that asks for it."""
    with redis.Redis.from_url(valkey_server.url()) as client:
        client.flushall()
    return valkey_server.url()


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """Settings for this test's own PostgreSQL database and Valkey; no warehouse and no Meta behind them."""
    return make_settings(database_url, redis_url)


@pytest.fixture
async def services(settings: Settings) -> AsyncIterator[Services]:
    """The services of a process, with the hub's own fan-out."""
    async with roles.services(settings, "test") as opened:
        yield opened
        assert await opened.db.fetchval(ASTRAY) == 0, "the outbox and the messages disagree"


@pytest.fixture
async def hub(settings: Settings) -> AsyncIterator[Hub]:
    """The application on a real port; see tests/support/hub.py."""
    async with running_hub(settings) as running:
        yield running


@pytest.fixture(scope="session")
def warehouse_server() -> Iterator[EmbeddedWarehouse]:
    """The session's warehouse with the whole schema. A test that kills it makes one of its own."""
    with warehouse_with_schema() as server:
        yield server


@pytest.fixture
def data_settings(database_url: str, warehouse_server: EmbeddedWarehouse) -> Settings:
    """Settings for this test's own database and an emptied warehouse."""
    empty(warehouse_server.url())
    return data_settings_for(database_url, warehouse_server.url())

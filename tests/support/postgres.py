"""A real PostgreSQL for tests: `EmbeddedPostgres` is a server, `Databases` gives each test a database of its own."""

import importlib
import importlib.util
import os
import signal
import uuid
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from hub_api.embedded import postgres
from hub_api.embedded.account import unprivileged_account
from tests.support.process import ServerProcess, new_place
from tests.support.waiting import run_async


class EmbeddedPostgres(ServerProcess):
    """The embedded PostgreSQL in a folder of its own.

    `durable=True` keeps fsync on, for tests that kill it. `options` are further server settings. Remove with `destroy`.
    """

    stop_signal = signal.SIGINT  # fast shutdown: SIGTERM would wait for clients
    quit_signal = signal.SIGQUIT  # at once, and still gives back its shared memory, which SIGKILL leaves behind

    def __init__(
        self, *, durable: bool = False, place: Path | None = None, options: dict[str, str] | None = None
    ) -> None:
        super().__init__(place or new_place("postgres", in_memory=not durable))
        self.account = unprivileged_account()
        self.options = options or {}
        self.cluster = postgres.Cluster(
            place=self.place / "postgres", port=self.port, password="test", account=self.account, durable=durable
        )

    def url(self, database: str = "postgres") -> str:
        """Address of a database as superuser."""
        return self.cluster.url(database)

    def prepare(self) -> None:
        self.cluster.prepare()

    def command(self) -> list[str]:
        extra = [part for name, value in self.options.items() for part in ("-c", f"{name}={value}")]
        return self.cluster.command() + extra

    async def probe(self) -> None:
        await postgres.answers(self.url())

    def kill9(self) -> None:
        """As a crash: SIGKILL to the postmaster and its backends; the next start recovers from the WAL."""
        super().kill9()


class Databases:
    """Databases on one server, cloned from a template that is migrated once. `admin_url` must be a superuser's."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self.template = f"hub_template_{uuid.uuid4().hex[:12]}"
        run_async(self._execute(f'CREATE DATABASE "{self.template}"'))
        if importlib.util.find_spec("hub_api.platform.migrate") is not None:
            migrate = importlib.import_module("hub_api.platform.migrate").migrate
            run_async(migrate(self.url_of(self.template)))

    def url_of(self, name: str) -> str:
        """The server's address with another database."""
        return urlunsplit(urlsplit(self.admin_url)._replace(path=f"/{name}"))

    def create(self, *, empty: bool = False) -> str:
        """A new database, migrated unless `empty`; returns its address."""
        name = f"hub_test_{os.getpid()}_{uuid.uuid4().hex[:12]}"
        template = "template1" if empty else self.template
        run_async(self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
        return self.url_of(name)

    def drop(self, url: str) -> None:
        """Drop a database of ours, whoever is connected to it."""
        run_async(self._execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)'))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.admin_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

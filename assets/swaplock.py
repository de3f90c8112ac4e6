"""One process at a time swaps days of a table whose partitions are longer than a day: the other days of the partition are
copied first, and what somebody else swapped in meanwhile would be lost. The lock is PostgreSQL's: the warehouse has none."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from hub_api.settings import Settings

LOCK = 7_215_051  # pg_advisory_lock of two numbers, the second the table's; the others: grep for 7215 and 7_215


class SwapLock:
    """A session of PostgreSQL that holds the lock, opened when it is first needed. A process that is killed leaves no lock."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.database_url
        self._runner: asyncio.Runner | None = None
        self._db: asyncpg.Connection | None = None

    @contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Be the only one who swaps days of `table`; waits for whoever does. Raises the driver's error without PostgreSQL."""
        runner = self._runner = self._runner or asyncio.Runner()
        if self._db is None or self._db.is_closed():
            self._db = runner.run(asyncpg.connect(self._url.get_secret_value()))
        db = self._db
        try:
            runner.run(db.execute("SELECT pg_advisory_lock($1, hashtext($2))", LOCK, table))
            yield
            runner.run(db.execute("SELECT pg_advisory_unlock($1, hashtext($2))", LOCK, table))
        except BaseException:
            db.terminate()  # with the session goes the lock, whatever state it was in
            raise

    def close(self) -> None:
        """End the session if there is one."""
        if self._runner is not None:
            if self._db is not None and not self._db.is_closed():
                self._runner.run(self._db.close())
            self._runner.close()
        self._runner = self._db = None

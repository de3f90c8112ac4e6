"""A real warehouse process for tests: chDB behind the ClickHouse HTTP interface."""

import sys
from pathlib import Path

import aiohttp

from tests.support.process import ServerProcess, new_place

PASSWORDS = {"admin": "admin-test", "gold": "gold-test", "reader": "reader-test"}


class EmbeddedWarehouse(ServerProcess):
    """The warehouse in a folder of its own, `in_memory` where there is room. Remove with `destroy`."""

    def __init__(self, *, place: Path | None = None, memory_bytes: int = 2 * 1024**3, in_memory: bool = False) -> None:
        super().__init__(place or new_place("warehouse", in_memory=in_memory))
        self.memory_bytes = memory_bytes

    def url(self, user: str = "admin", database: str = "") -> str:
        """Address with the user's password, as HUB_CLICKHOUSE_URL has it."""
        return f"http://{user}:{PASSWORDS[user]}@127.0.0.1:{self.port}/{database}"

    def command(self) -> list[str]:
        settings = {
            "PATH": str(self.place / "warehouse"),
            "PORT": str(self.port),
            "MEMORY_BYTES": str(self.memory_bytes),
            **{f"{user.upper()}_PASSWORD": password for user, password in PASSWORDS.items()},
        }
        given = [f"HUB_WAREHOUSE_{name}={value}" for name, value in settings.items()]
        return ["/usr/bin/env", *given, sys.executable, "-m", "hub_api.embedded.warehouse"]

    async def probe(self) -> None:
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(f"http://127.0.0.1:{self.port}/ping") as answer,
        ):
            assert await answer.text() == "Ok.\n"


def start_warehouse(place: Path) -> tuple[EmbeddedWarehouse, str]:
    """Start a warehouse on a folder (with what it holds already): the process and the admin's URL.

    The caller ends it with `stop`, `kill9` or `destroy`, and starts it again on the same port with `start`.
    """
    server = EmbeddedWarehouse(place=place)
    server.start()
    return server, server.url()

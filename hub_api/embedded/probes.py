"""Is a part ready? Each probe asks the part itself and raises while the answer is no.

`NOT_READY` lists what "not yet" looks like; anything else is a bug and stops the start.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Collection

import aiohttp
import asyncpg
import psutil

from hub_api.embedded import valkey

Probe = Callable[[int], Awaitable[None]]
"""Takes the part's pid."""


class NotReady(Exception):
    """The part runs and does not serve yet; the text says what was missing."""


NOT_READY = (
    NotReady, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, aiohttp.ClientError, psutil.Error
)  # fmt: skip


def ping(port: int, password: str) -> Probe:
    """Valkey's PING succeeds."""
    return lambda pid: valkey.serves(port, password)


def http(url: str, *, accept: Collection[int] = (200,)) -> Probe:
    """GET answers one of the `accept` statuses within two seconds."""

    async def probe(pid: int) -> None:
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as answer:
            if answer.status not in accept:
                raise NotReady(f"{url} answers {answer.status}: {(await answer.text())[:200]}")

    return probe


def connected(port: int) -> Probe:
    """The process, or one it started, has a connection to `port`: for workers, which listen nowhere."""

    async def probe(pid: int) -> None:
        main = psutil.Process(pid)
        for process in (main, *main.children(recursive=True)):
            for connection in process.net_connections("tcp"):
                if connection.status == psutil.CONN_ESTABLISHED and connection.raddr and connection.raddr.port == port:
                    return
        raise NotReady(f"no connection to port {port} yet")

    return probe


def grpc(port: int) -> Probe:
    """The standard gRPC health check of Dagster's code server answers SERVING (1)."""

    async def probe(pid: int) -> None:
        os.environ.setdefault(
            "GRPC_ENABLE_FORK_SUPPORT", "0"
        )  # we start programs, we do not fork; its handlers are noise
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from grpc import RpcError, aio

        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            try:
                # HealthCheckRequest(service="DagsterApi") and HealthCheckResponse(status=SERVING), as bytes:
                # the two messages need no generated code.
                answer = await check(b"\x0a\x0aDagsterApi", timeout=2)
            except RpcError as error:
                raise NotReady(str(error.code())) from None
        if answer != b"\x08\x01":
            raise NotReady("the code server is loading")

    return probe


def heartbeat(url: str, schema: str) -> Probe:
    """Dagster's daemon has written a heartbeat into its storage since it was started."""

    async def probe(pid: int) -> None:
        connection = await asyncpg.connect(url, timeout=2)
        try:
            beat = await connection.fetchval(
                f"SELECT extract(epoch FROM max(timestamp AT TIME ZONE 'UTC')) FROM {schema}.daemon_heartbeats"  # noqa: S608 - our own constant
            )
        finally:
            await connection.close()
        if beat is None or float(beat) < psutil.Process(pid).create_time():
            raise NotReady("no heartbeat yet")

    return probe


async def until_ready(probe: Probe, pid: int, alive: Callable[[], bool], timeout_s: float) -> str | None:
    """Repeat the probe while the part lives; None when it succeeds, else why it did not in `timeout_s` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    reason = "it ended"
    while alive():
        try:
            async with asyncio.timeout(5):  # not wait_for: before 3.12 it may swallow a cancellation, and we never stop
                await probe(pid)
        except NOT_READY as error:
            reason = str(error) or type(error).__name__
        else:
            return None
        if loop.time() > deadline:
            return f"not ready after {timeout_s:.0f} s: {reason}"
        await asyncio.sleep(0.1)
    return "it ended"

"""The life of the process: take the folder, open the engine, serve, drain, close."""

import asyncio
import signal
import tempfile

import structlog
from aiohttp import web

from hub_api.embedded.warehouse import folder
from hub_api.embedded.warehouse.access import DATABASES
from hub_api.embedded.warehouse.config import WarehouseConfig
from hub_api.embedded.warehouse.engine import Engine
from hub_api.embedded.warehouse.errors import WarehouseError
from hub_api.embedded.warehouse.querylog import QueryLog
from hub_api.embedded.warehouse.server import Server

log = structlog.get_logger()

_MAX_URL_BYTES = 1024**2
_MAX_HEADER_BYTES = 64 * 1024


def run(config: WarehouseConfig) -> None:
    """Run the warehouse in this process until SIGTERM or SIGINT.

    Raises SystemExit with a clear message when the folder or the port is taken or the engine cannot open its data.
    """
    try:
        lock = folder.claim(config.path)
        engine_folder, engine_config = folder.prepare(config.path, config.memory_limit_bytes)
    except (folder.FolderInUse, OSError) as error:
        raise SystemExit(f"the warehouse cannot use its folder: {error}") from None
    tempfile.tempdir = str(engine_folder / "tmp")  # large results wait here; /tmp may be memory
    try:
        engine = Engine(engine_folder, engine_config)
    except WarehouseError as error:
        raise SystemExit(f"the warehouse cannot open {engine_folder}: {error.message}") from None
    try:
        for database in DATABASES:
            engine.rows(f"CREATE DATABASE IF NOT EXISTS {database}")
        asyncio.run(_serve(config, engine))
    finally:
        engine.close()
        lock.close()
    log.info("warehouse_stopped")


async def _serve(config: WarehouseConfig, engine: Engine) -> None:
    """Serve until told to stop, then let running statements end before the engine closes."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    query_log = QueryLog(config.path / "query_log")
    server = Server(config, engine, query_log)
    runner = web.AppRunner(
        server.app(),
        access_log=None,
        handler_cancellation=True,  # a client that goes away cancels its handler, and so its statement
        auto_decompress=False,
        max_line_size=_MAX_URL_BYTES,
        max_field_size=_MAX_HEADER_BYTES,
        shutdown_timeout=config.drain_s,  # statements that still run then are cancelled
    )
    await runner.setup()
    site = web.TCPSite(runner, config.host, config.port, backlog=512)
    try:
        await site.start()
        log.info("warehouse_ready", host=config.host, port=config.port, version=engine.version)
        await stop.wait()
    except OSError as error:
        raise SystemExit(
            f"the warehouse cannot listen on {config.host}:{config.port}: {error.strerror}; "
            "stop what holds the port or set HUB_WAREHOUSE_PORT"
        ) from None
    finally:
        await runner.cleanup()
        await server.close()
        query_log.close()

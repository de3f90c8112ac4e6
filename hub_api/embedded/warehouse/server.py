"""The HTTP side: aiohttp in front, statements in worker threads, results through pipes.

The loop never touches the engine. A slow client slows its own statement only, and one that is gone has its statement
killed.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiohttp import BodyPartReader, web

from hub_api.embedded.warehouse import protocol
from hub_api.embedded.warehouse.access import Rules
from hub_api.embedded.warehouse.answer import Running, open_pipe, respond
from hub_api.embedded.warehouse.compression import Decoded
from hub_api.embedded.warehouse.config import WarehouseConfig
from hub_api.embedded.warehouse.engine import Engine
from hub_api.embedded.warehouse.errors import (
    LOGICAL_ERROR,
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    TOO_LARGE,
    WarehouseError,
    refuse,
)
from hub_api.embedded.warehouse.protocol import EXCEPTION_CODE, Call
from hub_api.embedded.warehouse.querylog import QueryLog
from hub_api.embedded.warehouse.run_call import Outcome, RequestBody, Warehouse, run_call
from hub_api.embedded.warehouse.statement import MAX_STATEMENT_BYTES

log = structlog.get_logger()

_WORKERS = 16
_NAME = "hub-warehouse"


class Server:
    """The HTTP side of one engine. Readers and the admin have threads of their own, so that neither starves the other."""

    def __init__(self, config: WarehouseConfig, engine: Engine, query_log: QueryLog) -> None:
        self._warehouse = Warehouse(engine, config, Rules.of(engine))
        self._log = query_log
        self._admin_pool = ThreadPoolExecutor(_WORKERS, "admin")
        self._reader_pool = ThreadPoolExecutor(_WORKERS, "reader")
        self._control = ThreadPoolExecutor(2, "control")
        self._kills: set[asyncio.Task[None]] = set()

    def app(self) -> web.Application:
        """`/` for statements, `/ping` for probes."""
        app = web.Application()
        app.router.add_get("/ping", _alive)
        app.router.add_get("/replicas_status", _alive)
        app.router.add_get("/", self.handle)
        app.router.add_post("/", self.handle)
        return app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one statement; errors are told as ClickHouse tells them."""
        engine = self._warehouse.engine
        query = dict(request.query)
        headers = {"X-ClickHouse-Server-Display-Name": _NAME, "X-ClickHouse-Timezone": engine.timezone}
        try:
            user = protocol.authenticate(self._warehouse.config.users, query, request.headers)
            if request.content_type == "multipart/form-data":
                query |= await _form(request)
            call = protocol.read_call(user, request.method, query, request.headers)
            headers = protocol.answer_headers(call, engine.timezone, _NAME)
            if request.method == "GET" and not call.query:
                return web.Response(text="Ok.\n", headers=headers)
            return await self._answer(request, call, headers)
        except WarehouseError as error:
            return self._failed(error, headers)
        except ConnectionError:
            raise
        except Exception as error:
            log.exception("warehouse_defect", path=request.path)
            return self._failed(refuse(LOGICAL_ERROR, f"A defect of the warehouse process: {error!r}."), headers)

    async def _answer(self, request: web.Request, call: Call, headers: dict[str, str]) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        encoding = request.headers.get("Content-Encoding", "")
        body = Decoded(RequestBody(request.content, loop, call.cancelled), encoding)
        policy = self._warehouse.config.users[call.user].policy
        pool = self._admin_pool if policy is None else self._reader_pool
        started = time.monotonic()
        async with open_pipe() as (result, write_end):
            outcome = Outcome(write_end)
            work = loop.run_in_executor(pool, run_call, self._warehouse, call, body, outcome)
            error: BaseException | None = None
            try:
                running = Running(call, outcome, work, result)
                return await respond(request, running, headers, self._warehouse.engine.version)
            except BaseException as caught:
                error = caught
                raise
            finally:
                self._end(call, work)
                self._record(call, outcome, time.monotonic() - started, error)

    def _failed(self, error: WarehouseError, headers: dict[str, str]) -> web.Response:
        headers = headers | {EXCEPTION_CODE: str(error.code)}
        return web.Response(status=error.status, text=error.text(self._warehouse.engine.version), headers=headers)

    def _end(self, call: Call, work: "asyncio.Future[None]") -> None:
        if not work.done():
            call.cancelled.set()
            task = asyncio.create_task(self._kill(call, work))
            self._kills.add(task)
            task.add_done_callback(self._kills.discard)

    async def _kill(self, call: Call, work: "asyncio.Future[None]") -> None:
        """Kill until it is gone: the statement may only now be about to start."""
        loop = asyncio.get_running_loop()
        while not work.done():
            await loop.run_in_executor(self._control, self._warehouse.engine.kill, call.tag)
            await asyncio.wait([work], timeout=0.2)
        if not work.cancelled():
            work.exception()

    def _record(self, call: Call, outcome: Outcome, seconds: float, error: BaseException | None) -> None:
        if isinstance(error, asyncio.CancelledError | ConnectionError):
            error = refuse(QUERY_WAS_CANCELLED, "The client went away.")
        known = error if isinstance(error, WarehouseError) else None
        stats = outcome.stats
        self._log.write(
            {
                "query_id": call.query_id,
                "user": call.user,
                "statement": outcome.shape,
                "duration_ms": round(seconds * 1000, 1),
                "read_rows": stats.read_rows,
                "read_bytes": stats.read_bytes,
                "result_rows": stats.result_rows,
                "written_rows": stats.written_rows,
                "written_bytes": stats.written_bytes,
                "code": known.code if known else (LOGICAL_ERROR[0] if error else 0),
                "error": known.name if known else (type(error).__name__ if error else ""),
            }
        )

    async def close(self) -> None:
        """Wait until what was cancelled is gone, and end the threads."""
        await asyncio.gather(*self._kills)
        for pool in (self._admin_pool, self._reader_pool, self._control):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _form(request: web.Request) -> dict[str, str]:
    """Text fields of a form: clients send long parameters so."""
    fields: dict[str, str] = {}
    size = 0
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.filename is not None or not part.name:
                raise refuse(NOT_IMPLEMENTED, "External data are not served: insert them into a table first.")
            fields[part.name] = await part.text()
            size += len(fields[part.name])
            if size > MAX_STATEMENT_BYTES:
                raise refuse(TOO_LARGE, "The form is over 16 MiB.")
    except ValueError as error:
        raise refuse(NOT_IMPLEMENTED, f"The form does not parse: {error}.") from None
    return fields

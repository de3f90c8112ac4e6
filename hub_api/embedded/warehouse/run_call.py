"""One statement from request to result, in a worker thread: read it, check it, run it."""

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub_api.embedded.warehouse import access
from hub_api.embedded.warehouse.config import WarehouseConfig
from hub_api.embedded.warehouse.engine import Engine, Stats, analyze, execute, insert, stream
from hub_api.embedded.warehouse.errors import (
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    READONLY,
    SYNTAX_ERROR,
    UNKNOWN_FORMAT,
    WarehouseError,
    refuse,
    without_hints,
)
from hub_api.embedded.warehouse.protocol import Call
from hub_api.embedded.warehouse.statement import Insert, Plain, Readable, read_statement
from hub_api.platform.clickhouse_sql import redact


class _Content(Protocol):
    async def read(self, n: int) -> bytes: ...


@dataclass(frozen=True)
class Warehouse:
    """What every statement needs: the engine, the configuration, the readers' rules."""

    engine: Engine
    config: WarehouseConfig
    rules: access.Rules


@dataclass
class Outcome:
    """What is known of a statement while it runs; `format` is None for one without a result.

    The result goes into `pipe`, a file descriptor.
    """

    pipe: int
    format: str | None = None
    shape: str = ""
    stats: Stats = field(default_factory=Stats)


class RequestBody:
    """The request's body as a blocking file for a worker thread; the event loop fetches it."""

    def __init__(self, content: _Content, loop: asyncio.AbstractEventLoop, cancelled: threading.Event) -> None:
        self._content, self._loop, self._cancelled = content, loop, cancelled

    def read(self, size: int) -> bytes:
        """At most `size` bytes, less only at the end. Raises WarehouseError (394) when the client is gone."""
        future = asyncio.run_coroutine_threadsafe(self._fill(size), self._loop)
        while not self._cancelled.is_set():
            try:
                return future.result(timeout=1.0)
            except TimeoutError:
                continue
            except Exception as error:
                raise refuse(QUERY_WAS_CANCELLED, f"The request's body broke off: {error!r}.") from None
        future.cancel()
        raise refuse(QUERY_WAS_CANCELLED, "The client went away.")

    async def _fill(self, size: int) -> bytes:
        parts, missing = [], size
        while missing and (part := await self._content.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def run_call(warehouse: Warehouse, call: Call, body: Readable, outcome: Outcome) -> None:
    """Run the call's statement and write its result into the outcome's pipe, which is closed at the end.

    Raises WarehouseError; whatever was written by then is no complete result.
    """
    with _closing(outcome.pipe):
        statement = read_statement(call.query, body, warehouse.engine.formats)
        outcome.shape = redact(statement.head if isinstance(statement, Insert) else statement.body)
        policy = warehouse.config.users[call.user].policy
        if policy is None:
            with warehouse.engine.connection(_admin_settings(warehouse.config, call), call.database) as connection:
                _run(connection, call, statement, body, outcome)
        else:
            _run_as_reader(warehouse, policy, call, statement, outcome)


def _run_as_reader(
    warehouse: Warehouse, policy: access.Policy, call: Call, statement: Plain | Insert, outcome: Outcome
) -> None:
    database = access.reader_database(policy, call.database)
    memory = warehouse.config.memory_limit_bytes // 4
    settings = _base_settings(warehouse.config, call, memory) | access.reader_settings(policy, call.settings)
    with warehouse.engine.connection(settings, database) as connection:
        wanted = (statement.format if isinstance(statement, Plain) else None) or call.default_format
        allowed = access.check(
            policy, warehouse.rules, connection, statement, format_name=wanted, params=call.params, database=database
        )
        try:
            _read(connection, call, allowed, outcome)
        except WarehouseError as error:
            raise without_hints(error) from None


def _base_settings(config: WarehouseConfig, call: Call, memory: int) -> dict[str, str]:
    """A statement may take a part of the memory and spills to disk well before, so that several at once fit the cap."""
    return {
        "log_comment": call.tag,
        "async_insert": "0",
        "max_threads": str(config.max_threads),
        "max_memory_usage": str(memory),
        "max_bytes_before_external_group_by": str(memory // 2),
        "max_bytes_before_external_sort": str(memory // 2),
        "max_query_size": str(16 * 1024**2),
        "output_format_parallel_formatting": "0",  # as fast on few cores, and a tenth of the memory
    }


def _admin_settings(config: WarehouseConfig, call: Call) -> Mapping[str, str]:
    """The admin's own settings win, except the mark by which we cancel."""
    return _base_settings(config, call, config.memory_limit_bytes // 2) | call.settings | {"log_comment": call.tag}


def _run(connection: Any, call: Call, statement: Plain | Insert, body: Readable, outcome: Outcome) -> None:
    if call.readonly_method and isinstance(statement, Insert):
        raise _get_is_readonly()
    if isinstance(statement, Insert):
        data = Joined(statement.rest, body)
        outcome.stats = insert(connection, statement.head, statement.settings, statement.format, call.params, data)
        return
    kind, count = analyze(connection, statement.text)
    if count > 1:
        raise refuse(SYNTAX_ERROR, "Multi-statements are not allowed: send one statement a request.")
    if kind == "READ_ONLY":
        _read(connection, call, statement, outcome)
        return
    if call.readonly_method:
        raise _get_is_readonly()
    _refuse_what_needs_a_session(statement.words)
    format_name = statement.format or call.default_format
    result, outcome.stats = execute(connection, _whole(statement), format_name, call.params)
    if result:
        outcome.format = format_name
        _write_all(outcome.pipe, result)


def _read(connection: Any, call: Call, statement: Plain, outcome: Outcome) -> None:
    format_name = statement.format or call.default_format
    if not format_name.isidentifier():
        raise refuse(UNKNOWN_FORMAT, f"Unknown format {format_name[:60]}")
    if call.cancelled.is_set():
        raise refuse(QUERY_WAS_CANCELLED, "The client went away.")
    outcome.format = format_name
    outcome.stats = stream(connection, (statement.body, statement.tail), format_name, call.params, outcome.pipe)


def _whole(statement: Plain) -> str:
    if statement.format is None:
        return statement.text
    return f"{statement.body}\nFORMAT {statement.format}\n{statement.tail}"


def _refuse_what_needs_a_session(words: list[str]) -> None:
    match words:
        case ["SET" | "USE", *_]:
            raise refuse(
                NOT_IMPLEMENTED,
                "There are no sessions here: put settings and `database` in the request's parameters.",
            )
        case ["CREATE", "TEMPORARY", *_] | ["CREATE", "OR", "REPLACE", "TEMPORARY"]:
            raise refuse(
                NOT_IMPLEMENTED,
                "There are no sessions here, so a temporary table would be gone at once: use a table or a CTE.",
            )
        case ["BEGIN" | "COMMIT" | "ROLLBACK", *_]:
            raise refuse(NOT_IMPLEMENTED, "Transactions are not served: one INSERT is atomic for each block.")


def _get_is_readonly() -> Exception:
    return refuse(READONLY, "Cannot execute query in readonly mode: method GET implies readonly. Use POST.")


def _write_all(pipe: int, data: bytes) -> None:
    """Write a small result ourselves; a client that is gone needs none."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(pipe, view) :]
    except BrokenPipeError:
        return


class Joined:
    """What was read of the body already, then the rest of it."""

    def __init__(self, rest: bytes, body: Readable) -> None:
        self._rest, self._body = memoryview(rest), body

    def read(self, size: int) -> bytes:
        """At most `size` bytes; empty at the end."""
        if self._rest:
            part, self._rest = self._rest[:size], self._rest[size:]
            return bytes(part)
        return self._body.read(size)


@contextmanager
def _closing(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)

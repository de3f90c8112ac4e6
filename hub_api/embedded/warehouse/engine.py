"""chDB: one engine in this process, a connection of its own for each statement.

A connection costs about a tenth of a millisecond, so settings, the current database and a reader's lock die with
the statement and never reach the next one. All functions block: they run in worker threads.
"""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub_api.embedded.warehouse.errors import BAD_ARGUMENTS, NOT_ENOUGH_SPACE, from_engine, refuse
from hub_api.embedded.warehouse.statement import Readable

_APPEND_BYTES = 1024**2


@dataclass
class Stats:
    """What a statement read and wrote, and how long it took."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    elapsed_s: float = 0.0


class Engine:
    """The engine on one data folder; `close` it, since the process cannot open another folder before."""

    def __init__(self, folder: Path, config: Path) -> None:
        os.environ["TZ"] = "UTC"  # the engine's time zone is the process's; business days are asked for by name
        import chdb  # importing it loads a library of 550 MB: only this process does

        options = f"config-file={config}&implicit_select=0&allow_introspection_functions=0"
        connect = getattr(chdb, "_chdb").connect  # noqa: B009
        self._connect: Callable[[], Any] = lambda: connect(f"{folder}?{options}")
        with engine_errors():
            self._anchor = self._connect()  # the engine lives as long as one connection does
        self.version, self.timezone = self.rows("SELECT version(), timezone()")[0]
        self.formats = frozenset(name for (name,) in self.rows("SELECT name FROM system.formats"))

    def close(self) -> None:
        """Stop the engine; statements still running are cancelled first."""
        self._anchor.query("KILL QUERY WHERE 1 ASYNC", "Null")
        self._anchor.close()

    def rows(self, sql: str) -> list[tuple[str, ...]]:
        """A small result of our own queries, as text."""
        with self.connection({}) as connection:
            text = bytes(connection.query(sql, "TSVRaw").bytes()).decode(errors="replace")
        return [tuple(line.split("\t")) for line in text.splitlines()]

    @contextmanager
    def connection(self, settings: Mapping[str, str], database: str | None = None) -> Iterator[Any]:
        """A fresh connection with these settings in this database.

        Raises WarehouseError for a setting or database that does not exist.
        """
        connection = self._connect()
        try:
            if database:
                execute(connection, "USE {name:Identifier}", "Null", {"name": database})
            change_settings(connection, settings)
            yield connection
        finally:
            connection.close()

    def kill(self, tag: str) -> None:
        """Cancel the statement that runs under `log_comment` = tag, if it does."""
        with self.connection({}) as connection:
            connection.query(f"KILL QUERY WHERE Settings['log_comment'] = {quote(tag)} ASYNC", "Null")


@contextmanager
def engine_errors() -> Iterator[None]:
    """Turn the engine's RuntimeError into WarehouseError, also when the engine has cut its text within a letter: what arrives
    then is the UnicodeDecodeError of that text, which holds its bytes."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise from_engine(RuntimeError(error.object.decode(errors="replace"))) from None
    except (RuntimeError, UnicodeEncodeError) as error:
        raise from_engine(error) from None


def quote(value: str) -> str:
    """A ClickHouse string literal. Raises WarehouseError on a NUL, which ends a statement early."""
    if "\0" in value:
        raise refuse(BAD_ARGUMENTS, "A value contains a NUL sign")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def change_settings(connection: Any, settings: Mapping[str, str]) -> None:
    """Set settings (and `param_` values of an INSERT, whose interface takes no other) in the order given."""
    if settings:
        pairs = ", ".join(f"{name} = {quote(value)}" for name, value in settings.items())
        execute(connection, f"SET {pairs}", "Null", {})


def analyze(connection: Any, sql: str) -> tuple[str, int]:
    """The engine's own view of a text without running it: its class (READ_ONLY, MUTATING, CONTROL, MUTATING_GLOBAL,
    UNKNOWN when it does not parse) and how many statements it holds."""
    report = connection.classify_query(sql)
    return report["query_class"].name, int(report["statement_count"])


def stream(connection: Any, sql: tuple[str, str], format_name: str, params: dict[str, str], pipe: int) -> Stats:
    """Run a reading statement (its text before and after the FORMAT clause) and write its result into a pipe.

    The engine itself writes the file descriptor (INTO OUTFILE), which gives every format as one well-formed stream of
    bounded memory; chDB's own streaming repeats headers and footers in every chunk.
    """
    before, after = sql
    text = f"{before}\nINTO OUTFILE '/dev/fd/{pipe}' TRUNCATE\nFORMAT {format_name}\n{after}"
    with engine_errors():
        result = connection.query(text, format_name, params=params)
    stats = _stats(result)
    stats.result_rows = result.rows_read()
    return stats


def execute(connection: Any, sql: str | bytes, format_name: str, params: dict[str, str]) -> tuple[bytes, Stats]:
    """Run any other statement; few of them (KILL, CHECK) give a small result."""
    with engine_errors():
        result = connection.query(sql, format_name, params=params)
    return bytes(result.bytes()), _stats(result)


def insert(
    connection: Any, head: str, settings: str, format_name: str, params: dict[str, str], data: Readable
) -> Stats:
    """Insert encoded rows. Returns when the engine has committed; raises WarehouseError for what it refuses, and what
    `data` raises, in which case the engine has seen nothing.

    The rows are complete in a file before the engine reads it: a stream that breaks off must not look like its end. chDB's
    own insert (`send_insert`, `insert_done`) is not used: it answers success whatever the commit of the last block raises
    (measured on 26.9: a full disk, a constraint, a view).
    """
    try:
        with tempfile.TemporaryFile() as file:
            while chunk := data.read(_APPEND_BYTES):
                file.write(chunk)
            file.flush()
            text = f"{head}\nFROM INFILE '/dev/fd/{file.fileno()}' COMPRESSION 'none'\n{settings}\nFORMAT {format_name}"
            with engine_errors():
                result = connection.query(text, "Null", params=params)
    except OSError as error:
        raise refuse(NOT_ENOUGH_SPACE, f"The insert's data cannot be held: {error.strerror}.") from None
    return _stats(result)


def _stats(result: Any) -> Stats:
    return Stats(
        read_rows=result.storage_rows_read(),
        read_bytes=result.storage_bytes_read(),
        written_rows=result.rows_written(),
        written_bytes=result.bytes_written(),
        elapsed_s=result.elapsed(),
    )

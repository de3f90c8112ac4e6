"""Warehouse clients and schema files: the same for the embedded warehouse, one ClickHouse server and a cluster.

Imports of `clickhouse_connect` are inside: processes that never ask the warehouse do not pay for it, and it alone is
in the real-time image (no chDB, pandas or pyarrow).
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from hub_api.errors import HubError, Unavailable
from hub_api.platform.clickhouse_reshape import partition_keys, reshape, wanted_partitions
from hub_api.platform.clickhouse_sql import split_statements
from hub_api.settings import Settings as HubSettings

if TYPE_CHECKING:
    from clickhouse_connect.driver.asyncclient import AsyncClient
    from clickhouse_connect.driver.client import Client

Settings = Mapping[str, str | int]

# A person or a job waits for the answer: fail early and say so, never flood the caller.
QUERY: Settings = {
    "max_execution_time": 30,
    "max_result_rows": 1_000_000,
    "result_overflow_mode": "throw",
}
# An answer means written; a batch repeated with its `insert_deduplication_token` changes nothing, and one whose table
# was written but whose views were not (a kill in between) is completed by the repetition.
INSERT: Settings = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}
# Rebuilding many days at once: long, spilling to disk instead of failing, over more partitions than a normal insert,
# and ALTERs (REPLACE PARTITION) are done on every replica when they return.
BACKFILL: Settings = {
    "max_execution_time": 3600,
    "max_partitions_per_insert_block": 0,
    "max_bytes_before_external_group_by": 500_000_000,
    "max_bytes_before_external_sort": 500_000_000,
    "min_insert_block_size_rows": 250_000,  # wide rows: the default of a million fills the memory of a small engine
    "min_insert_block_size_bytes": 64_000_000,
    "max_insert_threads": 1,
    "alter_sync": 2,
    "mutations_sync": 2,
}
LAYERS = ("raw", "bronze", "silver", "gold")


def connect(url: str | SecretStr, settings: Settings = QUERY, *, timeout_s: int = 300) -> "Client":
    """A client of the warehouse at `HUB_CLICKHOUSE_URL` (http(s)://user:password@host:port/database), for threads too.

    `settings` go with every statement, but for those the user may not change (a locked reader has the server's own
    limits); those of a call win. Raises ValueError on a malformed address and the client's own errors when nobody
    answers or the password is wrong.
    """
    import clickhouse_connect

    client = clickhouse_connect.get_client(**_arguments(url, timeout_s))
    _set_what_may_be_set(client, settings)
    return client


async def connect_async(url: str | SecretStr, settings: Settings = QUERY, *, timeout_s: int = 300) -> "AsyncClient":
    """`connect` for coroutines; close it with `await client.close()`."""
    import clickhouse_connect

    client = await clickhouse_connect.get_async_client(**_arguments(url, timeout_s))
    _set_what_may_be_set(client, settings)
    return client


def _set_what_may_be_set(client: "Client | AsyncClient", settings: Settings) -> None:
    for name, value in settings.items():
        known = client.server_settings.get(name)
        if known is None or not known.readonly:
            client.set_client_setting(name, value)


def _arguments(url: str | SecretStr, timeout_s: int) -> dict[str, Any]:
    parts = urlsplit(url.get_secret_value() if isinstance(url, SecretStr) else url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the ClickHouse address must be http(s)://user:password@host:port/database")
    return {
        "host": parts.hostname,
        "port": parts.port or (8443 if parts.scheme == "https" else 8123),
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "database": parts.path.strip("/") or "__default__",
        "secure": parts.scheme == "https",
        "send_receive_timeout": timeout_s,
        "compress": not _is_loopback(parts.hostname),  # on one machine compressing costs more than it saves
        "autogenerate_session_id": False,  # a session forbids statements at the same time, and we keep no state
    }


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def render_ddl(sql: str, cluster: str | None) -> str:
    """A schema file for its topology: as it is on one node, with its marks made real on a cluster.

    `/*ON CLUSTER*/` becomes the clause, `/*Replicated*/MergeTree` the replicated engine, which takes its path from the
    server's `default_replica_path`.
    """
    if not cluster:
        return sql
    name = cluster.replace("\\", "\\\\").replace("`", "\\`")
    return sql.replace("/*ON CLUSTER*/", f"ON CLUSTER `{name}`").replace("/*Replicated*/", "Replicated")


def ensure_databases(client: "Client", cluster: str | None = None) -> None:
    """Create raw, bronze, silver and gold where they are missing."""
    for layer in LAYERS:
        client.command(render_ddl(f"CREATE DATABASE IF NOT EXISTS {layer} /*ON CLUSTER*/", cluster))


def table_files(root: Path) -> list[Path]:
    """The schema files under a folder in the order they must run: layer by layer, tables before views."""

    def order(file: Path) -> tuple[int, int, str]:
        path = file.relative_to(root)
        layer = next((LAYERS.index(part) for part in path.parts if part in LAYERS), len(LAYERS))
        return (layer, 0, str(path)) if file.name.endswith(".table.sql") else (len(LAYERS), 1, str(path))

    return sorted([*root.rglob("*.table.sql"), *root.rglob("*.view.sql")], key=order)


def run_ddl(client: "Client", sql: str, *, source: str, cluster: str | None = None) -> int:
    """Run the statements of a schema file one by one; how many there were.

    Raises HubError naming the file (`source`), the statement and what the server said: those before it were applied,
    and running the file again is safe when its statements say IF NOT EXISTS.
    """
    from clickhouse_connect.driver.exceptions import Error

    statements = split_statements(render_ddl(sql, cluster))
    for number, statement in enumerate(statements, 1):
        try:
            client.command(statement)
        except Error as error:
            first_line = statement.splitlines()[0][:120]
            raise HubError(f"{source}: statement {number} ({first_line}) failed: {error}") from error
    return len(statements)


def apply_files(client: "Client", files: Iterable[Path], *, cluster: str | None = None) -> list[str]:
    """Create the databases and run these schema files in the order given; those of their tables that are new or other now.

    Every table's statement is read twice in all, before and after: the engine writes each anew for whoever asks.
    """
    ensure_databases(client, cluster)
    tables, before, keys = [], _shape(client), partition_keys(client)
    for file in files:
        text, table = file.read_text("utf-8"), table_of(file)
        run_ddl(client, text, source=file.name, cluster=cluster)
        if table in keys and keys[table] != wanted_partitions(text):
            reshape(client, table, text, lambda statement: render_ddl(statement, cluster))
        tables.append(table)
    after = _shape(client)
    return [table for table in tables if after.get(table) != before.get(table)]


def apply_schema(settings: HubSettings) -> list[str]:
    """The whole warehouse schema of the installed `assets` (`hub migrate`): the tables that were made or changed.

    Raises Unavailable when the warehouse does not answer.
    """
    with _schema_client(settings) as client:
        return apply_files(client, schema_files(), cluster=settings.clickhouse_cluster)


def missing_tables(settings: HubSettings) -> list[str]:
    """Tables and views of the installed `assets` that the warehouse does not have yet. Raises Unavailable."""
    with _schema_client(settings) as client:
        known = _shape(client)
    return [table for table in map(table_of, schema_files()) if table not in known]


def schema_files() -> list[Path]:
    """The schema files of `assets`, found without importing the package: the real-time image has no Dagster."""
    spec = find_spec("assets")
    folders = (spec.submodule_search_locations if spec else None) or []
    return [file for folder in folders for file in table_files(Path(folder))]


def table_of(file: Path) -> str:
    """What a schema file is about: `gold/service/sql/conversation_facts.table.sql` -> `gold.conversation_facts`."""
    layer = next((part for part in reversed(file.parts) if part in LAYERS), "")
    return f"{layer}.{file.name.split('.')[0]}"


def _shape(client: "Client") -> dict[str, str]:
    """The statement that would make each table of ours as it is."""
    rows = client.query(
        "SELECT concat(database, '.', name), create_table_query FROM system.tables WHERE database IN {layers:Array(String)}",
        parameters={"layers": list(LAYERS)},
    ).result_rows
    return {str(name): str(statement) for name, statement in rows}


@contextmanager
def _schema_client(settings: HubSettings) -> "Iterator[Client]":
    from clickhouse_connect.driver.exceptions import Error

    try:
        client = connect(settings.clickhouse_url, BACKFILL)
    except Error as error:
        where = urlsplit(settings.clickhouse_url.get_secret_value()).netloc.rpartition("@")[2]
        raise Unavailable(
            f"ClickHouse at {where} does not let us in: {str(error).splitlines()[0][:200]}; is HUB_CLICKHOUSE_URL right, "
            "does the server run (`hub status`)?"
        ) from error
    try:
        yield client
    finally:
        client.close()

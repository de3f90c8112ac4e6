"""Tables whose partitions are cut another way than they were: CREATE TABLE IF NOT EXISTS leaves them as they are, and no ALTER
changes it. The rows are copied into a table of the new shape, compared, and the two change names at once."""

import re
from typing import TYPE_CHECKING

from hub_api.errors import HubError
from hub_api.platform.clickhouse_sql import split_statements

if TYPE_CHECKING:
    from collections.abc import Callable

    from clickhouse_connect.driver.client import Client

_PARTITION_BY = re.compile(r"^PARTITION BY (.+)$", re.MULTILINE)
_KEYS = """
SELECT concat(database, '.', name), partition_key FROM system.tables
WHERE engine LIKE '%MergeTree' AND database IN ('raw', 'bronze', 'silver', 'gold')
"""
_COLUMNS = """
SELECT name FROM system.columns
WHERE concat(database, '.', table) = {table:String} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position
"""


class StillBuilt(HubError):
    """Rows of a table changed while it was given another shape; it has its old one."""

    code = "still_built"


def partition_keys(client: "Client") -> dict[str, str]:
    """How the partitions of each table of ours are cut, as the engine says it; empty for a table without any."""
    return {str(name): str(key) for name, key in client.query(_KEYS).result_rows}


def wanted_partitions(text: str) -> str:
    """How a schema file wants them cut, in the same words."""
    found = _PARTITION_BY.search(text)
    return found[1].strip() if found else ""


def reshape(client: "Client", table: str, text: str, ddl: "Callable[[str], str]") -> None:
    """Give `table` the partitions that its schema file, `text`, asks for. `ddl` renders a statement for the topology. Readers
    see the old table or the new one, with the same rows.

    Raises StillBuilt when somebody wrote to it meanwhile. A run that dies before the end has changed nothing.
    """
    columns = ", ".join(name for (name,) in client.query(_COLUMNS, {"table": table}).result_rows)
    other = f"{table}__reshaped"
    client.command(ddl(f"DROP TABLE IF EXISTS {other} /*ON CLUSTER*/ SYNC"))
    client.command(ddl(split_statements(text)[0].replace(table, other, 1)))
    client.command(f"INSERT INTO {other} ({columns}) SELECT {columns} FROM {table}")  # noqa: S608 - our own names
    copied = _content(client, other)
    client.command(ddl(f"EXCHANGE TABLES {table} AND {other} /*ON CLUSTER*/"))
    if _content(client, other) != copied:
        client.command(ddl(f"EXCHANGE TABLES {table} AND {other} /*ON CLUSTER*/"))
        client.command(ddl(f"DROP TABLE {other} /*ON CLUSTER*/ SYNC"))
        raise StillBuilt(
            f"{table} was written to while it was given other partitions: stop builds of tables, then again"
        )
    client.command(ddl(f"DROP TABLE {other} /*ON CLUSTER*/ SYNC"))


def _content(client: "Client", table: str) -> tuple[int, int]:
    ((count, hash_),) = client.query(f"SELECT count(), sum(cityHash64(tuple(*))) FROM {table}").result_rows  # noqa: S608
    return count, hash_

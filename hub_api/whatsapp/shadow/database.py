"""A shadow's database: made beside the live one on the same server, filled with what handling looks up, dropped at the end."""

import io
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from hub_api.errors import Conflict
from hub_api.platform.migrate import migrate
from hub_api.platform.pgtypes import Pool
from hub_api.platform.postgres import create_pool
from hub_api.platform.services import Services
from hub_api.whatsapp.shadow.sql import queries

# What handling looks up and no webhook brings, in the order of their references.
REFERENCE = ("users", "teams", "queues", "whatsapp_accounts", "whatsapp_numbers", "templates")
POOL = 4


@asynccontextmanager
async def shadow_database(services: Services, *, keep: bool = False) -> AsyncIterator[tuple[str, Pool]]:
    """The name and a pool of a fresh database with the newest schema and the live reference tables; dropped at the end
    unless `keep`. A database and not a schema: locks, sequences and partitions are then its own without a word in the code.

    Raises Conflict when our account may not create databases.
    """
    name = f"hub_shadow_{secrets.token_hex(4)}"
    try:
        await services.db.execute(f"CREATE DATABASE {name}")
    except asyncpg.InsufficientPrivilegeError as error:
        raise Conflict(
            "the hub's PostgreSQL account may not create databases, which a shadow needs: "
            "grant it for this (ALTER ROLE … CREATEDB) or run the command with an account that may"
        ) from error
    url = urlunsplit(urlsplit(services.settings.database_url.get_secret_value())._replace(path=f"/{name}"))
    try:
        await migrate(url)
        pool = await create_pool(url, size=POOL, name="hub-shadow")
        try:
            await _copy_reference(services.db, pool)
            yield name, pool
        finally:
            await pool.close()
    finally:
        if not keep:
            await services.db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _copy_reference(live: Pool, shadow: Pool) -> None:
    async with live.acquire() as source, shadow.acquire() as target:
        for table in REFERENCE:
            columns = [row["attname"] for row in await source.fetch(queries.columns, table)]
            rows = io.BytesIO()
            await source.copy_from_table(table, columns=columns, output=rows, format="binary")
            rows.seek(0)
            await target.execute(f"TRUNCATE {table} CASCADE")  # what migrations themselves put there
            await target.copy_to_table(table, columns=columns, source=rows, format="binary")

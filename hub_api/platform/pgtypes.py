"""Names for asyncpg's types: they are generic in its stubs only, not when the program runs."""

from typing import TYPE_CHECKING, Any

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Row = asyncpg.Record
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Row = asyncpg.Record
    Connection = Any
    Pool = Any

"""API keys: how programs, and the first operator, prove who they are."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from hub_api.auth.permissions import ALL
from hub_api.auth.principal import Principal
from hub_api.auth.remembered import FORGOTTEN, KEPT_MS, forget_after, keep
from hub_api.errors import NotFound, Unauthorized
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "api_keys.sql")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made."""

    id: UUID
    key: str


async def find(db: Pool, key: str) -> Principal:
    """Who a key speaks for. Raises Unauthorized when it is unknown, revoked, expired, or its user is not active."""
    return _thaw(_known(await db.fetchrow(queries.find_key, fingerprint(key), None)))


async def find_by_id(services: Services, key_id: UUID, cached: bytes | None = None, *, fill: bool = False) -> Principal:
    """The same by the key's id: from the `cached` entry, else from PostgreSQL, kept for the next request if `fill`."""
    if cached and cached != FORGOTTEN:
        return _thaw_entry(cached)
    row = _known(await services.db.fetchrow(queries.find_key, None, key_id))
    if fill and cached is None:
        left_ms = row["expires_in_ms"]
        await keep(services.redis, entry_of(key_id), row, for_ms=KEPT_MS if left_ms is None else min(KEPT_MS, left_ms))
    return _thaw(row)


def narrowed(caller: Principal, scope: str | None) -> Principal:
    """The caller with the part of its scopes that `scope` (words) names; None: all of them."""
    if scope is None:
        return caller
    held = caller.permissions
    return replace(caller, permissions=frozenset(one for one in scope.split() if one in held or ALL in held))


def entry_of(key_id: UUID) -> str:
    """The key's entry in Redis."""
    return f"api_key:{key_id}"


async def forget_of(services: Services, tx: Transaction, user_ids: Sequence[UUID]) -> None:
    """What these users may do has changed: with the commit, their keys are read afresh."""
    rows = await tx.db.fetch(queries.keys_of, list(user_ids))
    forget_after(services.redis, tx, [entry_of(row["id"]) for row in rows])


def fingerprint(key: str) -> bytes:
    """What is stored of a key: SHA-256 is enough, since a key is 256 random bits and not a password."""
    return hashlib.sha256(key.encode()).digest()


async def make_key(
    db: Connection,
    name: str,
    scopes: Sequence[str],
    *,
    user_id: UUID | None = None,
    expires_at: datetime | None = None,
    created_by: UUID | None = None,
) -> MadeKey:
    """Make a key, which can be seen this once."""
    made = MadeKey(uuid7(), f"hub_{secrets.token_urlsafe(32)}")
    await db.execute(
        queries.insert_key, made.id, name, fingerprint(made.key), list(scopes), user_id, expires_at, created_by
    )
    return made


async def create_key(
    db: Connection, name: str, scopes: Sequence[str], *, user_id: UUID | None = None, key: str | None = None
) -> str:
    """Make a key and return it, the only time it can be seen. A given `key` that exists already is left as it is."""
    if key is None:
        return (await make_key(db, name, scopes, user_id=user_id)).key
    await db.execute(queries.insert_key, uuid7(), name, fingerprint(key), list(scopes), user_id, None, None)
    return key


async def list_keys(db: Pool, *, limit: int, cursor: str | None) -> Rows:
    """Keys, the newest first, also those that are revoked. Raises Invalid for a foreign cursor."""
    (last,) = read_cursor(cursor, UUID)
    return page(await db.fetch(queries.list_keys, last, limit + 1), limit, "id")


async def revoke_key(services: Services, tx: Transaction, key_id: UUID) -> Row:
    """The key is of no use from the commit on; returns its row. Raises NotFound."""
    row = await tx.db.fetchrow(queries.revoke_key, key_id)
    if row is None:
        raise NotFound(f"there is no API key {key_id}", key_id=str(key_id))
    forget_after(services.redis, tx, [entry_of(key_id)])
    return row


def _known(row: Row | None) -> Row:
    if row is None:
        raise Unauthorized("this API key is unknown, revoked or expired")
    return row


@lru_cache(maxsize=4096)
def _thaw_entry(entry: bytes) -> Principal:
    """The same entry is the same principal: what changes is the entry."""
    return _thaw(orjson.loads(entry))


def _thaw(row: Row | dict[str, Any]) -> Principal:
    user_id = UUID(str(row["user_id"])) if row["user_id"] else None
    return Principal("key", UUID(str(row["id"])), row["name"], frozenset(row["scopes"]), None, user_id)

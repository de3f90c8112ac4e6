"""API keys: how programs, and the first operator, prove who they are."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub_api.auth.permissions import ALL
from hub_api.auth.principal import Principal
from hub_api.errors import NotFound, Unauthorized
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row

queries = sqlfile.load(__package__, "api_keys.sql")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made."""

    id: UUID
    key: str


async def find(db: Pool, key: str) -> Principal:
    """Who a key speaks for. Raises Unauthorized when it is unknown, revoked, expired, or its user is not active."""
    return _principal(await db.fetchrow(queries.find_key, fingerprint(key), None))


async def find_by_id(db: Pool, key_id: UUID, scope: str | None = None) -> Principal:
    """The same by the key's id, with the part of its scopes that `scope` (words) names."""
    return _principal(await db.fetchrow(queries.find_key, None, key_id), scope)


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


async def revoke_key(db: Connection, key_id: UUID) -> Row:
    """The key is of no use from now on; returns its row. Raises NotFound."""
    row = await db.fetchrow(queries.revoke_key, key_id)
    if row is None:
        raise NotFound(f"there is no API key {key_id}", key_id=str(key_id))
    return row


def _principal(row: Row | None, scope: str | None = None) -> Principal:
    if row is None:
        raise Unauthorized("this API key is unknown, revoked or expired")
    scopes = frozenset(row["scopes"])
    if scope is not None:
        scopes = frozenset(one for one in scope.split() if one in scopes or ALL in scopes)
    return Principal("key", row["id"], row["name"], scopes, None, row["user_id"])

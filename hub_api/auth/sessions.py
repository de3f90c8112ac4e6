"""Sessions: families of refresh tokens in PostgreSQL, with what their user may do cached in Redis for seconds.

What a session may do is read at every request: from Redis (`remembered`), else from PostgreSQL, never from the token.
Whoever changes a user, a role, a team or a session calls `forget`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from hub_api.auth import api_keys, audit
from hub_api.auth.permissions import BUILTIN, OWN_ACCOUNT
from hub_api.auth.principal import Principal
from hub_api.auth.remembered import FORGOTTEN, forget_after, keep
from hub_api.errors import Unauthorized
from hub_api.platform import request_info, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "sessions.sql")

IDLE = timedelta(days=14)  # a refresh token not used for so long is dead
LIFE = timedelta(days=90)  # and so is the session at the latest: sign in again


@dataclass(frozen=True, slots=True)
class Opened:
    """A session as its holder gets it: the refresh token is seen here and never again."""

    session_id: UUID
    user_id: UUID
    refresh_token: str


async def open_session(tx: Transaction, user_id: UUID, transport: str, factors: Sequence[str]) -> Opened:
    """A new session, whatever the caller had before: an identifier planted in a browser is worth nothing."""
    info, now, session_id = request_info.current.get(), datetime.now(UTC), uuid7()
    await tx.db.execute(
        queries.insert_session,
        session_id, user_id, transport, list(factors), info.address, info.user_agent, now + LIFE,
    )  # fmt: skip
    return Opened(session_id, user_id, await _issue(tx, session_id, now))


async def refresh(services: Services, token: str, proves: Any = None) -> Opened:
    """The successor of a refresh token. A token used before ends its session: one of its two holders is a thief.

    `proves(session)` may refuse by raising before the token counts as used. Raises Unauthorized.
    """
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_refresh, fingerprint(token))
        if row is None or row["revoked_at"] or not row["active"] or row["expired"]:
            raise Unauthorized("this refresh token is unknown, expired or revoked: sign in again")
        if proves is not None:
            proves(row)
        if row["used_at"] is None:
            await tx.db.execute(queries.use_refresh, fingerprint(token))
            fresh = await _issue(tx, row["session_id"], datetime.now(UTC))
            await tx.db.execute(queries.touch_session, row["session_id"], request_info.current.get().address)
            return Opened(row["session_id"], row["user_id"], fresh)
        await revoke(services, tx, [row["session_id"]], "refresh_reused", actor=f"user:{row['user_id']}")
    raise Unauthorized("this refresh token was used before: the session has been ended, sign in again")


async def revoke(services: Services, tx: Transaction, session_ids: Sequence[UUID], reason: str, *, actor: str) -> int:
    """End sessions, with a row in the audit log for each that was alive. Returns how many those were."""
    ended = await tx.db.fetch(queries.revoke_sessions, list(session_ids), reason)
    for row in ended:
        await audit.write(
            tx,
            actor,
            "session.revoked",
            "session",
            row["id"],
            detail={"reason": reason, "user_id": str(row["user_id"])},
        )
    forget_after(services.redis, tx, [key_of(row["id"]) for row in ended])
    return len(ended)


async def revoke_all(
    services: Services, tx: Transaction, user_id: UUID, reason: str, *, actor: str, keep: UUID | None = None
) -> int:
    """End all sessions of a user but `keep`. Returns how many."""
    rows = await tx.db.fetch(queries.list_sessions, user_id)
    return await revoke(services, tx, [row["id"] for row in rows if row["id"] != keep], reason, actor=actor)


async def forget(services: Services, tx: Transaction, user_ids: Sequence[UUID]) -> None:
    """What these users may do has changed: with the commit, their sessions and keys are read afresh."""
    rows = await tx.db.fetch(queries.sessions_of, list(user_ids))
    forget_after(services.redis, tx, [key_of(row["id"]) for row in rows])
    await api_keys.forget_of(services, tx, user_ids)


async def find(services: Services, session_id: UUID, cached: bytes | None, *, fill: bool) -> Principal:
    """Who speaks in a session: from the `cached` entry, else from PostgreSQL, kept for the next request if `fill`.

    Raises Unauthorized for a session that has ended.
    """
    if cached and cached != FORGOTTEN:
        return _thaw_entry(cached)
    row = await services.db.fetchrow(queries.find_session, session_id)
    if row is None:
        raise Unauthorized("this session has ended: sign in again")
    if fill and cached is None:
        await keep(services.redis, key_of(session_id), row)
    return _thaw(row)


async def find_now(db: Connection | Pool, session_id: UUID) -> Principal | None:
    """Who speaks in a session, as PostgreSQL has it now; None for one that has ended."""
    row = await db.fetchrow(queries.find_session, session_id)
    return _thaw(row) if row else None


async def find_all(db: Pool, session_ids: Sequence[UUID]) -> dict[UUID, Principal]:
    """Who speaks in these sessions, by PostgreSQL; those that have ended are missing."""
    return {row["session_id"]: _thaw(row) for row in await db.fetch(queries.find_sessions, list(session_ids))}


async def find_user(db: Pool, user_id: UUID) -> Principal | None:
    """What an active user may do, without a session; None for others."""
    row = await db.fetchrow(queries.find_user_principal, user_id)
    return _thaw(row) if row else None


def key_of(session_id: UUID) -> str:
    """The session's key in Redis."""
    return f"session:{session_id}"


def fingerprint(token: str) -> bytes:
    """What is stored of a token: SHA-256 is enough, since a token is 256 random bits and not a password."""
    return hashlib.sha256(token.encode()).digest()


async def _issue(tx: Transaction, session_id: UUID, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    await tx.db.execute(queries.insert_refresh, fingerprint(token), session_id, now + IDLE)
    return token


@lru_cache(maxsize=4096)
def _thaw_entry(entry: bytes) -> Principal:
    """The same entry is the same principal: what changes is the entry."""
    return _thaw(orjson.loads(entry))


def _thaw(row: Row | dict[str, Any]) -> Principal:
    known = BUILTIN[row["role"]] if row["builtin"] else None
    missing = row["wants_second_factor"] and not row["has_second_factor"]
    permissions = known.permissions if known else frozenset((OWN_ACCOUNT, *row["permissions"]))
    user_id = _uuid(row["user_id"])
    all_teams = known.all_teams if known else row["all_teams"]
    return Principal(
        kind="user",
        id=user_id,
        name=row["name"],
        permissions=frozenset((OWN_ACCOUNT,)) if missing else permissions,
        teams=None if all_teams else frozenset(map(_uuid, row["teams"])),
        user_id=user_id,
        session_id=_uuid(row["session_id"]) if row["session_id"] else None,
        missing_second_factor=missing,
    )


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def kept_since() -> datetime:
    """Sessions that ended before this are deleted."""
    return datetime.now(UTC) - timedelta(days=30)

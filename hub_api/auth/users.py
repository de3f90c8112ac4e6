"""Users: invited, changed, deactivated, never deleted (what they did stays theirs); and how they set a password."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg

from hub_api.auth import api_keys, audit, guard, notices, sessions
from hub_api.auth.decide import may_grant
from hub_api.auth.passwords import open_passwords
from hub_api.auth.principal import Principal
from hub_api.auth.roles import permissions_of
from hub_api.auth.sessions import fingerprint
from hub_api.errors import Conflict, Invalid, NotFound, Stale
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "users.sql")

INVITED = timedelta(days=7)
FORGOTTEN = timedelta(hours=1)

Purpose = Literal["invitation", "password"]
_SHOWN = ("email", "name", "role", "phone", "active")


async def list_users(
    db: Pool, caller: Principal, *, active: bool | None, role: str | None, limit: int, cursor: str | None
) -> Rows:
    """Users of the caller's teams, the newest first. Raises Invalid for a foreign cursor."""
    (last,) = read_cursor(cursor, UUID)
    return page(await db.fetch(queries.list_users, *caller.scope, active, role, last, limit + 1), limit, "id")


async def find_user(db: Connection | Pool, caller: Principal, user_id: UUID) -> Row:
    """A user with his teams. Raises NotFound, also for one of other teams than the caller's."""
    row = await db.fetchrow(queries.find_user, *caller.scope, user_id)
    if row is None:
        raise NotFound(f"there is no user {user_id}", user_id=str(user_id))
    return row


async def create_user(
    tx: Transaction, who: Principal | str, *, email: str, name: str, role: str, phone: str | None = None
) -> UUID:
    """A user who cannot sign in yet: he has no password. Raises Conflict for a known address, Invalid for no such role."""
    await check_role(tx, who, role)
    user_id = uuid7()
    try:
        async with tx.db.transaction():
            await tx.db.execute(queries.insert_user, user_id, email, name, role, phone)
    except asyncpg.UniqueViolationError:
        raise Conflict("there is a user with this e-mail address already") from None
    after = {"email": email, "name": name, "role": role, "phone": phone, "active": True}
    await audit.write(tx, who, "user.created", "user", user_id, after=after)
    return user_id


async def change_user(
    services: Services,
    tx: Transaction,
    who: Principal | str,
    user_id: UUID,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> Row:
    """Change email, name, role, phone or active; returns the user. His sessions know it at once, or end if he is inactive.

    Raises NotFound, Stale when `version` is not the present one, Invalid, Forbidden for more than the caller has, and
    Conflict when nobody active would be left who may change users.
    """
    await tx.db.execute(queries.one_at_a_time)
    before = await _lock(tx, user_id)
    if version is not None and version != before["version"]:
        raise Stale(f"user {user_id} has changed since version {version}: read it again", user_id=str(user_id))
    after = {name: changes.get(name, before[name]) for name in _SHOWN}
    if after["role"] != before["role"] or (after["active"] and not before["active"]):
        await check_role(tx, who, after["role"])
    await check_role(tx, who, before["role"])  # nobody changes who may do more than himself
    try:
        async with tx.db.transaction():
            await tx.db.execute(queries.update_user, user_id, *after.values())
    except asyncpg.UniqueViolationError:
        raise Conflict("there is a user with this e-mail address already") from None
    if before["role"] == "admin" and before["active"] and not await tx.db.fetchval(queries.has_admin):
        raise Conflict("this is the last active administrator: give the role to somebody else first")
    await audit.write(
        tx, who, "user.changed", "user", user_id, before={name: before[name] for name in _SHOWN}, after=after
    )
    if not after["active"]:
        await sessions.revoke_all(services, tx, user_id, "user_deactivated", actor=_actor(who))
        await api_keys.forget_of(services, tx, [user_id])
        await tx.db.execute(queries.delete_links, user_id)
    else:
        await sessions.forget(services, tx, [user_id])
    return await tx.db.fetchrow(queries.find_user, None, None, user_id)  # type: ignore[return-value]  # it is locked


async def invite(
    services: Services, tx: Transaction, who: Principal | str, user_id: UUID, *, by_mail: bool = True
) -> str:
    """A link by which the user sets his first password, sent by e-mail; returns its token. Earlier ones end.

    Raises NotFound, Conflict for a user who is not active.
    """
    user = await _lock(tx, user_id)
    if not user["active"]:
        raise Conflict("this user is not active: activate him before you invite him")
    await check_role(tx, who, user["role"])
    token = await _put_link(tx, user_id, "invitation", INVITED)
    await audit.write(tx, who, "user.invited", "user", user_id)
    if not by_mail:
        return token
    await notices.put(
        services,
        tx,
        notices.Notice(
            "email",
            user["email"],
            "Seu acesso ao Telecom Chat",
            f"Olá, {user['name']}!\n\nDefina a sua senha em até 7 dias:\n{link(services, 'invitation', token)}\n",
        ),
        lives=timedelta(days=1),
    )
    return token


async def forgot_password(services: Services, email: str) -> None:
    """Send a link to set another password, if there is such a user; silence otherwise."""
    user = await services.db.fetchrow(queries.find_active_by_email, email)
    if user is None:
        return
    async with services.transaction() as tx:
        token = await _put_link(tx, user["id"], "password", FORGOTTEN)
        await audit.write(tx, f"user:{user['id']}", "password.forgotten", "user", user["id"])
        text = (
            f"Olá, {user['name']}!\n\nPara escolher outra senha, abra em até uma hora:\n"
            f"{link(services, 'password', token)}\n\nSe não foi você quem pediu, ignore esta mensagem.\n"
        )
        await notices.put(
            services, tx, notices.Notice("email", user["email"], "Sua senha do Telecom Chat", text), lives=FORGOTTEN
        )


async def set_password_by_link(services: Services, token: str, password: str) -> UUID:
    """The password of whoever the link was sent to; all his sessions end. Raises Invalid for a link of no use, WeakPassword."""
    passwords = await services.shared(open_passwords)
    found = await services.db.fetchrow(queries.find_link, fingerprint(token))
    if found is None:
        raise Invalid("this link is unknown, used or expired: ask for another")
    await passwords.check_strength(password, [found["email"], found["name"]])
    hashed = await passwords.hash(password)
    async with services.transaction() as tx:
        link = await tx.db.fetchrow(queries.take_link, fingerprint(token))
        if link is None:
            raise Invalid("this link is unknown, used or expired: ask for another")
        await store_password(services, tx, f"user:{link['user_id']}", link["user_id"], hashed, reason=link["purpose"])
    return found["user_id"]  # type: ignore[no-any-return]


async def store_password(
    services: Services,
    tx: Transaction,
    who: Principal | str,
    user_id: UUID,
    hashed: str,
    *,
    reason: str,
    keep: UUID | None = None,
) -> None:
    """Another password: all sessions but `keep` end, no device is known and no link works any more."""
    await tx.db.execute(queries.set_password, user_id, hashed)
    await tx.db.execute(queries.delete_links, user_id)
    await guard.forget_devices(tx, user_id)
    await audit.write(tx, who, "password.changed", "user", user_id, detail={"reason": reason})
    await sessions.revoke_all(services, tx, user_id, "password_changed", actor=_actor(who), keep=keep)


async def _lock(tx: Transaction, user_id: UUID) -> Row:
    row = await tx.db.fetchrow(queries.lock_user, user_id)
    if row is None:
        raise NotFound(f"there is no user {user_id}", user_id=str(user_id))
    return row


async def check_role(tx: Transaction, who: Principal | str, role: str) -> None:
    """Raises Invalid for a role that is not there, Forbidden for one that may do more than the caller."""
    permissions = await permissions_of(tx.db, role)
    if permissions is None:
        raise Invalid(f"there is no role {role!r}", errors=[{"field": "body.role", "message": "unknown role"}])
    if isinstance(who, Principal):
        may_grant(who, permissions)


async def _put_link(tx: Transaction, user_id: UUID, purpose: Purpose, life: timedelta) -> str:
    token = secrets.token_urlsafe(32)
    await tx.db.execute(queries.put_link, fingerprint(token), user_id, purpose, datetime.now(UTC) + life)
    return token


def link(services: Services, purpose: Purpose, token: str) -> str:
    """Where the console takes the token of a link."""
    # Behind the #: browsers keep it from servers, their logs, and the Referer header.
    page = {"invitation": "convite", "password": "senha"}[purpose]
    return f"{services.settings.public_url.rstrip('/')}/{page}#{token}"


def _actor(who: Principal | str) -> str:
    return who if isinstance(who, str) else who.actor

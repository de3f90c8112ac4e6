"""Apps that let people sign in by the hub: registered, changed, and recognised by their secret."""

import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from hub_api.auth import audit
from hub_api.auth.decide import unknown
from hub_api.auth.openid.errors import InvalidClient
from hub_api.auth.principal import Principal
from hub_api.auth.sessions import fingerprint
from hub_api.errors import Conflict, Invalid, NotFound, Stale
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings

queries = sqlfile.load(__package__, "clients.sql")

LOOPBACK = frozenset(("127.0.0.1", "::1", "localhost"))
_FIELDS = ("name", "redirect_uris", "logout_uris", "permission")
_PLAIN = re.compile(r"[\x21-\x7e]+")


async def create_client(
    tx: Transaction,
    settings: Settings,
    who: Principal | str,
    client_id: str,
    fields: Mapping[str, Any],
    *,
    public: bool,
) -> str | None:
    """Register a client; returns its secret, seen this once (None of a public one). Raises Conflict, Invalid."""
    check(settings, fields)
    secret = None if public else secrets.token_urlsafe(32)
    created_by = who.user_id if isinstance(who, Principal) else None
    try:
        async with tx.db.transaction():
            await tx.db.execute(
                queries.insert_client,
                client_id,
                fields["name"],
                fingerprint(secret) if secret else None,
                fields["redirect_uris"],
                fields["logout_uris"],
                fields["permission"],
                created_by,
            )
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a client {client_id!r} already") from None
    after = {**{name: fields[name] for name in _FIELDS}, "public": public}
    await audit.write(tx, who, "openid_client.created", "openid_client", client_id, after=after)
    return secret


async def change_client(
    tx: Transaction,
    settings: Settings,
    who: Principal,
    client_id: str,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> None:
    """Change name, addresses or permission. Raises NotFound, Stale when `version` is not the present one, Invalid."""
    before = await _lock(tx, client_id)
    if version is not None and version != before["version"]:
        raise Stale(f"client {client_id} has changed since version {version}: read it again", client_id=client_id)
    after = {name: changes.get(name, before[name]) for name in _FIELDS}
    check(settings, after)
    await tx.db.execute(queries.update_client, client_id, after["name"], *(after[name] for name in _FIELDS[1:]))
    await audit.write(
        tx,
        who,
        "openid_client.changed",
        "openid_client",
        client_id,
        before={name: before[name] for name in _FIELDS},
        after=after,
    )


async def renew_secret(tx: Transaction, who: Principal | str, client_id: str) -> str:
    """Another secret, seen this once; the one before ends at once. Raises NotFound, Conflict for a public client."""
    before = await _lock(tx, client_id)
    if before["credential_sha256"] is None:
        raise Conflict(f"{client_id!r} is a public client and has no secret")
    secret = secrets.token_urlsafe(32)
    await tx.db.execute(queries.set_secret, client_id, fingerprint(secret))
    await audit.write(tx, who, "openid_client.secret_renewed", "openid_client", client_id)
    return secret


async def delete_client(tx: Transaction, who: Principal, client_id: str) -> None:
    """It lets nobody in any more, and what it holds is of no use. Raises NotFound."""
    before = await _lock(tx, client_id)
    await tx.db.execute(queries.delete_client, client_id)
    gone = {name: before[name] for name in _FIELDS}
    await audit.write(tx, who, "openid_client.deleted", "openid_client", client_id, before=gone)


async def find_client(db: Connection | Pool, client_id: str) -> Row:
    """A client. Raises NotFound."""
    row = await db.fetchrow(queries.find_client, client_id)
    if row is None:
        raise NotFound(f"there is no client {client_id!r}", client_id=client_id)
    return row


async def authenticate(db: Pool, client_id: str, secret: str | None) -> Row:
    """The client that asks at the token endpoint. Raises InvalidClient: which part is wrong is not told."""
    row = await db.fetchrow(queries.find_client, client_id)
    known: bytes | None = row["credential_sha256"] if row else None
    # A public client proves nothing here: PKCE ties the code to who began. One with a secret must show it.
    fits = hmac.compare_digest(known, fingerprint(secret)) if known and secret else (known is None and secret is None)
    if row is None or not fits:
        raise InvalidClient
    return row


def check(settings: Settings, fields: Mapping[str, Any]) -> None:
    """Raises Invalid for an address to which no code may go, or a permission that the catalogue does not have."""
    faults = [
        {"field": f"body.{name}.{place}", "message": fault}
        for name in ("redirect_uris", "logout_uris")
        for place, uri in enumerate(fields[name])
        if (fault := fault_of(uri, settings.public_url))
    ]
    faults += [
        {"field": "body.permission", "message": f"unknown: {one}"} for one in unknown(frozenset([fields["permission"]]))
    ]
    if faults:
        raise Invalid("these fields cannot be: see errors", errors=faults)


def fault_of(uri: str, public_url: str) -> str | None:
    """Why no answer may go there (RFC 9700 §2.1, §4.1), or None. Plain http only on this machine or to the hub's own host."""
    try:
        parts = urlsplit(uri)
        host = parts.hostname
        _ = parts.port  # a ValueError, if it is none
    except ValueError:
        return "this is no address"
    if not _PLAIN.fullmatch(uri) or len(uri) > 500 or "\\" in uri or "*" in uri:
        return "an address has up to 500 printable signs, without spaces, backslashes or wildcards"
    if parts.scheme not in ("https", "http") or not host:
        return "an address begins with https:// and a host"
    if "#" in uri or "@" in parts.netloc:
        return "an address has neither a fragment nor a user in it"
    if parts.scheme == "http" and host not in LOOPBACK | {urlsplit(public_url).hostname}:
        return "an address begins with https://, but on this machine or at the hub's own host"
    return None


async def _lock(tx: Transaction, client_id: str) -> Row:
    row = await tx.db.fetchrow(queries.lock_client, client_id)
    if row is None:
        raise NotFound(f"there is no client {client_id!r}", client_id=client_id)
    return row

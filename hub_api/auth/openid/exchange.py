"""What a client gets for a code or a refresh token, and what its access token opens.

Whatever it holds ends with the hub's session of the person: sessions, users and permissions are read at each use.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.auth import audit, sessions
from hub_api.auth.openid import claims
from hub_api.auth.openid.errors import InvalidToken, OAuthError
from hub_api.auth.openid.keys import open_signer
from hub_api.auth.sessions import fingerprint
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "grants.sql")

ACCESS = timedelta(minutes=15)
ID_TOKEN = timedelta(minutes=10)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


@dataclass(frozen=True, slots=True)
class Issued:
    """What was made in the transaction; the ID token is signed after it."""

    grant: Row
    person: Row
    access_token: str
    refresh_token: str | None


async def redeem_code(services: Services, client: Row, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
    """The tokens of a code, once. A second use ends what the first one gave (RFC 6749 §4.1.2). Raises OAuthError."""
    async with services.transaction() as tx:
        grant = await tx.db.fetchrow(queries.lock_code, fingerprint(code), client["id"])
        if grant is None or grant["revoked_at"] or (grant["expired"] and not grant["code_used_at"]):
            raise OAuthError("invalid_grant", "this code is unknown, expired or revoked: begin again")
        if grant["code_used_at"] is None:
            _check_begun(grant, redirect_uri, verifier)
            await tx.db.execute(queries.use_code, grant["id"])
            issued = await _issue(tx, client, grant)
        else:
            issued = None
            await _revoke(tx, client, grant["id"], "code_reused")
    if issued is None:
        raise OAuthError("invalid_grant", "this code was used before: what it gave has been revoked, begin again")
    return await _answer(services, issued, nonce=issued.grant["nonce"])


async def refresh(services: Services, client: Row, token: str, scope: str | None) -> dict[str, Any]:
    """The successor of a refresh token. A second use of one ends the whole sign-in at this client. Raises OAuthError."""
    async with services.transaction() as tx:
        grant = await tx.db.fetchrow(queries.lock_refresh, fingerprint(token), client["id"])
        if grant is None or grant["revoked_at"] or grant["expired"]:
            raise OAuthError("invalid_grant", "this refresh token is unknown, expired or revoked: begin again")
        if scope and set(scope.split()) - set(grant["scope"].split()):
            raise OAuthError("invalid_scope", "a refresh gives no scope that the sign-in did not")
        if grant["used_at"] is None:
            await tx.db.execute(queries.use_refresh, fingerprint(token))
            issued = await _issue(tx, client, grant)
        else:
            issued = None
            await _revoke(tx, client, grant["id"], "refresh_reused")
    if issued is None:
        raise OAuthError("invalid_grant", "this refresh token was used before: the sign-in has been revoked")
    return await _answer(services, issued, nonce=None)  # Core §12.2: none in a refreshed one


async def userinfo(services: Services, access_token: str) -> dict[str, Any]:
    """The claims that an access token opens. Raises InvalidToken, also when the person has signed out or may no more."""
    grant = await services.db.fetchrow(queries.find_access, fingerprint(access_token))
    person = await admitted(services.db, grant["session_id"], grant["permission"]) if grant else None
    if grant is None or person is None:
        raise InvalidToken
    return claims.of_person(person, grant["scope"])


async def revoke_token(services: Services, client: Row, token: str) -> None:
    """End the sign-in that a token of this client belongs to (RFC 7009); silence for one that is none."""
    async with services.transaction() as tx:
        grant_id = await tx.db.fetchval(queries.find_token, fingerprint(token), client["id"])
        if grant_id is not None:
            await _revoke(tx, client, grant_id, "revoked_by_client")


async def admitted(db: Connection | Pool, session_id: UUID, permission: str) -> Row | None:
    """The person of a session, if he may (still) sign in where `permission` is wanted; else None."""
    caller = await sessions.find_now(db, session_id)
    if caller is None or caller.missing_second_factor or not caller.may(permission):
        return None
    return await db.fetchrow(queries.person_of, session_id)


def _check_begun(grant: Row, redirect_uri: str, verifier: str) -> None:
    if redirect_uri != grant["redirect_uri"]:
        raise OAuthError("invalid_grant", "redirect_uri is not that of the authorization request")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(digest, grant["code_challenge"].encode()):
        raise OAuthError("invalid_grant", "code_verifier does not belong to the code_challenge")


async def _issue(tx: Transaction, client: Row, grant: Row) -> Issued:
    person = await admitted(tx.db, grant["session_id"], client["permission"])
    if person is None:
        raise OAuthError("invalid_grant", "the person has signed out, or may sign in here no more")
    access, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await tx.db.execute(queries.insert_token, fingerprint(access), grant["id"], "access", now + ACCESS)
    following = None
    if "offline_access" in grant["scope"].split():
        following = secrets.token_urlsafe(32)
        await tx.db.execute(queries.insert_token, fingerprint(following), grant["id"], "refresh", now + sessions.IDLE)
    return Issued(grant, person, access, following)


async def _answer(services: Services, issued: Issued, *, nonce: str | None) -> dict[str, Any]:
    grant, person, now = issued.grant, issued.person, datetime.now(UTC)
    half = hashlib.sha256(issued.access_token.encode()).digest()[:16]  # Core §3.1.3.6
    token = {
        **claims.of_person(person, grant["scope"]),
        "iss": issuer(services),
        "aud": grant["client_id"],
        "iat": now,
        "exp": now + ID_TOKEN,
        "auth_time": int(person["signed_in_at"].timestamp()),
        "sid": str(person["session_id"]),
        "amr": claims.methods(person["factors"]),
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        **({"nonce": nonce} if nonce is not None else {}),
    }
    signer = await services.shared(open_signer)
    return {
        "token_type": "Bearer",
        "expires_in": int(ACCESS.total_seconds()),
        "access_token": issued.access_token,
        "id_token": await signer.sign(token),
        "scope": grant["scope"],
        **({"refresh_token": issued.refresh_token} if issued.refresh_token else {}),
    }


async def _revoke(tx: Transaction, client: Row, grant_id: UUID, reason: str) -> None:
    if await tx.db.fetchval(queries.revoke_grant, grant_id, reason) is not None:
        actor = f"openid_client:{client['id']}"
        await audit.write(tx, actor, "openid.revoked", "openid_grant", grant_id, detail={"reason": reason})


def issuer(services: Services) -> str:
    """The hub's name as provider: the address under which clients and browsers reach it."""
    return services.settings.public_url.rstrip("/")

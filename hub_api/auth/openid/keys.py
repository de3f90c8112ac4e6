"""The keys that sign ID tokens: RS256, since every client library knows it, and asymmetric, since others verify.

A key is published before it signs (`PUBLISHED_FIRST_S`) and until what it signed has expired, so that a rotation breaks
no client that keeps the published set for as long as its answer says.
"""

import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from hub_api.platform import sqlfile
from hub_api.platform.crypto import decrypt, encrypt
from hub_api.platform.pgtypes import Connection, Pool
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "keys.sql")

ALGORITHM = "RS256"
BITS = 2048
CACHED_S = 300  # what clients and caches may keep the published set for
PUBLISHED_FIRST_S = 600.0  # twice that
_RELOAD_S = 60.0


@dataclass(frozen=True, slots=True)
class Key:
    """One RSA key; `signs`: it may already, `published`: clients may still meet what it signed."""

    kid: str
    private: rsa.RSAPrivateKey
    signs: bool
    published: bool


class Signer:
    """The keys of this process, newest first, read again as time passes."""

    def __init__(self, db: Pool, secret_key: str) -> None:
        self._db, self._secret_key = db, secret_key
        self._keys: list[Key] = []
        self._read_at = float("-inf")

    async def sign(self, claims: Mapping[str, Any]) -> str:
        """A JWT of these claims."""
        key = next(one for one in await self._all() if one.signs)
        return jwt.encode(dict(claims), key.private, ALGORITHM, headers={"kid": key.kid})

    async def published(self) -> dict[str, Any]:
        """The JSON Web Key Set (RFC 7517): public halves only."""
        keys = [one for one in await self._all() if one.published]
        return {"keys": [{**_public(one), "use": "sig", "alg": ALGORITHM, "kid": one.kid} for one in keys]}

    async def read_hint(self, issuer: str, token: str) -> dict[str, Any] | None:
        """The claims of an ID token of ours, also of an expired one (RP-Initiated Logout §2); None for anything else."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = next((one for one in await self._all() if one.kid == kid), None)
            if key is None:
                return None
            return jwt.decode(
                token,
                key.private.public_key(),
                algorithms=[ALGORITHM],
                issuer=issuer,
                options={"verify_exp": False, "verify_aud": False, "require": ["sub", "sid", "aud", "iss"]},
            )
        except jwt.InvalidTokenError:
            return None

    async def _all(self) -> list[Key]:
        if time.monotonic() - self._read_at > _RELOAD_S:
            rows = await self._db.fetch(queries.list_keys)
            if not rows:
                await make_first(self._db, self._secret_key)
                rows = await self._db.fetch(queries.list_keys)
            self._keys = [
                Key(row["kid"], _load(decrypt(self._secret_key, row["key_encrypted"])), row["signs"], row["published"])
                for row in rows
            ]
            self._read_at = time.monotonic()
        return self._keys


async def make_first(db: Pool, secret_key: str) -> None:
    """The first key of a new hub, which signs at once; nothing when there is one."""
    async with db.acquire() as connection, connection.transaction():
        await connection.execute(queries.lock_keys)
        if not await connection.fetchval(queries.has_key):
            await _insert(connection, secret_key, 0.0)


async def rotate(db: Connection, secret_key: str) -> str:
    """In a transaction, a new key: published at once, signing ten minutes later; returns its id. A hub without any gets its
    first."""
    await db.execute(queries.lock_keys)
    first = not await db.fetchval(queries.has_key)
    return await _insert(db, secret_key, 0.0 if first else PUBLISHED_FIRST_S)


@asynccontextmanager
async def open_signer(services: Services) -> AsyncIterator[Signer]:
    """For `services.shared`: one a process."""
    yield Signer(services.db, services.settings.secret_key.get_secret_value())


async def _insert(db: Connection, secret_key: str, signs_in_s: float) -> str:
    kid = secrets.token_hex(8)
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    await db.execute(queries.insert_key, kid, encrypt(secret_key, pem.decode()), signs_in_s)
    return kid


def _load(pem: str) -> rsa.RSAPrivateKey:
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    assert isinstance(private, rsa.RSAPrivateKey)  # noqa: S101 - `_insert` makes no other
    return private


def _public(key: Key) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(RSAAlgorithm.to_jwk(key.private.public_key()))
    return {name: told[name] for name in ("kty", "n", "e")}

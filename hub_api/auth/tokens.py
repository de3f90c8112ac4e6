"""Access tokens: JWTs that say which session (or key) speaks, signed by keys that every process reads from PostgreSQL.

A token says who, not what he may do: that is looked up with its session at every request, so that a change holds at once.
HS256 and nothing else: only the hub reads these tokens, the algorithm is ours to choose and never the token's, and there is
no public key that could be passed off as a secret (RFC 8725 §3.1).
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import jwt

from hub_api.errors import Unauthorized
from hub_api.platform import sqlfile
from hub_api.platform.crypto import decrypt, encrypt
from hub_api.platform.pgtypes import Connection, Pool

queries = sqlfile.load(__package__, "tokens.sql")

ALGORITHM = "HS256"
ISSUER = "hub"
ACCESS_S = 15 * 60
LEEWAY_S = 30  # clocks of our own machines; performance-and-faults.md allows 60
_RELOAD_S = 60.0  # a new key signs everywhere after this, at the latest
_UNKNOWN_RELOAD_S = 1.0
_VERIFIED = 10_000  # tokens remembered as good

Use = Literal["access", "challenge", "single_sign_on"]


@dataclass(frozen=True, slots=True)
class _Verified:
    """Claims whose token was found to be good, and until when (monotonic) that is believed."""

    claims: dict[str, Any]
    until: float


class Keyring:
    """The signing keys of this process, newest first; read again as time passes and for a token of an unknown key."""

    def __init__(self, db: Pool, secret_key: str) -> None:
        self._db, self._secret_key = db, secret_key
        self._keys: dict[str, bytes] = {}
        self._read_at = float("-inf")
        self._verified: dict[tuple[Use, str], _Verified] = {}

    async def sign(self, use: Use, claims: Mapping[str, Any], *, lives_s: int) -> str:
        """A token for one use: what is made to be an access token opens nothing else."""
        if time.monotonic() - self._read_at > _RELOAD_S:
            await self._read()
        kid = next(iter(self._keys))
        now = datetime.now(UTC)
        times = {"iat": now, "exp": now + timedelta(seconds=lives_s)}
        body = {**claims, **times, "iss": ISSUER, "aud": f"hub:{use}", "jti": secrets.token_urlsafe(9)}
        return jwt.encode(body, self._keys[kid], ALGORITHM, headers={"kid": kid})

    async def verify(self, use: Use, token: str) -> dict[str, Any]:
        """The claims. Raises Unauthorized for a token that is not ours, not for this use, expired or of the future.

        A token is checked once a minute, as it cannot change; its time is looked at every time.
        """
        if (known := self._verified.get((use, token))) and time.monotonic() < known.until:
            return known.claims
        claims = await self._check(use, token)
        if len(self._verified) >= _VERIFIED:
            self._verified.clear()
        lives_s = claims["exp"] + LEEWAY_S - time.time()
        self._verified[use, token] = _Verified(claims, time.monotonic() + min(_RELOAD_S, lives_s))
        return claims

    async def _check(self, use: Use, token: str) -> dict[str, Any]:
        try:
            key = await self._find(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=f"hub:{use}",
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("this token has expired: refresh it or sign in again") from None
        except jwt.InvalidTokenError:
            raise Unauthorized("this token is not valid: sign in again") from None

    async def _find(self, kid: Any) -> bytes:
        if kid not in self._keys and time.monotonic() - self._read_at > _UNKNOWN_RELOAD_S:
            await self._read()
        if kid not in self._keys:
            raise jwt.InvalidTokenError("signed by an unknown key")
        return self._keys[kid]

    async def _read(self) -> None:
        rows = await self._db.fetch(queries.list_keys)
        if not rows:
            await rotate(self._db, self._secret_key)
            rows = await self._db.fetch(queries.list_keys)
        self._keys = {row["kid"]: bytes.fromhex(decrypt(self._secret_key, row["key_encrypted"])) for row in rows}
        self._read_at = time.monotonic()


async def rotate(db: Connection | Pool, secret_key: str) -> str:
    """A new key signs from now on (in other processes within a minute); returns its id. Old ones go by retention."""
    kid = secrets.token_hex(8)
    await db.execute(queries.insert_key, kid, ALGORITHM, encrypt(secret_key, secrets.token_hex(32)))
    return kid

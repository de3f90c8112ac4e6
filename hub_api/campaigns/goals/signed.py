"""Reports signed by the operator's systems: HMAC-SHA-256 with a key of ours over time and body, as the channel signs its webhooks.

A report that is caught and sent again changes nothing: goals count once by their external id, and after five minutes it is refused.
"""

import hmac
import secrets
import time
from hashlib import sha256

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.goals.record import queries
from hub_api.errors import NotFound, Unauthorized
from hub_api.platform import crypto
from hub_api.platform.pgtypes import Pool
from hub_api.platform.postgres import Transaction

SKEW_S = 300


class BadSignature(Unauthorized):
    """Key, time or signature do not fit together: nothing was recorded."""

    code = "bad_signature"


async def make_key(tx: Transaction, who: Principal, secret_key: str, name: str) -> tuple[str, str]:
    """A new key: its id and its secret, which is shown this once."""
    key_id, secret = f"ck_{secrets.token_hex(8)}", secrets.token_urlsafe(32)
    await tx.db.execute(queries.insert_key, key_id, name, crypto.encrypt(secret_key, secret), who.actor)
    await audit.write(tx, who, "conversion_key.created", "conversion_key", key_id, detail={"name": name})
    return key_id, secret


async def revoke_key(tx: Transaction, who: Principal, key_id: str) -> None:
    """Nothing signed with it counts from now on. Raises NotFound for one that is none, or revoked."""
    name = await tx.db.fetchval(queries.revoke_key, key_id)
    if name is None:
        raise NotFound(f"there is no conversion key {key_id!r} in force")
    await audit.write(tx, who, "conversion_key.revoked", "conversion_key", key_id, detail={"name": name})


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-Hub-Signature: `v1=` and the HMAC of `timestamp.body` in hex."""
    return "v1=" + hmac.digest(secret.encode(), str(timestamp).encode() + b"." + body, sha256).hex()


async def verify(db: Pool, secret_key: str, key_id: str, timestamp: str, signature: str, body: bytes) -> None:
    """Raises BadSignature unless the key signed this body within the last five minutes; it does not say what was wrong."""
    fresh = timestamp.isascii() and timestamp.isdigit() and abs(time.time() - int(timestamp[:12])) <= SKEW_S
    sealed = await db.fetchval(queries.find_key, key_id) if fresh else None
    secret = crypto.decrypt(secret_key, bytes(sealed)) if sealed is not None else secrets.token_urlsafe(32)
    expected = sign(secret, int(timestamp[:12]) if fresh else 0, body)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise BadSignature(
            "the signature does not fit key, time and body, or the time is not within five minutes of ours"
        )
    await db.execute(queries.touch_key, key_id)

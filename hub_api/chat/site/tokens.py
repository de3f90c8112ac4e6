"""What a visitor proves himself with: our signed token, and the website's signature over its own user. Pure but for the clock."""

import hmac
import re
import time
from hashlib import sha256
from uuid import UUID

from hub_api.platform import crypto

LIVES_S = 180 * 86_400
_TOKEN = re.compile(r"v1\.([0-9a-f]{32})\.(\d{1,12})\.([0-9a-f]{64})", re.ASCII)


def make_token(secret_key: str, site_id: UUID, visitor_id: UUID, now: float | None = None) -> str:
    """The token of a visitor of one site, good for `LIVES_S`. Whoever holds it is that visitor, so it stands in no address."""
    expires = int(time.time() if now is None else now) + LIVES_S
    return f"v1.{visitor_id.hex}.{expires}.{_sign(crypto.derive(secret_key, _PURPOSE), site_id, visitor_id, expires)}"


def read_token(secret_key: str, site_id: UUID, token: str, now: float | None = None) -> UUID | None:
    """The visitor of a token; None for one that we did not make for this site, or whose time is over."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    visitor_id, expires = UUID(found[1]), int(found[2])
    keys = crypto.derive_all(secret_key, _PURPOSE)
    if not any(hmac.compare_digest(found[3], _sign(key, site_id, visitor_id, expires)) for key in keys):
        return None
    return visitor_id if expires > (time.time() if now is None else now) else None


def signature_of(secret: str, user_id: str) -> str:
    """What the website's server makes with its secret: HMAC-SHA-256 of the user's id, in hexadecimal (RFC 2104)."""
    return hmac.digest(secret.encode(), user_id.encode(), sha256).hex()


def fits(secret: str, user_id: str, signature: str) -> bool:
    """Whether the website signed this user."""
    return hmac.compare_digest(signature_of(secret, user_id).encode(), signature.encode())


_PURPOSE = "site-visitor"


def _sign(key: bytes, site_id: UUID, visitor_id: UUID, expires: int) -> str:
    return hmac.digest(key, f"{site_id}:{visitor_id}:{expires}".encode(), sha256).hex()

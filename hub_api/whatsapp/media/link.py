"""Addresses of files that expire: whoever holds one may read the file until then, without a key in the address."""

import hmac
import time
from hashlib import sha256
from uuid import UUID

from hub_api.errors import Forbidden
from hub_api.platform import crypto
from hub_api.settings import Settings


class BadLink(Forbidden):
    """The address was changed, or its time is over: ask for a new one."""

    code = "media_link_invalid"


def make_link(settings: Settings, media_id: UUID, holder: str, now: float | None = None) -> tuple[str, int]:
    """Path and query of a file's address for a kind of principal (`user`, `key`), and when it ends (Unix seconds)."""
    expires = int(time.time() if now is None else now) + settings.media_link_s
    signature = _sign(settings, media_id, holder, expires)
    return f"/api/v1/media/{media_id}/content?for={holder}&expires={expires}&signature={signature}", expires


def check_link(settings: Settings, media_id: UUID, holder: str, expires: int, signature: str) -> None:
    """Raises BadLink unless `make_link` made it and it has not ended."""
    if not hmac.compare_digest(signature.encode(), _sign(settings, media_id, holder, expires).encode()):
        raise BadLink("the signature does not fit this address: ask for a new link")
    if expires < time.time():
        raise BadLink("this link has ended: ask for a new one")


def _sign(settings: Settings, media_id: UUID, holder: str, expires: int) -> str:
    key = crypto.derive(settings.secret_key.get_secret_value(), "media-link")
    return hmac.digest(key, f"{media_id}:{holder}:{expires}".encode(), sha256).hex()

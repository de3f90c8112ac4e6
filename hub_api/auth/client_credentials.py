"""How a program shows its id and secret at a token endpoint (RFC 6749 §2.3.1): by header or by form."""

import base64
import binascii
from urllib.parse import unquote_plus

from hub_api.auth.openid.errors import OAuthError


def shown(authorization: str | None, client_id: str, client_secret: str) -> tuple[str, str | None]:
    """Id and secret (None: none was shown). Raises OAuthError for a header that is none, or both ways at once."""
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return client_id, client_secret or None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_request", "the header Authorization cannot be read") from None
    if client_secret or client_id not in ("", unquote_plus(name)):
        raise OAuthError("invalid_request", "a client proves itself in one way: by header or by form")
    return unquote_plus(name), unquote_plus(secret)

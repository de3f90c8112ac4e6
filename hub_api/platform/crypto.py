"""Encryption of columns at rest and keyed hashes of identifiers, both under keys derived from HUB_SECRET_KEY.

A `secret_key` may be several, by spaces, once it was replaced (settings.py joins them): the first writes, each reads, and
identifiers are hashed by the last, the oldest, since nothing can hash anew what is known as a hash only.
"""

import base64
import hashlib
import hmac
import os
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub_api.errors import HubError

_NONCE_BYTES = 12


class BadKey(HubError):
    """HUB_SECRET_KEY is no base64 of 32 bytes, or not the key that wrote the value."""

    code = "bad_key"


def derive(secret_key: str, purpose: str) -> bytes:
    """32 bytes of today's key for one purpose (HMAC-SHA-256 as a KDF: the master key is uniformly random). Raises BadKey."""
    return derive_all(secret_key, purpose)[0]


def derive_all(secret_key: str, purpose: str) -> list[bytes]:
    """The same of each key, today's first: for values made by the key before it. Raises BadKey."""
    return [_derive(one, purpose) for one in secret_key.split() or [""]]


def _derive(secret_key: str, purpose: str) -> bytes:
    try:
        master = base64.b64decode(secret_key, validate=True)
    except ValueError:
        master = b""
    if len(master) != 32:
        raise BadKey("HUB_SECRET_KEY must be 32 bytes in base64: make one with `openssl rand -base64 32`")
    return hmac.digest(master, purpose.encode(), hashlib.sha256)


def encrypt(secret_key: str, plain: str) -> bytes:
    """AES-256-GCM: nonce, then ciphertext with tag."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(derive(secret_key, "column")).encrypt(nonce, plain.encode(), None)


def decrypt(secret_key: str, sealed: bytes) -> str:
    """The plain text of `encrypt`. Raises BadKey when no key is the one that wrote it or the value was changed."""
    for key in derive_all(secret_key, "column"):
        with suppress(InvalidTag, ValueError):
            return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    raise BadKey("an encrypted column cannot be read with this HUB_SECRET_KEY: restore the key that wrote it")


def keyed_hash(secret_key: str, value: str) -> bytes:
    """HMAC-SHA-256 of an identifier (CPF, phone): equal values match, nobody without the key can try them out."""
    return hmac.digest(derive_all(secret_key, "identifier")[-1], value.encode(), hashlib.sha256)

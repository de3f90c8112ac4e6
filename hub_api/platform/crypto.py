"""Encryption of columns at rest and keyed hashes of identifiers, both under keys derived from HUB_SECRET_KEY."""

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub_api.errors import HubError

_NONCE_BYTES = 12


class BadKey(HubError):
    """HUB_SECRET_KEY is no base64 of 32 bytes, or not the key that wrote the value."""

    code = "bad_key"


def derive(secret_key: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HMAC-SHA-256 as a KDF: the master key is uniformly random). Raises BadKey."""
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
    """The plain text of `encrypt`. Raises BadKey when the key is another or the value was changed."""
    try:
        return AESGCM(derive(secret_key, "column")).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None).decode()
    except Exception as error:
        raise BadKey(
            "an encrypted column cannot be read with this HUB_SECRET_KEY: restore the key that wrote it"
        ) from error


def keyed_hash(secret_key: str, value: str) -> bytes:
    """HMAC-SHA-256 of an identifier (CPF, phone): equal values match, nobody without the key can try them out."""
    return hmac.digest(derive(secret_key, "identifier"), value.encode(), hashlib.sha256)

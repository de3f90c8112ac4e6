"""The receipt of an erasure: what was erased where, what is left, what the law keeps and until when; signed, and without
anything personal. Whoever has the public key (`hub audit key`) can check it without the hub."""

from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hub_api.auth.audit_chain import key_id, signing_key

_PREFIX = b"telecom-hub erasure "


def sign(secret_key: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The receipt with its Ed25519 signature over the content in canonical JSON (sorted keys, no spaces). Raises BadKey."""
    key = signing_key(secret_key)
    public = key.public_key().public_bytes_raw()
    return {
        "content": dict(content),
        "key_id": key_id(public),
        "public_key": public.hex(),
        "signature": key.sign(_signed(content)).hex(),
    }


def is_genuine(receipt: Mapping[str, Any]) -> bool:
    """Whether the content is what was signed by the key that the receipt names."""
    public = bytes.fromhex(receipt["public_key"])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(
            bytes.fromhex(receipt["signature"]), _signed(receipt["content"])
        )
    except InvalidSignature:
        return False
    return bool(key_id(public) == receipt["key_id"])


def _signed(content: Mapping[str, Any]) -> bytes:
    return _PREFIX + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)

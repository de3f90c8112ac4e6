"""Another HUB_SECRET_KEY: every encrypted column is written anew, so that the key before it can be forgotten.

A row that today's key opens already is left alone, so a run that was cut goes on where it ended, and a second one does
nothing. Hashes of identifiers (CPFs, tombstones of the erased) cannot be renewed without what they hide: their key stays,
as HUB_HASH_KEY.
"""

from collections.abc import Mapping
from typing import Any

from hub_api.auth import audit
from hub_api.auth.openid.keys import rotate as new_openid_key
from hub_api.auth.tokens import rotate as new_signing_key
from hub_api.errors import Invalid
from hub_api.platform import sqlfile
from hub_api.platform.crypto import BadKey, decrypt, encrypt
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "key_rotation.sql")

# What is encrypted, and the pair of queries that reads and writes it. A test compares this with the schema.
SEALED: Mapping[str, str] = {
    "signing_keys": "signing_keys.key_encrypted",
    "openid_keys": "openid_keys.key_encrypted",
    "account_tokens": "whatsapp_accounts.token_encrypted",
    "second_factors": "users.totp_encrypted",
    "pending_factors": "users.totp_pending_encrypted",
    "notices": "notices.sealed",
    "erasures": "erasures.sealed",
    "kept_records": "kept_records.sealed",
    "conversion_keys": "conversion_keys.secret_encrypted",
    "site_secrets": "sites.secret_encrypted",
}
CHUNK = 500  # rows of one transaction: their locks are held for some milliseconds


async def rotate(services: Services, who: str) -> dict[str, int]:
    """Encrypt everything by today's key; returns the rows written anew by column.

    Raises Invalid while the key of the hashes is not named, BadKey for a value that no key opens; what is done stays done.
    """
    settings = services.settings
    if settings.secret_key_previous is not None and settings.hash_key is None:
        raise Invalid(
            "set HUB_HASH_KEY to the first HUB_SECRET_KEY this hub had (the previous one, if it was never changed): without it "
            "erased people are not recognised and CPFs and recovery codes match no more"
        )
    secret_key = settings.secret_key.get_secret_value()
    renewed = {column: await _renew(services, name, secret_key) for name, column in SEALED.items()}
    async with services.transaction() as tx:
        if any(renewed.values()):
            # Whoever had the old key could have read those in force.
            await new_signing_key(tx.db, secret_key)
            await new_openid_key(tx.db, secret_key)
        await audit.write(tx, who, "keys.rotated", "settings", None, detail={"rows": sum(renewed.values())})
    return renewed


async def _renew(services: Services, name: str, secret_key: str) -> int:
    last: Any = None
    count = 0
    while True:
        async with services.transaction() as tx:
            rows = await tx.db.fetch(getattr(queries, f"next_{name}"), last, CHUNK)
            for row in rows:
                count += await _renew_row(tx, name, row["id"], bytes(row["sealed"]), secret_key)
        if len(rows) < CHUNK:
            return count
        last = rows[-1]["id"]


async def _renew_row(tx: Transaction, name: str, row_id: Any, sealed: bytes, secret_key: str) -> bool:
    try:
        decrypt(secret_key.split(maxsplit=1)[0], sealed)
    except BadKey:
        await tx.db.execute(getattr(queries, f"set_{name}"), row_id, encrypt(secret_key, decrypt(secret_key, sealed)))
        return True
    return False

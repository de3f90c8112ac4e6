"""`Idempotency-Key`: a request that came twice with the same key is done once and answered twice."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from hub_api.errors import Conflict
from hub_api.platform.postgres import Transaction

# The insert waits for a twin in flight: whoever comes second finds the first one's answer, or its absence.
_CLAIM = """
INSERT INTO idempotency_key (scope, key, request_sha256, response) VALUES ($1, $2, $3, '{}')
ON CONFLICT (scope, key) DO NOTHING RETURNING true
"""
_FIND = "SELECT request_sha256, response FROM idempotency_key WHERE scope = $1 AND key = $2"
_ANSWER = "UPDATE idempotency_key SET response = $3 WHERE scope = $1 AND key = $2"


class KeyReused(Conflict):
    """The same Idempotency-Key came with another body: one of the two is a mistake, so neither is guessed."""

    code = "idempotency_key_reused"


async def once(
    tx: Transaction, scope: str, key: str | None, request: bytes, act: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
    """The answer of `act`, or the stored answer when `key` came before with the same `request` in this `scope`.

    The key lives and dies with the transaction: what was rolled back may be asked again. Without a key `act` always
    runs. `scope` names caller and route. Raises KeyReused.
    """
    if key is None:
        return await act()
    sha256 = hashlib.sha256(request).digest()
    if await tx.db.fetchval(_CLAIM, scope, key, sha256):
        response = await act()
        await tx.db.execute(_ANSWER, scope, key, response)
        return response
    known = await tx.db.fetchrow(_FIND, scope, key)
    assert known is not None  # noqa: S101 - the claim found it, and only retention deletes it
    if known["request_sha256"] != sha256:
        raise KeyReused(f"Idempotency-Key {key!r} was used for another request: use a new one")
    return known["response"]  # type: ignore[no-any-return]

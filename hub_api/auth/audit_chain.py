"""The audit log's hash chain: one sealer links the rows that were committed and signs the head; anybody can verify.

Link n is SHA-256(link n-1 ‖ the row's canonical content), as in a ledger: to change a row unseen, every later link and
every later signature would have to be made anew, and the signing key is not in the database. Rows are written unlinked,
so that deeds need not wait for each other.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub_api.platform import crypto, sqlfile
from hub_api.platform.metrics import audit_unsealed
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "audit_chain.sql")

BATCH = 5_000
GENESIS = bytes(32)  # what the first link follows
FAULTS_SHOWN = 20


@dataclass(slots=True)
class Verdict:
    """What verifying found: links walked, rows whose month retention has taken (their links are still checked for gaps),
    good signatures, the head as hex, the id of today's signing key, and what is wrong, the first `FAULTS_SHOWN` of it."""

    links: int = 0
    archived: int = 0
    seals: int = 0
    unsealed: int = 0
    head: str = GENESIS.hex()
    key_id: str = ""
    other_keys: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Note what is wrong; after enough of it the rest says nothing new."""
        if len(self.faults) < FAULTS_SHOWN:
            self.faults.append(text)


async def seal(services: Services) -> int:
    """Link what is committed and not linked yet, sign the new head; returns how many rows. 0 when another one seals.

    The head is also logged, so that whoever keeps the logs elsewhere can tell if the chain's end was cut off.
    """
    key = signing_key(services.settings.secret_key.get_secret_value())
    sealed = 0
    while True:
        async with services.transaction() as tx:
            if not await tx.db.fetchval(queries.lock_sealer):
                return sealed
            rows = await tx.db.fetch(queries.take_unsealed, BATCH)
            if not rows:
                break
            position, hash_ = await _head(tx.db)
            hashes = []
            for row in rows:
                hash_ = link(hash_, row["content"])
                hashes.append(hash_)
            positions = list(range(position + 1, position + 1 + len(rows)))
            ids, times = [row["id"] for row in rows], [row["created_at"] for row in rows]
            await tx.db.execute(queries.insert_links, positions, ids, times, hashes)
            public = key.public_key().public_bytes_raw()
            await tx.db.execute(queries.insert_key, key_id(public), public)
            await tx.db.execute(
                queries.insert_seal, positions[-1], hash_, key_id(public), key.sign(_signed(positions[-1], hash_))
            )
        sealed += len(rows)
        log.info("audit_sealed", position=positions[-1], head=hash_.hex(), rows=len(rows))
    audit_unsealed.set(await services.db.fetchval(queries.count_unsealed))
    return sealed


async def verify(db: Pool, secret_key: str, *, head: str | None = None) -> Verdict:
    """Walk the whole chain: every link, every signature, every row. `head`: a hash noted earlier that the chain must hold.

    Rows not sealed yet are no fault. Signatures of other keys than today's are checked and named: whether those keys
    were ours, the operator's own records tell (`hub audit key` prints today's).
    """
    verdict = Verdict(key_id=key_id(signing_key(secret_key).public_key().public_bytes_raw()))
    seals = {row["position"]: row for row in await db.fetch(queries.seals)}
    months = {row["month"] for row in await db.fetch(queries.months)}
    previous, position, seen = GENESIS, 0, head is None
    while rows := await db.fetch(queries.links, position, BATCH):
        for row in rows:
            if row["position"] != position + 1:
                verdict.fault(f"links {position + 1} to {row['position'] - 1} are missing")
            position = row["position"]
            if row["content"] is not None:
                if link(previous, row["content"]) != row["hash"]:
                    verdict.fault(f"link {position}: audit row {row['audit_id']} or a link before it was changed")
            elif _kept(row["audit_created_at"], months):
                verdict.fault(f"link {position}: audit row {row['audit_id']} was deleted")
            else:
                verdict.archived += 1
            previous = bytes(row["hash"])
            seen = seen or previous.hex() == head
            if (seal_row := seals.pop(position, None)) is not None:
                _check_seal(verdict, seal_row, previous)
        verdict.links += len(rows)
    for left in seals:
        verdict.fault(f"the signed link {left} is missing: the chain's end was cut off")
    if not seen:
        verdict.fault(f"the head {head} is nowhere in the chain: its end was cut off, or it is another chain")
    for row in await db.fetch(queries.unlinked):
        verdict.fault(f"audit row {row['id']} came past the log's triggers")
    verdict.head, verdict.unsealed = previous.hex(), await db.fetchval(queries.count_unsealed)
    return verdict


def link(previous: bytes, content: str) -> bytes:
    """The next link of the chain."""
    return hashlib.sha256(previous + content.encode()).digest()


def signing_key(secret_key: str) -> Ed25519PrivateKey:
    """The key that signs heads, derived from HUB_SECRET_KEY. Raises BadKey."""
    return Ed25519PrivateKey.from_private_bytes(crypto.derive(secret_key, "audit"))


def key_id(public_key: bytes) -> str:
    """The short name of a public key: the first half of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:32]


async def _head(db: Connection) -> tuple[int, bytes]:
    row = await db.fetchrow(queries.head)
    return (row["position"], bytes(row["hash"])) if row else (0, GENESIS)


def _signed(position: int, hash_: bytes) -> bytes:
    return b"telecom-hub audit " + str(position).encode() + b" " + hash_


def _check_seal(verdict: Verdict, seal_row: Row, hash_: bytes) -> None:
    position, named = seal_row["position"], str(seal_row["key_id"])
    public = bytes(seal_row["public_key"])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes(seal_row["signature"]), _signed(position, hash_))
    except InvalidSignature:
        verdict.fault(f"the signature at link {position} does not fit")
        return
    if key_id(public) != named:
        verdict.fault(f"the key {named} at link {position} was exchanged")
        return
    verdict.seals += 1
    if named not in (verdict.key_id, *verdict.other_keys):
        verdict.other_keys.append(named)


def _kept(at: datetime, months: set[date]) -> bool:
    return at.astimezone(UTC).date().replace(day=1) in months

"""Keyed hashes of erased wamids and identities: nobody comes back by a redelivery, a replay or a restored backup, and
nobody can tell from them who was erased."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from hub_api.chat.identities import Identity
from hub_api.chat.privacy.marks import Marks
from hub_api.platform import sqlfile
from hub_api.platform.crypto import keyed_hash
from hub_api.platform.pgtypes import Connection

queries = sqlfile.load(__package__, "tombstones.sql")


@dataclass(frozen=True, slots=True)
class Erased:
    """What of a set of wamids and identities is erased, and up to when."""

    wamids: frozenset[str]
    identities: dict[Identity, datetime]


NOBODY = Erased(frozenset(), {})


async def find(db: Connection, secret_key: str, wamids: Iterable[str], identities: Iterable[Identity]) -> Erased:
    """Those of `wamids` and `identities` that belong to erased people."""
    by_hash: dict[bytes, str | Identity] = {wamid_hash(secret_key, wamid): wamid for wamid in wamids}
    by_hash |= {identity_hash(secret_key, identity): identity for identity in identities}
    rows = await db.fetch(queries.find, list(by_hash))
    found = [(by_hash[bytes(row["key_hash"])], row["erased_at"]) for row in rows]
    return Erased(
        frozenset(what for what, _ in found if isinstance(what, str)),
        {what: at for what, at in found if isinstance(what, Identity)},
    )


async def any_erased(db: Connection) -> bool:
    """Whether anybody was ever erased here."""
    return bool(await db.fetchval(queries.any_erased))


async def bury(db: Connection, secret_key: str, erasure_id: UUID, erased_at: datetime, marks: Marks) -> None:
    """Leave a tombstone for every mark of a person."""
    hashes = [wamid_hash(secret_key, wamid) for wamid in sorted(marks.wamids)]
    kinds = ["wamid"] * len(hashes)
    hashes += [identity_hash(secret_key, identity) for identity in sorted(marks.identities)]
    kinds += ["identity"] * (len(hashes) - len(kinds))
    await db.execute(queries.bury, hashes, kinds, erasure_id, erased_at)


def wamid_hash(secret_key: str, wamid: str) -> bytes:
    """The tombstone of a wamid."""
    return keyed_hash(secret_key, f"wamid:{wamid}")


def identity_hash(secret_key: str, identity: Identity) -> bytes:
    """The tombstone of an identity."""
    return keyed_hash(secret_key, f"{identity.kind}:{identity.portfolio}:{identity.value}")

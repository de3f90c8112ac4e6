"""Personal codes of short links: 16 signs (95 bits) made from a key, so that making one again gives the same, and a retry of a
campaign sends what it meant to send. Stored is their hash alone."""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from hub_api.campaigns.links.targets import queries
from hub_api.errors import Conflict, NotFound
from hub_api.platform.crypto import derive_all
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LENGTH = 16
OPT_OUT_DAYS = 365  # LGPD art. 8 § 5: revoking must stay easy long after a message was read
CODES_A_STATEMENT = 5_000


def fingerprint(code: str) -> bytes:
    """By what the table knows a code."""
    return hashlib.sha256(code.encode()).digest()


async def issue(
    tx: Transaction, settings: Settings, target_id: UUID, people: Mapping[UUID, str | None]
) -> dict[UUID, str]:
    """The code of each customer (with the variant of his campaign's test) for a target: new, or the one he has.

    Raises NotFound for an unknown target, Conflict for one that was put away.
    """
    target = await tx.db.fetchrow(queries.find_target, target_id)
    if target is None:
        raise NotFound(f"there is no link {target_id}")
    if target["archived_at"] is not None:
        raise Conflict(f"the link {target['name']!r} was put away: no more of its codes are given out")
    return await _issue(tx, settings, target_id, target["campaign_id"], people, target["life_days"])


async def issue_opt_outs(
    tx: Transaction, settings: Settings, people: Mapping[UUID, str | None], campaign_id: UUID | None = None
) -> dict[UUID, str]:
    """The code of each customer with which he ends our advertising without signing in: new, or the one he has."""
    return await _issue(tx, settings, None, campaign_id, people, OPT_OUT_DAYS)


async def _issue(
    tx: Transaction, settings: Settings, target_id: UUID | None, campaign_id: UUID | None,
    people: Mapping[UUID, str | None], life_days: int,
) -> dict[UUID, str]:  # fmt: skip
    make = maker(settings)
    made = {customer: make(f"{target_id or campaign_id or 'opt-out'}:{customer}") for customer in people}
    order = sorted(made)
    for start in range(0, len(order), CODES_A_STATEMENT):
        chunk: Sequence[UUID] = order[start : start + CODES_A_STATEMENT]
        hashes = [fingerprint(made[one]) for one in chunk]
        variants = [people[one] for one in chunk]
        await tx.db.execute(queries.issue, target_id, hashes, list(chunk), campaign_id, variants, life_days)
    return made


def maker(settings: Settings) -> Callable[[str], str]:
    """A function that makes the code of what a link is for; the same for the same."""
    # The oldest key, as for other hashes: after a change of keys a person still has the codes that he was sent.
    key = derive_all(settings.secret_key.get_secret_value(), "tracked-link")[-1]
    return lambda what: _code(key, what)


def _code(key: bytes, what: str) -> str:
    number = int.from_bytes(hmac.digest(key, what.encode(), hashlib.sha256))
    signs = []
    for _ in range(LENGTH):
        number, sign = divmod(number, len(_SIGNS))
        signs.append(_SIGNS[sign])
    return "".join(signs)


async def customer_of(db: Connection | Pool, code: str) -> Row | None:
    """customer_id and campaign_id of a code that has not ended; None for any other text."""
    return await db.fetchrow(queries.customer_of, fingerprint(code))

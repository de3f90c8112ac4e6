"""Values about erased people are put away before anything of them is stored, whether delivered again, replayed or restored.

A wamid of an erased person never comes back. What names an erased identity comes back only when it is newer than the
erasure and the person's own act: then it makes a new customer.
"""

from collections.abc import Iterable, Sequence

import structlog

from hub_api.chat.customers import queries as customer_queries
from hub_api.chat.identities import Identity
from hub_api.chat.privacy import tombstones
from hub_api.chat.privacy.tombstones import Erased
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings
from hub_api.whatsapp.handle_fold import Letter
from hub_api.whatsapp.handle_people import sighting_of
from hub_api.whatsapp.inbound import Call, Echo, HistoryMessage, PersonChanged, Preference, UserIdUpdate

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "handle.sql")

# They tell of a person and would make a customer of one whom nobody knows, though he has not written.
_TOLD = (PersonChanged, UserIdUpdate, Preference)


async def living(tx: Transaction, letters: Sequence[Letter], settings: Settings) -> list[Letter]:
    """The letters without those of erased people, whose stored webhooks are deleted: they hold phones again."""
    if not letters or not await tombstones.any_erased(tx.db):
        return list(letters)
    people = [_identities(letter) for letter in letters]
    erased = await tombstones.find(
        tx.db,
        settings.secret_key.get_secret_value(),
        {wamid for letter in letters for wamid in _wamids(letter)},
        {identity for identities in people for identity in identities},
    )
    if not erased.wamids and not erased.identities:
        return list(letters)
    back = await _known_again(tx, erased)
    kept: list[Letter] = []
    gone: list[Letter] = []
    for letter, identities in zip(letters, people, strict=True):
        (gone if _is_erased(letter, identities, erased, back) else kept).append(letter)
    if gone:
        rows = [letter.row for letter in gone]
        await tx.db.execute(
            queries.forget_webhooks, [row["webhook_id"] for row in rows], [row["received_at"] for row in rows]
        )
        log.info("values_of_erased_people", count=len(gone))
    return kept


def _wamids(letter: Letter) -> list[str]:
    """The wamids a value is about: its own, and the one it changes."""
    value = letter.inbound
    if isinstance(value, Echo | HistoryMessage):
        value = value.inner
    found = [getattr(value, name, None) for name in ("wamid", "target")]
    if isinstance(value, Call):
        found.append(value.call_id)
    return [wamid for wamid in found if wamid]


def _identities(letter: Letter) -> tuple[Identity, ...]:
    if letter.number is None:
        return ()
    sighting = sighting_of(letter.inbound, letter.number["portfolio_id"], letter.time.at)
    return sighting.identities if sighting else ()


async def _known_again(tx: Transaction, erased: Erased) -> set[Identity]:
    """Identities of erased people who have written since and are customers again."""
    if not erased.identities:
        return set()
    columns: Iterable[tuple[str, ...]] = zip(*erased.identities, strict=True)
    rows = await tx.db.fetch(customer_queries.find_holders, *map(list, columns))
    return {Identity(row["kind"], row["value"], row["portfolio_id"]) for row in rows}


def _is_erased(letter: Letter, identities: Iterable[Identity], erased: Erased, back: set[Identity]) -> bool:
    if erased.wamids.intersection(_wamids(letter)):
        return True
    named = [identity for identity in identities if identity in erased.identities]
    if any(letter.time.at <= erased.identities[identity] for identity in named):
        return True
    return isinstance(letter.inbound, _TOLD) and bool(named) and not back.intersection(named)

"""Values about erased people are put away before anything of them is stored, whether delivered again, replayed or restored.

A wamid of an erased person never comes back. What names an erased identity comes back only when it is newer than the
erasure and the person's own act: then it makes a new customer.
"""

from collections.abc import Iterable, Mapping, Sequence

import orjson
import structlog

from hub_api.chat.customers import queries as customer_queries
from hub_api.chat.identities import Identity, identities_of
from hub_api.chat.privacy import tombstones
from hub_api.chat.privacy.tombstones import Erased
from hub_api.chat.times import payload_time
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings
from hub_api.whatsapp.handle_fold import Letter
from hub_api.whatsapp.handle_people import sighting_of
from hub_api.whatsapp.inbound import Call, Echo, HistoryMessage, PersonChanged, Preference, Status, UserIdUpdate

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "handle.sql")

# They tell of a person and would make a customer of one whom nobody knows, though he has not written, or be parked for a
# message that we never sent him since.
_TOLD = (PersonChanged, UserIdUpdate, Preference, Status)


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
    await _forget(tx, [letter.row for letter in gone])
    return kept


async def unburied(tx: Transaction, items: Sequence[Row], numbers: Mapping[str, Row], settings: Settings) -> set[int]:
    """Ids of those of `items` that cannot be parsed and are an erased person's, written before the erasure: they become no
    dead letters, and their stored webhooks are deleted. `numbers` by phone_number_id."""
    if not items or not await tombstones.any_erased(tx.db):
        return set()
    keys = {item["id"]: _by_key(item["contact_key"], numbers.get(item["phone_number_id"])) for item in items}
    every = {identity for identities in keys.values() for identity in identities}
    erased = await tombstones.find(tx.db, settings.secret_key.get_secret_value(), (), every)
    gone = []
    for item in items:
        named = [erased.identities[one] for one in keys[item["id"]] if one in erased.identities]
        if named and payload_time(_own_time(item["payload"]), item["received_at"]).at <= max(named):
            gone.append(item)
    await _forget(tx, gone)
    return {item["id"] for item in gone}


def _by_key(key: str | None, number: Row | None) -> tuple[Identity, ...]:
    if not key or number is None:
        return ()
    return identities_of(number["portfolio_id"], wa_id=key) + identities_of(number["portfolio_id"], user_id=key)


def _own_time(payload: bytes) -> int | None:
    """The `timestamp` of a value that could not be parsed, where it has one."""
    try:
        return int(orjson.loads(payload)["data"]["timestamp"])
    except (ValueError, KeyError, TypeError):
        return None


async def _forget(tx: Transaction, rows: Sequence[Row]) -> None:
    if rows:
        await tx.db.execute(
            queries.forget_webhooks, [row["webhook_id"] for row in rows], [row["received_at"] for row in rows]
        )
        log.info("values_of_erased_people", count=len(rows))


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

"""A batch of inbox items in one transaction: load what they concern in bulk, fold them in their order, write in bulk.

Nothing here commits: the caller does, or tries again with fewer items (handle.py). What the batch deletes, writes and
emits belongs together, so an item is either handled completely or still waiting.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime

from hub_api.chat import alterations, consent, statuses
from hub_api.chat.customers import Raced, resolve
from hub_api.chat.threads import Threads
from hub_api.chat.times import TOO_NEW, TOO_OLD, payload_time
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings
from hub_api.whatsapp import deadletters, handle_tally, handle_updates
from hub_api.whatsapp.handle_erased import living, unburied
from hub_api.whatsapp.handle_fold import Batch, Letter, NewMessage
from hub_api.whatsapp.handle_people import sighting_of
from hub_api.whatsapp.inbound import Call, Echo, HistoryMessage, Inbound, Item, Message
from hub_api.whatsapp.media.note import Carrier, note_media
from hub_api.whatsapp.parse import Unparsable, parse
from hub_api.whatsapp.send.meta import Refusal
from hub_api.whatsapp.send.reactions import react_to_statuses

queries = sqlfile.load(__package__, "handle.sql")


class MissingMonth(Exception):
    """Messages of a month that has no partition yet (history): make it, then do the batch again."""

    def __init__(self, month: date) -> None:
        super().__init__(month)
        self.month = month


async def handle_batch(tx: Transaction, settings: Settings, items: Sequence[Row]) -> None:
    """Handle `items` (rows of inbox_item, in their order, deleted by the caller).

    Items that cannot be parsed or placed become dead letters by themselves. Raises MissingMonth, Raced, the driver's
    errors, and whatever one poisoned item may cause: the caller then finds it by halving.
    """
    letters = await living(tx, await _open(tx, items, settings), settings)
    await _check_months(tx, letters)
    await _resolve(tx, letters, settings)
    batch = await _load(tx, letters, settings)
    for letter in letters:
        batch.fold(letter)
    await _write(tx, batch, letters)


async def _open(tx: Transaction, items: Sequence[Row], settings: Settings) -> list[Letter]:
    """The items with their parsed values, numbers and times; those without become dead letters."""
    ids = {item["phone_number_id"] for item in items if item["phone_number_id"]}
    numbers = {row["phone_number_id"]: row for row in await tx.db.fetch(queries.find_numbers, ids)}
    letters: list[Letter] = []
    dead: list[tuple[Row, str, str, str]] = []
    for item in items:
        number = numbers.get(item["phone_number_id"])
        if item["phone_number_id"] and number is None:
            dead.append((item, "parked", "foreign_number", "the phone_number_id is none of our numbers"))
            continue
        try:
            inbound = parse(_item(item))
        except Unparsable as error:
            dead.append((item, "handle", *deadletters.reason_of(error)))
            continue
        live = not isinstance(inbound, HistoryMessage)
        time = payload_time(_timestamp(inbound), item["received_at"], live=live)
        letters.append(Letter(item, inbound, number, time))
    erased = await unburied(tx, [item for item, *_ in dead], numbers, settings)
    await deadletters.bury(tx, [one for one in dead if one[0]["id"] not in erased])
    return letters


def _item(row: Row) -> Item:
    return Item(
        kind=row["kind"],
        phone_number_id=row["phone_number_id"],
        waba_id=row["waba_id"],
        contact_key=row["contact_key"],
        payload=row["payload"],
    )


def _timestamp(inbound: Inbound) -> int | None:
    if isinstance(inbound, Echo | HistoryMessage):
        inbound = inbound.inner
    timestamp: int | None = getattr(inbound, "timestamp", None)
    return timestamp


async def _check_months(tx: Transaction, letters: Iterable[Letter]) -> None:
    """Raises MissingMonth. This month, the one before and the next ones are made ahead (platform/migrate.py)."""
    now = datetime.now(UTC)
    present = now.year * 12 + now.month
    months = {
        letter.time.stored.date().replace(day=1)
        for letter in letters
        if letter.time.stored not in (TOO_OLD, TOO_NEW)
        and not -1 <= letter.time.stored.year * 12 + letter.time.stored.month - present <= 1
    }
    for month in sorted(months):
        if not await tx.db.fetchval(queries.month_exists, f"messages_{month:%Y%m}"):
            raise MissingMonth(month)


async def _resolve(tx: Transaction, letters: Iterable[Letter], settings: Settings) -> None:
    seen = [
        (letter, sighting)
        for letter in letters
        if letter.number and (sighting := sighting_of(letter.inbound, letter.number["portfolio_id"], letter.time.at))
    ]
    customers = await resolve(tx, [sighting for _, sighting in seen], shards=settings.outbox_shards)
    for (letter, _), customer in zip(seen, customers, strict=True):
        letter.customer = customer


async def _load(tx: Transaction, letters: Sequence[Letter], settings: Settings) -> Batch:
    wamids = {wamid for letter in letters if (wamid := _wamid(letter.inbound))}
    known = {row["wamid"] for row in await tx.db.fetch(statuses.queries.find_keys, wamids)} if wamids else set()
    threads = await Threads.load(
        tx,
        {letter.customer.id for letter in letters if letter.customer},
        settings.reopen_hours,
        with_history=any(isinstance(letter.inbound, HistoryMessage) for letter in letters),
    )
    return Batch(settings, threads, known, datetime.now(UTC))


def _wamid(inbound: Inbound) -> str | None:
    """The id under which `inbound` becomes a message's row."""
    match inbound:
        case Echo(inner=Message(wamid=wamid)) | HistoryMessage(inner=Message(wamid=wamid)) | Message(wamid=wamid):
            return wamid
        case Call(call_id=call_id):
            return call_id
        case _:
            return getattr(inbound, "wamid", None) if not hasattr(inbound, "target") else None


async def _write(tx: Transaction, batch: Batch, letters: Sequence[Letter]) -> None:
    await batch.threads.save(tx, batch.settings.timezone)
    for event, trace_id in batch.events:
        tx.emit(event, trace_id=trace_id)
    if batch.messages:
        await tx.db.copy_records_to_table("messages", columns=NewMessage._fields, records=batch.messages)
        new = await statuses.remember(tx, batch.keys)
        if len(new) != len(batch.keys):
            raise Raced("another worker stored one of these messages first")
    await statuses.park(tx, await alterations.apply(tx, batch.changes))
    await note_media(tx, _carriers(batch))
    await statuses.apply(tx, batch.statuses)
    failed = [u for u in batch.statuses if u.status == "failed" and u.error_code is not None]
    await react_to_statuses(tx, [(u.wamid, Refusal(u.error_code or 0, u.error_title or ""), u.at) for u in failed])
    await statuses.apply_parked(tx, list(batch.keys))
    if batch.turns:
        await tx.db.execute(queries.insert_turns, *zip(*batch.turns, strict=True))
    numbers = {message.id: message.number_id for message in batch.messages}
    stopped = []
    for heard in batch.heard:
        said = await consent.listen(
            tx,
            heard.customer_id,
            text=heard.message.content,
            payload=heard.message.choice_id,
            message_id=heard.message_id,
            occurred_at=heard.at,
        )
        if said == "opt_out" and (number_id := numbers[heard.message_id]) is not None:
            stopped.append(number_id)
    await handle_updates.prefer(tx, batch.preferences)
    await handle_updates.keep(tx, batch.kept)
    await handle_tally.count(tx, letters, stopped)


def _carriers(batch: Batch) -> list[Carrier]:
    """What may have brought a file: new messages, edits, and the files that placeholders stood for."""
    changes = [Carrier(c.target, c.payload, c.at) for c in batch.changes if c.payload and c.kind in ("edit", "fill")]
    return [Carrier(m.wamid, m.payload, m.created_at) for m in batch.messages] + changes

"""What became of our messages: statuses in any order, any number of times, before or after we know the wamid.

A status moves its message only where `can_move` of the schema allows, so nothing goes back. It finds its message by the
wamid, else by our own id in `biz_opaque_callback_data`, else it is parked and tried again when the wamid is stored.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from hub_api.chat import alterations, consent
from hub_api.chat.charges import charged
from hub_api.events import MessagePriced, MessageStateChanged
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import messages_sent
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "statuses.sql")

# From which states a status moves a message: the part of can_move() (migration 0003) that Meta decides; a test compares.
# A `queued` message has no status unless its claim was given back although Meta had taken it: that stops a second send.
MOVES = {
    "sent": frozenset({"claimed", "unknown", "accepted", "held"}),
    "delivered": frozenset({"claimed", "unknown", "accepted", "held", "sent", "failed"}),
    "read": frozenset({"claimed", "unknown", "accepted", "held", "sent", "delivered", "failed"}),
    "played": frozenset({"claimed", "unknown", "accepted", "held", "sent", "delivered", "read", "failed"}),
    "failed": frozenset({"queued", "claimed", "unknown", "accepted", "held", "sent"}),
}

OPTED_OUT, CAPPED = 131050, 131049  # the person stopped marketing; Meta's cap on marketing to one person
CAP_PAUSE = timedelta(hours=24)

_OPAQUE = re.compile(r"([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})\.\d{1,5}")
_FAR_MS = 4_102_444_800_000  # 2100: no message of ours was made then
_REMATCH_BATCH = 500
_REMATCH_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """One status of one message of ours at the payload's time `at`; `opaque` is our `<message id hex>.<attempt>`."""

    wamid: str
    status: str
    at: datetime
    opaque: str | None = None
    error_code: int | None = None
    error_title: str | None = None
    pricing: dict[str, Any] | None = None


class Place(NamedTuple):
    """Where a message lies: its partition is found by its time."""

    message_id: UUID
    created_at: datetime


@dataclass(slots=True, eq=False)
class _Sent:
    """A message of ours in hand."""

    id: UUID
    created_at: datetime
    conversation_id: UUID
    customer_id: UUID
    type: str
    state: str
    version: int
    wamid: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    error_code: int | None
    error_title: str | None
    pricing: dict[str, Any] | None
    was_queued: bool = False

    def facts(self) -> tuple[Any, ...]:
        """Everything a status may change, in the order of save_statuses after id and time."""
        times = (self.sent_at, self.delivered_at, self.read_at, self.failed_at)
        return (self.state, self.version, self.wamid, *times, self.error_code, self.error_title, self.pricing)


async def apply(tx: Transaction, updates: Sequence[StatusUpdate]) -> None:
    """Apply statuses in their order; those whose message is not known are parked. Unknown words are ignored.

    Emits MessageStateChanged per step, counts it, and lets 131050 and 131049 stop marketing to the person.
    """
    updates = [update for update in updates if update.status in MOVES]
    if not updates:
        return
    places = await _find(tx, updates)
    rows = await tx.db.fetch(queries.lock_messages, *zip(*set(places.values()), strict=True)) if places else []
    sent = {row["id"]: _Sent(**row) for row in rows}
    before = {message.id: message.facts() for message in sent.values()}
    failed: list[tuple[_Sent, StatusUpdate]] = []
    lost: list[StatusUpdate] = []
    for update in updates:
        place = places.get(update.wamid)
        if place is None:
            lost.append(update)
        elif message := sent.get(place.message_id):
            moved = _apply(tx, message, update)
            if moved and update.status == "failed":
                failed.append((message, update))
    await _save(tx, [message for message in sent.values() if message.facts() != before[message.id]])
    await park(tx, [(update.wamid, update.status, update.at, _parked(update)) for update in lost])
    for message, update in failed:
        await _stop_marketing(tx, message, update)


async def _find(tx: Transaction, updates: Sequence[StatusUpdate]) -> dict[str, Place]:
    """Wamid -> place of its message. A wamid found by our own id is stored, so that the next status finds it directly."""
    rows = await tx.db.fetch(queries.find_keys, list({update.wamid for update in updates}))
    places = {row["wamid"]: Place(row["message_id"], row["created_at"]) for row in rows}
    wanted = {
        update.wamid: message_id
        for update in updates
        if update.wamid not in places and (message_id := _own_id(update.opaque))
    }
    if not wanted:
        return places
    ids = sorted(set(wanted.values()))
    made = [datetime.fromtimestamp(_made_ms(message_id) / 1000, UTC) for message_id in ids]
    by_id = {
        row["id"]: Place(row["id"], row["created_at"]) for row in await tx.db.fetch(queries.find_messages, ids, made)
    }
    found = {wamid: by_id[message_id] for wamid, message_id in wanted.items() if message_id in by_id}
    await remember(tx, found)
    return places | found


def _own_id(opaque: str | None) -> UUID | None:
    """Our message id out of `biz_opaque_callback_data`; other programs of the account may write what they like there."""
    match = _OPAQUE.fullmatch(opaque or "")
    message_id = UUID(match[1]) if match else None
    return message_id if message_id and message_id.version == 7 and _made_ms(message_id) < _FAR_MS else None


def _made_ms(message_id: UUID) -> int:
    """When a UUIDv7 was made, in Unix milliseconds."""
    return message_id.int >> 80


async def remember(tx: Transaction, places: dict[str, Place]) -> list[str]:
    """Store which message a wamid means; returns the wamids that were new, since the first meaning stays."""
    if not places:
        return []
    wamids = sorted(places)  # one order for all workers, so that they cannot deadlock
    rows = await tx.db.fetch(
        queries.insert_keys,
        wamids,
        [places[wamid].message_id for wamid in wamids],
        [places[wamid].created_at for wamid in wamids],
    )
    return [row["wamid"] for row in rows]


def _apply(tx: Transaction, message: _Sent, update: StatusUpdate) -> bool:
    """One status on one message in hand; whether its state moved."""
    message.wamid = message.wamid or update.wamid
    told = message.pricing
    if update.pricing:
        message.pricing = (told or {}) | update.pricing
    match update.status:
        case "sent":
            message.sent_at = _first(message.sent_at, update.at)
        case "delivered":
            message.delivered_at = _first(message.delivered_at, update.at)
        case "read" | "played":
            message.read_at = _first(message.read_at, update.at)
    from_state = message.state
    if from_state == "queued":
        message.was_queued, from_state = True, "claimed"
    if from_state not in MOVES[update.status]:
        if message.pricing != told:
            message.version += 1
            tx.emit(MessagePriced(**_envelope(message, update), **_price(message)))
        return False
    failing = update.status == "failed"
    message.failed_at = update.at if failing else None
    message.error_code = update.error_code if failing else None
    message.error_title = update.error_title if failing else None
    message.version += 1
    tx.emit(
        MessageStateChanged(
            **_envelope(message, update),
            **_price(message),
            from_state=message.state,
            to_state=update.status,
            error_code=message.error_code,
        )
    )
    message.state = update.status
    messages_sent.labels(message.type, update.status).inc()
    return True


def _envelope(message: _Sent, update: StatusUpdate) -> dict[str, Any]:
    return {
        "aggregate_id": message.id,
        "aggregate_version": message.version,
        "occurred_at": update.at,
        "conversation_id": message.conversation_id,
        "customer_id": message.customer_id,
    }


def _price(message: _Sent) -> dict[str, Any]:
    pricing, cost = message.pricing or {}, charged(message.pricing)
    return {
        "pricing_category": pricing.get("category"),
        "pricing_type": pricing.get("type"),
        "cost_micros": cost.micros if cost else None,
        "cost_currency": (cost.currency or None) if cost else None,
    }


async def _save(tx: Transaction, changed: Sequence[_Sent]) -> None:
    if given_back := [message for message in changed if message.was_queued]:
        await tx.db.execute(queries.claim_accepted, [m.id for m in given_back], [m.created_at for m in given_back])
    if changed:
        rows = [(message.id, message.created_at, *message.facts()) for message in changed]
        await tx.db.execute(queries.save_statuses, *zip(*rows, strict=True))


async def _stop_marketing(tx: Transaction, message: _Sent, update: StatusUpdate) -> None:
    if update.error_code == OPTED_OUT:
        await consent.record(
            tx,
            message.customer_id,
            "marketing",
            granted=False,
            source="meta_error",
            evidence={"message_id": message.id, "error_code": OPTED_OUT},
            occurred_at=update.at,
        )
    elif update.error_code == CAPPED:
        until = datetime.now(UTC) + CAP_PAUSE
        await consent.suppress(tx, message.customer_id, "marketing", reason=f"meta_{CAPPED}", until=until)


async def park(tx: Transaction, parked: Sequence[tuple[str, str, datetime, dict[str, Any]]]) -> None:
    """Keep (wamid, what, at, payload) until the message of that wamid is known."""
    if parked:
        wamids, words, times, payloads = zip(*parked, strict=True)
        await tx.db.execute(queries.park, [uuid7() for _ in parked], wamids, words, times, payloads)


async def apply_parked(tx: Transaction, wamids: Sequence[str]) -> None:
    """Apply what is parked for these wamids. Whoever stores a wamid calls it in the same transaction, after storing."""
    if not wamids:
        return
    rows = await tx.db.fetch(queries.take_parked, list(wamids))
    rows = sorted(rows, key=lambda row: (row["occurred_at"], row["id"]))
    statuses = [
        StatusUpdate(row["wamid"], row["status"], row["occurred_at"], **row["payload"])
        for row in rows
        if row["status"] in MOVES
    ]
    changes = [
        alterations.Alteration(row["wamid"], row["status"], row["occurred_at"], **row["payload"])
        for row in rows
        if row["status"] in alterations.KINDS
    ]
    await apply(tx, statuses)
    await park(tx, await alterations.apply(tx, changes))


async def rematch_parked(services: Services) -> int:
    """Apply what was parked in the moment its wamid was being stored; returns how many wamids that were.

    Runs on a clock. What is older than a day belongs to no message of ours and waits for its expiry.
    """
    since, count = datetime.now(UTC) - _REMATCH_AGE, 0
    while True:
        async with services.transaction() as tx:
            rows = await tx.db.fetch(queries.find_matched, since, _REMATCH_BATCH)
            await apply_parked(tx, [row["wamid"] for row in rows])
        count += len(rows)
        if len(rows) < _REMATCH_BATCH:
            return count


def _parked(update: StatusUpdate) -> dict[str, Any]:
    fields = ("opaque", "error_code", "error_title", "pricing")
    return {name: value for name in fields if (value := getattr(update, name)) is not None}


def _first(known: datetime | None, at: datetime) -> datetime:
    return min(known, at) if known else at

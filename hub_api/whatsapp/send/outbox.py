"""What is claimed, how messages end, and settling those whose sender died or whose outcome is unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.events import MessageStateChanged
from hub_api.platform import metrics, sqlfile
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.send.decide import PutOff, Send
from hub_api.whatsapp.send.pace import Pace

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__)

# Well past the longest call: whoever claimed it is dead, and whether Meta was called nobody knows.
STALE_AFTER = timedelta(seconds=60)
# The lanes of replies and one-time codes; above it are notices and campaigns.
URGENT = 1
LANES = ("reply", "automatic", "utility", "marketing")  # by messages.priority
# Statuses resolve most unknown outcomes within seconds; what is left after this is a person's to settle.
LISTED_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may send, with what its calls need."""

    id: UUID
    phone_number_id: str
    account_id: UUID
    portfolio_id: str
    pace: Pace
    token: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message this process alone may send now; `body` is the call without its tracing id."""

    id: UUID
    created_at: datetime
    conversation_id: UUID
    customer_id: UUID
    number: Number
    priority: int
    attempt: int
    type: str
    category: str
    template: tuple[str, str] | None  # name, language
    first_contact: bool
    reserved: bool  # a place of the portfolio's quota
    body: dict[str, Any]

    @property
    def urgent(self) -> bool:
        """Somebody waits for it: a person's or the bot's answer, a one-time code."""
        return self.priority <= URGENT

    def call(self) -> bytes:
        """The JSON of the send call; its statuses carry `message_id.attempt` back to us."""
        return orjson.dumps({**self.body, "biz_opaque_callback_data": f"{self.id.hex}.{self.attempt}"})


@dataclass(frozen=True, slots=True)
class End:
    """The end of a message here: failed, cancelled or unknown, from the state it must still be in, with the reason
    that people read."""

    id: UUID
    created_at: datetime
    from_state: str
    state: str
    title: str
    code: int | None = None


def claimed(row: Row, send: Send, number: Number, attempt: int, reserved: bool) -> Claimed:
    """What is to be called, of a row of `candidates` that was claimed for its `attempt`."""
    template = row["payload"].get("template")
    return Claimed(
        id=row["id"],
        created_at=row["created_at"],
        conversation_id=row["conversation_id"],
        customer_id=row["customer_id"],
        number=number,
        priority=row["priority"],
        attempt=attempt,
        type=row["type"],
        category=row["category"] or "service",
        template=(template["name"], template["language"]["code"]) if template else None,
        first_contact=send.first_contact,
        reserved=reserved,
        body={
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            send.field: send.address,
            **row["payload"],
        },
    )


async def put_off(services: Services, later: Sequence[tuple[Row, PutOff]]) -> None:
    """Queued messages are not looked at before their time, for the reason given."""
    if later:
        await services.db.execute(
            queries.put_off, *keys([row for row, _ in later]), [p.until for _, p in later], [p.why for _, p in later]
        )


def keys(rows: Sequence[Any]) -> tuple[list[UUID], list[datetime], datetime, datetime]:
    """Ids, creation times and their range: how every bulk statement finds its messages. `rows` must not be empty."""
    pairs = [
        (row["id"], row["created_at"]) if isinstance(row, asyncpg.Record) else (row.id, row.created_at) for row in rows
    ]
    times = [created_at for _, created_at in pairs]
    return [message_id for message_id, _ in pairs], times, min(times), max(times)


async def finish(tx: Transaction, ends: Sequence[End]) -> int:
    """End the messages that still are where their `End` expects them, with events and counts; returns how many."""
    if not ends:
        return 0
    rows = await tx.db.fetch(
        queries.finish,
        *keys(ends),
        [end.state for end in ends],
        [end.code for end in ends],
        [end.title for end in ends],
        [end.from_state for end in ends],
    )
    tx.emit(*(state_changed(row, datetime.now(UTC), row["error_code"]) for row in rows))
    for row in rows:
        metrics.messages_sent.labels(row["type"], row["state"]).inc()
    return len(rows)


def state_changed(row: Row, at: datetime, error_code: int | None = None) -> MessageStateChanged:
    """The event of a row that `accept` or `finish` returned."""
    return MessageStateChanged(
        aggregate_id=row["id"],
        aggregate_version=row["version"],
        occurred_at=at,
        conversation_id=row["conversation_id"],
        customer_id=row["customer_id"],
        from_state=row["from_state"],
        to_state=row["state"],
        error_code=error_code,
    )


async def fail_without_number(services: Services, shard: int) -> None:
    """Fail what was queued in a conversation that has no number of ours (imported history): it can never leave."""
    rows = await services.db.fetch(queries.without_number, shard)
    if not rows:
        return
    title = "the conversation has no WhatsApp number of ours: answer in a conversation that has one"
    async with services.transaction() as tx:
        await finish(tx, [End(row["id"], row["created_at"], "queued", "failed", title) for row in rows])


async def recover_stale_claims(services: Services) -> int:
    """Turn claims older than `STALE_AFTER` into `unknown`, never back to queued: their sender may have called Meta
    before it died. Returns how many."""
    recovered = 0
    title = "the sender died between the claim and the record: Meta may or may not have got it"
    while True:
        async with services.transaction() as tx:
            rows = await tx.db.fetch(queries.stale_claims, datetime.now(UTC) - STALE_AFTER)
            await finish(tx, [End(row["id"], row["created_at"], "claimed", "unknown", title) for row in rows])
        recovered += len(rows)
        if not rows:
            break
    if recovered:
        log.warning("claims_of_dead_senders", count=recovered)
    return recovered


async def forget_pairs(services: Services) -> None:
    """Delete what the pair limit need not know any more."""
    await services.db.execute(queries.forget_pairs)


async def measure(services: Services) -> None:
    """Set the gauges of the outbox: how much waits in each lane and for how long, and how far quotas are used."""
    lanes = await services.db.fetch(queries.lane_ages)
    for row in lanes:
        lane = LANES[row["priority"]]
        metrics.lane_backlog.labels(lane).set(row["due"])
        metrics.lane_age_seconds.labels(lane).set(row["age_s"])
    metrics.outbox_backlog.set(sum(row["queued"] for row in lanes))
    for row in await services.db.fetch(queries.quotas):
        metrics.quota_used.labels(row["portfolio_id"]).set(row["used"])
        metrics.quota_limit.labels(row["portfolio_id"]).set(row["messaging_limit"])


async def unknown_messages(services: Services, *, limit: int = 100, cursor: str | None = None) -> Rows:
    """Messages `unknown` for longer than `LISTED_AFTER`, oldest claim first. Raises Invalid for a foreign cursor."""
    after = read_cursor(cursor, datetime.fromisoformat, UUID)
    before = datetime.now(UTC) - LISTED_AFTER
    rows = await services.db.fetch(queries.unknown_messages, before, *after, limit + 1)
    return page(rows, limit, "claimed_at", "id")


async def resolve_unknown(services: Services, who: Principal, message_id: UUID) -> None:
    """A person (`who`) decides that an `unknown` message counts as not sent: it becomes failed, and nobody sends it again.

    A status that proves the contrary later still wins. Raises NotFound, or Conflict when it is not unknown (any more).
    """
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.find_message, message_id)
        if row is None:
            raise NotFound(f"there is no message {message_id}", message_id=str(message_id))
        title = f"outcome unknown; counted as not sent by {who.name}"
        if not await finish(tx, [End(message_id, row["created_at"], "unknown", "failed", title)]):
            raise Conflict(
                f"message {message_id} is {row['state']}, not unknown: there is nothing to resolve",
                message_id=str(message_id),
                state=row["state"],
            )
        states = {"before": {"state": "unknown"}, "after": {"state": "failed"}}
        await audit.write(tx, who, "message.settled", "message", message_id, **states)

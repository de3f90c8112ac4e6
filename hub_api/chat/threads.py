"""The conversations of many customers at once: which one a message belongs to, and what it does to it.

Where a customer's message goes: into the open conversation; into the resolved one, which it reopens, within
settings.reopen_hours of `resolved` (to the queue when a person had it, else to the bot); else into a new one that
points back by `previous_id`. A conversation that waits for the customer goes back to its agent. What no bot may answer
(stale messages, calls) brings a conversation from the bot to the queue, since nobody else would look at it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.chat.conversations import queries
from hub_api.events import ConversationOpened, ConversationStateChanged
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import Transaction

Key = tuple[UUID, UUID | None]  # customer, number

# What the bot leaves in `bot_state["awaiting"]` of a resolved conversation while it asks how it was: the answer is no
# new demand, so it does not reopen the conversation.
RATING = "rating"


@dataclass(slots=True, eq=False)
class Thread:
    """A conversation in hand: the columns that messages change, and whether the row must be written."""

    id: UUID
    customer_id: UUID
    number_id: UUID | None
    state: str
    opened_at: datetime
    channel: str = "whatsapp"
    version: int = 1
    agent_id: UUID | None = None
    previous_id: UUID | None = None
    queued_at: datetime | None = None
    assigned_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    last_customer_message_at: datetime | None = None
    last_message_at: datetime | None = None
    last_ad_at: datetime | None = None
    unanswered_since: datetime | None = None
    first_response_at: datetime | None = None
    reopened_count: int = 0
    bot_state: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    is_new: bool = False
    is_changed: bool = False
    is_dormant: bool = False  # we began it, and the customer has not written yet: no demand
    is_begun: bool = False  # the customer's first words made it a demand just now
    is_opened_as: str = ""  # the state of a new one before what moved it since

    @property
    def is_rated_next(self) -> bool:
        """Resolved, and the bot waits for the customer's rating."""
        return self.state == "resolved" and self.bot_state.get("awaiting") == RATING


_COLUMNS = [name for name in Thread.__dataclass_fields__ if not name.startswith("is_")]


class Threads:
    """The newest conversation of each customer on each number, changed in memory and written by `save`."""

    def __init__(self, rows: Iterable[Any], histories: Iterable[Any], reopen_hours: int) -> None:
        self._threads = {
            (row["customer_id"], row["number_id"]): Thread(
                **{name: row[name] for name in _COLUMNS}, is_dormant=not row["is_demand"]
            )
            for row in rows
        }
        self._histories: dict[Key, UUID] = {(row["customer_id"], row["number_id"]): row["id"] for row in histories}
        self._reopen = timedelta(hours=reopen_hours)
        self._new: list[Thread] = []
        self._events: list[Event] = []

    @classmethod
    async def load(
        cls, tx: Transaction, customers: Iterable[UUID], reopen_hours: int, *, with_history: bool = False
    ) -> "Threads":
        """The conversations of these customers, locked until the transaction ends."""
        ids = set(customers)
        rows = await tx.db.fetch(queries.load_threads, ids) if ids else []
        histories = await tx.db.fetch(queries.load_histories, ids) if ids and with_history else []
        return cls(rows, histories, reopen_hours)

    def find(self, customer_id: UUID, number_id: UUID | None) -> Thread | None:
        """The newest conversation, whatever its state."""
        return self._threads.get((customer_id, number_id))

    def customer_wrote(
        self,
        customer_id: UUID,
        number_id: UUID | None,
        at: datetime,
        *,
        for_bot: bool,
        reason: str = "customer_message",
        from_ad: bool = False,
        channel: str = "whatsapp",
    ) -> Thread:
        """The conversation of a message (or call) of the customer at `at`, opened, reopened or moved as it must be.

        `for_bot`: a bot may answer it. `from_ad`: an ad led to it, so that answering it may open the free entry. `channel`: of
        a new one; what has no number of ours came by the website.
        """
        start = "bot" if for_bot else "queued"
        thread = self._awake(customer_id, number_id, at, start)
        if thread is None or self._has_ended(thread, at):
            thread = self._open(customer_id, number_id, at, start, previous=thread, channel=channel)
        elif thread.state == "resolved" and not thread.is_rated_next:
            self._move(thread, "queued" if thread.agent_id else start, at, "reopened")
            thread.reopened_count += 1
        elif thread.state == "waiting_customer":
            self._move(thread, "assigned" if thread.agent_id else "queued", at, reason)
        elif thread.state == "bot" and not for_bot:
            self._move(thread, "queued", at, reason)
        thread.last_customer_message_at = _latest(thread.last_customer_message_at, at)
        thread.last_message_at = _latest(thread.last_message_at, at)
        if from_ad:
            thread.last_ad_at = _latest(thread.last_ad_at, at)
        if not thread.is_rated_next:
            thread.unanswered_since = min(at, thread.unanswered_since or at)
        thread.is_changed = True
        return thread

    def customer_noted(self, customer_id: UUID, number_id: UUID | None, at: datetime) -> Thread:
        """The conversation of something that asks for no answer (a pin, an unsupported edit): shown, and moves nothing."""
        thread = self._awake(customer_id, number_id, at, "bot") or self._open(customer_id, number_id, at, "bot")
        thread.last_customer_message_at = _latest(thread.last_customer_message_at, at)
        thread.last_message_at = _latest(thread.last_message_at, at)
        thread.is_changed = True
        return thread

    def employee_wrote(self, customer_id: UUID, number_id: UUID | None, at: datetime) -> Thread:
        """The conversation of a message that an employee wrote on the phone: a person's answer, and the end of the bot's part.

        One that it opens waits for the customer, without an agent of ours.
        """
        thread = self._awake(customer_id, number_id, at, "queued")
        if thread is None or self._has_ended(thread, at):
            thread = self._open(customer_id, number_id, at, "waiting_customer", previous=thread)
        elif thread.state == "bot":
            self._move(thread, "queued", at, "phone_app")
        thread.first_response_at = thread.first_response_at or at
        thread.last_message_at = _latest(thread.last_message_at, at)
        thread.unanswered_since = None
        thread.is_changed = True
        return thread

    def history(self, customer_id: UUID, number_id: UUID | None, at: datetime) -> UUID:
        """The closed conversation that holds what the number's phone app had before it joined us."""
        key = (customer_id, number_id)
        if key not in self._histories:
            thread = Thread(uuid7(), customer_id, number_id, "closed", at, is_new=True, is_opened_as="closed")
            thread.closed_at, thread.metadata = at, {"source": "history"}
            self._new.append(thread)
            self._histories[key] = thread.id
        return self._histories[key]

    def _awake(self, customer_id: UUID, number_id: UUID | None, at: datetime, state: str) -> Thread | None:
        """The newest conversation. One that we began becomes a demand with this: it opens now, in `state`."""
        thread = self._threads.get((customer_id, number_id))
        if thread is not None and thread.is_dormant:
            thread.is_dormant, thread.is_begun, thread.is_opened_as = False, True, state
            thread.state, thread.opened_at, thread.resolved_at = state, at, None
            thread.queued_at = at if state == "queued" else None
        return thread

    def _has_ended(self, thread: Thread, at: datetime) -> bool:
        if thread.state == "closed":
            return True
        return thread.state == "resolved" and thread.resolved_at is not None and at > thread.resolved_at + self._reopen

    def _open(
        self,
        customer_id: UUID,
        number_id: UUID | None,
        at: datetime,
        state: str,
        previous: Thread | None = None,
        channel: str = "whatsapp",
    ) -> Thread:
        thread = Thread(uuid7(), customer_id, number_id, state, at, channel, is_new=True, is_opened_as=state)
        if previous is not None:
            # The free entry belongs to number and customer: the ad that led to the last conversation counts for this one.
            thread.previous_id, thread.last_ad_at = previous.id, previous.last_ad_at
        thread.queued_at = at if state == "queued" else None
        self._new.append(thread)
        self._threads[customer_id, number_id] = thread
        return thread

    def _move(self, thread: Thread, state: str, at: datetime, reason: str) -> None:
        from_state, thread.state = thread.state, state
        thread.version += 1
        thread.resolved_at = None
        if state == "queued":
            thread.queued_at, thread.agent_id = at, None
        self._events.append(
            ConversationStateChanged(
                aggregate_id=thread.id,
                aggregate_version=thread.version,
                occurred_at=at,
                customer_id=thread.customer_id,
                from_state=from_state,
                to_state=state,
                reason=reason,
                agent_id=thread.agent_id,
            )
        )

    async def save(self, tx: Transaction, zone: str) -> None:
        """Write what changed, protocol numbers in the business zone, and emit the events."""
        if self._new:
            rows = await tx.db.fetch(queries.open_threads, zone, *_columns(self._new, _INSERTED))
            protocols = {row["id"]: row["protocol"] for row in rows}
            tx.emit(*(_opened(thread, protocols[thread.id]) for thread in self._new))
        if begun := [thread for thread in self._threads.values() if thread.is_begun]:
            rows = await tx.db.fetch(
                queries.begin_threads, zone, *_columns(begun, ("id", "is_opened_as", "opened_at", "queued_at"))
            )
            protocols = {row["id"]: row["protocol"] for row in rows}
            tx.emit(*(_opened(thread, protocols[thread.id]) for thread in begun))
        if changed := [thread for thread in self._threads.values() if thread.is_changed and not thread.is_new]:
            await tx.db.execute(queries.save_threads, *_columns(changed, _UPDATED))
        tx.emit(*self._events)


def _opened(thread: Thread, protocol: str) -> ConversationOpened:
    return ConversationOpened(
        aggregate_id=thread.id,
        aggregate_version=1,
        occurred_at=thread.opened_at,
        customer_id=thread.customer_id,
        protocol=protocol,
        channel=thread.channel,
        state=thread.is_opened_as,
        number_id=thread.number_id,
        previous_id=thread.previous_id,
    )


# In the order of the arrays of open_threads and save_threads.
_INSERTED = [
    "id",
    "customer_id",
    "number_id",
    "state",
    "previous_id",
    "opened_at",
    "queued_at",
    "closed_at",
    "last_customer_message_at",
    "last_message_at",
    "last_ad_at",
    "unanswered_since",
    "first_response_at",
    "version",
    "metadata",
    "channel",
]
_UPDATED = [
    "id",
    "state",
    "agent_id",
    "queued_at",
    "resolved_at",
    "last_customer_message_at",
    "last_message_at",
    "last_ad_at",
    "unanswered_since",
    "first_response_at",
    "reopened_count",
    "version",
]


def _columns(threads: Iterable[Thread], names: Iterable[str]) -> list[list[Any]]:
    return [[getattr(thread, name) for thread in threads] for name in names]


def _latest(known: datetime | None, at: datetime) -> datetime:
    return max(known, at) if known else at

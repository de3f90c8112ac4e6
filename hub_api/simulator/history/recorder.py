"""Turns what happened in a conversation into the rows and events that the live hub would have written."""

import base64
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.chat.spread import shard_of
from hub_api.events import (
    ConversationOpened,
    ConversationRated,
    ConversationRecommended,
    ConversationStateChanged,
    CustomerCreated,
    MessageQueued,
    MessageReceived,
    MessageStateChanged,
)
from hub_api.platform.eventlog import Event
from hub_api.simulator.history.operator import seeded_uuid

COLUMNS: dict[str, tuple[str, ...]] = {
    "customers": ("id", "name", "phone", "state_code", "shard_id", "created_at", "updated_at"),
    "customer_identities": ("id", "customer_id", "kind", "value", "portfolio_id", "valid_from", "created_at"),
    "conversations": (
        "id", "customer_id", "number_id", "channel", "state", "priority", "protocol", "queue_id", "agent_id", "satisfaction",
        "nps", "rated_at", "recommended_at", "opened_at", "queued_at", "assigned_at", "first_response_at", "resolved_at", "closed_at", "last_customer_message_at",
        "last_message_at", "version", "created_at", "updated_at", "origin", "is_demand",
    ),
    "messages": (
        "id", "created_at", "conversation_id", "customer_id", "number_id", "direction", "author", "author_id", "type", "content",
        "payload", "wamid", "state", "category", "shard", "accepted_at", "sent_at", "delivered_at", "read_at", "version",
        "inserted_at", "updated_at",
    ),
    "message_key": ("wamid", "message_id", "created_at"),
    "assignments": ("id", "conversation_id", "agent_id", "reason", "assigned_at", "released_at"),
    "events": ("id", "type", "aggregate_type", "aggregate_id", "aggregate_version", "occurred_at", "payload"),
}  # fmt: skip


@dataclass(slots=True)
class Thread:
    """A conversation while it is being recorded."""

    id: UUID
    customer_id: UUID
    address: str
    protocol: str
    opened_at: datetime
    channel: str
    state: str = "bot"
    priority: int = 1
    agent_id: UUID | None = None
    version: int = 1
    satisfaction: int | None = None
    nps: int | None = None
    origin: str = "customer"
    is_demand: bool = True
    times: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message of ours: seconds from sending to each state, None where it was not reached."""

    delivered_s: float | None
    read_s: float | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """What makes a message one of a campaign: whose, in which variant, by which template, and what it costs."""

    campaign_id: UUID
    variant: str
    template: str
    cost_micros: int
    cost_currency: str


class Recorder:
    """Collects rows per table; `take()` hands them over. All identifiers come from `rng`.

    What would become of a message after `until` has not happened yet, and is not recorded.
    """

    def __init__(
        self, rng: Random, *, number_id: UUID | None, portfolio_id: str, queue_id: UUID, queue: str, shards: int,
        zone: ZoneInfo, protocols: Iterator[int], until: datetime,
    ) -> None:  # fmt: skip
        self._rng, self._number_id, self._portfolio_id = rng, number_id, portfolio_id
        self._queue_id, self._queue, self._shards = queue_id, queue, shards
        self._zone, self._protocols, self._until = zone, protocols, until
        self._rows: dict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def take(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows since the last call, by table in the order of foreign keys."""
        rows = {table: self._rows[table] for table in COLUMNS if self._rows[table]}
        self._rows = defaultdict(list)
        return rows

    def customer(
        self, customer_id: UUID, at: datetime, name: str | None, identities: dict[str, str], state_code: str | None,
        source: str = "whatsapp",
    ) -> None:  # fmt: skip
        """A person became known. `identities` by kind: bsuid, wa_id, phone."""
        shard = shard_of(customer_id, self._shards)
        self._rows["customers"].append((customer_id, name, identities.get("phone"), state_code, shard, at, at))
        for kind, value in identities.items():
            portfolio = self._portfolio_id if kind == "bsuid" else ""
            identity = (seeded_uuid(self._rng, at), customer_id, kind, value, portfolio, at, at)
            self._rows["customer_identities"].append(identity)
        self._emit(CustomerCreated(
            aggregate_id=customer_id, aggregate_version=1, occurred_at=at, state_code=state_code, source=source,
        ))  # fmt: skip

    def open(
        self, customer_id: UUID, address: str, at: datetime, *, state: str = "bot", channel: str = "whatsapp"
    ) -> Thread:
        """A demand began."""
        thread = Thread(seeded_uuid(self._rng, at), customer_id, address, self._protocol(at), at, channel, state)
        self._opened(thread)
        return thread

    def begin(self, customer_id: UUID, address: str, at: datetime) -> Thread:
        """We wrote first: no demand, of which no event tells, until the customer writes (`wake`)."""
        return Thread(
            seeded_uuid(self._rng, at), customer_id, address, self._protocol(at), at, "whatsapp", "resolved",
            origin="business", is_demand=False, times={"resolved": at},
        )  # fmt: skip

    def wake(self, thread: Thread, at: datetime) -> None:
        """The customer answers what we began: it is a demand from now on, under a protocol of its day."""
        thread.is_demand, thread.state, thread.opened_at, thread.protocol = True, "bot", at, self._protocol(at)
        del thread.times["resolved"]
        self._opened(thread)

    def receive(
        self, thread: Thread, at: datetime, text: str, *, type_: str = "text", wamid: str | None = None
    ) -> UUID:
        """The customer wrote; returns the message's id."""
        message_id, wamid = seeded_uuid(self._rng, at), wamid or self._wamid(thread.address)
        self._message(thread, message_id, at, "in", "customer", None, type_, text, {}, wamid, "received", None, {}, 1)
        self._emit(MessageReceived(
            aggregate_id=message_id, aggregate_version=1, occurred_at=at, conversation_id=thread.id,
            customer_id=thread.customer_id, message_type=type_, content=text, received_at=at, number_id=self._number_id,
        ))  # fmt: skip
        thread.times["last_customer_message"] = at
        return message_id

    def send(
        self, thread: Thread, at: datetime, text: str, delivery: Delivery, *, author: str, author_id: UUID | None = None,
        type_: str = "text", wamid: str | None = None, promotion: Promotion | None = None,
    ) -> None:  # fmt: skip
        """We wrote: queued, accepted and sent at once, delivered and read as `delivery` says."""
        message_id, wamid = seeded_uuid(self._rng, at), wamid or self._wamid(thread.address)
        shard, category = shard_of(thread.customer_id, self._shards), "marketing" if promotion else "service"
        self._emit(MessageQueued(
            aggregate_id=message_id, aggregate_version=1, occurred_at=at, conversation_id=thread.id,
            customer_id=thread.customer_id, message_type=type_, content=text, author=author, category=category, shard=shard,
            author_id=author_id, number_id=self._number_id, template=promotion.template if promotion else None,
            campaign_id=promotion.campaign_id if promotion else None, variant=promotion.variant if promotion else None,
        ))  # fmt: skip
        steps = [("accepted", 0.3), ("sent", 0.6)]
        if delivery.delivered_s is not None:
            steps.append(("delivered", 0.6 + delivery.delivered_s))
            if delivery.read_s is not None:
                steps.append(("read", 0.6 + delivery.delivered_s + delivery.read_s))
        times, state = {}, "claimed"
        reached_s = [(name, after_s) for name, after_s in steps if at + timedelta(seconds=after_s) <= self._until]
        for version, (reached, after_s) in enumerate(reached_s, start=3):
            times[reached] = at + timedelta(seconds=after_s)
            self._emit(MessageStateChanged(
                aggregate_id=message_id, aggregate_version=version, occurred_at=times[reached], conversation_id=thread.id,
                customer_id=thread.customer_id, from_state=state, to_state=reached, pricing_category=category,
                pricing_type="regular" if promotion else "free_customer_service",
                cost_micros=promotion.cost_micros if promotion else None, cost_currency=promotion.cost_currency if promotion else None,
            ))  # fmt: skip
            state = reached
        body = {"type": type_, type_: {"body": text}}
        self._message(
            thread,
            message_id,
            at,
            "out",
            author,
            author_id,
            type_,
            text,
            body,
            wamid,
            state,
            category,
            times,
            2 + len(reached_s),
        )
        if author == "agent":
            thread.times.setdefault("first_response", at)

    def move(self, thread: Thread, at: datetime, to_state: str, reason: str, agent_id: UUID | None = None) -> None:
        """The conversation took one step of its state machine."""
        thread.version += 1
        if to_state == "assigned" and agent_id is not None and agent_id != thread.agent_id:
            thread.agent_id = agent_id
            assignment = (seeded_uuid(self._rng, at), thread.id, agent_id, reason, at, None)
            self._rows["assignments"].append(assignment)
        self._emit(ConversationStateChanged(
            aggregate_id=thread.id, aggregate_version=thread.version, occurred_at=at, customer_id=thread.customer_id,
            from_state=thread.state, to_state=to_state, reason=reason,
            queue=self._queue if to_state in ("queued", "assigned") else None, agent_id=thread.agent_id,
        ))  # fmt: skip
        thread.state = to_state
        if to_state in ("queued", "assigned"):
            thread.times.setdefault(to_state, at)
        elif to_state in ("resolved", "closed"):
            thread.times[to_state] = at

    def rate(self, thread: Thread, at: datetime, satisfaction: int) -> None:
        """The customer answered the survey, 1 to 5."""
        thread.version += 1
        thread.satisfaction, thread.times["rated"] = satisfaction, at
        self._emit(ConversationRated(
            aggregate_id=thread.id, aggregate_version=thread.version, occurred_at=at, customer_id=thread.customer_id,
            satisfaction=satisfaction,
        ))  # fmt: skip

    def recommend(self, thread: Thread, at: datetime, score: int) -> None:
        """The customer said how much they would recommend us, 0 to 10."""
        thread.version += 1
        thread.nps, thread.times["recommended"] = score, at
        self._emit(ConversationRecommended(
            aggregate_id=thread.id, aggregate_version=thread.version, occurred_at=at, customer_id=thread.customer_id, score=score,
        ))  # fmt: skip

    def finish(self, thread: Thread, last_at: datetime) -> None:
        """Nothing more will happen: the conversation's row is written."""
        times = thread.times
        queue_id = self._queue_id if "queued" in times else None
        self._rows["conversations"].append((
            thread.id, thread.customer_id, self._number_id, thread.channel, thread.state, thread.priority, thread.protocol,
            queue_id, thread.agent_id, thread.satisfaction, thread.nps,
            times.get("rated"), times.get("recommended"), thread.opened_at, times.get("queued"), times.get("assigned"),
            times.get("first_response"), times.get("resolved"), times.get("closed"), times.get("last_customer_message"),
            last_at, thread.version, thread.opened_at, last_at, thread.origin, thread.is_demand,
        ))  # fmt: skip

    def tell(self, *events: Event) -> None:
        """What happened beside any conversation: events without rows."""
        for event in events:
            self._emit(event)

    def _protocol(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%Y%m%d}{next(self._protocols):08d}"

    def _opened(self, thread: Thread) -> None:
        self._emit(ConversationOpened(
            aggregate_id=thread.id, aggregate_version=1, occurred_at=thread.opened_at, customer_id=thread.customer_id,
            protocol=thread.protocol, channel=thread.channel, state=thread.state, number_id=self._number_id,
        ))  # fmt: skip

    def _message(
        self, thread: Thread, message_id: UUID, at: datetime, direction: str, author: str, author_id: UUID | None, type_: str,
        text: str, payload: dict[str, Any], wamid: str, state: str, category: str | None, times: dict[str, datetime], version: int,
    ) -> None:  # fmt: skip
        self._rows["messages"].append((
            message_id, at, thread.id, thread.customer_id, self._number_id, direction, author, author_id, type_, text, payload,
            wamid, state, category, shard_of(thread.customer_id, self._shards), times.get("accepted"), times.get("sent"),
            times.get("delivered"), times.get("read"), version, at, at,
        ))  # fmt: skip
        self._rows["message_key"].append((wamid, message_id, at))

    def _wamid(self, address: str) -> str:
        body = b"\x1d\x1c\x15\x02\x00" + address.encode() + b"\x15" + self._rng.randbytes(15)
        return "wamid." + base64.b64encode(body).decode()

    def _emit(self, event: Event) -> None:
        self._rows["events"].append((
            seeded_uuid(self._rng, event.occurred_at), event.type, event.aggregate_type, event.aggregate_id,
            event.aggregate_version, event.occurred_at, event.payload(),
        ))  # fmt: skip

"""Small stories told in events: a conversation and what is said in it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub_api.events import (
    ConversationOpened,
    ConversationRated,
    ConversationRecommended,
    ConversationStateChanged,
    MessageQueued,
    MessageReceived,
    MessageStateChanged,
)
from hub_api.platform.eventlog import Event
from tests.assets.conftest import at, named


@dataclass
class Talk:
    """One conversation; every method adds an event to `events` and most return the message's id."""

    name: str
    opened: str
    state: str = "bot"
    version: int = 1
    said: int = 0
    person: str = ""
    previous: str = ""
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events.append(ConversationOpened(
            aggregate_id=self.id, aggregate_version=1, occurred_at=at(self.opened), customer_id=self.customer_id,
            protocol="2026031000000001", channel="whatsapp", state=self.state, number_id=named("number"),
            previous_id=named(self.previous) if self.previous else None,
        ))  # fmt: skip

    @property
    def id(self) -> UUID:
        return named(self.name)

    @property
    def customer_id(self) -> UUID:
        return named("customer " + (self.person or self.name))

    def customer(self, when: str | datetime, text: str = "oi", *, received: str | None = None) -> UUID:
        message = self._next()
        time = at(when) if isinstance(when, str) else when
        self.events.append(MessageReceived(
            aggregate_id=message, aggregate_version=1, occurred_at=time, conversation_id=self.id,
            customer_id=self.customer_id, message_type="text", content=text, received_at=at(received) if received else time,
        ))  # fmt: skip
        return message

    def we(
        self,
        when: str,
        author: str = "agent",
        text: str = "olá",
        becomes: tuple[tuple[str, str], ...] = (),
        by: str | None = None,
        category: str = "service",
    ) -> UUID:
        message = self._next()
        self.events.append(MessageQueued(
            aggregate_id=message, aggregate_version=1, occurred_at=at(when), conversation_id=self.id,
            customer_id=self.customer_id, message_type="text", content=text, author=author, category=category, shard=0,
            author_id=named(by) if by else None, number_id=named("number"),
        ))  # fmt: skip
        for version, (state, time) in enumerate(becomes, start=2):
            self.changed(message, state, time, version)
        return message

    def changed(self, message: UUID, state: str, when: str, version: int, error_code: int | None = None) -> None:
        self.events.append(MessageStateChanged(
            aggregate_id=message, aggregate_version=version, occurred_at=at(when), conversation_id=self.id,
            customer_id=self.customer_id, from_state="queued", to_state=state, error_code=error_code,
        ))  # fmt: skip

    def moves(self, when: str, state: str, queue: str | None = None, agent: str | None = None) -> None:
        self.version += 1
        self.events.append(ConversationStateChanged(
            aggregate_id=self.id, aggregate_version=self.version, occurred_at=at(when), customer_id=self.customer_id,
            from_state=self.state, to_state=state, reason="test", queue=queue, agent_id=named(agent) if agent else None,
        ))  # fmt: skip
        self.state = state

    def rated(self, when: str, satisfaction: int) -> None:
        self.version += 1
        self.events.append(ConversationRated(
            aggregate_id=self.id, aggregate_version=self.version, occurred_at=at(when),
            customer_id=self.customer_id, satisfaction=satisfaction,
        ))  # fmt: skip

    def recommends(self, when: str, score: int) -> None:
        self.version += 1
        self.events.append(ConversationRecommended(
            aggregate_id=self.id, aggregate_version=self.version, occurred_at=at(when), customer_id=self.customer_id, score=score,
        ))  # fmt: skip

    def _next(self) -> UUID:
        self.said += 1
        return named(f"{self.name} message {self.said}")

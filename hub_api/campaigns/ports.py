"""What campaigns need of the channel and of segments, which are siblings: `hub_api/campaign_channel.py` gives it to routes and jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol
from uuid import UUID

from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.settings import Settings

Components = list[Any]


@dataclass(frozen=True, slots=True)
class Audience:
    """A segment's query: one column, customer_id, of the customers of `as_of` in the build `version`."""

    definition: dict[str, Any]
    as_of: date
    version: str
    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Template:
    """A template as the accounts have it: `status` the best of them, `places` its variables (`body.1`, `header.1`, `button.0`),
    `buttons` where those of the buttons lead (`button.0`: an address with {{1}})."""

    name: str
    language: str
    category: str
    status: str
    components: Components
    places: tuple[str, ...]
    buttons: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the numbers of a template can do: messages a second, users that today's quotas leave, and a day's (None: no limit)."""

    rate: float
    quota_left: int | None
    quota_a_day: int | None


@dataclass(frozen=True, slots=True)
class Message:
    """A filled template for a customer."""

    customer_id: UUID
    name: str
    language: str
    components: Components
    variant: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A message in the outbox."""

    message_id: UUID
    created_at: datetime


class Channel(Protocol):
    """Segments and WhatsApp, as campaigns see them."""

    async def audience(self, services: Services, segment_id: UUID | None, definition: Any) -> Audience:
        """The query of a kept segment or of a tree. Raises NotFound, Invalid, Conflict."""

    async def template(self, services: Services, name: str, language: str) -> Template | None:
        """None when no account has it."""

    def preview(self, template: Template, components: Components) -> dict[str, Any]:
        """The message as the phone shows it."""

    async def place(
        self, tx: Transaction, settings: Settings, messages: Sequence[Message], campaign_id: UUID
    ) -> tuple[Mapping[UUID, Placed], Mapping[UUID, str]]:
        """Put messages into the outbox: what was placed, and the code of the error for who got none, by customer."""

    async def price(self, services: Services, category: str) -> tuple[int, str] | None:
        """Of one message to Brazil now, in millionths of a currency; None when no rate card has it."""

    async def capacity(self, services: Services, name: str, language: str) -> Capacity:
        """Of the numbers that may send the template now."""

    def retryable(self, code: int | None) -> bool:
        """Whether the error table lets a message that failed with `code` be sent again."""

    def meaning(self, code: int | None) -> str:
        """What the error table says of `code`, in English; of none that Meta never answered."""

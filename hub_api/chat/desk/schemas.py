"""The API's view of what agents do beside answering."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from hub_api.chat.schemas import Shown, Strict


class Snooze(Strict):
    """Until when a conversation is put off; null: no more."""

    until: datetime | None = Field(examples=["2027-01-02T09:00:00-03:00"])


class NewDisposition(Strict):
    """An outcome with which conversations end."""

    name: str = Field(min_length=1, max_length=120, examples=["Visita agendada"])
    active: bool = True


class Disposition(NewDisposition, Shown):
    """An outcome by its key."""

    key: str = Field(examples=["visita_agendada"])


class Dispositions(Shown):
    """All outcomes, by name."""

    items: list[Disposition]


class NewNote(Strict):
    """What colleagues should know; the customer never sees it."""

    text: str = Field(min_length=1, max_length=4000, examples=["Cliente prefere contato à tarde."])
    mentions: list[UUID] = Field(default_factory=list, max_length=20, description="users who should look at it")


class Note(Shown):
    """A note on a conversation."""

    id: UUID
    conversation_id: UUID
    author_id: UUID | None
    author: str | None = Field(description="his name; null: a program")
    text: str
    mentions: list[UUID]
    created_at: datetime


class NotePage(Shown):
    """Notes, newest first."""

    items: list[Note]
    next_cursor: str | None


class Labels(Strict):
    """How urgent it is, and its tags; what is not named stays."""

    priority: int | None = Field(None, ge=1, le=5, examples=[4], description="1 low to 5 critical")
    tags: list[Annotated[str, Field(min_length=1, max_length=40)]] | None = Field(
        None, max_length=30, examples=[["fibra", "vip"]]
    )


class NewScheduled(Strict):
    """A text that leaves later."""

    text: str = Field(min_length=1, max_length=4096, examples=["Bom dia! A visita ficou para hoje às 14h."])
    send_at: datetime = Field(description="ahead, within 30 days, before the window closes")
    unless_customer_writes: bool = Field(True, description="a word of the customer before it stops it")


class Scheduled(Shown):
    """A text that leaves later, or what became of it."""

    id: UUID
    conversation_id: UUID
    author_id: UUID | None
    author: str | None
    text: str
    send_at: datetime
    unless_customer_writes: bool
    state: Literal["waiting", "sent", "cancelled", "failed"]
    failure: str | None = Field(description="`window_closed`, `conversation_closed` or `customer_wrote`")
    message_id: UUID | None = Field(description="once it is sent")
    created_at: datetime


class ScheduledReplies(Shown):
    """Those of one conversation, newest first, 200 at most."""

    items: list[Scheduled]


class NewCanned(Strict):
    """A text under a shortcut; {cliente}, {protocolo}, {fila} and {atendente} are filled."""

    shortcut: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", examples=["boas-vindas"])
    title: str = Field(min_length=1, max_length=120, examples=["Boas-vindas"])
    text: str = Field(min_length=1, max_length=4096, examples=["Olá {cliente}, aqui é {atendente}. Como posso ajudar?"])
    team_id: UUID | None = Field(None, description="the team that has it; null: everybody")


class Canned(NewCanned, Shown):
    """A canned reply."""

    id: UUID
    version: int
    updated_at: datetime


class CannedPage(Shown):
    """Canned replies, oldest first."""

    items: list[Canned]
    next_cursor: str | None


class Rendered(Shown):
    """A canned reply for one conversation."""

    text: str = Field(examples=["Olá Ana, aqui é Bia. Como posso ajudar?"])


class Steps(Strict):
    """What a macro does, in this order; of the last three (where the conversation goes) one at most."""

    reply: str | None = Field(None, min_length=1, max_length=4096, description="with the variables of canned replies")
    add_tags: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(default_factory=list, max_length=10)
    priority: int | None = Field(None, ge=1, le=5)
    transfer_to: str | None = Field(None, max_length=100, description="key of a queue")
    snooze_minutes: int | None = Field(None, ge=1, le=43_200)
    resolve: bool = False
    disposition: str | None = Field(None, max_length=60, description="with which outcome it is resolved")

    @model_validator(mode="after")
    def _one_way(self) -> "Steps":
        ways = (self.transfer_to is not None) + (self.snooze_minutes is not None) + self.resolve
        if ways > 1:
            raise ValueError("a conversation goes one way: transfer_to, snooze_minutes or resolve")
        if self.disposition is not None and not self.resolve:
            raise ValueError("an outcome belongs to resolve")
        if not ways and self.reply is None and self.priority is None and not self.add_tags:
            raise ValueError("a macro does something")
        return self


class NewMacro(Strict):
    """Steps under a name."""

    name: str = Field(min_length=1, max_length=120, examples=["Visita agendada"])
    team_id: UUID | None = Field(None, description="the team that has it; null: everybody")
    steps: Steps = Field(examples=[{"reply": "Visita marcada, {cliente}!", "add_tags": ["visita"], "resolve": True}])


class Macro(NewMacro, Shown):
    """A macro."""

    id: UUID
    version: int
    updated_at: datetime


class MacroPage(Shown):
    """Macros, oldest first."""

    items: list[Macro]
    next_cursor: str | None


class Applied(Shown):
    """What came of it."""

    message_id: UUID | None = Field(description="of its reply; null: it has none")

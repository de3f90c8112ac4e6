"""The API's view of queues: their rules and how the line stands."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from hub_api.chat.agents.schemas import Language, Skills
from hub_api.chat.schemas import Shown, Strict
from hub_api.settings import weekly_hours

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$", examples=["suporte"])]

WAITING = "Você é o {position}º da fila. Tempo estimado: {wait}."
CLOSED = "Nosso atendimento volta {opens}. Sua mensagem está guardada sob o protocolo {protocol}."


def _readable(text: str) -> str:
    weekly_hours(text)
    return text


class QueueRules(Strict):
    """Whom a queue wants, how it chooses, and what it does with who waits."""

    name: str = Field(min_length=1, max_length=100, examples=["Suporte técnico"])
    active: bool = Field(True, description="takes new conversations; who waits is served in any case")
    is_default: bool = Field(False, description="where a conversation waits that nobody gave a queue; one queue is")
    skills: Skills = Field(default_factory=dict, examples=[{"fibra": 3}])
    languages: list[Language] = Field(default_factory=list, max_length=20, description="one is spoken; empty: any")
    business_hours: Annotated[str, AfterValidator(_readable)] | None = Field(
        None, max_length=200, examples=["1-5 08:00-20:00, 6 08:00-14:00"], description="null: those of the hub"
    )
    holidays_closed: bool = Field(True, description="closed on holidays of Brazil and of HUB_HOLIDAY_STATE")
    strategy: Literal["least_busy", "round_robin", "weighted", "last_agent"] = Field(
        "least_busy",
        description="least busy then longest idle; in turn; by skill and priority; the customer's last agent, else least busy",
    )
    overflow_queue: str | None = Field(None, max_length=100, description="key of the queue that helps out")
    overflow_after_s: int | None = Field(None, gt=0, le=86_400, description="after so long in this queue, in its hours")
    escalate_after_s: int | None = Field(None, gt=0, le=86_400, description="after so long it becomes more urgent")
    escalate_to: int | None = Field(None, ge=2, le=5, description="the priority it gets then")
    on_lost: Literal["return", "keep"] = Field(
        "return", description="what becomes of conversations in which an agent talks who is gone"
    )
    keep_minutes: int = Field(5, ge=1, le=1440, description="so long they are kept for him")
    waiting_text: str | None = Field(
        WAITING, max_length=1000, description="told once to who waits: {position}, {wait}, {protocol}; null: nothing"
    )
    closed_text: str | None = Field(
        CLOSED, max_length=1000, description="told instead outside the hours: {opens}, {protocol}; null: nothing"
    )
    hook_url: str | None = Field(
        None, max_length=500, description="https address of a program that names the agent; its silence changes nothing"
    )
    hook_timeout_ms: int = Field(800, ge=50, le=5000)
    disposition_required: bool = Field(
        False, description="people end its conversations with an outcome, as long as any is in use"
    )

    @model_validator(mode="after")
    def _pairs(self) -> "QueueRules":
        if (self.overflow_queue is None) != (self.overflow_after_s is None):
            raise ValueError("overflow_queue and overflow_after_s go together")
        if (self.escalate_to is None) != (self.escalate_after_s is None):
            raise ValueError("escalate_to and escalate_after_s go together")
        return self


class NewQueue(QueueRules):
    """A queue by its key, which never changes."""

    key: Key
    team_id: UUID | None = Field(None, description="the team that serves it; null: everybody")


class Queue(QueueRules, Shown):
    """A queue and how its line stands."""

    id: UUID
    key: str
    team_id: UUID | None
    waiting: int
    oldest_waiting_at: datetime | None
    agents_online: int
    served_last_hour: int
    lacks: list[str] = Field(
        examples=[["fibra:3"]],
        description="skills and languages that it, or somebody in its line, asks for and nobody who serves it has",
    )
    is_open: bool = Field(description="by its hours and holidays, now")
    version: int
    updated_at: datetime


class QueuePage(Shown):
    """Queues, oldest first."""

    items: list[Queue]
    next_cursor: str | None

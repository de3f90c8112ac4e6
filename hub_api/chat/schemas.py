"""The API's view of conversations, messages and customers: what goes in and out, with examples."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.chat.survey import Outcome as SurveyOutcome

State = Literal["bot", "queued", "assigned", "waiting_customer", "resolved", "closed"]

_CONVERSATION = "0199f2c0-7a10-7c31-9a5e-3d1f0b6c2a11"
_CUSTOMER = "0199f2c0-7a0f-7b02-8c44-1f2e3d4c5b6a"
_AGENT = "0199f2b1-1111-7aaa-8bbb-cccccccccccc"


class Shown(BaseModel):
    """Made from a row; columns that are not named here stay inside."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


Author = Literal["customer", "bot", "agent", "campaign", "system", "phone_app"]


class Conversation(Shown):
    """One demand of a customer, under one protocol number."""

    id: UUID = Field(examples=[_CONVERSATION])
    protocol: str = Field(examples=["2026112300001234"], description="numeric, unique, told to the customer")
    state: State
    priority: int = Field(ge=1, le=5, examples=[1], description="1 low to 5 critical")
    customer_id: UUID = Field(examples=[_CUSTOMER])
    customer_name: str | None = Field(examples=["Ana Souza"])
    number_id: UUID | None
    channel: str = Field(
        examples=["whatsapp"], description="`whatsapp`, or `site`: the chat of a website, where no window closes"
    )
    queue: str | None = Field(examples=["atendimento"])
    agent_id: UUID | None
    tags: list[str]
    ai_summary: str | None = Field(description="what it was about, written when it was handed on or ended")
    ai_summary_by: str | None = Field(examples=["extract"], description="`extract`: its own sentences; else the model")
    ai_summary_at: datetime | None
    satisfaction: int | None = Field(ge=1, le=5)
    nps: int | None = Field(ge=0, le=10, description="how much the customer would recommend us after it")
    survey: SurveyOutcome | None = Field(
        description="where the 24 h window had closed: the template that asks is `due` or went out (`template`), or why nobody was asked"
    )
    avg_response_time: timedelta | None = Field(examples=["PT42S"], description="over all answers, bot's and people's")
    previous_id: UUID | None = Field(description="the conversation this one follows")
    merged_into: UUID | None = Field(description="closed, and read with that conversation from then on")
    merged_protocols: list[str] = Field(examples=[[]], description="protocol numbers of those that were merged into it")
    opened_at: datetime
    queued_at: datetime | None
    assigned_at: datetime | None
    first_response_at: datetime | None = Field(description="first message of a person, not of the bot")
    resolved_at: datetime | None
    closed_at: datetime | None
    last_customer_message_at: datetime | None = Field(description="free-form messages may go out for 24 h after it")
    window_open_until: datetime | None = Field(description="until then anything may be sent; null: templates only")
    free_entry_until: datetime | None = Field(
        description="the customer came from an ad: what is sent until then costs nothing; null: no such time runs"
    )
    last_message_at: datetime | None
    unanswered_since: datetime | None = Field(description="the customer's oldest message without an answer")
    reopened_count: int
    line_at: datetime | None = Field(description="its place in line: kept when it is handed on")
    snoozed_until: datetime | None = Field(description="put off by its agent until then, or until the customer writes")
    spam_at: datetime | None
    disposition: str | None = Field(description="key of the outcome with which it ended")
    sla_due_at: datetime | None = Field(description="when its next promise of service (SLA) is due; null: none runs")
    version: int


class MessageFile(Shown):
    """A file of a message; `POST /api/v1/media/{id}/link` gives an address to read it once it is `stored`."""

    id: UUID
    kind: str = Field(examples=["image"])
    state: str = Field(
        examples=["stored"], description="pending, scanning, stored, infected, failed, expired or erased"
    )
    reason: str | None = Field(examples=[None], description="why it is not stored, or what the last attempt met")
    mime_type: str | None = Field(examples=["image/jpeg"], description="what the bytes are, whatever the sender said")
    size_bytes: int | None
    filename: str | None


class Message(Shown):
    """A message of the customer (`in`) or of ours (`out`)."""

    id: UUID
    conversation_id: UUID = Field(description="another than the one asked for when that one was merged into it")
    created_at: datetime
    direction: Literal["in", "out"]
    author: Author
    author_id: UUID | None
    type: str = Field(examples=["text"])
    content: str | None = Field(examples=["minha internet caiu"])
    payload: dict[str, Any]
    media: list[MessageFile] | None = Field(description="its files, null without any")
    reply_to: UUID | None = Field(description="the message that this one quotes")
    state: str = Field(examples=["received"])
    category: str | None
    error_code: int | None
    error_title: str | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    edited_at: datetime | None
    revoked_at: datetime | None = Field(description="the customer deleted it: content and payload are not shown")
    reactions: dict[str, Any] = Field(examples=[{"customer": {"emoji": "👍", "at": "2026-11-23T12:00:00+00:00"}}])
    time_flag: str | None = Field(description="`clamped`: the channel told an impossible time")
    estimated_micros: int | None = Field(
        description="what it was expected to cost when the channel accepted it, in millionths of `estimated_currency`"
    )
    estimated_currency: str | None
    charged_micros: int | None = Field(description="what the channel charges once it is delivered; null: not told yet")
    charged_currency: str | None


class Customer(Shown):
    """A person."""

    id: UUID = Field(examples=[_CUSTOMER])
    name: str | None = Field(examples=["Ana Souza"])
    username: str | None
    phone: str | None = Field(examples=["+5511987654321"], description="E.164, with the ninth digit")
    status: str = Field(examples=["active"])
    state_code: str | None = Field(examples=["SP"], description="UF")
    language: str
    tags: list[str]
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class CustomerIdentity(Shown):
    """How the channel knows the person, now or until `valid_to`."""

    kind: Literal["bsuid", "parent_bsuid", "wa_id", "phone", "site", "site_user"]
    value: str
    valid_from: datetime
    valid_to: datetime | None


class SurveyAnswer(Shown):
    """What a customer said to the survey, and after which conversation."""

    value: int = Field(ge=0, le=10)
    at: datetime
    conversation_id: UUID


class CustomerWithIdentities(Customer):
    """A person, every identity known, and what the survey heard last, in whatever conversation."""

    identities: list[CustomerIdentity]
    satisfaction: SurveyAnswer | None = Field(description="1 to 5")
    nps: SurveyAnswer | None = Field(description="how much they would recommend us, 0 to 10")


class Correction(Strict):
    """What is right; what is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200, examples=["Ana Souza"])
    state_code: str | None = Field(None, pattern="^[A-Z]{2}$", examples=["SP"], description="UF")
    language: str = Field("pt_BR", pattern="^[a-z]{2}(_[A-Z]{2})?$", examples=["pt_BR"])
    tags: list[Annotated[str, Field(min_length=1, max_length=60)]] = Field(default=[], max_length=50)
    metadata: dict[str, Any] = Field(default={}, max_length=100, description="all of it: what is left out in it goes")


class ConversationPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Conversation]
    next_cursor: str | None


class MessagePage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Message]
    next_cursor: str | None


class Found(Shown):
    """A message that matches a search, and where it stands."""

    id: UUID
    created_at: datetime
    conversation_id: UUID
    customer_id: UUID
    customer_name: str | None = Field(examples=["Ana Souza"])
    customer_phone: str | None = Field(examples=["…4321"], description="null without `customers:read`")
    direction: Literal["in", "out"]
    author: str = Field(examples=["customer"])
    author_id: UUID | None = Field(description="the agent who wrote it")
    type: str = Field(examples=["text"])
    content: str | None = Field(examples=["minha internet caiu"])


class FoundPage(BaseModel):
    """`next_cursor` is null when nothing older matches."""

    items: list[Found]
    next_cursor: datetime | None


class CustomerPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Customer]
    next_cursor: str | None


class Queued(BaseModel):
    """The message waits for sending; its state follows in the conversation's messages."""

    id: UUID
    state: Literal["queued"] = "queued"


class Assignment(Strict):
    """To whom."""

    agent_id: UUID = Field(examples=[_AGENT])
    reason: str = Field("assigned", max_length=100)
    note: str | None = Field(
        None, min_length=1, max_length=4000, description="a note for who has it next; the customer never sees it"
    )


class Next(Strict):
    """From which line; without a queue, from all that one sees."""

    queue: str | None = Field(None, max_length=100, examples=["suporte"])


class Taken(BaseModel):
    """What one has now."""

    conversation: Conversation | None = Field(description="null: nobody waits")


class Transfer(Strict):
    """Where to; without a queue, the one it had."""

    queue: str | None = Field(None, max_length=100, examples=["suporte"])
    reason: str = Field("transferred", max_length=100)
    priority: int | None = Field(None, ge=1, le=5, description="1 low to 5 critical; null: as it was")
    skills: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]{1,40}$")], Annotated[int, Field(ge=1, le=5)]] | None = Field(
        None, max_length=50, description="what its agent must know, beside the queue's wishes; null: as it was"
    )
    language: str | None = Field(None, pattern=r"^[a-z]{2}(_[A-Z]{2})?$", description="which its agent must speak")
    note: str | None = Field(
        None, min_length=1, max_length=4000, description="a note for who has it next; the customer never sees it"
    )


class Ending(Strict):
    """Why it counts as answered."""

    reason: str = Field("resolved", max_length=100, examples=["resolved"])
    disposition: str | None = Field(
        None, max_length=60, description="key of an outcome (`GET /api/v1/dispositions`); null: none is noted"
    )


class Closing(Strict):
    """Why it ends for good."""

    reason: str = Field("closed", max_length=100, examples=["closed"])
    disposition: str | None = Field(
        None, max_length=60, description="key of an outcome (`GET /api/v1/dispositions`); null: none is noted"
    )


class Rating(Strict):
    """How the customer was served."""

    satisfaction: int = Field(ge=1, le=5, examples=[5])

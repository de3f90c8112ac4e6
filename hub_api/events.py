"""The domain events: their names and payloads. This is the contract between the real-time layer and the warehouse.

Fields beyond the envelope become the JSON payload. No wamid and no phone number: both are personal data, and the
warehouse finds people by `customer_id`. Text travels only in `content`, for sentiment and search, and is erased there
with its customer. A new field is optional; a name is never reused with another meaning.
"""

from datetime import datetime
from typing import ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from hub_api.platform.eventlog import Event


class CustomerEvent(Event, frozen=True, kw_only=True):
    """aggregate_id is the customer."""

    aggregate_type: ClassVar[str] = "customer"


class CustomerCreated(CustomerEvent, frozen=True, kw_only=True):
    """A person wrote or was imported for the first time."""

    type: ClassVar[str] = "customer.created"
    state_code: str | None = None
    source: str = "whatsapp"


class CustomerMerged(CustomerEvent, frozen=True, kw_only=True):
    """One payload proved that two customers are one; aggregate_id lives on under `into`."""

    type: ClassVar[str] = "customer.merged"
    into: UUID


class CustomerIdentityChanged(CustomerEvent, frozen=True, kw_only=True):
    """An identity was added or rotated (new number, new BSUID)."""

    type: ClassVar[str] = "customer.identity_changed"
    kind: str
    reason: str


class CustomerCorrected(CustomerEvent, frozen=True, kw_only=True):
    """What the hub knew of a person was wrong: the names of the corrected fields, and the state as it is now."""

    type: ClassVar[str] = "customer.corrected"
    fields: tuple[str, ...]
    state_code: str | None = None


class ConversationEvent(Event, frozen=True, kw_only=True):
    """aggregate_id is the conversation."""

    aggregate_type: ClassVar[str] = "conversation"
    customer_id: UUID


class ConversationOpened(ConversationEvent, frozen=True, kw_only=True):
    """A demand began; the protocol number is fixed for its life."""

    type: ClassVar[str] = "conversation.opened"
    protocol: str
    channel: str
    state: str
    priority: int = 1
    number_id: UUID | None = None
    previous_id: UUID | None = None


class ConversationStateChanged(ConversationEvent, frozen=True, kw_only=True):
    """bot, queued, assigned, waiting_customer, resolved, closed: one step of design §5."""

    type: ClassVar[str] = "conversation.state_changed"
    from_state: str
    to_state: str
    reason: str
    queue: str | None = None
    agent_id: UUID | None = None


class ConversationAssigned(ConversationEvent, frozen=True, kw_only=True):
    """An agent got the conversation: by which rule (`strategy` null: by hand), after which wait, of how many candidates.

    It comes with the state_changed of the same version; the candidates' features stay in PostgreSQL (`assignments`).
    """

    type: ClassVar[str] = "conversation.assigned"
    agent_id: UUID
    reason: str
    queue: str | None = None
    strategy: str | None = None
    waited_s: float | None = None
    candidates: int = 0


class ConversationPrioritised(ConversationEvent, frozen=True, kw_only=True):
    """It is more or less urgent now, 1 low to 5 critical: it `waited` too long in its queue, or `by_hand`."""

    type: ClassVar[str] = "conversation.prioritised"
    from_priority: int
    priority: int
    reason: str


class ConversationSnoozed(ConversationEvent, frozen=True, kw_only=True):
    """Its agent put it off until then, or until the customer writes, which needs no event of its own."""

    type: ClassVar[str] = "conversation.snoozed"
    until: datetime
    agent_id: UUID | None = None


class ConversationWoken(ConversationEvent, frozen=True, kw_only=True):
    """The time for which it was put off is over (`time`), or somebody ended it (`by_hand`)."""

    type: ClassVar[str] = "conversation.woken"
    reason: str
    agent_id: UUID | None = None


class ConversationDisposed(ConversationEvent, frozen=True, kw_only=True):
    """The outcome with which it ends, by its key; the last one counts."""

    type: ClassVar[str] = "conversation.disposed"
    disposition: str


class ConversationMerged(ConversationEvent, frozen=True, kw_only=True):
    """It took in `merged_id`, which is closed with the reason `merged`; that one's messages are read with its own."""

    type: ClassVar[str] = "conversation.merged"
    merged_id: UUID


class ConversationSummarised(ConversationEvent, frozen=True, kw_only=True):
    """It has a summary, made from its own sentences (`extract`) or by a model; the text stays in PostgreSQL."""

    type: ClassVar[str] = "conversation.summarised"
    by: str


class ConversationNoted(ConversationEvent, frozen=True, kw_only=True):
    """A colleague noted something and mentioned others; the text stays in PostgreSQL."""

    type: ClassVar[str] = "conversation.noted"
    note_id: UUID
    author_id: UUID | None = None
    mentions: tuple[UUID, ...] = ()


class ConversationPromise(ConversationEvent, frozen=True, kw_only=True):
    """A promise of service (SLA) to this conversation: first_response, next_response or resolution, due at `due_at`."""

    target: str
    policy_id: UUID
    started_at: datetime
    due_at: datetime
    priority: int
    queue: str | None = None
    agent_id: UUID | None = None


class ConversationPromiseWarned(ConversationPromise, frozen=True, kw_only=True):
    """It is about to be broken; told once."""

    type: ClassVar[str] = "conversation.sla_warned"


class ConversationPromiseBroken(ConversationPromise, frozen=True, kw_only=True):
    """It was broken at `due_at`; told once, also when the answer came after it."""

    type: ClassVar[str] = "conversation.sla_breached"


class AgentPresenceChanged(Event, frozen=True, kw_only=True):
    """online, away, break or offline from now on; aggregate_id is the user. `previous_s`: how long the state before lasted."""

    type: ClassVar[str] = "agent.presence_changed"
    aggregate_type: ClassVar[str] = "agent"
    agent_id: UUID
    from_presence: str
    presence: str
    reason: str | None = None
    previous_s: float = 0.0


class ConversationRated(ConversationEvent, frozen=True, kw_only=True):
    """The customer's satisfaction with this conversation, 1 to 5."""

    type: ClassVar[str] = "conversation.rated"
    satisfaction: int


class ConversationRecommended(ConversationEvent, frozen=True, kw_only=True):
    """How much the customer would recommend us after this conversation, 0 to 10."""

    type: ClassVar[str] = "conversation.recommended"
    score: int


class ConversationSurveyed(ConversationEvent, frozen=True, kw_only=True):
    """How its survey went where the 24 h window had closed: `due`, `template`, or why nobody was asked; `asked`: inside it after all."""

    type: ClassVar[str] = "conversation.surveyed"
    reason: str


class MessageEvent(Event, frozen=True, kw_only=True):
    """aggregate_id is the message."""

    aggregate_type: ClassVar[str] = "message"
    conversation_id: UUID
    customer_id: UUID


class MessageReceived(MessageEvent, frozen=True, kw_only=True):
    """A customer's message; occurred_at is the payload's time, `received_at` ours."""

    type: ClassVar[str] = "message.received"
    message_type: str
    content: str | None
    received_at: datetime
    number_id: UUID | None = None
    stale: bool = False


class MessageQueued(MessageEvent, frozen=True, kw_only=True):
    """A message of ours waits for sending; `shard` says which worker's bell to ring. `variant`: of its campaign's test."""

    type: ClassVar[str] = "message.queued"
    message_type: str
    content: str | None
    author: str
    category: str
    shard: int
    author_id: UUID | None = None
    number_id: UUID | None = None
    template: str | None = None
    campaign_id: UUID | None = None
    variant: str | None = None


class MessageStateChanged(MessageEvent, frozen=True, kw_only=True):
    """accepted, held, sent, delivered, read, played, failed, unknown or cancelled."""

    type: ClassVar[str] = "message.state_changed"
    from_state: str
    to_state: str
    error_code: int | None = None
    pricing_category: str | None = None
    pricing_type: str | None = None
    cost_micros: int | None = None
    cost_currency: str | None = None


class MessagePriced(MessageEvent, frozen=True, kw_only=True):
    """The channel told the price of a message with a status that changed nothing else; amounts in millionths.

    Whoever sums takes, per message, the last cost told by this or by message.state_changed, and only what was delivered.
    """

    type: ClassVar[str] = "message.priced"
    pricing_category: str | None = None
    pricing_type: str | None = None
    cost_micros: int | None = None
    cost_currency: str | None = None


class MessageEdited(MessageEvent, frozen=True, kw_only=True):
    """The customer changed the text."""

    type: ClassVar[str] = "message.edited"
    content: str | None


class MessageRevoked(MessageEvent, frozen=True, kw_only=True):
    """The customer deleted the message for everyone."""

    type: ClassVar[str] = "message.revoked"


class MessageReacted(MessageEvent, frozen=True, kw_only=True):
    """A reaction was set (emoji) or removed (None) on the message."""

    type: ClassVar[str] = "message.reacted"
    emoji: str | None
    by: str = "customer"


class MessageLabelled(Event, frozen=True, kw_only=True):
    """A teacher (a language model, or a person) said what a customer's message says; the models of messages learn from it.

    aggregate_id is the message. It is no part of the conversation's story: nothing but training reads it.
    """

    type: ClassVar[str] = "message.labelled"
    aggregate_type: ClassVar[str] = "label"
    customer_id: UUID
    teacher: str
    sentiment: str | None = None  # negative, neutral, positive or mixed
    intent: str | None = None  # one of the corpus
    confidence: float = 1.0  # 0 to 1
    chosen_by: str | None = None  # random, or uncertain: what the model in use was least sure of
    prompt: str | None = None  # version of the instruction that a language model was given


class MessageEchoed(MessageEvent, frozen=True, kw_only=True):
    """An employee wrote from the WhatsApp Business app on the phone."""

    type: ClassVar[str] = "message.echoed"
    message_type: str
    content: str | None
    number_id: UUID | None = None


class ConsentChanged(CustomerEvent, frozen=True, kw_only=True):
    """An opt-out or opt-in of one scope: marketing, utility or all."""

    type: ClassVar[str] = "consent.changed"
    scope: str
    granted: bool
    source: str


class BusinessRecorded(Event, frozen=True, kw_only=True):
    """A row of the operator's business data came or changed; aggregate_id is UUIDv5 of kind and external_id."""

    type: ClassVar[str] = "business.recorded"
    aggregate_type: ClassVar[str] = "business"
    kind: str
    external_id: str
    status: str | None = None
    customer_id: UUID | None = None
    plan: str | None = None  # of a contract: external id of its plan


class PlannedMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of an experiment (models_ml/experiments/plan.py): `effect` is the size of difference one looks for and
    `margin` the harm that a guardrail tolerates, as shares, or in whole units of money per customer."""

    name: str
    role: str
    effect: float
    margin: float | None = None


class ExperimentPlanned(Event, frozen=True, kw_only=True):
    """What was decided before the first assignment, or new shares since; aggregate_id is the experiment.

    `goal`: the kind of goal that counts as conversion, `window_days`: for how long after the assignment.
    """

    type: ClassVar[str] = "experiment.planned"
    aggregate_type: ClassVar[str] = "experiment"
    experiment: str
    control: str
    shares: dict[str, float]
    goal: str
    window_days: int
    metrics: tuple[PlannedMetric, ...]
    alpha: float = 0.05
    campaign_id: UUID | None = None


class ExperimentAssigned(Event, frozen=True, kw_only=True):
    """A customer fell into a variant, whether or not anything was sent; aggregate_id is `assignment_id`."""

    type: ClassVar[str] = "experiment.assigned"
    aggregate_type: ClassVar[str] = "assignment"
    experiment_id: UUID
    experiment: str
    variant: str
    customer_id: UUID
    campaign_id: UUID | None = None


def assignment_id(experiment_id: UUID, customer_id: UUID) -> UUID:
    """The aggregate of a customer's assignments in an experiment."""
    return uuid5(experiment_id, str(customer_id))


class LinkClicked(Event, frozen=True, kw_only=True):
    """A person opened his short link; aggregate_id is that link, of which no event has the code, its version how often he did."""

    type: ClassVar[str] = "link.clicked"
    aggregate_type: ClassVar[str] = "link"
    customer_id: UUID
    target_id: UUID
    campaign_id: UUID | None = None
    variant: str | None = None
    message_id: UUID | None = None


class GoalRecorded(Event, frozen=True, kw_only=True):
    """A customer did what campaigns are for; aggregate_id is UUIDv5 of kind and external_id, so that it counts once."""

    type: ClassVar[str] = "goal.recorded"
    aggregate_type: ClassVar[str] = "goal"
    kind: str
    external_id: str
    customer_id: UUID
    value_micros: int = 0
    value_currency: str = "BRL"


class CampaignCreated(Event, frozen=True, kw_only=True):
    """A campaign was planned; aggregate_id is the campaign."""

    type: ClassVar[str] = "campaign.created"
    aggregate_type: ClassVar[str] = "campaign"
    name: str
    kind: str
    lane: str


class CampaignChanged(Event, frozen=True, kw_only=True):
    """A step of its life: draft, in_review, approved, scheduled, running, paused, completed, cancelled or failed."""

    type: ClassVar[str] = "campaign.changed"
    aggregate_type: ClassVar[str] = "campaign"
    from_state: str
    to_state: str
    reason: str = ""


class CampaignDecided(Event, frozen=True, kw_only=True):
    """A rule decided (winner, thompson, mismatch, guardrail, smooth_start, budget); its evidence stays in PostgreSQL."""

    type: ClassVar[str] = "campaign.decided"
    aggregate_type: ClassVar[str] = "campaign_decision"
    campaign_id: UUID
    rule: str
    outcome: str


def goal_id(kind: str, external_id: str) -> UUID:
    """The aggregate of a goal: the same one told again, by whomever, is the same goal."""
    return uuid5(NAMESPACE_URL, f"{kind}:{external_id}")

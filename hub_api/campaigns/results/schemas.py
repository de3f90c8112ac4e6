"""What the API shows of a campaign's results, and of one message from its audience to its goals."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from hub_api.campaigns.plans.schemas import Run, State


class Figures(BaseModel):
    """Counts of messages, each as gold.campaign_funnel defines it; amounts in millionths of their currency."""

    model_config = ConfigDict(extra="ignore")

    sent: int = Field(examples=[4000], description="queued")
    delivered: int
    read: int
    failed: int = Field(description="and never arrived")
    clicked: int = Field(description="messages whose tracked link a person opened", examples=[320])
    clicks: int = Field(description="how often such links were opened, at most 50 times each", examples=[411])
    replied: int = Field(description="within 72 hours and before the next campaign's message")
    converted: int = Field(description="reached the goal within its window and before the next campaign's message")
    goals: int
    value_micros: int = Field(description="revenue: what those goals were worth")
    value_currency: str = Field(examples=["BRL"])
    opted_out: int = Field(description="within 7 days and before the next campaign's message")
    cost_micros: int = Field(description="prices of what arrived")
    cost_currency: str = Field(examples=["USD"])


class OfVariant(Figures):
    """Of a variant of the campaign's test; empty without one."""

    variant: str = Field(examples=["b"])


class OfNumber(Figures):
    """Of one of our numbers; zeros where a message never had one."""

    number_id: UUID


class OfHour(Figures):
    """Of an hour, by when each step happened."""

    hour: datetime


class OfSegment(Figures):
    """Of the recipients who are members of a segment now; who is in two counts in both."""

    segment_id: UUID
    name: str | None


class Results(BaseModel):
    """A campaign's funnel as of seconds ago, whole and by variant, number, segment and hour."""

    campaign_id: UUID
    as_of: datetime | None = Field(description="when the newest event came into the warehouse")
    total: Figures
    by_variant: list[OfVariant]
    by_number: list[OfNumber]
    by_segment: list[OfSegment]
    series: list[OfHour]


class Status(BaseModel):
    """A change of the message's state."""

    at: datetime
    from_state: str
    to_state: str
    error_code: int | None


class Consent(BaseModel):
    """The customer's last decision of a scope at that time."""

    scope: str
    granted: bool
    source: str
    text_version: str | None
    occurred_at: datetime


class Click(BaseModel):
    """A short link of the message, as its customer used it."""

    link_id: UUID
    name: str
    clicks: int
    previews: int
    first_clicked_at: datetime | None
    last_clicked_at: datetime | None


class LaidGoal(BaseModel):
    """A goal before which this was the last campaign message; `attributed` ones count."""

    id: UUID
    kind: str
    occurred_at: datetime
    value_micros: int
    value_currency: str
    reason: str
    window_days: int | None


class Answer(BaseModel):
    """A message of the customer that is laid to this one."""

    id: UUID
    at: datetime
    type: str


class Assignment(BaseModel):
    """How the customer came into his variant."""

    experiment_id: UUID
    experiment: str
    variant: str
    assigned_at: datetime


class Lineage(BaseModel):
    """Why this person received this message, and what became of it."""

    message_id: UUID
    customer_id: UUID
    author: str = Field(examples=["campaign"])
    category: str | None
    template: str | None
    queued_at: datetime
    state: str
    number_id: UUID | None
    campaign_id: UUID | None
    variant: str | None
    assignment: Assignment | None
    audience: dict[str, Any] | None = Field(
        description="the campaign, its frozen list (hash, count, build of the data), and what was decided of this customer"
    )
    consent: list[Consent]
    statuses: list[Status]
    error_code: int | None
    answers: list[Answer] = Field(description="within 72 hours and before the next campaign's message")
    clicks: list[Click]
    goals: list[LaidGoal]
    cost_micros: int | None
    cost_currency: str | None


RecipientState = Literal["pending", "queued", "sent", "failed", "unknown", "excluded", "cancelled", "control"]


class WatchedRun(Run):
    """The run that is watched."""

    eligible: int | None = Field(description="members but for those excluded at the freeze; null while it freezes")


class OfArm(BaseModel):
    """Recipients of a variant by state."""

    variant: str
    recipients: dict[RecipientState, int]


class Failure(BaseModel):
    """Recipients who got nothing, by Meta's code."""

    error_code: int | None = Field(description="null: Meta never answered")
    recipients: int
    meaning: str = Field(examples=["recipient cannot be reached"])
    retryable: bool = Field(description="whether sending again can help; the hub does so by itself, three times in all")


class Monitor(BaseModel):
    """A campaign's run at this moment."""

    campaign_id: UUID
    state: State
    block_reason: str | None
    run: WatchedRun | None = Field(description="null: it has not begun")
    recipients: dict[RecipientState, int]
    by_variant: list[OfArm]
    excluded: dict[str, int] = Field(description="by reason, since the freeze too")
    failures: list[Failure]
    last_minute: int = Field(description="messages that Meta took within the last minute")
    lag_s: float = Field(description="how late the first recipient is whose time has come, seconds")
    next_turn_at: datetime | None = Field(description="when the next one's time comes; null: everybody's has")
    held: int = Field(description="messages in the outbox that wait for the campaign to go on")
    put_off: dict[str, int] = Field(
        examples=[{"quota": 500}],
        description="messages in the outbox that wait for something else: `quota` of the number, `pair` (the customer got one just now), "
        "`template` (Meta takes it no more for now)",
    )
    waits_for: str | None = Field(
        examples=["per_day"],
        description="why no recipient gets his turn although some wait: `per_day`, `smooth_start`, `winner`, `no_number`, `unavailable` (the "
        "warehouse, while the list is frozen)",
    )
    last_sent_at: datetime | None


class Recipient(BaseModel):
    """Somebody on a frozen list."""

    model_config = ConfigDict(extra="ignore")

    customer_id: UUID
    name: str | None = Field(description="null without `customers:read`, and of a customer that you do not see")
    phone: str | None = Field(examples=["…4321"])
    run_id: UUID
    occurrence: str
    step: int
    variant: str
    state: RecipientState
    excluded_for: str | None
    send_after: datetime | None
    queued_at: datetime | None
    message_id: UUID | None = Field(description="its lineage says why, and what became of it")
    error_code: int | None


class RecipientPage(BaseModel):
    """By customer; `next_cursor` is null on the last page."""

    items: list[Recipient]
    next_cursor: str | None


class Meant(BaseModel):
    """What a campaign meant for a customer."""

    model_config = ConfigDict(extra="ignore")

    campaign_id: UUID
    campaign: str
    run_id: UUID
    step: int
    variant: str
    state: RecipientState
    excluded_for: str | None
    queued_at: datetime | None
    message_id: UUID | None


class MeantList(BaseModel):
    """Newest first, at most 50."""

    items: list[Meant]


class Arm(BaseModel):
    """A variant of a test; the control gets no message, so only conversions are known of it."""

    variant: str
    control: bool
    share: float = Field(description="as planned now")
    n: int = Field(description="units: whose turn came, before a winner was promoted to the rest")
    successes: int | None
    rate: float | None
    opt_outs: int | None


class Difference(BaseModel):
    """How much more succeed with `better` than with `worse`, in shares; the interval is right at every look."""

    better: str
    worse: str
    difference: float
    low: float
    high: float


class Judged(Difference):
    """With the rule's p, adjusted for the number of pairs, and at most how many more opt out (null: not looked at yet)."""

    p: float
    harm_high: float | None


class Readout(BaseModel):
    """The test of a run as its rule sees it now."""

    run_id: UUID
    metric: str = Field(examples=["reply"])
    allocation: str = Field(examples=["winner"])
    effect: float
    alpha: float
    margin: float = Field(description="opt-outs beyond another variant's that are tolerated")
    arms: list[Arm]
    best: str = Field(description="the message that leads now, proved or not")
    differences: list[Judged]
    why: Literal["promote", "guardrail", "mismatch", "too_early", "undecided"]
    mismatch_p: float = Field(description="below 0.001 the arms are not what was planned, and no figure counts")
    promoted: str | None
    least_units: int = Field(description="per arm, before anything is decided")
    least_events: int


class RateThen(BaseModel):
    """A message up to then."""

    variant: str
    n: int
    successes: int
    rate: float


class TestPoint(BaseModel):
    """The test at a moment."""

    at: datetime
    arms: list[RateThen]
    differences: list[Difference]


class ReadoutSeries(BaseModel):
    """Oldest first; at most some 120 points."""

    items: list[TestPoint]

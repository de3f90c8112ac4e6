"""What a campaign is, over HTTP."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from hub_api.campaigns.links.targets import columns_in
from hub_api.settings import weekly_hours

State = Literal["draft", "in_review", "approved", "scheduled", "running", "paused", "completed", "cancelled", "failed"]
Share = Annotated[float, Field(ge=0, le=1)]
VariantName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$", examples=["a"])]
_SEGMENT = "0198f1a2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
SOURCES = (
    "customer.name", "customer.first_name", "contract.plan", "contract.city", "contract.price", "invoice.amount",
    "invoice.due_on",
)  # fmt: skip
# Columns of gold.customer_features that may stand in a message: read at the freeze, with the audience.
FEATURES = (
    "city", "region_code", "state_code", "plan_id", "speed_mbps", "data_gb", "tenure_days", "late_days", "invoices_late",
)  # fmt: skip

# What a message may say of what set its campaign off, by event.
TRIGGER_FIELDS = {
    "invoice_issued": ("id", "amount", "due_on"),
    "outage_started": ("id", "region_code", "expected_end"),
    "churn_risk": ("id",),
}


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Audience(Strict):
    """Whom it is for: exactly one of a kept segment, a tree of its own, a frozen list, or an uploaded file."""

    segment_id: UUID | None = Field(None, examples=[_SEGMENT])
    definition: dict[str, Any] | None = Field(None, description="a tree as in POST /api/v1/segments")
    snapshot_id: UUID | None = None
    upload_id: UUID | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("name exactly one of segment_id, definition, snapshot_id, upload_id")
        return self


class Variable(Strict):
    """What fills a place of the template; `fallback` where the source has nothing."""

    source: str = Field(
        pattern=r"^(customer|contract|invoice|feature|csv|trigger|text|link)(\.[A-Za-z0-9_ -]{1,60})?$",
        examples=["customer.first_name"],
        description="`csv.<column>` of the uploaded file, `trigger.<field>` of what set a triggered campaign off (`id`; `amount`, `due_on` of an "
        "invoice; `region_code`, `expected_end` of an outage), `feature.<column>` of the warehouse, `text`: the fallback, `link`: a short "
        "link to `url`, of each message its own",
    )
    fallback: str = Field("", max_length=500, examples=["cliente"], description="needed by all but `link`")
    url: str | None = Field(
        None,
        max_length=2000,
        examples=["https://www.example.com/fibra?plano={contract.plan}&hub={click}"],
        description="of `link`: where it leads, https on a host of HUB_LINK_HOSTS; in its query `{click}` becomes the message's code, "
        "for the conversion API, and sources in braces the customer's values. In a text the whole short address stands; of a button, "
        "whose template leads to HUB_PUBLIC_URL/l/{{1}}, only the code",
    )

    @field_validator("source")
    @classmethod
    def _known(cls, source: str) -> str:
        area, _, name = source.partition(".")
        known = {
            "text": not name,
            "link": not name,
            "feature": name in FEATURES,
            "csv": bool(name),
            "trigger": bool(name),
        }
        if not known.get(area, source in SOURCES):
            raise ValueError(
                f"no such source: {', '.join(SOURCES)}, feature.<{'|'.join(FEATURES)}>, csv.<column>, trigger.<field>, text, link"
            )
        return source

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.source == "link") != (self.url is not None):
            raise ValueError("`url` belongs to the source `link`, which needs it")
        if self.source != "link" and not self.fallback:
            raise ValueError("`fallback` is needed: the source may have nothing")
        for column in columns_in(self.url or ""):
            self._known(column)
        return self


class Variant(Strict):
    """One message of the test; without a template it is the control, which gets none."""

    name: VariantName
    template_name: str | None = Field(None, pattern=r"^[a-z0-9_]{1,512}$", examples=["oferta_fibra"])
    template_language: str | None = Field(None, pattern=r"^[A-Za-z_]{2,10}$", examples=["pt_BR"])
    variables: dict[Annotated[str, Field(pattern=r"^(body|header|button)\.[a-z0-9_]{1,60}$")], Variable] = Field(
        default_factory=dict,
        max_length=60,
        examples=[{"body.1": {"source": "customer.first_name", "fallback": "cliente"}}],
    )
    share: Share = Field(1.0, description="of the recipients; all shares sum to 1, but for variants of later steps: 0")

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if (self.template_name is None) != (self.template_language is None):
            raise ValueError("template_name and template_language go together")
        if [one for one, given in self.variables.items() if given.source == "link" and one.startswith("header.")]:
            raise ValueError("a link stands in the body or in a button, not in the header")
        return self


class Rhythm(Strict):
    """When a recurring campaign begins again, by the business clock."""

    every: Literal["day", "week", "month"]
    hour: int = Field(ge=0, le=23)
    weekday: int | None = Field(None, ge=1, le=7, description="of `week`: 1 Monday to 7 Sunday")
    month_day: int | None = Field(None, ge=1, le=28)


class Trigger(Strict):
    """What sets a triggered campaign off, for whom it happens to."""

    event: Literal["invoice_issued", "outage_started", "churn_risk"]
    level: float | None = Field(
        None, ge=0, le=1, description="of churn_risk: the probability that is crossed from below"
    )
    region_code: str | None = Field(None, max_length=60, description="of outage_started: only this network region")

    @model_validator(mode="after")
    def _level(self) -> Self:
        if (self.event == "churn_risk") != (self.level is not None):
            raise ValueError("`level` belongs to churn_risk, which needs it")
        return self


class Schedule(Strict):
    """When. Hours, holidays and clock times are those of the recipient's place."""

    start_at: AwareDatetime | None = Field(None, description="not before; null: as soon as it is started")
    until: AwareDatetime | None = Field(None, description="whoever's turn has not come by then gets nothing")
    hours: str | None = Field(None, max_length=120, examples=["1-5 09:00-20:00, 6 09:00-14:00"])
    holidays: bool = Field(True, description="nothing on national and state holidays of the recipient's place")
    local_time: time | None = Field(None, examples=["10:00"], description="at this time of each recipient's clock")
    best_hour: bool = Field(False, description="each at the hour at which he read messages so far")
    rhythm: Rhythm | None = None
    trigger: Trigger | None = None

    @field_validator("hours")
    @classmethod
    def _readable(cls, hours: str | None) -> str | None:
        if hours is not None and not weekly_hours(hours):
            raise ValueError("there must be some hours")
        return hours


class SmoothStart(Strict):
    """A small share goes first; by what became of it the rest follows or not."""

    share: Share = Field(0.02, gt=0)
    at_least: int = Field(50, ge=1, le=100_000)
    wait_minutes: int = Field(60, ge=0, le=2880, description="after the last of them, before it is judged")
    most_failed: Share = Field(0.1, description="share of failed messages above which it stops")
    most_opt_outs: Share = Field(0.02)


class Cap(Strict):
    """How many messages of campaigns are enough for a person."""

    messages: int = Field(2, ge=1, le=100)
    days: int = Field(7, ge=1, le=90)


class Pacing(Strict):
    """How fast."""

    per_day: int | None = Field(None, ge=1, le=10_000_000)
    runway: int = Field(
        500, ge=1, le=20_000, description="messages that may lie in the outbox: what a pause has to hold"
    )
    smooth_start: SmoothStart | None = None
    cap: Cap | None = Field(Cap(), description="across campaigns and this one's earlier occurrences; null: none")


class Experiment(Strict):
    """How the test is decided."""

    allocation: Literal["fixed", "winner", "thompson"] = "fixed"
    metric: Literal["read", "reply", "conversion"] = Field(
        "reply",
        description="what the rule looks at while it runs, among the messages; `conversion`: customers who reached `goal` within "
        "`window_days` of their turn, also the read-out's primary metric",
    )
    effect: float = Field(0.03, gt=0, lt=1, description="the difference of shares one looks for")
    alpha: float = Field(0.05, gt=0, lt=0.5, description="the chance to promote a winner that is none")
    most_opt_outs: float = Field(
        0.01, gt=0, lt=1, description="guardrail: opt-outs above another variant's that are tolerated"
    )
    test_share: float = Field(
        1.0, gt=0, le=1, description="of winner: whom the test is made with; the rest waits for it"
    )
    decide_within_hours: int = Field(
        72, ge=1, le=2160, description="after that the rest goes by the shares, without a winner"
    )
    floor: float = Field(0.1, ge=0, le=0.5, description="of thompson: what every variant keeps")
    holdout: Share = Field(0.0, description="share of all customers whom no campaign with a holdout ever reaches")


class Step(Strict):
    """What follows the first message; it stops on an opt-out and while a person speaks with the customer."""

    after_hours: float = Field(gt=0, le=2160)
    when: Literal["always", "read", "not_read", "replied", "not_replied"] = "not_replied"
    variant: VariantName


class NewCampaign(Strict):
    """A campaign as it is asked for."""

    name: str = Field(min_length=1, max_length=120, examples=["Upgrade para 600 Mbps"])
    description: str = Field("", max_length=2000)
    team_id: UUID | None = Field(None, description="null: of no team, seen by all who may see campaigns")
    kind: Literal["once", "recurring", "triggered"] = "once"
    lane: Literal["marketing", "utility"] = "marketing"
    audience: Audience
    variants: list[Variant] = Field(min_length=1, max_length=10)
    schedule: Schedule = Schedule()
    pacing: Pacing = Pacing()
    experiment: Experiment = Experiment()
    steps: list[Step] = Field(default_factory=list, max_length=10)
    goal: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        examples=["payment"],
        description="the kind of goal that counts as conversion; null: a reply. The hub sees `reply`, `button`, `click`, `payment`, "
        "`cancellation` and `no_churn` (an active contract when the window ends) itself, others are reported to /api/v1/goals",
    )
    window_days: int = Field(14, ge=1, le=90, description="for so long after a customer's turn a goal counts")
    budget_micros: int | None = Field(None, ge=0, le=10**15)
    budget_currency: str = Field("USD", pattern=r"^[A-Z]{3}$")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [one.name for one in self.variants]
        if len(set(names)) < len(names):
            raise ValueError("each variant needs a name of its own")
        if abs(sum(one.share for one in self.variants) - 1) > 1e-3:
            raise ValueError("the shares of the variants sum to 1")
        if sum(one.template_name is None for one in self.variants) > 1 or not any(
            v.template_name for v in self.variants
        ):
            raise ValueError("there is one control without a template at most, and a message at least")
        senders = {one.name for one in self.variants if one.template_name}
        if unknown := {step.variant for step in self.steps} - senders:
            raise ValueError(f"steps name variants that send nothing: {sorted(unknown)}")
        if (self.kind == "recurring") != (self.schedule.rhythm is not None):
            raise ValueError("`schedule.rhythm` belongs to recurring campaigns, which need it")
        if (self.kind == "triggered") != (self.schedule.trigger is not None):
            raise ValueError("`schedule.trigger` belongs to triggered campaigns, which need it")
        return self


class CampaignChanges(NewCampaign):
    """All of a campaign, as it is to be now; whoever approved it has to look again."""


class Campaign(NewCampaign):
    """A campaign with where it stands. The ETag is its version."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    state: State
    version: int
    created_by: str
    edited_by: str
    submitted_by: str | None
    approved_by: str | None
    approved_at: datetime | None
    block_reason: str | None = Field(
        description="why it stands still (budget, link, mismatch, guardrail, smooth_start, template, by_hand …) or was sent back"
    )
    next_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime
    placed: int = Field(description="messages put into the outbox, but for those that failed")
    created_by_name: str | None = Field(None, description="null: not made by a person who has an account")
    approved_by_name: str | None = None
    runs: int = Field(0, description="occurrences so far")
    members: int = Field(0, description="of the frozen lists of all runs")
    eligible: int = Field(0, description="of these, who was not excluded at the freeze")
    turns: int = Field(0, description="of these, whose turn has come")


class CampaignPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Campaign]
    next_cursor: str | None


class Reason(Strict):
    """Why, in words of the one who decides."""

    reason: str = Field("", max_length=500)


class Budget(Strict):
    """What a campaign under way may spend in all, in millionths of its budget's currency."""

    budget_micros: int | None = Field(ge=0, le=10**15, examples=[500_000_000], description="null: no limit")


class Run(BaseModel):
    """One occurrence with its frozen list."""

    id: UUID
    campaign_id: UUID
    occurrence: str
    state: Literal["freezing", "frozen", "running", "completed", "cancelled", "failed"]
    as_of: date | None
    asset_version: str | None
    read_so_far: int = Field(description="progress of the freeze")
    members: int | None
    members_sha256: str | None
    excluded: dict[str, int] = Field(description="by reason, as at the freeze")
    turns: int = Field(description="recipients whose turn has come")
    promoted: str | None
    failure: str | None
    waits_for: str | None = Field(
        None, description="why nothing of it leaves although recipients wait, as the monitor's"
    )
    created_at: datetime
    frozen_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    recipients: dict[str, int] = Field(default_factory=dict, description="by state, now")
    excluded_now: dict[str, int] = Field(default_factory=dict, description="by reason, since the freeze too")


class RunList(BaseModel):
    """Newest first."""

    items: list[Run]


class Decision(BaseModel):
    """What was decided, by whom, and on which evidence."""

    id: UUID
    run_id: UUID | None
    rule: str
    outcome: str
    evidence: dict[str, Any]
    decided_by: str
    decided_at: datetime


class DecisionList(BaseModel):
    """Newest first."""

    items: list[Decision]


class Obstacle(BaseModel):
    """What is in the way (`blocks`) or worth knowing."""

    code: str = Field(examples=["template_not_approved"])
    params: dict[str, Any] = Field(
        description="what the text names, for texts of one's own",
        examples=[{"variant": "a", "template": "oferta_fibra", "template_language": "pt_BR", "status": "PAUSED"}],
    )
    message: str = Field(description="in Portuguese, or in English for who asks for it (Accept-Language)")
    blocks: bool


class Sample(BaseModel):
    """A variant as one recipient would see it."""

    variant: str
    customer_id: UUID
    message: dict[str, Any]
    fallbacks: list[str] = Field(description="places filled by their fallback")


class Forecast(BaseModel):
    """When it will be over, by the numbers' rate, quotas, hours and holidays."""

    words: str = Field(examples=["termina quinta às 14:20; a cota de hoje permite 10.000"])
    begins_at: datetime | None
    ends_at: datetime | None
    rate_per_s: float
    quota_left: int | None
    by_day: dict[date, int]
    left_over: int = Field(description="whose turn does not come: no hours, budget or quota")


class Advice(BaseModel):
    """Whether the test can find what it looks for."""

    needed_per_variant: int
    smallest_variant: int
    detectable_effect: float | None
    words: str


class Checked(BaseModel):
    """What would happen if it began now."""

    as_of: date | None
    asset_version: str | None
    members: int
    looked_at: int = Field(description="below `members` the exclusions are those of a sample")
    eligible: int
    excluded: dict[str, int]
    cost_micros: int | None
    cost_currency: str | None
    forecast: Forecast
    advice: Advice | None
    problems: list[Obstacle]
    samples: list[Sample] | None = Field(description="of customers that you see; null without `customers:read`")

"""The management fields we know: templates, numbers, accounts, flows (channel document §1.5)."""

from hub_api.whatsapp.inbound import Update, Value


class TemplateStatusUpdate(Update, frozen=True, kw_only=True):
    """A template was approved, paused, disabled, …: `event` as the channel says it."""

    event: str
    template_id: str
    name: str | None = None
    language: str | None = None
    category: str | None = None
    reason: str | None = None
    title: str | None = None  # FIRST_PAUSE, SECOND_PAUSE, RATE_LIMITING_PAUSE, UNPAUSE, DISABLED
    description: str | None = None
    recommendation: str | None = None
    disable_date: int | None = None


class TemplateQualityUpdate(Update, frozen=True, kw_only=True):
    """GREEN, YELLOW, RED or UNKNOWN: warn on YELLOW, no new sends on RED."""

    template_id: str
    name: str | None = None
    language: str | None = None
    previous: str | None = None
    current: str


class TemplateCategoryUpdate(Update, frozen=True, kw_only=True):
    """`current` holds now. With `upcoming` it is the 24 h notice: the template becomes that at `changes_at`."""

    template_id: str
    name: str | None = None
    language: str | None = None
    current: str
    previous: str | None = None
    upcoming: str | None = None
    changes_at: int | None = None


class TemplateComponentsUpdate(Update, frozen=True, kw_only=True):
    """The template's text changed: fetch it again."""

    template_id: str
    name: str | None = None
    language: str | None = None


class NumberQualityUpdate(Update, frozen=True, kw_only=True):
    """Quality or limit of a number changed; it is named by its display number only. `limit` is TIER_* or a number."""

    display_phone_number: str | None = None
    event: str
    limit: str | None = None
    previous_limit: str | None = None


class NumberNameUpdate(Update, frozen=True, kw_only=True):
    """The decision on a display name."""

    display_phone_number: str | None = None
    decision: str
    requested_name: str | None = None
    reason: str | None = None


class CapabilityUpdate(Update, frozen=True, kw_only=True):
    """Limits of the portfolio: TIER_* or a number as text, `-1` is unlimited."""

    limit: str | None = None
    limit_per_phone: str | None = None
    max_numbers_per_business: int | None = None
    max_numbers_per_waba: int | None = None


class Restriction(Value, frozen=True, kw_only=True):
    """One restriction of an account, until `expires` (None: until lifted)."""

    type: str
    expires: int | None = None


class AccountUpdate(Update, frozen=True, kw_only=True):
    """Restrictions, violations, bans, deletion, partner changes of a WABA: `event` says which."""

    event: str
    restrictions: tuple[Restriction, ...] = ()
    violation: str | None = None
    ban_state: str | None = None
    display_phone_number: str | None = None


class AccountReview(Update, frozen=True, kw_only=True):
    """APPROVED, REJECTED, PENDING or DEFERRED."""

    decision: str


class AccountAlert(Update, frozen=True, kw_only=True):
    """A notice about the account, number or business."""

    entity_type: str | None = None
    entity_id: str | None = None
    severity: str | None = None
    status: str | None = None
    alert_type: str | None = None
    description: str | None = None


class SecurityUpdate(Update, frozen=True, kw_only=True):
    """The two-step PIN was changed or its reset requested: tell an operator."""

    event: str
    display_phone_number: str | None = None
    requester: str | None = None


class FlowUpdate(Update, frozen=True, kw_only=True):
    """A flow changed state or fails too often: hide its buttons when it is BLOCKED or THROTTLED."""

    event: str
    flow_id: str | None = None
    state: str | None = None
    alert_state: str | None = None
    message: str | None = None

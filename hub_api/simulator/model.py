"""What the simulated platform knows: portfolios, accounts, numbers, templates, media, users and sent messages."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Literal

NEVER = float("-inf")

TemplateKey = tuple[str, str]  # name, language

TIERS: dict[str, int | None] = {
    "TIER_250": 250, "TIER_2K": 2_000, "TIER_10K": 10_000, "TIER_100K": 100_000, "TIER_UNLIMITED": None,
}  # fmt: skip


@dataclass(slots=True)
class Portfolio:
    """A business: the messaging limit is counted here, for all its numbers together."""

    id: str
    name: str = "Telecom Exemplo"
    tier: str = "TIER_UNLIMITED"
    verified: bool = True
    messaged: OrderedDict[str, float] = field(default_factory=OrderedDict)  # user key -> last message outside a window


@dataclass(slots=True)
class App:
    """The app that calls, as its token tells; `token_expires_at` in Unix seconds, 0: never."""

    token_valid: bool = True
    token_type: str = "SYSTEM_USER"  # noqa: S105 - a kind of token, not one
    token_expires_at: int = 0
    scopes: set[str] = field(
        default_factory=lambda: {"whatsapp_business_management", "whatsapp_business_messaging", "public_profile"}
    )


@dataclass(slots=True)
class Template:
    """A message template; `pacing` says what happens to sends while Meta looks at their reception."""

    id: str
    name: str
    language: str
    category: str
    components: list[dict[str, Any]]
    parameter_format: str = "POSITIONAL"
    status: str = "APPROVED"
    quality: str = "GREEN"
    pacing: Literal["", "hold", "pause"] = ""
    rejected_reason: str = "NONE"
    ttl_s: int | None = None
    edits: deque[float] = field(default_factory=lambda: deque(maxlen=10))
    pauses: int = 0
    held: dict[str, "Outbound"] = field(default_factory=dict)  # by wamid, while pacing decides
    created_at: float = NEVER
    compiled: Any = None  # what a send must fill in, worked out once per version of the components


@dataclass(slots=True)
class Waba:
    """A WhatsApp Business Account: owns numbers and templates."""

    id: str
    portfolio: Portfolio
    name: str = "Telecom Exemplo"
    currency: str = "BRL"
    timezone: str = "America/Sao_Paulo"
    payment_method: bool = True
    restricted_until: float = 0.0
    marketing_messages_terms: bool = True
    marketing_on_cloud_api: bool = True
    subscribed: bool = True
    webhook_override: str | None = None
    templates: dict[TemplateKey, Template] = field(default_factory=dict)
    deleted_names: dict[str, float] = field(default_factory=dict)
    created_at: deque[float] = field(default_factory=lambda: deque(maxlen=100))
    management_calls: deque[float] = field(default_factory=lambda: deque(maxlen=5_000))


@dataclass(slots=True)
class Number:
    """A business phone number: throughput, quality and the free service messages are counted here."""

    id: str
    display: str
    waba: Waba
    verified_name: str = "Telecom Exemplo"
    name_status: str = "APPROVED"
    status: str = "CONNECTED"
    quality: str = "GREEN"
    mps: int = 80
    coexistence: bool = False
    identity_check: bool = False
    webhook_override: str | None = None
    pin: str = "000000"
    about: dict[str, Any] = field(default_factory=dict)
    tokens: float = 0.0
    tokens_at: float = 0.0
    upgrading_until: float = 0.0
    service_messages: dict[str, int] = field(default_factory=dict)  # month (YYYY-MM) -> free-form messages sent
    blocked_users: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Pair:
    """What lies between one business number and one user. Times are Unix seconds, NEVER when it has not happened."""

    wrote_at: float = NEVER  # the user's last message or call: opens the 24 h window
    ad_at: float = NEVER  # an ad brought the user, and the business has not answered yet
    free_entry_until: float = NEVER
    phone_used_at: float = NEVER  # last message addressed to the phone
    burst_at: float = 0.0
    burst_count: int = 0
    blocked: bool = False  # the user blocked the number


@dataclass(slots=True, eq=False)
class User:
    """A person on WhatsApp.

    `username` hides the phone from businesses that have not used it in 30 days; `hides_phone` hides it always.
    """

    phone: str
    wa_id: str
    name: str
    bsuids: dict[str, str]  # portfolio id -> business-scoped id
    username: str = ""
    hides_phone: bool = False
    on_whatsapp: bool = True
    read_receipts: bool = True
    marketing_cap: bool = False
    in_experiment: bool = False
    generation: int = 0
    identity_hash: str = ""
    traits: dict[str, Any] = field(default_factory=dict)  # free for whoever plays this user
    opted_out: set[str] = field(default_factory=set)  # portfolio ids
    pairs: dict[str, Pair] = field(default_factory=dict)  # by phone_number_id

    def pair(self, number_id: str) -> Pair:
        """What lies between this user and a number."""
        found = self.pairs.get(number_id)
        if found is None:
            found = self.pairs[number_id] = Pair()
        return found


@dataclass(slots=True)
class Media:
    """An uploaded or received file."""

    id: str
    number_id: str
    mime_type: str
    sha256: str  # base64, as webhooks carry it
    content: bytes
    expires_at: float
    filename: str = ""


@dataclass(slots=True, eq=False)
class Outbound:
    """A message the business sent and the platform accepted.

    `status` moves accepted → sent → delivered → read → played, or to failed, held or lost (a BSUID sent in `to`, or a
    user beyond the portfolio's limit: accepted, and never heard of again).
    """

    wamid: str
    number: Number
    user: User | None
    type: str
    body: dict[str, Any]  # the object named after the type, as it was sent
    accepted_at: float
    expires_at: float  # undelivered until then, it is dropped without a word
    category: str = "service"
    template: Template | None = None
    opaque: str = ""
    context_id: str = ""
    to_bsuid: bool = False
    status: str = "accepted"
    pricing: dict[str, Any] | None = None
    pricing_on: tuple[str, ...] = ()
    free_entry_until: float = 0.0

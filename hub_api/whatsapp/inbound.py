"""What the channel told us, as typed values: the language between parsing and handling.

`split` cuts a webhook's body into `Item`s, `parse` turns one item into one of the structs below. `""` never appears: the
channel's empty identifiers are None here. Times are Unix seconds as the payload says them, None when it says none that
can be read; judging and clamping them is the handler's part. `content` is what people read and search, in pt-BR where
the channel sent no words of its own; what is not the customer's own text stands in [brackets].

One long file on purpose: it is the catalogue that `handle` matches on, read as a list.
"""

from typing import Any, Literal

import msgspec

ItemKind = Literal[
    "message",
    "group",
    "status",
    "error",
    "user_action",
    "call",
    "call_status",
    "echo",
    "history",
    "history_error",
    "state_sync",
    "preference",
    "user_id_update",
    "update",
]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a webhook told, cut out so that it can be handled alone: a row of `inbox_item`.

    `payload` is JSON: `data` (the message, status, … as sent), and where there was one `contact`, `metadata`, `errors`
    (of the value, beside messages), `field` and `time` (of an update), `thread` (of history).
    `contact_key` orders the items of one person: BSUID, else phone; None for what concerns no person.
    """

    kind: str
    phone_number_id: str | None
    waba_id: str | None
    contact_key: str | None
    payload: bytes


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything below: immutable, and its defaults are left out of JSON."""


class Party(Value, frozen=True, kw_only=True):
    """A person as one payload names them: any identifier may be missing, all that are there mean the same person."""

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    name: str | None = None
    username: str | None = None

    @property
    def key(self) -> str | None:
        """BSUID, else phone, else None."""
        return self.user_id or self.wa_id


class Fault(Value, frozen=True, kw_only=True):
    """An error object of the channel; `code` decides (channel document §5)."""

    code: int
    title: str | None = None
    message: str | None = None
    details: str | None = None
    href: str | None = None


class Context(Value, frozen=True, kw_only=True):
    """What a message answers or repeats. `wamid` is the quoted or tapped message, `author` the phone that wrote it."""

    wamid: str | None = None
    author: str | None = None
    forwarded: bool = False
    frequently_forwarded: bool = False
    catalog_id: str | None = None
    product_retailer_id: str | None = None


class Referral(Value, frozen=True, kw_only=True):
    """The ad or post that led the person here; `ctwa_clid` is missing for Status placements."""

    source_type: str | None = None
    source_id: str | None = None
    source_url: str | None = None
    headline: str | None = None
    body: str | None = None
    media_type: str | None = None
    image_url: str | None = None
    video_url: str | None = None
    thumbnail_url: str | None = None
    ctwa_clid: str | None = None
    welcome_text: str | None = None


# --- what a message carries -----------------------------------------------------------------------------------------


class Carried(Value, frozen=True, kw_only=True, tag_field="carries"):
    """Base of what a message can carry; in JSON `carries` tells which one it is."""


class Text(Carried, frozen=True, kw_only=True, tag="text"):
    """Plain words."""

    body: str


class Media(Carried, frozen=True, kw_only=True, tag="media"):
    """A file that waits at Meta under `id`; None when the channel could not fetch it (see the message's `faults`)."""

    kind: str  # image, video, audio, document, sticker
    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    filename: str | None = None  # chosen by the sender: sanitise before using it as a path
    url: str | None = None
    voice: bool = False
    animated: bool = False


class Location(Carried, frozen=True, kw_only=True, tag="location"):
    """A place in degrees (WGS 84)."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None
    url: str | None = None


class CardPhone(Value, frozen=True, kw_only=True):
    """A phone on a contact card."""

    phone: str | None = None
    wa_id: str | None = None
    type: str | None = None


class Card(Value, frozen=True, kw_only=True):
    """One shared contact."""

    name: str | None = None
    phones: tuple[CardPhone, ...] = ()
    emails: tuple[str, ...] = ()
    company: str | None = None
    vcard: str | None = None


class Cards(Carried, frozen=True, kw_only=True, tag="contacts"):
    """Shared contacts. `requested`: the answer to our request for the person's own phone number."""

    cards: tuple[Card, ...]
    requested: bool = False


class Choice(Carried, frozen=True, kw_only=True, tag="choice"):
    """A tapped button or list row. `id` is ours (for a template button its payload, or the label when none was set)."""

    kind: str  # button_reply, list_reply, button
    id: str | None = None
    title: str | None = None
    description: str | None = None


class FlowReply(Carried, frozen=True, kw_only=True, tag="flow_reply"):
    """A filled form (`flow`) or address. `response` is None when the channel's JSON was missing or broken: see `raw`."""

    name: str | None = None
    body: str | None = None
    response: Any = None
    raw: str | None = None


class CallPermission(Carried, frozen=True, kw_only=True, tag="call_permission"):
    """The answer to a request to call: `accept` or `reject`."""

    response: str | None = None
    expires: int | None = None
    source: str | None = None


class OrderLine(Value, frozen=True, kw_only=True):
    """One product of an order; the price of one piece in millionths, None when it is no number."""

    product_retailer_id: str | None = None
    quantity: int | None = None
    price_micros: int | None = None
    currency: str | None = None


class Order(Carried, frozen=True, kw_only=True, tag="order"):
    """A cart sent from the catalogue."""

    lines: tuple[OrderLine, ...]
    catalog_id: str | None = None
    text: str | None = None


class Unsupported(Carried, frozen=True, kw_only=True, tag="unsupported"):
    """The channel withheld the message. `type` says what it was, where known; `unavailable`: error 131060, a lost lead."""

    type: str | None = None
    unavailable: bool = False


class Unknown(Carried, frozen=True, kw_only=True, tag="unknown"):
    """A type, or a shape of a type, that we do not know: `raw` is the message as sent."""

    raw: dict[str, Any]


Detail = Text | Media | Location | Cards | Choice | FlowReply | CallPermission | Order | Unsupported | Unknown


# --- what can come in -----------------------------------------------------------------------------------------------


class Received(Value, frozen=True, kw_only=True):
    """Base: which of our numbers and accounts it came to; management fields name no number."""

    phone_number_id: str | None = None
    waba_id: str | None = None


class Personal(Received, frozen=True, kw_only=True):
    """Base: it concerns one person, at a time."""

    party: Party
    timestamp: int | None


class Message(Personal, frozen=True, kw_only=True):
    """A customer's message, to be shown in the conversation.

    `type` is the channel's own word (`text`, `image`, `interactive`, …, also one we do not know). `wants_answer` is False
    for what no bot should react to (an unsupported edit, a pin, a system notice).
    """

    wamid: str
    type: str
    content: str | None
    detail: Detail
    context: Context | None = None
    referral: Referral | None = None
    faults: tuple[Fault, ...] = ()
    wants_answer: bool = True

    @property
    def reply_to(self) -> str | None:
        """The wamid this message quotes or taps on."""
        return self.context.wamid if self.context else None

    @property
    def choice_id(self) -> str | None:
        """What a tap means to a program, None for anything but a tap."""
        return self.detail.id if isinstance(self.detail, Choice) else None

    def payload(self) -> dict[str, Any]:
        """For `messages.payload`: detail, context, referral and faults as JSON values; what is empty is left out."""
        fields = {"detail": self.detail, "context": self.context, "referral": self.referral, "faults": self.faults}
        return msgspec.to_builtins({name: value for name, value in fields.items() if value})  # type: ignore[no-any-return]


class Reaction(Personal, frozen=True, kw_only=True):
    """An emoji put on a message; None takes it back. Needs no answer."""

    wamid: str
    target: str
    emoji: str | None


class Edit(Personal, frozen=True, kw_only=True):
    """The text of an earlier message was changed (numbers in coexistence only)."""

    wamid: str
    target: str
    type: str
    content: str | None
    detail: Detail


class Revoke(Personal, frozen=True, kw_only=True):
    """An earlier message was deleted for everyone."""

    wamid: str
    target: str


class PersonChanged(Personal, frozen=True, kw_only=True):
    """A system message: `party` is the person as known so far, `new` holds the new number and/or BSUID."""

    wamid: str
    reason: str  # user_changed_number, user_changed_user_id
    new: Party
    body: str | None = None


class SecurityCodeChanged(Personal, frozen=True, kw_only=True):
    """A system message: the person's device keys changed; sends with the old identity hash fail with 137000."""

    wamid: str
    hash: str | None = None
    body: str | None = None


class Pricing(Value, frozen=True, kw_only=True):
    """What a sent message costs; comes on `sent` and on one of delivered/read, or only on one."""

    billable: bool | None = None
    model: str | None = None
    type: str | None = None
    category: str | None = None


class Status(Personal, frozen=True, kw_only=True):
    """What became of a message of ours: `status` is sent, delivered, read, played, failed, or a word we do not know.

    `party` is the recipient. `opaque` is our `biz_opaque_callback_data`. `kind` is `message` or `payment`.
    """

    wamid: str
    status: str
    kind: str = "message"
    opaque: str | None = None
    pricing: Pricing | None = None
    faults: tuple[Fault, ...] = ()
    window_id: str | None = None  # `conversation.id`: up to v23 always, later only in a free-entry-point window
    window_origin: str | None = None
    window_expires: int | None = None
    payment: dict[str, Any] | None = None


class ChannelError(Received, frozen=True, kw_only=True):
    """Errors of the number or account itself, bound to no message: they feed the circuit breaker."""

    faults: tuple[Fault, ...]


class UserAction(Personal, frozen=True, kw_only=True):
    """A click the person made on a marketing message; `action` names it, `data` has component, click id and token."""

    action: str
    data: dict[str, Any]


class Call(Personal, frozen=True, kw_only=True):
    """A call began (`connect`) or ended (`terminate`). One begun by the person opens the 24 h window."""

    call_id: str
    event: str
    direction: str | None = None
    status: str | None = None
    duration_s: int | None = None

    @property
    def by_customer(self) -> bool:
        """Begun by the person, not by us."""
        return self.direction == "USER_INITIATED"


class CallStatus(Personal, frozen=True, kw_only=True):
    """What became of a call of ours: RINGING, ACCEPTED, REJECTED."""

    call_id: str
    status: str


class Echo(Received, frozen=True, kw_only=True):
    """An employee wrote from the phone app: outgoing, no status will come, no bot reacts. `inner.party` is the customer."""

    inner: Message | Reaction | Edit | Revoke


class HistoryMessage(Received, frozen=True, kw_only=True):
    """A message from before the number joined. Triggers nothing. `status` is READ, DELIVERED, … of an outgoing one."""

    inner: Message | Reaction | Edit | Revoke
    from_customer: bool
    status: str | None = None


class HistoryRefused(Received, frozen=True, kw_only=True):
    """The business declined to share its history (2593109)."""

    faults: tuple[Fault, ...]


class ContactSync(Personal, frozen=True, kw_only=True):
    """The phone app's address book: a contact was added or changed (`add`) or removed (`remove`)."""

    action: str


class Preference(Personal, frozen=True, kw_only=True):
    """The person's choice in the WhatsApp app: `stop`, `resume` or `signup` for `category` (marketing_messages)."""

    value: str
    category: str | None = None
    detail: str | None = None
    signup_id: str | None = None


class UserIdUpdate(Personal, frozen=True, kw_only=True):
    """The person's BSUID rotated. `party` holds what else the payload told, not the two ids."""

    previous: str
    current: str
    previous_parent: str | None = None
    current_parent: str | None = None


class Update(Received, frozen=True, kw_only=True):
    """A management field, or a field we do not know: kept whole in `channel_update`. Known ones are subclasses in `updates.py`."""

    field: str
    value: dict[str, Any]
    time: int | None = None


Inbound = (
    Message
    | Reaction
    | Edit
    | Revoke
    | PersonChanged
    | SecurityCodeChanged
    | Status
    | ChannelError
    | UserAction
    | Call
    | CallStatus
    | Echo
    | HistoryMessage
    | HistoryRefused
    | ContactSync
    | Preference
    | UserIdUpdate
    | Update
)

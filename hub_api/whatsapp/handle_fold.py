"""What each kind of inbound value does to conversations, messages and statuses, in memory and in the items' order."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from hub_api.chat import statuses, survey
from hub_api.chat.alterations import PLACEHOLDER, Alteration
from hub_api.chat.identities import Customer
from hub_api.chat.statuses import Place, StatusUpdate
from hub_api.chat.threads import Thread, Threads
from hub_api.chat.times import PayloadTime
from hub_api.events import MessageEchoed, MessageReceived
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.settings import Settings
from hub_api.whatsapp.cost.estimate import rate
from hub_api.whatsapp.cost.price import country_of
from hub_api.whatsapp.inbound import (
    Call,
    Echo,
    Edit,
    FlowReply,
    HistoryMessage,
    Inbound,
    Message,
    PersonChanged,
    Preference,
    Reaction,
    Revoke,
    SecurityCodeChanged,
    Status,
    UserIdUpdate,
)


@dataclass(slots=True, eq=False)
class Letter:
    """An item with what was found out about it."""

    row: Row
    inbound: Inbound
    number: Row | None
    time: PayloadTime
    customer: Customer | None = None

    @property
    def number_id(self) -> UUID | None:
        """Our number by our id."""
        return self.number["id"] if self.number else None


class NewMessage(NamedTuple):
    """A row of `messages`, its fields named as the columns."""

    id: UUID
    created_at: datetime
    conversation_id: UUID
    customer_id: UUID
    number_id: UUID | None
    direction: str
    author: str
    type: str
    content: str | None
    payload: dict[str, Any]
    wamid: str
    reply_to: str | None
    state: str
    time_flag: str | None


class Heard(NamedTuple):
    """A customer's words, which may be about consent."""

    customer_id: UUID
    message: Message
    message_id: UUID
    at: datetime


@dataclass
class Batch:
    """What the items of a batch leave behind, collected in memory."""

    settings: Settings
    threads: Threads
    known: set[str]
    now: datetime
    messages: list[NewMessage] = field(default_factory=list)
    keys: dict[str, Place] = field(default_factory=dict)
    events: list[tuple[Event, str]] = field(default_factory=list)  # with the trace of the webhook that brought it
    turns: list[tuple[UUID, UUID, datetime, int]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    statuses: list[StatusUpdate] = field(default_factory=list)
    changes: list[Alteration] = field(default_factory=list)
    preferences: list[tuple[UUID, Preference, datetime]] = field(default_factory=list)
    kept: list[Letter] = field(default_factory=list)

    def fold(self, letter: Letter) -> None:
        """Take one item in; the order of calls is the order of a person's messages."""
        customer, at = letter.customer, letter.time.at
        match letter.inbound:
            case Message() as message if customer:
                self._message(letter, message, customer)
            case Status() as status if status.kind == "message" and status.status in statuses.MOVES:
                self.statuses.append(_status_update(status, letter, self.settings))
            case Reaction() | Edit() | Revoke() as act:
                self.changes.append(_alteration(act, at, "customer"))
            case Echo(inner=Message() as message) if customer:
                self._echo(letter, message, customer)
            case Echo(inner=(Reaction() | Edit() | Revoke()) as act):
                self.changes.append(_alteration(act, at, "business"))
            case HistoryMessage(inner=Message() as message) if customer:
                self._history(letter, letter.inbound, message, customer)
            case HistoryMessage(inner=(Reaction() | Edit() | Revoke()) as act):
                self.changes.append(_alteration(act, at, "customer" if letter.inbound.from_customer else "business"))
            case PersonChanged() | SecurityCodeChanged() as notice:
                self._notice(letter, notice, customer)
            case Call() as call if call.by_customer and customer:
                self._call(letter, call, customer)
            case Preference() as preference if customer:
                self.preferences.append((customer.id, preference, at))
            case UserIdUpdate():
                pass  # its effect is the identity, which is resolved before
            case _:
                self.kept.append(letter)

    def _message(self, letter: Letter, message: Message, customer: Customer) -> None:
        if message.wamid in self.known:
            return
        at = letter.time.at
        stale = self.now - at > timedelta(minutes=self.settings.stale_inbound_minutes)
        place = (customer.id, letter.number_id, at)
        answers = self._answers_survey(message, self.threads.find(customer.id, letter.number_id))
        if message.wants_answer and not answers:
            thread = self.threads.customer_wrote(
                *place,
                for_bot=not stale,
                reason="stale" if stale else "customer_message",
                from_ad=message.referral is not None,
            )
        else:
            thread = self.threads.customer_noted(*place)
        message_id = self._received(letter, message, customer, thread, stale=stale)
        # An old rating still counts; the bot gives anything else that is old to a person.
        if message.wants_answer and (answers or thread.is_rated_next or (thread.state == "bot" and not stale)):
            self.turns.append((thread.id, message_id, letter.time.stored, letter.row["lane"]))

    @staticmethod
    def _answers_survey(message: Message, thread: Thread | None) -> bool:
        """It says how an end was, which opens and reopens nothing: it names that end, or it is a grade and the conversation has ended."""
        if thread is None or thread.is_dormant:
            return False
        if isinstance(message.detail, FlowReply) and survey.is_form(message.detail.response):
            return True
        tapped = survey.read_choice(message.choice_id)
        return tapped is not None and (tapped.about is not None or thread.state in ("resolved", "closed"))

    def _received(
        self, letter: Letter, message: Message, customer: Customer, thread: Thread | UUID, *, stale: bool
    ) -> UUID:
        """A customer's message as row, event and, perhaps, as a word about consent."""
        conversation_id = thread.id if isinstance(thread, Thread) else thread
        message_id = self._row(letter, message.wamid, conversation_id, customer, "in", "customer", "received", message)
        self.heard.append(Heard(customer.id, message, message_id, letter.time.at))
        self._tell(
            letter,
            MessageReceived(
                aggregate_id=message_id,
                aggregate_version=1,
                occurred_at=letter.time.at,
                conversation_id=conversation_id,
                customer_id=customer.id,
                message_type=message.type,
                content=message.content,
                received_at=letter.row["received_at"],
                number_id=letter.number_id,
                stale=stale,
            ),
        )
        return message_id

    def _echo(self, letter: Letter, message: Message, customer: Customer) -> None:
        if message.wamid not in self.known:
            thread = self.threads.employee_wrote(customer.id, letter.number_id, letter.time.at)
            self._echoed(letter, message, customer, thread.id)

    def _echoed(self, letter: Letter, message: Message, customer: Customer, conversation_id: UUID) -> None:
        message_id = self._row(letter, message.wamid, conversation_id, customer, "out", "phone_app", "echoed", message)
        self._tell(
            letter,
            MessageEchoed(
                aggregate_id=message_id,
                aggregate_version=1,
                occurred_at=letter.time.at,
                conversation_id=conversation_id,
                customer_id=customer.id,
                message_type=message.type,
                content=message.content,
                number_id=letter.number_id,
            ),
        )

    def _history(self, letter: Letter, past: HistoryMessage, message: Message, customer: Customer) -> None:
        if message.wamid in self.known:
            if message.type != PLACEHOLDER:
                self.changes.append(_alteration(message, letter.time.at, "customer"))
            return
        conversation_id = self.threads.history(customer.id, letter.number_id, letter.time.at)
        if past.from_customer:
            self._received(letter, message, customer, conversation_id, stale=True)
        else:
            self._echoed(letter, message, customer, conversation_id)

    def _notice(self, letter: Letter, notice: PersonChanged | SecurityCodeChanged, customer: Customer | None) -> None:
        """Shown in the conversation there is; a notice alone opens none."""
        thread = self.threads.find(customer.id, letter.number_id) if customer else None
        if customer and thread and notice.wamid not in self.known:
            self._row(letter, notice.wamid, thread.id, customer, "in", "system", "received", notice)

    def _call(self, letter: Letter, call: Call, customer: Customer) -> None:
        """A call opens the 24 h window as a message does, and asks for a person, not for the bot."""
        if call.event == "connect" and call.call_id not in self.known:
            thread = self.threads.customer_wrote(
                customer.id, letter.number_id, letter.time.at, for_bot=False, reason="call"
            )
            self._row(letter, call.call_id, thread.id, customer, "in", "customer", "received", call)
        else:
            self.kept.append(letter)

    def _tell(self, letter: Letter, event: Event) -> None:
        self.events.append((event, letter.row["webhook_id"].hex))

    def _row(
        self,
        letter: Letter,
        wamid: str,
        conversation_id: UUID,
        customer: Customer,
        direction: str,
        author: str,
        state: str,
        what: Message | PersonChanged | SecurityCodeChanged | Call,
    ) -> UUID:
        stored = letter.time.stored
        message_id = uuid7(int(stored.timestamp() * 1000), sequence=letter.row["id"])
        shown = what if isinstance(what, Message) else None
        kind, content, payload = _shown(what)
        who = (conversation_id, customer.id, letter.number_id, direction, author)
        reply_to = shown.reply_to if shown else None
        self.messages.append(
            NewMessage(message_id, stored, *who, kind, content, payload, wamid, reply_to, state, letter.time.flag)
        )
        self.known.add(wamid)
        self.keys[wamid] = Place(message_id, stored)
        return message_id


def _shown(what: Message | PersonChanged | SecurityCodeChanged | Call) -> tuple[str, str | None, dict[str, Any]]:
    """Type, content and payload of a message's row."""
    match what:
        case Message():
            return what.type, what.content, what.payload()
        case PersonChanged():
            return "system", what.body, {"reason": what.reason}
        case SecurityCodeChanged():
            return "system", what.body, {"reason": "customer_identity_changed"}
        case Call():
            return "call", "[ligação]", {"direction": what.direction}


def _status_update(status: Status, letter: Letter, settings: Settings) -> StatusUpdate:
    fault = status.faults[0] if status.faults else None
    return StatusUpdate(
        status.wamid,
        status.status,
        letter.time.at,
        status.opaque,
        fault.code if fault else None,
        (fault.title or fault.message) if fault else None,
        _pricing(status, letter, settings) if status.pricing else None,
    )


def _pricing(status: Status, letter: Letter, settings: Settings) -> dict[str, Any]:
    """What the channel told, and what a message of that category costs there and then by the rate cards."""
    pricing = {
        name: value
        for name in ("billable", "model", "type", "category")
        if (value := getattr(status.pricing, name)) is not None
    }
    category, party = pricing.get("category"), status.party
    if letter.number is None or not isinstance(category, str) or party is None:
        return pricing
    cards = settings.rate_cards
    price = rate(letter.number, category, country_of(party.wa_id, party.user_id), letter.time.at, cards)
    return pricing | ({"rate_micros": price.micros, "currency": price.currency} if price else {})


def _alteration(act: Reaction | Edit | Revoke | Message, at: datetime, by: str) -> Alteration:
    match act:
        case Reaction():
            return Alteration(act.target, "reaction", at, by, emoji=act.emoji)
        case Revoke():
            return Alteration(act.target, "revoke", at, by)
        case Edit():
            detail = msgspec.to_builtins({"detail": act.detail})
            return Alteration(act.target, "edit", at, by, type=act.type, content=act.content, payload=detail)
        case Message():  # the file that a placeholder of the history stood for
            return Alteration(act.wamid, "fill", at, by, type=act.type, content=act.content, payload=act.payload())

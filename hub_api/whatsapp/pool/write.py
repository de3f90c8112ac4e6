"""An approved template to somebody outside any conversation: the door of programs, as the billing system's notices.

The router chooses the number; who is being served on one gets it there. The conversation that it begins is no demand: no
protocol is told and no figure counts it until the customer writes, which opens it (chat/threads.py).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat.customers import resolve
from hub_api.chat.identities import Sighting, identities_of
from hub_api.chat.outgoing import queue_message
from hub_api.chat.phone import canonical
from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings
from hub_api.whatsapp.compose.draft import PhoneRequired, template_draft
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.pool.spread import Wish, capacities, spread
from hub_api.whatsapp.send import reactions

queries = sqlfile.load(__package__, "write.sql")


class NoNumber(Conflict):
    """No number of the template's account can send, now or by itself later."""

    code = "no_number"


class CustomerGone(Conflict):
    """The customer is blocked or erased: nothing is written to them."""

    code = "customer_gone"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Exactly one: a customer of ours, an international phone number, or a BSUID of the account's portfolio."""

    customer_id: UUID | None = None
    phone: str | None = None
    bsuid: str | None = None


async def write(
    tx: Transaction, settings: Settings, to: Recipient, message: NewTemplate, *, waba_id: str | None = None
) -> dict[str, Any]:
    """Queue `message` for `to`; a phone or BSUID that nobody has yet becomes a customer. Returns the ids of message,
    customer, conversation and number.

    Raises NotFound (template, customer), Invalid (a phone that is none), TemplateNotApproved, TemplateMismatch,
    PhoneRequired, CustomerGone, NoNumber.
    """
    found = await tx.db.fetch(queries.templates_named, message.name, message.language, waba_id)
    if not found:
        raise NotFound(f"no account has a template {message.name!r} in {message.language!r}", template=message.name)
    usable = [row for row in found if row["status"] == "APPROVED"] or found
    customer = await _customer(tx, settings, to, usable[0]["portfolio_id"])
    if to.bsuid is not None:  # it is an address within its portfolio only
        usable = [row for row in usable if row["portfolio_id"] == usable[0]["portfolio_id"]]
    category = usable[0]["category"].lower()
    number_id = await _number(tx, customer["id"], category, [row["account_id"] for row in usable])
    conversation_id = await _conversation(tx, settings, customer["id"], number_id)
    account_id = await tx.db.fetchval(reactions.queries.account_of_number, number_id)
    template = next(row for row in usable if row["account_id"] == account_id)
    draft = template_draft(template, message, author="system")
    if draft.category == "authentication" and not await tx.db.fetchval(queries.has_phone, customer["id"]):
        raise PhoneRequired(f"customer {customer['id']} is known by a username only: a code needs a phone number")
    message_id = await queue_message(tx, conversation_id, draft)
    ids = {"id": message_id, "customer_id": customer["id"], "conversation_id": conversation_id, "number_id": number_id}
    return {name: str(value) for name, value in ids.items()}


async def _customer(tx: Transaction, settings: Settings, to: Recipient, portfolio_id: str) -> Row:
    customer_id = to.customer_id
    if customer_id is None:
        customer_id = await _found(tx, settings, to, portfolio_id)
    row = await tx.db.fetchrow(queries.lock_customer, customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}", customer_id=str(customer_id))
    if row["status"] in ("blocked", "erased"):
        raise CustomerGone(f"customer {row['id']} is {row['status']}", customer_id=str(row["id"]))
    return row


async def _found(tx: Transaction, settings: Settings, to: Recipient, portfolio_id: str) -> UUID:
    identities = identities_of(portfolio_id, user_id=to.bsuid)
    if to.phone is not None:
        phone = canonical(to.phone)
        if phone is None:
            raise Invalid("the phone is not an international number (+55 and area code for Brazil)")
        # The canonical phone only: how WhatsApp spells it is Meta's to say.
        identities = tuple(one for one in identities_of(portfolio_id, wa_id=phone) if one.kind == "phone")
    [customer] = await resolve(tx, [Sighting(identities, datetime.now(UTC))], shards=settings.outbox_shards)
    if customer is None:
        raise NotFound("the recipient names nobody")
    return customer.id


async def _number(tx: Transaction, customer_id: UUID, category: str, accounts: list[UUID]) -> UUID:
    served = await tx.db.fetchrow(queries.open_conversation, customer_id, accounts)
    sticky = served["number_id"] if served else None
    wish = Wish(category, sticky, costs_quota=not (served and served["in_window"]))
    [number_id] = spread([wish], await capacities(tx, accounts))
    if number_id is None:
        number_id = await tx.db.fetchval(queries.waiting_number, accounts)
    if number_id is None:
        raise NoNumber("no number of the template's account can send: hub numbers list shows why")
    return number_id


async def _conversation(tx: Transaction, settings: Settings, customer_id: UUID, number_id: UUID) -> UUID:
    known: UUID | None = await tx.db.fetchval(queries.conversation_on, customer_id, number_id)
    if known is not None:
        return known
    conversation_id, now = uuid7(), datetime.now(UTC)
    await tx.db.execute(queries.begin_conversation, conversation_id, customer_id, number_id, now, settings.timezone)
    return conversation_id

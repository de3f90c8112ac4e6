"""A message of a person, as typed value: header, context, referral, and the types that are no message but an act on one."""

from typing import Any

import msgspec

from hub_api.whatsapp.content import content_of
from hub_api.whatsapp.inbound import (
    Context,
    Edit,
    Message,
    Party,
    PersonChanged,
    Reaction,
    Referral,
    Revoke,
    SecurityCodeChanged,
    Unsupported,
)
from hub_api.whatsapp.parse_detail import detail_of
from hub_api.whatsapp.scan import members
from hub_api.whatsapp.wire import (
    Number,
    Unparsable,
    WireFault,
    decode,
    faults,
    given,
    identifier,
    required,
    whole,
)

UNAVAILABLE = 131060  # "This message is unavailable": a lead from an ad, whose words the channel lost

# Acts on another message that the channel cannot deliver: there is nothing in them to answer.
_SILENT = frozenset({"edit", "keep_in_chat", "pin", "poll_update", "reaction"})


class _Identity(msgspec.Struct):
    hash: str | None = None


class Header(msgspec.Struct):
    """What every message has, whatever it carries; also that of echoes and history."""

    class HistoryContext(msgspec.Struct):
        status: str | None = None

    class Context(msgspec.Struct):
        class Product(msgspec.Struct):
            catalog_id: str | None = None
            product_retailer_id: str | None = None

        sender: str | None = msgspec.field(name="from", default=None)
        id: str | None = None
        forwarded: bool | None = None
        frequently_forwarded: bool | None = None
        referred_product: Product | None = None

    class Referral(msgspec.Struct):
        class Welcome(msgspec.Struct):
            text: str | None = None

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
        welcome_message: Welcome | None = None

    id: str
    type: str
    timestamp: Number | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    from_user_id: str | None = None
    from_parent_user_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None
    to_parent_user_id: str | None = None
    context: Context | None = None
    referral: Referral | None = None
    errors: list[WireFault] | None = None
    history_context: HistoryContext | None = None
    identity: _Identity | None = None  # of a system message; older samples have it inside `system`


class _Reaction(msgspec.Struct):
    message_id: str
    emoji: str | None = None


class _Original(msgspec.Struct):
    original_message_id: str
    message: msgspec.Raw = msgspec.Raw(b"{}")


class _Typed(msgspec.Struct):
    type: str


class _System(msgspec.Struct):
    type: str | None = None
    body: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    identity: _Identity | None = None


Act = Message | Reaction | Edit | Revoke
Personal = Act | PersonChanged | SecurityCodeChanged


def sender_of(header: Header, contact: Party | None) -> Party:
    """Who wrote: the message's own identifiers first, the matched contact fills in. Raises Unparsable when nobody is named."""
    known = contact or Party()
    return _named(
        Party(
            wa_id=identifier(header.sender, "from") or known.wa_id,
            user_id=identifier(header.from_user_id, "from_user_id") or known.user_id,
            parent_user_id=identifier(header.from_parent_user_id, "from_parent_user_id") or known.parent_user_id,
            name=known.name,
            username=known.username,
        )
    )


def recipient_of(header: Header, contact: Party | None) -> Party:
    """To whom an outgoing message (echo, history) went. Raises Unparsable when nobody is named."""
    known = contact or Party()
    return _named(
        Party(
            wa_id=identifier(header.to, "to") or known.wa_id,
            user_id=identifier(header.to_user_id, "to_user_id") or known.user_id,
            parent_user_id=identifier(header.to_parent_user_id, "to_parent_user_id") or known.parent_user_id,
            name=known.name,
            username=known.username,
        )
    )


def _named(party: Party) -> Party:
    if party.key is None:
        raise Unparsable("no_person", "the message names neither a phone nor a user id")
    return party


def read_message(
    raw: bytes, header: Header, party: Party, origin: dict[str, Any], errors: list[WireFault] | None = None
) -> Personal:
    """The typed value of the message `raw`, whose person is `party`. Raises Unparsable."""
    about: dict[str, Any] = {
        **origin,
        "party": party,
        "timestamp": whole(header.timestamp),
        "wamid": required(header.id, "id"),
    }
    part = members(raw).get(required(header.type, "type"), b"null")
    if part != b"null":
        match header.type:
            case "reaction":
                reaction = decode(part, _Reaction)
                target = required(reaction.message_id, "reaction.message_id")
                return Reaction(**about, target=target, emoji=given(reaction.emoji))
            case "revoke":
                original = decode(part, _Original)
                return Revoke(**about, target=required(original.original_message_id, "revoke.original_message_id"))
            case "edit":
                return _edit(decode(part, _Original), about)
            case "system":
                if notice := _system(decode(part, _System), header, about):
                    return notice
    return _message(raw, header, about, errors)


def _message(raw: bytes, header: Header, about: dict[str, Any], errors: list[WireFault] | None) -> Message:
    found = faults(header.errors) or faults(errors)
    detail = detail_of(header.type, raw)
    if isinstance(detail, Unsupported) and any(fault.code == UNAVAILABLE for fault in found):
        detail = Unsupported(type=detail.type, unavailable=True)
    silent = header.type == "system" or (isinstance(detail, Unsupported) and detail.type in _SILENT)
    return Message(
        **about,
        type=header.type,
        content=content_of(header.type, detail, found),
        detail=detail,
        context=_context(header.context),
        referral=_referral(header.referral),
        faults=found,
        wants_answer=not silent,
    )


def _edit(original: _Original, about: dict[str, Any]) -> Edit:
    message_type = decode(original.message, _Typed).type
    detail = detail_of(message_type, bytes(original.message))
    return Edit(
        **about,
        target=required(original.original_message_id, "edit.original_message_id"),
        type=message_type,
        content=content_of(message_type, detail),
        detail=detail,
    )


def _system(system: _System, header: Header, about: dict[str, Any]) -> PersonChanged | SecurityCodeChanged | None:
    """A changed person or device; None for another notice, which is shown as it is."""
    new = Party(
        wa_id=identifier(system.wa_id, "system.wa_id"),
        user_id=identifier(system.user_id, "system.user_id"),
        parent_user_id=identifier(system.parent_user_id, "system.parent_user_id"),
    )
    if system.type in ("user_changed_number", "user_changed_user_id") and new.key:
        return PersonChanged(**about, reason=system.type, new=new, body=system.body)
    if system.type == "customer_identity_changed":
        identity = header.identity or system.identity or _Identity()
        return SecurityCodeChanged(**about, hash=identity.hash, body=system.body)
    return None


def _context(context: Header.Context | None) -> Context | None:
    if context is None:
        return None
    product = context.referred_product
    return Context(
        wamid=identifier(context.id, "context.id"),
        author=given(context.sender),
        forwarded=bool(context.forwarded),
        frequently_forwarded=bool(context.frequently_forwarded),
        catalog_id=product.catalog_id if product else None,
        product_retailer_id=product.product_retailer_id if product else None,
    )


def _referral(referral: Header.Referral | None) -> Referral | None:
    if referral is None:
        return None
    return Referral(
        source_type=referral.source_type,
        source_id=referral.source_id,
        source_url=referral.source_url,
        headline=referral.headline,
        body=referral.body,
        media_type=referral.media_type,
        image_url=referral.image_url,
        video_url=referral.video_url,
        thumbnail_url=referral.thumbnail_url,
        ctwa_clid=referral.ctwa_clid,
        welcome_text=referral.welcome_message.text if referral.welcome_message else None,
    )

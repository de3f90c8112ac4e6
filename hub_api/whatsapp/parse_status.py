"""What became of our sends and calls, and errors of the channel itself (channel document §1.3, §1.4, §1.5 `calls`)."""

from typing import Any

import msgspec

from hub_api.whatsapp.inbound import Call, CallStatus, ChannelError, Party, Pricing, Status
from hub_api.whatsapp.wire import (
    Number,
    WireFault,
    decode,
    decode_object,
    faults,
    given,
    identifier,
    required,
    whole,
)


class _Status(msgspec.Struct):
    class Pricing(msgspec.Struct):
        billable: bool | None = None
        pricing_model: str | None = None
        type: str | None = None
        category: str | None = None

    class Conversation(msgspec.Struct):
        class Origin(msgspec.Struct):
            type: str | None = None

        id: str | None = None
        expiration_timestamp: Number | None = None
        origin: Origin | None = None

    id: str
    status: str
    timestamp: Number | None = None
    type: str | None = None
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_parent_user_id: str | None = None
    biz_opaque_callback_data: str | None = None
    pricing: Pricing | None = None
    conversation: Conversation | None = None
    errors: list[WireFault] | None = None
    payment: msgspec.Raw = msgspec.Raw(b"null")


class _Call(msgspec.Struct):
    id: str
    event: str
    timestamp: Number | None = None
    direction: str | None = None
    status: str | None = None
    duration: Number | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    from_user_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None


def read_status(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> Status:
    """A status of a message. It is keyed on the wamid: a recipient may be missing. Raises Unparsable."""
    status = decode(raw, _Status)
    window = status.conversation or _Status.Conversation()
    return Status(
        **origin,
        party=_recipient(status, contact),
        timestamp=whole(status.timestamp),
        wamid=required(status.id, "id"),
        status=required(status.status, "status"),
        kind=status.type or "message",
        opaque=given(status.biz_opaque_callback_data),
        pricing=_pricing(status.pricing),
        faults=faults(status.errors),
        window_id=window.id,
        window_origin=window.origin.type if window.origin else None,
        window_expires=whole(window.expiration_timestamp),
        payment=None if bytes(status.payment) == b"null" else decode_object(status.payment),
    )


def read_call_status(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> CallStatus:
    """A status of a call of ours. Raises Unparsable."""
    status = decode(raw, _Status)
    return CallStatus(
        **origin,
        party=_recipient(status, contact),
        timestamp=whole(status.timestamp),
        call_id=required(status.id, "id"),
        status=required(status.status, "status"),
    )


def read_call(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> Call:
    """A call with a customer, begun by either side. Raises Unparsable."""
    call, known = decode(raw, _Call), contact or Party()
    ours = call.direction == "BUSINESS_INITIATED"
    phone, user_id = (call.to, call.to_user_id) if ours else (call.sender, call.from_user_id)
    return Call(
        **origin,
        party=_party(phone, user_id, None, known),
        timestamp=whole(call.timestamp),
        call_id=required(call.id, "id"),
        event=required(call.event, "event"),
        direction=call.direction,
        status=call.status,
        duration_s=whole(call.duration),
    )


def read_error(raw: bytes, origin: dict[str, Any]) -> ChannelError:
    """Errors of a value without messages: they concern the number or the account. Raises Unparsable."""
    return ChannelError(**origin, faults=faults(decode(raw, list[WireFault])))


def _recipient(status: _Status, contact: Party | None) -> Party:
    return _party(status.recipient_id, status.recipient_user_id, status.recipient_parent_user_id, contact or Party())


def _party(phone: str | None, user_id: str | None, parent: str | None, known: Party) -> Party:
    return Party(
        wa_id=identifier(phone, "phone") or known.wa_id,
        user_id=identifier(user_id, "user id") or known.user_id,
        parent_user_id=identifier(parent, "parent user id") or known.parent_user_id,
        name=known.name,
        username=known.username,
    )


def _pricing(pricing: _Status.Pricing | None) -> Pricing | None:
    if pricing is None:
        return None
    return Pricing(billable=pricing.billable, model=pricing.pricing_model, type=pricing.type, category=pricing.category)

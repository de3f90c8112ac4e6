"""One inbox item to one typed value, without looking at anything else."""

from typing import Any

import msgspec

from hub_api.whatsapp.inbound import Echo, HistoryMessage, HistoryRefused, Inbound, Item, Party
from hub_api.whatsapp.parse_message import Act, Header, read_message, recipient_of, sender_of
from hub_api.whatsapp.parse_person import (
    read_contact_sync,
    read_preference,
    read_user_action,
    read_user_id_update,
)
from hub_api.whatsapp.parse_status import read_call, read_call_status, read_error, read_status
from hub_api.whatsapp.parse_update import read_update
from hub_api.whatsapp.scan import WrongShape
from hub_api.whatsapp.wire import Number, Unparsable, WireFault, decode, faults, has_nul

__all__ = ["Unparsable", "parse"]


class _Payload(msgspec.Struct):
    """What `split` put together."""

    data: msgspec.Raw
    contact: Party | None = None
    errors: list[WireFault] | None = None
    thread: str | None = None
    field: str = ""
    time: Number | None = None


def parse(item: Item) -> Inbound:
    """The typed value of `item`. Raises Unparsable and nothing else, whatever the payload holds."""
    if has_nul(item.payload):
        raise Unparsable("nul_character", "a text holds U+0000, which PostgreSQL does not take")
    try:
        return _read(item, decode(item.payload, _Payload))
    except WrongShape as error:
        raise Unparsable("wrong_type", str(error)) from error


def _read(item: Item, payload: _Payload) -> Inbound:  # noqa: PLR0911, PLR0912 - one line per kind of item
    data, contact = bytes(payload.data), payload.contact
    origin: dict[str, Any] = {"phone_number_id": item.phone_number_id, "waba_id": item.waba_id}
    match item.kind:
        case "message":
            header = decode(data, Header)
            return read_message(data, header, sender_of(header, contact), origin, payload.errors)
        case "status":
            return read_status(data, contact, origin)
        case "echo":
            header = decode(data, Header)
            return Echo(**origin, inner=_act(data, header, recipient_of(header, contact), origin))
        case "history":
            return _history(data, payload.thread, origin)
        case "history_error":
            return HistoryRefused(**origin, faults=faults(decode(data, list[WireFault])))
        case "error":
            return read_error(data, origin)
        case "call":
            return read_call(data, contact, origin)
        case "call_status":
            return read_call_status(data, contact, origin)
        case "preference":
            return read_preference(data, contact, origin)
        case "user_id_update":
            return read_user_id_update(data, contact, origin)
        case "user_action":
            return read_user_action(data, contact, origin)
        case "state_sync":
            return read_contact_sync(data, origin)
        case "update":
            return read_update(payload.field, data, payload.time, origin)
        case "group":
            raise Unparsable("group", "group chats are not handled")
        case _:
            raise Unparsable("unknown_kind", f"no parser for items of kind {item.kind!r}")


def _history(data: bytes, thread: str | None, origin: dict[str, Any]) -> HistoryMessage:
    """A message of the past: ours when it has an addressee, or was not written by the one whose thread it is."""
    header = decode(data, Header)
    ours = bool(header.to or header.to_user_id) or (
        thread is not None and thread != (header.sender or header.from_user_id)
    )
    if thread is not None:
        person = Party(user_id=thread) if "." in thread else Party(wa_id=thread)
    else:
        person = recipient_of(header, None) if ours else sender_of(header, None)
    return HistoryMessage(
        **origin,
        inner=_act(data, header, person, origin),
        from_customer=not ours,
        status=header.history_context.status if header.history_context else None,
    )


def _act(data: bytes, header: Header, person: Party, origin: dict[str, Any]) -> Act:
    act = read_message(data, header, person, origin)
    if not isinstance(act, Act):
        raise Unparsable("misplaced", f"a message of type {header.type!r} does not belong among echoes or history")
    return act

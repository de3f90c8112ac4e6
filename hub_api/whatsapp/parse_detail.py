"""What a message carries: the object named after its type, as one of the `Detail` structs (channel document §1.2).

A type we do not know, or one that comes without its object, is kept as `Unknown`; a wrong type inside an object is
Unparsable.
"""

from collections.abc import Callable
from functools import partial

import msgspec
import orjson

from hub_api.whatsapp.inbound import (
    CallPermission,
    Card,
    CardPhone,
    Cards,
    Choice,
    Detail,
    FlowReply,
    Location,
    Media,
    Order,
    OrderLine,
    Text,
    Unknown,
    Unsupported,
)
from hub_api.whatsapp.scan import members
from hub_api.whatsapp.wire import Number, decode, decode_object, given, has_nul, identifier, micros, whole


class _Media(msgspec.Struct):
    id: str | None = None
    mime_type: str | None = None
    sha256: str | None = None
    caption: str | None = None
    filename: str | None = None
    url: str | None = None
    voice: bool | None = None
    animated: bool | None = None


class _Location(msgspec.Struct):
    latitude: Number
    longitude: Number
    name: str | None = None
    address: str | None = None
    url: str | None = None


class _Card(msgspec.Struct):
    class Name(msgspec.Struct):
        formatted_name: str | None = None
        first_name: str | None = None

    class Phone(msgspec.Struct):
        phone: str | None = None
        wa_id: str | None = None
        type: str | None = None

    class Email(msgspec.Struct):
        email: str | None = None

    class Org(msgspec.Struct):
        company: str | None = None

    name: Name | None = None
    phones: list[Phone] | None = None
    emails: list[Email] | None = None
    org: Org | None = None
    origin: str | None = None
    vcard: str | None = None


class _Choice(msgspec.Struct):
    id: str | None = None
    title: str | None = None
    description: str | None = None


class _FlowReply(msgspec.Struct):
    name: str | None = None
    body: str | None = None
    response_json: str | None = None


class _CallPermission(msgspec.Struct):
    response: str | None = None
    expiration_timestamp: Number | None = None
    response_source: str | None = None


class _Button(msgspec.Struct):
    payload: str | None = None
    text: str | None = None


class _OrderLine(msgspec.Struct):
    product_retailer_id: str | None = None
    quantity: Number | None = None
    item_price: Number | None = None
    currency: str | None = None


class _Order(msgspec.Struct):
    catalog_id: str | None = None
    text: str | None = None
    product_items: list[_OrderLine] | None = None


class _Unsupported(msgspec.Struct):
    type: str | None = None


class _Text(msgspec.Struct):
    body: str


def detail_of(message_type: str, raw: bytes) -> Detail:
    """What the message `raw` of `message_type` carries. Raises Unparsable."""
    parts = members(raw)
    if message_type in ("unsupported", "unknown"):
        return Unsupported(type=decode(parts.get("unsupported", b"{}"), _Unsupported).type)
    reader, part = _READERS.get(message_type), parts.get(message_type, b"null")
    found = reader(part) if reader and part != b"null" else None
    return found or Unknown(raw=decode_object(raw))


def _text(raw: bytes) -> Detail:
    return Text(body=decode(raw, _Text).body)


def _media(kind: str, raw: bytes) -> Detail:
    media = decode(raw, _Media)
    return Media(
        kind=kind,
        id=given(media.id),
        mime_type=media.mime_type,
        sha256=media.sha256,
        caption=given(media.caption),
        filename=given(media.filename),
        url=media.url,
        voice=bool(media.voice),
        animated=bool(media.animated),
    )


def _location(raw: bytes) -> Detail | None:
    place = decode(raw, _Location)
    try:
        latitude, longitude = float(place.latitude), float(place.longitude)
    except (ValueError, OverflowError):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Location(
        latitude=latitude, longitude=longitude, name=given(place.name), address=given(place.address), url=place.url
    )


def _contacts(raw: bytes) -> Detail:
    cards = decode(raw, list[_Card])
    return Cards(
        cards=tuple(
            Card(
                name=given(card.name.formatted_name or card.name.first_name) if card.name else None,
                phones=tuple(
                    CardPhone(phone=given(p.phone), wa_id=identifier(p.wa_id, "wa_id"), type=p.type)
                    for p in card.phones or ()
                ),
                emails=tuple(email.email for email in card.emails or () if email.email),
                company=card.org.company if card.org else None,
                vcard=card.vcard,
            )
            for card in cards
        ),
        requested=any(card.origin == "contact_request" for card in cards),
    )


def _interactive(raw: bytes) -> Detail | None:
    parts = members(raw)
    kind = decode(parts.get("type", b'""'), str)
    part = parts.get(kind, b"null")
    if part == b"null":
        return None
    match kind:
        case "button_reply" | "list_reply":
            choice = decode(part, _Choice)
            return Choice(kind=kind, id=given(choice.id), title=choice.title, description=choice.description)
        case "nfm_reply":
            return _flow_reply(decode(part, _FlowReply))
        case "call_permission_reply":
            answer = decode(part, _CallPermission)
            return CallPermission(
                response=answer.response, expires=whole(answer.expiration_timestamp), source=answer.response_source
            )
        case _:
            return None


def _flow_reply(reply: _FlowReply) -> FlowReply:
    """The form's answers travel as JSON inside a string, which may be missing or broken: the message is kept anyway."""
    raw = (reply.response_json or "").encode()
    try:
        response = None if has_nul(raw) else orjson.loads(raw)
    except ValueError:
        response = None
    return FlowReply(
        name=reply.name,
        body=reply.body,
        response=response if isinstance(response, dict | list) else None,
        raw=None if isinstance(response, dict | list) else reply.response_json,
    )


def _button(raw: bytes) -> Detail:
    button = decode(raw, _Button)
    return Choice(kind="button", id=given(button.payload) or given(button.text), title=given(button.text))


def _order(raw: bytes) -> Detail:
    order = decode(raw, _Order)
    return Order(
        lines=tuple(
            OrderLine(
                product_retailer_id=line.product_retailer_id,
                quantity=whole(line.quantity),
                price_micros=micros(line.item_price),
                currency=line.currency,
            )
            for line in order.product_items or ()
        ),
        catalog_id=order.catalog_id,
        text=given(order.text),
    )


_READERS: dict[str, Callable[[bytes], Detail | None]] = {
    "text": _text,
    **{kind: partial(_media, kind) for kind in ("image", "video", "audio", "document", "sticker")},
    "location": _location,
    "contacts": _contacts,
    "interactive": _interactive,
    "button": _button,
    "order": _order,
}

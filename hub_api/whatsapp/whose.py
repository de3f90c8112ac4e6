"""Whose is it: the person an item concerns, and what its value tells about people and our number.

Only this is decoded while a body is split. People are matched by identifier, never by their place in `contacts`.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from hub_api.whatsapp.inbound import Party
from hub_api.whatsapp.scan import WrongShape, elements
from hub_api.whatsapp.wire import Unparsable, decode, identifier

_NAME_LIMIT = 200  # characters of a display name that are kept


class Whose(NamedTuple):
    """The person by BSUID and phone as the item has them, and whether it belongs to a group chat."""

    user_id: str | None
    wa_id: str | None
    group: bool = False


class _Who(msgspec.Struct):
    sender: str | None = msgspec.field(name="from", default=None)
    from_user_id: str | None = None
    to: str | None = None
    to_user_id: str | None = None
    recipient_id: str | None = None
    recipient_user_id: str | None = None
    recipient_type: str | None = None
    group_id: str | None = None
    direction: str | None = None


class _Contact(msgspec.Struct):
    class Profile(msgspec.Struct):
        name: str | None = None
        username: str | None = None

    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    profile: Profile | None = None


class _Rotation(msgspec.Struct):
    class Ids(msgspec.Struct):
        previous: str | None = None

    user_id: Ids | None = None


class _Sync(msgspec.Struct):
    class Contact(msgspec.Struct):
        phone_number: str | None = None

    contact: Contact | None = None


class Metadata(msgspec.Struct):
    """Our number as the value names it. Route by the id: the display number can lack its ninth digit."""

    phone_number_id: str | None = None
    display_phone_number: str | None = None


def of_sender(raw: bytes) -> Whose:
    """A message, an action: who wrote or did it."""
    who = decode(raw, _Who)
    return Whose(who.from_user_id, who.sender, bool(who.group_id))


def of_recipient(raw: bytes) -> Whose:
    """A status, an echo: to whom it went."""
    who = decode(raw, _Who)
    group = bool(who.group_id) or who.recipient_type == "group"
    return Whose(who.recipient_user_id or who.to_user_id, who.recipient_id or who.to, group)


def of_caller(raw: bytes) -> Whose:
    """A call: the customer, whichever side began it."""
    who = decode(raw, _Who)
    if who.direction == "BUSINESS_INITIATED":
        return Whose(who.to_user_id or who.recipient_user_id, who.to)
    return Whose(who.from_user_id, who.sender)


def of_correspondent(raw: bytes) -> Whose:
    """A message of the past: the customer, who is the addressee where there is one, else the writer."""
    who = decode(raw, _Who)
    if who.to or who.to_user_id:
        return Whose(who.to_user_id, who.to, bool(who.group_id))
    return Whose(who.from_user_id, who.sender, bool(who.group_id))


def of_thread(person: str) -> Callable[[bytes], Whose]:
    """A message of a history thread: the thread's id is the customer's phone or BSUID, whoever wrote the message."""
    group = person.endswith("@g.us")
    whose = Whose(person, None) if "." in person and not group else Whose(None, person, group)
    return lambda _: whose


def of_preference(raw: bytes) -> Whose:
    """A preference: who chose."""
    contact = decode(raw, _Contact)
    return Whose(contact.user_id, contact.wa_id)


def of_rotation(raw: bytes) -> Whose:
    """A rotated BSUID: the person under the old one, after whose messages it has to be handled."""
    ids = decode(raw, _Rotation).user_id
    return Whose(ids.previous if ids else None, None)


def of_sync(raw: bytes) -> Whose:
    """An address book entry: its phone."""
    contact = decode(raw, _Sync).contact
    return Whose(None, contact.phone_number if contact else None)


# field -> list in its value -> kind of its items, and whose each one is
LISTS: dict[str, dict[str, tuple[str, Callable[[bytes], Whose]]]] = {
    "messages": {
        "messages": ("message", of_sender),
        "statuses": ("status", of_recipient),
        "user_actions": ("user_action", of_sender),
    },
    "calls": {"calls": ("call", of_caller), "statuses": ("call_status", of_recipient)},
    "smb_message_echoes": {"message_echoes": ("echo", of_recipient)},
    "history": {"messages": ("history", of_correspondent)},
    "smb_app_state_sync": {"state_sync": ("state_sync", of_sync)},
    "user_preferences": {"user_preferences": ("preference", of_preference)},
    "user_id_update": {"user_id_update": ("user_id_update", of_rotation)},
}


class People:
    """The people a value describes, found by any of their identifiers."""

    def __init__(self, raw: bytes | None) -> None:
        """From the value's `contacts`. A contact that cannot be read is passed over: items name their people themselves."""
        parties = [party for party in map(_party, _elements(raw)) if party]
        self._by_key = {key: party for party in parties for key in (party.user_id, party.wa_id) if key}
        self._only = parties[0] if len(parties) == 1 else None

    def find(self, whose: Whose) -> Party | None:
        """The described person; for an item that names nobody the only one described, if there is just one."""
        found = self._by_key.get(whose.user_id or "") or self._by_key.get(whose.wa_id or "")
        return found or (self._only if not (whose.user_id or whose.wa_id) else None)


def metadata_of(raw: bytes | None) -> Metadata:
    """The value's `metadata`; empty when it is missing or cannot be read."""
    try:
        metadata = decode(raw or b"{}", Metadata)
        identifier(metadata.phone_number_id, "phone_number_id")
        identifier(metadata.display_phone_number, "display_phone_number")
    except Unparsable:
        return Metadata()
    return metadata


def _elements(raw: bytes | None) -> list[bytes]:
    try:
        return elements(raw) if raw else []
    except WrongShape:
        return []


def _party(raw: bytes) -> Party | None:
    try:
        contact = decode(raw, _Contact)
        profile = contact.profile or _Contact.Profile()
        return Party(
            wa_id=identifier(contact.wa_id, "wa_id"),
            user_id=identifier(contact.user_id, "user_id"),
            parent_user_id=identifier(contact.parent_user_id, "parent_user_id"),
            name=_shown(profile.name),
            username=_shown(profile.username),
        )
    except Unparsable:
        return None


def _shown(text: str | None) -> str | None:
    return (text or "").replace("\x00", "").strip()[:_NAME_LIMIT] or None

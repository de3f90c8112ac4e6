"""What concerns a person but is no message: preferences, rotated ids, clicks, the phone app's address book (§1.5–1.8)."""

from typing import Any

import msgspec

from hub_api.whatsapp.inbound import ContactSync, Party, Preference, UserAction, UserIdUpdate
from hub_api.whatsapp.scan import members
from hub_api.whatsapp.wire import (
    Number,
    Unparsable,
    decode,
    decode_object,
    given,
    identifier,
    required,
    whole,
)


class _Preference(msgspec.Struct):
    value: str
    category: str | None = None
    detail: str | None = None
    signup_id: str | None = None
    wa_id: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    timestamp: Number | None = None


class _Rotated(msgspec.Struct):
    previous: str | None = None
    current: str | None = None


class _UserIdUpdate(msgspec.Struct):
    user_id: _Rotated
    parent_user_id: _Rotated | None = None
    wa_id: str | None = None
    timestamp: Number | None = None


class _UserAction(msgspec.Struct):
    action_type: str
    timestamp: Number | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    from_user_id: str | None = None


class _ContactSync(msgspec.Struct):
    class Contact(msgspec.Struct):
        phone_number: str
        full_name: str | None = None
        first_name: str | None = None

    class Metadata(msgspec.Struct):
        timestamp: Number | None = None

    action: str
    contact: Contact
    metadata: Metadata | None = None


def read_preference(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> Preference:
    """The person's opt-out or opt-in in the app. Raises Unparsable."""
    own, known = decode(raw, _Preference), contact or Party()
    party = Party(
        wa_id=identifier(own.wa_id, "wa_id") or known.wa_id,
        user_id=identifier(own.user_id, "user_id") or known.user_id,
        parent_user_id=identifier(own.parent_user_id, "parent_user_id") or known.parent_user_id,
        name=known.name,
        username=known.username,
    )
    if party.key is None:
        raise Unparsable("no_person", "the preference names neither a phone nor a user id")
    return Preference(
        **origin,
        party=party,
        timestamp=whole(own.timestamp),
        value=required(own.value, "value"),
        category=own.category,
        detail=own.detail,
        signup_id=given(own.signup_id),
    )


def read_user_id_update(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> UserIdUpdate:
    """A rotated BSUID. Raises Unparsable."""
    own, known = decode(raw, _UserIdUpdate), contact or Party()
    parent = own.parent_user_id or _Rotated()
    return UserIdUpdate(
        **origin,
        # The contact may carry the new id already: the two ids stand in fields of their own, not in the party.
        party=Party(wa_id=identifier(own.wa_id, "wa_id") or known.wa_id, name=known.name, username=known.username),
        timestamp=whole(own.timestamp),
        previous=required(own.user_id.previous, "user_id.previous"),
        current=required(own.user_id.current, "user_id.current"),
        previous_parent=identifier(parent.previous, "parent_user_id.previous"),
        current_parent=identifier(parent.current, "parent_user_id.current"),
    )


def read_user_action(raw: bytes, contact: Party | None, origin: dict[str, Any]) -> UserAction:
    """A click on a marketing message. The payload may name nobody: then the party is empty. Raises Unparsable."""
    own, known = decode(raw, _UserAction), contact or Party()
    action = required(own.action_type, "action_type")
    data = members(raw).get(f"{action}_data", b"null")
    return UserAction(
        **origin,
        party=Party(
            wa_id=identifier(own.sender, "from") or known.wa_id,
            user_id=identifier(own.from_user_id, "from_user_id") or known.user_id,
            parent_user_id=known.parent_user_id,
            name=known.name,
            username=known.username,
        ),
        timestamp=whole(own.timestamp),
        action=action,
        data=decode_object(raw if data == b"null" else data),
    )


def read_contact_sync(raw: bytes, origin: dict[str, Any]) -> ContactSync:
    """An entry of the phone app's address book. Raises Unparsable."""
    own = decode(raw, _ContactSync)
    return ContactSync(
        **origin,
        party=Party(
            wa_id=required(own.contact.phone_number, "contact.phone_number"),
            name=given(own.contact.full_name) or given(own.contact.first_name),
        ),
        timestamp=whole(own.metadata.timestamp) if own.metadata else None,
        action=required(own.action, "action"),
    )

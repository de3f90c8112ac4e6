"""Cut a webhook's body into items that can be handled alone. Pure, and never raises: what cannot be cut is a problem.

A body is entries, of changes, of values, of lists of items (channel document §1.1). Each level is taken apart without
decoding what lies below (`scan`), and an item's bytes are copied as they came into its payload. Only what decides the
way is decoded here (`whose`): whose it is and which number it came to. The content is the parser's part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from hub_api.whatsapp.inbound import Item
from hub_api.whatsapp.scan import FAULTS, WrongShape, elements, members
from hub_api.whatsapp.whose import LISTS, People, Whose, metadata_of, of_correspondent, of_thread
from hub_api.whatsapp.wire import Unparsable, WireFault, decode, has_nul, identifier

OBJECT = "whatsapp_business_account"

# Errors beside messages are copied into each of them; longer ones stay in the stored body only.
_ERRORS_LIMIT = 8_192


class Problem(NamedTuple):
    """What could not become an item. `body` is a whole webhook body that holds nothing else: to store it is to replay it."""

    reason: str
    detail: str
    body: bytes
    waba_id: str | None = None
    phone_number_id: str | None = None


class Split(NamedTuple):
    """The items of one body in their order, and its problems."""

    items: list[Item]
    problems: list[Problem]


def split(body: bytes) -> Split:
    """The items and problems of a webhook body, whatever it holds."""
    found = Split([], [])
    try:
        envelope = members(body)
        if _text(envelope.get("object")) != OBJECT:
            found.problems.append(Problem("wrong_object", f"`object` is not {OBJECT!r}", body))
            return found
        entries = elements(envelope.get("entry", b"null"))
    except WrongShape as error:
        found.problems.append(Problem("not_a_webhook", str(error), body))
        return found
    for entry in entries:
        _split_entry(entry, found)
    return found


def _split_entry(raw: bytes, found: Split) -> None:
    try:
        entry = members(raw)
        changes = elements(entry.get("changes", b"null"))
    except WrongShape as error:
        found.problems.append(Problem("bad_entry", str(error), _wrap_entry(raw)))
        return
    waba_id = _text(entry.get("id"))
    for change in changes:
        try:
            _split_change(members(change), waba_id, entry.get("time"), found)
        except WrongShape as error:
            found.problems.append(Problem("bad_change", str(error), _wrap_change(waba_id, change), waba_id))


def _split_change(change: dict[str, bytes], waba_id: str | None, time: bytes | None, found: Split) -> None:
    field, raw = _text(change.get("field")), change.get("value", b"null")
    if field is None:
        raise WrongShape("`field` is no text")
    value = {name: part for name, part in members(raw).items() if part != b"null"}
    cutter = _Cutter(found, waba_id, field, value)
    lists = [(name, *known) for name, known in LISTS.get(field, {}).items() if name in value]
    for name, kind, whose in lists:
        for item in cutter.elements(name):
            cutter.cut(kind, name, item, whose)
    if field == "history" and "history" in value:
        for chunk in cutter.elements("history"):
            _split_history(cutter, chunk)
    elif field == "messages" and "errors" in value and "messages" not in value:
        cutter.put("error", None, {"data": value["errors"]})
    elif not lists:  # a management field, one we do not know, or one without anything we know: kept whole
        cutter.put("update", None, {"data": raw, "field": msgspec.json.encode(field), "time": time})


def _split_history(cutter: "_Cutter", raw: bytes) -> None:
    """One chunk: threads of messages, or the errors of a business that declined to share them."""
    try:
        chunk = members(raw)
        if "errors" in chunk:
            cutter.put("history_error", None, {"data": chunk["errors"]})
        for thread in map(members, elements(chunk.get("threads", b"[]"))):
            person = _text(thread.get("id"))
            parts = {"thread": msgspec.json.encode(person)} if person else {}
            for message in elements(thread.get("messages", b"[]")):
                cutter.cut("history", "messages", message, of_thread(person) if person else of_correspondent, parts)
    except WrongShape as error:
        cutter.problem("bad_history", str(error), "history", raw)


@dataclass
class _Cutter:
    """Makes items and problems out of one value, with what all of them share."""

    found: Split
    waba_id: str | None
    field: str
    value: dict[str, bytes]

    def __post_init__(self) -> None:
        metadata = metadata_of(self.value.get("metadata"))
        self.phone_number_id = metadata.phone_number_id or None
        self.metadata = msgspec.json.encode(metadata) if self.phone_number_id else None
        self.people = People(self.value.get("contacts"))
        self.errors = _errors(self.value.get("errors", b""))

    def elements(self, name: str) -> list[bytes]:
        """The elements of one list of the value; a problem when it is no list."""
        try:
            return elements(self.value[name])
        except WrongShape as error:
            self.problem("bad_list", f"`{name}`: {error}", name, self.value[name])
            return []

    def cut(
        self,
        kind: str,
        name: str,
        raw: bytes,
        whose: Callable[[bytes], Whose],
        parts: dict[str, bytes] | None = None,
    ) -> None:
        """One element of the list `name` as an item of `kind`, or as a problem."""
        try:
            if self.phone_number_id is None:
                raise Unparsable("no_phone_number_id", "the value does not tell which number it came to")
            person = whose(raw)
            user_id, wa_id = identifier(person.user_id, "user id"), identifier(person.wa_id, "phone")
        except Unparsable as error:
            self.problem(error.reason, error.message, name, raw)
            return
        contact = self.people.find(person)
        key = user_id or (contact and contact.user_id) or wa_id or (contact and contact.wa_id)
        kind = "group" if person.group and kind in ("message", "status", "history") else kind
        extra: dict[str, bytes | None] = {"contact": msgspec.json.encode(contact) if contact else None, **(parts or {})}
        self.put(kind, key or None, {"data": raw, **extra, "errors": self.errors if kind == "message" else None})

    def put(self, kind: str, contact_key: str | None, parts: dict[str, bytes | None]) -> None:
        """Add an item whose payload has these parts and the value's metadata."""
        parts = {**parts, "metadata": self.metadata}
        payload = b",".join([b'"%s":%s' % (name.encode(), raw) for name, raw in parts.items() if raw is not None])
        self.found.items.append(
            Item(
                kind=kind,
                phone_number_id=self.phone_number_id,
                waba_id=self.waba_id,
                contact_key=contact_key,
                payload=b"{%s}" % payload,
            )
        )

    def problem(self, reason: str, detail: str, name: str, raw: bytes) -> None:
        """Add one bad element of the list `name`, in a body of its own."""
        metadata = b'"metadata":%s,' % self.metadata if self.metadata else b""
        value = b'{%s"%s":[%s]}' % (metadata, name.encode(), raw)
        body = _wrap_change(self.waba_id, b'{"field":%s,"value":%s}' % (msgspec.json.encode(self.field), value))
        self.found.problems.append(Problem(reason, detail, body, self.waba_id, self.phone_number_id))


def _errors(raw: bytes) -> bytes | None:
    """Errors beside messages, when they can be read: else they may not spoil the messages."""
    try:
        return raw if decode(raw, list[WireFault]) and len(raw) <= _ERRORS_LIMIT else None
    except Unparsable:
        return None


def _text(raw: bytes | None) -> str | None:
    """A JSON string that fits a column; None for anything else."""
    if raw is None or has_nul(raw):
        return None
    try:
        return identifier(msgspec.json.decode(raw, type=str), "text")
    except (*FAULTS, Unparsable):
        return None


def _wrap_entry(raw: bytes) -> bytes:
    return b'{"object":"%s","entry":[%s]}' % (OBJECT.encode(), raw)


def _wrap_change(waba_id: str | None, raw: bytes) -> bytes:
    return _wrap_entry(b'{"id":%s,"changes":[%s]}' % (msgspec.json.encode(waba_id), raw))

"""What happens to a message after it was written: edits, deletion, reactions, a file that replaces its placeholder.

They come in any order and more than once, so each is judged by its own time: the same set of them always leaves the
same row. One whose message is not known yet is handed back to be parked.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub_api.events import MessageEdited, MessageEvent, MessageReacted, MessageRevoked
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "alterations.sql")

PLACEHOLDER = "media_placeholder"  # what history says of a file before the file itself comes

Parked = tuple[str, str, datetime, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Alteration:
    """A change of the message with the wamid `target`. `by` is customer or business.

    edit and fill: `type`, `content`, `payload` are the new ones. reaction: `emoji`, None takes it back.
    """

    target: str
    kind: str
    at: datetime
    by: str = "customer"
    emoji: str | None = None
    type: str | None = None
    content: str | None = None
    payload: dict[str, Any] | None = None

    def parked(self) -> Parked:
        """In the form of statuses.park."""
        fields = {name: value for name, value in asdict(self).items() if value is not None}
        return fields.pop("target"), fields.pop("kind"), fields.pop("at"), fields


@dataclass(slots=True, eq=False)
class _Altered:
    """A message in hand."""

    id: UUID
    created_at: datetime
    conversation_id: UUID
    customer_id: UUID
    version: int
    type: str
    content: str | None
    payload: dict[str, Any]
    reactions: dict[str, Any]
    edited_at: datetime | None
    revoked_at: datetime | None


async def apply(tx: Transaction, changes: Sequence[Alteration]) -> list[Parked]:
    """Apply `changes` and emit their events; returns those whose message is not known, ready to be parked."""
    if not changes:
        return []
    rows = await tx.db.fetch(queries.lock_targets, list({change.target for change in changes}))
    by_wamid = {row["wamid"]: _Altered(**{name: row[name] for name in _COLUMNS}) for row in rows}
    changed: dict[UUID, _Altered] = {}
    for change in sorted(changes, key=lambda change: change.at):
        message = by_wamid.get(change.target)
        if message is None or not _APPLY[change.kind](message, change):
            continue
        message.version += 1
        changed[message.id] = message
        tx.emit(_event(message, change))
    if changed:
        columns = [[getattr(message, name) for message in changed.values()] for name in _COLUMNS]
        await tx.db.execute(queries.save_altered, *columns)
    return [change.parked() for change in changes if change.target not in by_wamid]


_COLUMNS = list(_Altered.__dataclass_fields__)


def _edit(message: _Altered, change: Alteration) -> bool:
    """The newest edit is shown; the first text and every edit stay in the payload."""
    entry = {"at": change.at.isoformat(), "type": change.type, "content": change.content, "payload": change.payload}
    edits = message.payload.get("edits", [])
    if entry in edits:
        return False
    edits = sorted([*edits, entry], key=lambda edit: (edit["at"], edit["content"] or ""))
    original = message.payload.get("original", {"type": message.type, "content": message.content})
    message.payload = message.payload | {"edits": edits, "original": original}
    message.content, message.edited_at = edits[-1]["content"], datetime.fromisoformat(edits[-1]["at"])
    return True


def _revoke(message: _Altered, change: Alteration) -> bool:
    """The text stays for the record; whoever shows the message shows that it was deleted."""
    if message.revoked_at is not None and message.revoked_at <= change.at:
        return False
    message.revoked_at = change.at
    return True


def _react(message: _Altered, change: Alteration) -> bool:
    """The newest wins; within one second (the channel's resolution) taking back wins, so that order does not matter."""
    known = message.reactions.get(change.by)
    entry = {"emoji": change.emoji, "at": change.at.isoformat()}
    if known and _age(known) >= _age(entry):
        return False
    message.reactions = message.reactions | {change.by: entry}
    return True


def _age(reaction: dict[str, Any]) -> tuple[str, bool, str]:
    return reaction["at"], reaction["emoji"] is None, reaction["emoji"] or ""


def _fill(message: _Altered, change: Alteration) -> bool:
    """The file itself, told after the placeholder that stood for it in the history."""
    if message.type != PLACEHOLDER or change.type is None:
        return False
    message.type, message.content, message.payload = (
        change.type,
        change.content,
        message.payload | (change.payload or {}),
    )
    return True


_APPLY: dict[str, Callable[[_Altered, Alteration], bool]] = {
    "edit": _edit,
    "revoke": _revoke,
    "reaction": _react,
    "fill": _fill,
}
KINDS = frozenset(_APPLY)


def _event(message: _Altered, change: Alteration) -> MessageEvent:
    envelope: dict[str, Any] = {
        "aggregate_id": message.id,
        "aggregate_version": message.version,
        "occurred_at": change.at,
        "conversation_id": message.conversation_id,
        "customer_id": message.customer_id,
    }
    if change.kind == "reaction":
        return MessageReacted(**envelope, emoji=change.emoji, by=change.by)
    if change.kind == "revoke":
        return MessageRevoked(**envelope)
    return MessageEdited(**envelope, content=message.content)

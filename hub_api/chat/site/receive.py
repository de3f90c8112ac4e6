"""What a visitor writes becomes a message of his conversation, by the rules that hold for WhatsApp (chat/threads.py)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat import consent, conversations, statuses
from hub_api.chat.conversations import SITE
from hub_api.chat.customers import Raced
from hub_api.chat.site.keep import queries
from hub_api.chat.statuses import Place, StatusUpdate
from hub_api.chat.threads import Thread, Threads
from hub_api.errors import Invalid, NotFound
from hub_api.events import MessageReceived
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """One message of a visitor: words, a tapped choice, or a file that he uploaded before. `client_id` is his browser's own
    name for it: the same one again is the same message."""

    client_id: str
    text: str | None = None
    choice_id: str | None = None
    choice_title: str | None = None
    file_id: UUID | None = None
    for_people: bool = False  # a form left outside the hours: no bot answers it


@dataclass(frozen=True, slots=True)
class Stored:
    """Where it lies now."""

    id: UUID
    at: datetime
    conversation_id: UUID


async def receive(tx: Transaction, settings: Settings, site: Row, visitor: Row, written: Written) -> Stored:
    """Store a message of the visitor, open, reopen or move his conversation, and ring the bot. A second time changes nothing.

    Raises NotFound for a visitor who was erased, Invalid for a file that is not his, Raced.
    """
    writer = await tx.db.fetchrow(queries.lock_writer, visitor["id"])
    if writer is None:
        raise NotFound("this visitor was erased: begin anew")
    if writer["merged"]:
        raise Raced("the visitor became another customer meanwhile")
    customer_id: UUID = writer["customer_id"]
    wamid = f"{SITE}.{visitor['id'].hex}.{written.client_id}"
    if known := await tx.db.fetchrow(queries.find_key, wamid):
        return Stored(known["message_id"], known["created_at"], known["conversation_id"])
    kind, content, payload = await _shown(tx, visitor, written)
    now = datetime.now(UTC)
    threads = await Threads.load(tx, [customer_id], settings.reopen_hours)
    thread = threads.customer_wrote(
        customer_id, None, now, for_bot=site["bot"] and not written.for_people, channel=SITE,
        reason="site_form" if written.for_people else "customer_message",
    )  # fmt: skip
    await threads.save(tx, settings.timezone)
    message_id = uuid7(int(now.timestamp() * 1000))
    await tx.db.execute(
        queries.insert_message, message_id, now, thread.id, customer_id, kind, content, payload, wamid, None
    )
    await statuses.remember(tx, {wamid: Place(message_id, now)})
    await tx.db.execute(queries.insert_talk, visitor["id"], thread.id, now)
    if written.file_id is not None:
        await tx.db.execute(queries.attach_file, message_id, written.file_id, thread.id)
    tx.emit(
        MessageReceived(
            aggregate_id=message_id, aggregate_version=1, occurred_at=now, conversation_id=thread.id,
            customer_id=customer_id, message_type=kind, content=content, received_at=now,
        )
    )  # fmt: skip
    if thread.state == "bot" or thread.is_rated_next:
        await tx.db.execute(queries.insert_turn, thread.id, message_id, now)
    await _to_its_queue(tx, site, thread)
    await consent.listen(
        tx, customer_id, text=content, payload=written.choice_id, message_id=message_id, occurred_at=now
    )
    return Stored(message_id, now, thread.id)


async def acknowledge(tx: Transaction, visitor: Row, status: str, up_to: UUID) -> None:
    """His browser has (`delivered`) or he has seen (`read`) all messages of ours up to this one."""
    rows = await tx.db.fetch(queries.to_acknowledge, visitor["id"], up_to, sorted(statuses.MOVES[status] - {"failed"}))
    now = datetime.now(UTC)
    await statuses.apply(tx, [StatusUpdate(row["wamid"], status, now) for row in rows])


async def _shown(tx: Transaction, visitor: Row, written: Written) -> tuple[str, str, dict[str, Any]]:
    """Type, words and payload of the row, as the bot and the console read those of WhatsApp (whatsapp/inbound.py)."""
    if written.file_id is not None:
        file = await tx.db.fetchrow(queries.find_file, written.file_id, f"visitor:{visitor['id']}")
        if file is None:
            raise Invalid("this is no file that you uploaded, or it may not be sent")
        named = f"[documento: {file['filename']}]" if file["filename"] else "[documento]"
        words = written.text or ("[imagem]" if file["kind"] == "image" else named)
        detail = {
            "carries": "media",
            "kind": file["kind"],
            "mime_type": file["mime_type"],
            "filename": file["filename"],
        }
        return file["kind"], words, {"detail": detail | ({"caption": written.text} if written.text else {})}
    if written.choice_id is not None:
        title = written.choice_title or written.choice_id
        detail = {"carries": "choice", "kind": "button_reply", "id": written.choice_id, "title": title}
        return "interactive", title, {"detail": detail}
    text = written.text or ""
    return "text", text, {"detail": {"carries": "text", "body": text}}


async def _to_its_queue(tx: Transaction, site: Row, thread: Thread) -> None:
    """What waits for people waits where the site says, unless it is in a queue already."""
    if thread.state != "queued" or site["queue_id"] is None:
        return
    row = await conversations.lock(tx, thread.id)
    if row["queue_id"] is None:
        queue = await conversations.find_queue(tx, site["queue"])
        await conversations.move(tx, thread.id, "queued", reason="site", queue=queue)

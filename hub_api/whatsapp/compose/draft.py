"""From a checked request to the draft that goes into the outbox: the Cloud API's object, and the words people read."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from hub_api.chat.outgoing import Draft
from hub_api.errors import Conflict, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.compose import limits, words
from hub_api.whatsapp.compose.fields import (
    DocumentHeader,
    ImageHeader,
    Quoting,
    TextHeader,
    VideoHeader,
    as_sent,
)
from hub_api.whatsapp.compose.free_form import (
    NewAudio,
    NewContacts,
    NewDocument,
    NewImage,
    NewLocation,
    NewReaction,
    NewSticker,
    NewText,
    NewVideo,
)
from hub_api.whatsapp.compose.interactive import NewInteractive
from hub_api.whatsapp.compose.media import sendable
from hub_api.whatsapp.compose.template_check import require_fit
from hub_api.whatsapp.compose.template_parts import CarouselFilling, Filled, HeaderFilling, NewTemplate
from hub_api.whatsapp.templates.shape import read_shape

queries = sqlfile.load(__package__)

PRIORITY = {"authentication": 1, "utility": 2, "marketing": 3}
HUMAN_REPLY = 0

AnyMessage = Annotated[
    NewText
    | NewImage
    | NewVideo
    | NewAudio
    | NewDocument
    | NewSticker
    | NewLocation
    | NewContacts
    | NewReaction
    | NewInteractive
    | NewTemplate,
    Field(discriminator="type"),
]


class TemplateNotApproved(Conflict):
    """Meta sends approved templates only; this one is pending, paused, rejected or disabled."""

    code = "template_not_approved"


class PhoneRequired(Conflict):
    """An authentication template goes to a phone number; a customer known by BSUID only gets none (Meta: 131062)."""

    code = "phone_required"


class FlowStopped(Conflict):
    """Meta blocked or throttled the flow: its button would lead nowhere."""

    code = "flow_stopped"


class NotReactable(Conflict):
    """Meta refuses a reaction to a message that is old, deleted, a reaction itself, or not taken yet."""

    code = "not_reactable"


async def compose(tx: Transaction, conversation_id: UUID, message: AnyMessage, **options: Any) -> Draft:
    """The draft of `message` for its conversation, as a person's (priority 0) unless it is a template, whose category
    decides; `options` are fields of Draft.

    Raises NotFound (template, quoted or reacted message), TemplateNotApproved, TemplateMismatch, PhoneRequired,
    NotReactable, FlowStopped.
    """
    if isinstance(message, NewTemplate):
        return await _template(tx, conversation_id, message, **options)
    options = {"priority": HUMAN_REPLY, **options}
    if isinstance(message, Quoting) and message.reply_to is not None:
        options["reply_to"] = (await _target(tx, conversation_id, message.reply_to, "quoted"))["wamid"]
    body: dict[str, Any] | list[dict[str, Any]]
    match message:
        case NewText(text=content):
            body = {"body": content, "preview_url": message.preview_url}
        case (
            NewImage(image=medium)
            | NewVideo(video=medium)
            | NewAudio(audio=medium)
            | NewDocument(document=medium)
            | NewSticker(sticker=medium)
        ):
            body, content = sendable(medium), words.of_medium(medium)
        case NewLocation():
            body, content = as_sent(message.location), words.of_location(message)
        case NewContacts():
            body = [_without_empty(as_sent(person)) for person in message.contacts]
            content = words.of_contacts(message)
        case NewReaction(reaction=reaction):
            wamid = await _reactable(tx, conversation_id, reaction.message_id)
            body, content = {"message_id": wamid, "emoji": reaction.emoji}, words.of_reaction(reaction)
        case NewInteractive(interactive=interactive):
            body, content = as_sent(interactive), words.of_interactive(interactive)
            if (flow_id := body["action"].get("parameters", {}).get("flow_id")) is not None:
                await _require_flow(tx, conversation_id, flow_id)
            if (header := getattr(interactive, "header", None)) is not None:
                body["header"] = _header(header)
    return Draft(message.type, body, content, **options)


async def _require_flow(tx: Transaction, conversation_id: UUID, flow_id: str) -> None:
    """Meta told by webhook which flows it stopped; those it never spoke of may go."""
    status = await tx.db.fetchval(queries.flow_status, conversation_id, flow_id)
    if status in ("BLOCKED", "THROTTLED"):
        raise FlowStopped(f"flow {flow_id} is {status} at Meta: offer a menu instead", status_of_flow=status)


def _header(header: TextHeader | ImageHeader | VideoHeader | DocumentHeader) -> dict[str, Any]:
    match header:
        case ImageHeader(image=medium) | VideoHeader(video=medium) | DocumentHeader(document=medium):
            return {"type": header.type, header.type: sendable(medium)}
        case _:
            return as_sent(header)


async def _target(tx: Transaction, conversation_id: UUID, message_id: UUID, what: str) -> Row:
    row = await tx.db.fetchrow(queries.find_target, conversation_id, message_id)
    if row is None or row["wamid"] is None:
        raise NotFound(f"conversation {conversation_id} has no message {message_id} that could be {what}")
    return row


async def _reactable(tx: Transaction, conversation_id: UUID, message_id: UUID) -> str:
    target = await _target(tx, conversation_id, message_id, "reacted to")
    if target["revoked_at"] is not None or target["type"] == "reaction":
        raise NotReactable(f"message {message_id} was deleted or is a reaction itself: Meta refuses a reaction to it")
    if datetime.now(UTC) - target["created_at"] > limits.TOUCHED_WITHIN:
        raise NotReactable(
            f"message {message_id} is older than {limits.TOUCHED_WITHIN.days} days: Meta refuses a reaction to it"
        )
    return target["wamid"]  # type: ignore[no-any-return]


async def _template(tx: Transaction, conversation_id: UUID, message: NewTemplate, **options: Any) -> Draft:
    row = await tx.db.fetchrow(queries.find_template, conversation_id, message.name, message.language)
    if row is None:
        raise NotFound(
            f"the account of conversation {conversation_id} has no template {message.name!r} in {message.language!r}"
        )
    draft = template_draft(row, message, **options)
    for button in read_shape(row["components"]).buttons:
        if button.flow_id is not None:
            await _require_flow(tx, conversation_id, button.flow_id)
    if draft.category == "authentication" and not await tx.db.fetchval(queries.has_phone, conversation_id):
        raise PhoneRequired(
            f"the customer of conversation {conversation_id} is known by a username only: ask for the phone number with "
            "an interactive request_contact_info before sending a code"
        )
    return draft


def template_draft(template: Row, message: NewTemplate, **options: Any) -> Draft:
    """The draft of `template` (a row of find_template) filled in by `message`.

    Raises TemplateNotApproved, and TemplateMismatch with the path of each fault.
    """
    if template["status"] != "APPROVED":
        raise TemplateNotApproved(
            f"template {message.name!r} is {template['status']}: it may not be sent now",
            status_of_template=template["status"],
        )
    shape = require_fit(dict(template), message.components)
    category = template["category"].lower()
    body: dict[str, Any] = {"name": message.name, "language": {"code": message.language}}
    if message.components:
        body["components"] = [_component(component) for component in message.components]
    options = {"priority": PRIORITY.get(category, 2), **options}
    secret = category == "authentication"
    content = words.of_code(shape) if secret else words.of_template(shape, message.components)
    return Draft("template", body, content, category=category, template=message.name, **options)


def _component(component: Filled) -> dict[str, Any]:
    sent = as_sent(component)
    match component:
        case HeaderFilling(parameters=[(ImageHeader() | VideoHeader() | DocumentHeader()) as parameter]):
            sent["parameters"] = [_header(parameter)]
        case CarouselFilling(cards=cards):
            for card, shown in zip(cards, sent["cards"], strict=True):
                shown["components"] = [_component(part) for part in card.components]
        case _:
            pass
    return sent


def _without_empty(card: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if value != []}

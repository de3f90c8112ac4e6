"""A survey that is due becomes a message of the template HUB_SURVEY_TEMPLATE names, or the reason why it does not.

The template must be a utility: it is about a service that the customer asked for, so an opt-out of advertising does not
stop it, and one of notices does. Its body may have one variable, the protocol; quick replies that begin with a grade from
1 to 5 come back as that grade of this very conversation.
"""

import re
from typing import Any
from uuid import UUID

import structlog

from hub_api.chat.outgoing import queue_message
from hub_api.chat.survey import Outcome, note
from hub_api.errors import HubError, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.compose.draft import compose
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.templates.shape import Shape, read_shape

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

BATCH = 50
_GRADE = re.compile(r"\s*([1-5])(?!\d)")


async def place_due(services: Services) -> None:
    """Every survey that is due, each in a transaction of its own; what another process has is left to it."""
    while rows := await services.db.fetch(queries.due, BATCH):
        placed = [await _place(services, row["id"]) for row in rows]
        if not any(placed):
            return


async def _place(services: Services, conversation_id: UUID) -> bool:
    async with services.transaction() as tx:
        found = await tx.db.fetchrow(queries.take, conversation_id)
        if found is None:
            return False
        if found["state"] not in (
            "resolved",
            "closed",
        ):  # the customer came back meanwhile: there is another end to ask about
            await _skip(tx, conversation_id, None)
        elif found["opted_out"]:
            await _skip(tx, conversation_id, "opted_out")
        elif (wanted := services.settings.survey_template) is None:
            await _skip(tx, conversation_id, "no_template")
        else:
            await _ask(tx, conversation_id, wanted, found["protocol"])
        return True


async def _ask(tx: Transaction, conversation_id: UUID, wanted: str, protocol: str) -> None:
    try:
        message = await _message(tx, conversation_id, wanted, protocol)
        draft = await compose(tx, conversation_id, message, author="bot")
    except HubError as error:  # unknown, not approved, of another category, or with more to fill in
        log.warning("survey_without_template", template=wanted, reason=str(error))
        await _skip(tx, conversation_id, "template_unusable")
    else:
        await queue_message(tx, conversation_id, draft)
        await note(tx, conversation_id, "template")


async def _skip(tx: Transaction, conversation_id: UUID, outcome: Outcome | None) -> None:
    await tx.db.execute(queries.not_asked, conversation_id)
    await note(tx, conversation_id, outcome)


async def _message(tx: Transaction, conversation_id: UUID, wanted: str, protocol: str) -> NewTemplate:
    """The send of the template (`name` or `name:language`). Raises NotFound, and Invalid when a survey cannot be made of it."""
    name, _, language = wanted.partition(":")
    language = language or "pt_BR"
    row = await tx.db.fetchrow(queries.template, conversation_id, name, language)
    if row is None:
        raise NotFound(f"the number's account has no template {name!r} in {language!r}")
    if row["category"] != "UTILITY":
        raise Invalid(f"template {name!r} is {row['category']}, and a survey goes out as a utility")
    shape = read_shape(row["components"], "NAMED" if row["parameter_format"] == "NAMED" else None)
    return NewTemplate.model_validate(
        {"type": "template", "name": name, "language": language, "components": filled(shape, conversation_id, protocol)}
    )


def filled(shape: Shape, conversation_id: UUID, protocol: str) -> list[dict[str, Any]]:
    """What a survey fills in: the protocol for the body's variable, and the grade that each quick reply stands for. Raises Invalid for
    a body with more variables."""
    components: list[dict[str, Any]] = []
    if len(shape.body.variables) > 1:
        raise Invalid("a survey's template has one variable at most, the protocol")
    for variable in shape.body.variables:
        named = {"parameter_name": variable} if shape.named else {}
        components.append({"type": "body", "parameters": [{"type": "text", "text": protocol, **named}]})
    for button in shape.buttons:
        if button.type == "QUICK_REPLY" and (grade := _GRADE.match(button.text)):
            payload = {"type": "payload", "payload": f"csat_{grade[1]}:{conversation_id}"}
            components.append(
                {"type": "button", "sub_type": "quick_reply", "index": button.index, "parameters": [payload]}
            )
    return components

"""The last step: one template message through the hub's own outbox, followed until the phone has it."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

from hub_api.chat import customers, phone
from hub_api.chat.identities import Identity, Sighting
from hub_api.chat.outgoing import Draft, queue_message
from hub_api.chat.threads import Threads
from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.whatsapp.connect.setup import Facts, Failed, Setup
from hub_api.whatsapp.send.errors_table import rule_for
from hub_api.whatsapp.templates.preview import example_values, preview
from hub_api.whatsapp.templates.shape import read_shape
from hub_api.whatsapp.templates.sync import sync_templates

queries = sqlfile.load(__package__)

USUAL_TEMPLATE = "hello_world"  # Meta gives every new account this one
_POLL_S = 0.25
_ARRIVED = frozenset({"delivered", "read", "played"})


async def message(setup: Setup) -> Facts:
    """Send a template to the operator's phone and wait for `delivered`, which proves the way out and the way back."""
    to = phone.from_text(setup.need("test_to"))
    if to is None:
        setup.answers.test_to = None
        raise Failed("phone_wrong")
    if setup.account_id is None or setup.number_id is None:
        raise Failed("needs_value", flag="--phone-number-id")
    try:
        await sync_templates(setup.services, setup.account_id)
    except HubError as error:
        raise Failed("templates_unreadable", why=error.message) from error
    setup.answers.template = setup.answers.template or USUAL_TEMPLATE
    found = await setup.services.db.fetchrow(queries.sendable_template, setup.account_id, setup.need("template"))
    if found is None:
        name, setup.answers.template = setup.answers.template, None
        raise Failed("template_not_approved", template=name)
    message_id = await _queue(setup, to, setup.number_id, _draft(found))
    return await _follow(setup, message_id)


def _draft(template: Row) -> Draft:
    """The template filled with its own examples. Raises Failed when it needs more than texts."""
    components, name = template["components"], template["name"]
    shape = read_shape(components, template["parameter_format"])
    if shape.cards or shape.offer or (shape.header and shape.header.format != "TEXT") or any(
        button.required for button in shape.buttons
    ):  # fmt: skip
        raise Failed("template_needs_more", template=name)
    values = example_values(components)
    sent = []
    for part, text, given in (
        ("header", shape.header.text if shape.header else None, values.header),
        ("body", shape.body, values.body),
    ):
        if text is not None and text.variables:
            parameters = [{"type": "text", "text": given.get(variable) or "teste"} for variable in text.variables]
            if shape.named:
                parameters = [
                    {**one, "parameter_name": variable}
                    for one, variable in zip(parameters, text.variables, strict=True)
                ]
            sent.append({"type": part, "parameters": parameters})
    body: Facts = {"name": name, "language": {"code": template["language"]}}
    if sent:
        body["components"] = sent
    category = template["category"].lower()
    words = preview(shape, values).as_text()
    return Draft("template", body, words, author="system", category=category, priority=2, template=name)


async def _queue(setup: Setup, to: str, number_id: UUID, draft: Draft) -> UUID:
    services, now = setup.services, datetime.now(UTC)
    async with services.transaction() as tx:
        [customer] = await customers.resolve(
            tx, [Sighting((Identity("phone", to),), now)], shards=services.settings.outbox_shards
        )
        assert customer is not None  # noqa: S101 - only passive sightings have none
        threads = await Threads.load(tx, [customer.id], services.settings.reopen_hours)
        thread = threads.find(customer.id, number_id)
        if thread is None or thread.state in ("resolved", "closed"):
            thread = threads.employee_wrote(customer.id, number_id, now)
        await threads.save(tx, services.settings.timezone)
        return await queue_message(tx, thread.id, draft)


async def _follow(setup: Setup, message_id: UUID) -> Facts:
    """Wait for the phone. Raises Failed naming the part of the way that did not work."""
    began = time.monotonic()
    while True:
        (row,) = await setup.services.db.fetch(queries.message, message_id)
        waited_s = time.monotonic() - began
        if row["state"] in _ARRIVED:
            return {"state": row["state"], "seconds": round(waited_s, 1)}
        if row["state"] in ("failed", "cancelled"):
            code = row["error_code"]
            meaning = rule_for(code).meaning if code else row["error_title"]
            raise Failed("no_payment" if code == 131042 else "send_failed", meta_code=code or "–", words=meaning or "")
        if waited_s > setup.answers.message_within_s:
            raise _late(row, round(waited_s))
        await asyncio.sleep(_POLL_S)


def _late(row: Row, seconds: int) -> Failed:
    if row["state"] == "queued":
        reason = row["account_reason"] or row["number_reason"]
        return Failed("held_back", reason=reason) if reason else Failed("no_worker", seconds=seconds)
    if row["state"] in ("accepted", "claimed", "unknown"):
        return Failed("no_status", seconds=seconds)
    return Failed("not_delivered", state=row["state"], seconds=seconds)

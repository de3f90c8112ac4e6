"""Approved templates to many customers at once: what `write` does for one, in a few statements for all of them.

The caller decides who gets what; here each message gets its number, its conversation and its place in the outbox.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.chat.outgoing import Draft
from hub_api.errors import HubError
from hub_api.events import MessageQueued
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings
from hub_api.whatsapp.compose.draft import template_draft
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.pool.spread import Wish, capacities, spread

queries = sqlfile.load(__package__, "write_many.sql")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A template for a customer; `components` fill it as the Cloud API spells them."""

    customer_id: UUID
    name: str
    language: str
    components: list[dict[str, Any]]
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A message in the outbox."""

    message_id: UUID
    created_at: datetime
    number_id: UUID


@dataclass(frozen=True, slots=True)
class _Message:
    """A message whose number is known."""

    wanted: Wanted
    shard: int
    number_id: UUID
    draft: Draft


async def write_many(
    tx: Transaction, settings: Settings, wanted: Sequence[Wanted], campaign_id: UUID
) -> tuple[dict[UUID, Placed], dict[UUID, str]]:
    """Queue the messages of a campaign, one a customer at most: what was placed, and the code of the error for who got none
    (`template_not_approved`, `template_mismatch`, `no_number`, `customer_gone`, ...)."""
    people = {row["id"]: row for row in await tx.db.fetch(queries.lock_customers, [one.customer_id for one in wanted])}
    refused = {one.customer_id: "customer_gone" for one in wanted if one.customer_id not in people}
    able = [one for one in wanted if one.customer_id in people]
    messages: list[_Message] = []
    for key in {(one.name, one.language) for one in able}:
        group = [one for one in able if (one.name, one.language) == key]
        found, failed = await _of_template(tx, group, people, campaign_id)
        messages += found
        refused |= failed
    return await _queue(tx, settings, messages, campaign_id), refused


async def _of_template(
    tx: Transaction, group: Sequence[Wanted], people: Mapping[UUID, Row], campaign_id: UUID
) -> tuple[list[_Message], dict[UUID, str]]:
    templates = await tx.db.fetch(queries.templates, group[0].name, group[0].language)
    usable = {row["account_id"]: row for row in templates if row["status"] == "APPROVED"}
    if not usable:
        return [], {one.customer_id: "template_not_approved" for one in group}
    accounts = list(usable)
    served = {
        row["customer_id"]: row
        for row in await tx.db.fetch(queries.served, [one.customer_id for one in group], accounts)
    }
    category = usable[accounts[0]]["category"].lower()
    wishes = [
        Wish(category, known["number_id"], not known["in_window"])
        if (known := served.get(one.customer_id))
        else Wish(category)
        for one in group
    ]
    able = await capacities(tx, accounts)
    account_of = {row["id"]: row["account_id"] for row in await tx.db.fetch(queries.numbers, accounts)}
    messages, refused = [], {}
    for one, number_id in zip(group, spread(wishes, able), strict=True):
        if number_id is None:
            refused[one.customer_id] = "no_number"
            continue
        try:
            draft = _draft(usable[account_of[number_id]], one, campaign_id)
        except HubError as error:
            refused[one.customer_id] = error.code
            continue
        messages.append(_Message(one, people[one.customer_id]["shard_id"], number_id, draft))
    return messages, refused


def _draft(template: Row, one: Wanted, campaign_id: UUID) -> Draft:
    message = NewTemplate.model_validate(
        {"type": "template", "name": one.name, "language": one.language, "components": one.components}
    )
    return template_draft(template, message, author="campaign", campaign_id=campaign_id, variant=one.variant)


async def _queue(
    tx: Transaction, settings: Settings, messages: Sequence[_Message], campaign_id: UUID
) -> dict[UUID, Placed]:
    if not messages:
        return {}
    now = datetime.now(UTC)
    customers = [one.wanted.customer_id for one in messages]
    numbers = [one.number_id for one in messages]
    rows = await tx.db.fetch(
        queries.conversations, customers, numbers, [uuid7() for _ in messages], now, settings.timezone
    )
    conversations = {row["customer_id"]: row["id"] for row in rows}
    ids = [uuid7(int(now.timestamp() * 1000)) for _ in messages]
    await tx.db.execute(
        queries.insert_messages,
        ids,
        now,
        [conversations[customer] for customer in customers],
        customers,
        numbers,
        [one.draft.content for one in messages],
        [one.draft.payload() for one in messages],
        [one.draft.category for one in messages],
        [one.draft.priority for one in messages],
        [one.shard for one in messages],
    )
    tx.emit(
        *(
            MessageQueued(
                aggregate_id=message_id,
                aggregate_version=1,
                occurred_at=now,
                conversation_id=conversations[one.wanted.customer_id],
                customer_id=one.wanted.customer_id,
                message_type=one.draft.type,
                content=one.draft.content,
                author=one.draft.author,
                category=one.draft.category,
                shard=one.shard,
                number_id=one.number_id,
                template=one.draft.template,
                campaign_id=campaign_id,
                variant=one.wanted.variant,
            )
            for message_id, one in zip(ids, messages, strict=True)
        )
    )
    return {
        one.wanted.customer_id: Placed(message_id, now, one.number_id)
        for message_id, one in zip(ids, messages, strict=True)
    }

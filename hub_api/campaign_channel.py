"""What campaigns need of WhatsApp and of segments (`hub_api/campaigns/ports.py`), put together above both, since siblings do not
import each other."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.analytics.segments import keep
from hub_api.analytics.segments.preview import newest_data
from hub_api.campaigns.ports import Audience, Capacity, Components, Message, Placed, Template
from hub_api.errors import Conflict
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.whatsapp.cost.estimate import queries as costs
from hub_api.whatsapp.cost.estimate import rate
from hub_api.whatsapp.pool import write_many
from hub_api.whatsapp.pool.spread import capacities
from hub_api.whatsapp.send.errors_table import Retry, rule_for
from hub_api.whatsapp.templates.preview import preview, values_of_send
from hub_api.whatsapp.templates.shape import Shape, read_shape
from models_ml.segmentation.compile import compile_tree, members_query
from models_ml.segmentation.parse import parse
from models_ml.segmentation.tree import to_json

queries = sqlfile.load("hub_api", "campaign_channel.sql")

COUNTRY = "BR"


class WhatsApp:
    """The port of campaigns, by the hub's own segments and numbers; without state."""

    async def audience(self, services: Services, segment_id: UUID | None, definition: Any) -> Audience:
        """The query of a kept segment or of a tree, on the newest day. Raises NotFound, Invalid, Conflict, Unavailable."""
        if segment_id is not None:
            segment = await keep.find(services.db, segment_id)
            if segment["archived_at"]:
                raise Conflict(f"the segment {segment['name']!r} was put away")
            node = parse(segment["definition"])
        else:
            node = keep.read_definition(definition)
        expanded = await keep.with_nested(services.db, node, segment_id)
        data = await newest_data(services)
        sql, parameters = members_query(compile_tree(expanded, data.as_of), data.as_of)
        return Audience(to_json(expanded), data.as_of, data.version, sql, parameters)

    async def template(self, services: Services, name: str, language: str) -> Template | None:
        """The template as the best of the accounts has it; None when none does."""
        rows = await services.db.fetch(write_many.queries.templates, name, language)
        if not rows:
            return None
        row = next((one for one in rows if one["status"] == "APPROVED"), rows[0])
        shape = read_shape(row["components"], row["parameter_format"])
        return Template(
            name, language, row["category"], row["status"], row["components"], _places(shape), _buttons(shape)
        )

    def preview(self, template: Template, components: Components) -> dict[str, Any]:
        """The message as the phone shows it."""
        return preview(read_shape(template.components), values_of_send(list(components))).as_json()

    async def place(
        self, tx: Transaction, settings: Settings, messages: Sequence[Message], campaign_id: UUID
    ) -> tuple[Mapping[UUID, Placed], Mapping[UUID, str]]:
        """Put messages into the outbox, from the numbers where each would leave first."""
        wanted = [
            write_many.Wanted(one.customer_id, one.name, one.language, one.components, one.variant) for one in messages
        ]
        placed, refused = await write_many.write_many(tx, settings, wanted, campaign_id)
        return {key: Placed(one.message_id, one.created_at) for key, one in placed.items()}, refused

    async def price(self, services: Services, category: str) -> tuple[int, str] | None:
        """Of one message to Brazil now, by the dearest of the numbers' rate cards; None when none has it."""
        numbers = [row["id"] for row in await services.db.fetch(queries.numbers)]
        rows = await services.db.fetch(costs.billing, numbers, [], 0)
        found = [rate(row, category, COUNTRY, datetime.now(UTC), services.settings.rate_cards) for row in rows]
        dearest = max((one for one in found if one is not None), key=lambda one: one.micros, default=None)
        return (dearest.micros, dearest.currency) if dearest else None

    async def capacity(self, services: Services, name: str, language: str) -> Capacity:
        """Of the numbers that may send the template now; bulk has what the headroom of replies leaves."""
        rows = await services.db.fetch(write_many.queries.templates, name, language)
        accounts = {row["account_id"] for row in rows if row["status"] == "APPROVED"}
        async with services.transaction() as tx:
            able = await capacities(tx, accounts)
            limits = await tx.db.fetch(queries.quotas, list({one.portfolio_id for one in able}))
        kept = min((share for _, share in services.settings.reply_headroom), default=0.0)
        free = sum(one.rate for one in able) * (1 - kept)
        if not limits or any(row["messaging_limit"] is None for row in limits):
            return Capacity(free, None, None)
        left = sum(max(row["messaging_limit"] - row["quota_used"], 0) for row in limits)
        return Capacity(free, left, sum(row["messaging_limit"] for row in limits))

    def retryable(self, code: int | None) -> bool:
        """Whether the error table lets a message that failed with `code` be sent again."""
        return code is not None and rule_for(code).retry is not Retry.NEVER

    def meaning(self, code: int | None) -> str:
        """What the error table says of `code`, in English; of none that Meta never answered."""
        return "no answer: nobody knows whether it arrived" if code is None else rule_for(code).meaning


def _places(shape: Shape) -> tuple[str, ...]:
    """The variables of a template as a campaign names them."""
    body = [f"body.{name}" for name in shape.body.variables]
    header = [f"header.{name}" for name in (shape.header.text.variables if shape.header and shape.header.text else ())]
    return (*header, *body, *_buttons(shape))


def _buttons(shape: Shape) -> dict[str, str]:
    return {f"button.{index}": one.url for index, one in enumerate(shape.buttons) if one.url and "{{" in one.url}

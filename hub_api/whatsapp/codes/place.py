"""A code of the second factor leaves as an authentication template, through the outbox like every message of ours.

`auth` has put a notice for it and knows nothing of the channel; here it gets a message, and when that cannot be or does
not arrive within `PATIENCE_S`, the same code leaves by SMS. It is one code whatever brings it: the newest that counts.
"""

from typing import Any
from uuid import UUID

import structlog

from hub_api.auth import message_codes, notices
from hub_api.auth.notices import Notice, unseal
from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.services import Services
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.pool.write import Recipient, write
from hub_api.whatsapp.send import outbox

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

BATCH = 20
# A phone that is on has it in two or three seconds; who waits for a code waits no longer than this.
PATIENCE_S = 20.0
LATE = "the code did not leave in time and went by SMS"


async def place_due(services: Services) -> None:
    """Give each code that waits its message, or let it leave by SMS when there is no way by WhatsApp."""
    while rows := await services.db.fetch(notices.queries.claim, BATCH, ["whatsapp"]):
        for row in rows:
            await _place(services, row["id"], unseal(services, row["sealed"]))


async def settle_placed(services: Services) -> None:
    """Forget what has arrived; what failed or is late leaves by SMS, and is taken back where it still waits."""
    await services.db.execute(queries.arrived)
    async with services.transaction() as tx:
        for row in await tx.db.fetch(queries.overdue, PATIENCE_S):
            if row["state"] == "queued":
                end = outbox.End(row["message_id"], row["message_created_at"], "queued", "cancelled", LATE)
                await outbox.finish(tx, [end])
            await message_codes.fall_back(services, tx, row["id"], unseal(services, row["sealed"]))
            log.info("code_falls_back", message_id=str(row["message_id"]), state=row["state"])


def template_of(wanted: str, code: str) -> NewTemplate:
    """The send of the template (`name` or `name:language`) with the code in its body and its button."""
    name, _, language = wanted.partition(":")
    parameter = {"type": "text", "text": code}
    components: list[dict[str, Any]] = [
        {"type": "body", "parameters": [parameter]},
        {"type": "button", "sub_type": "url", "index": 0, "parameters": [parameter]},
    ]
    return NewTemplate.model_validate(
        {"type": "template", "name": name, "language": language or "pt_BR", "components": components}
    )


async def _place(services: Services, notice_id: UUID, notice: Notice) -> None:
    wanted = services.settings.sign_in_template
    try:
        if wanted is None or notice.code is None:
            raise message_codes.NoWay("HUB_SIGN_IN_TEMPLATE is empty")
        async with services.transaction() as tx:
            placed = await write(tx, services.settings, Recipient(phone=notice.to), template_of(wanted, notice.code))
            # The words of any other template stand in the conversation, the code among them.
            if await tx.db.fetchval(queries.placed, notice_id, UUID(placed["id"])) is None:
                raise message_codes.NoWay("HUB_SIGN_IN_TEMPLATE is no authentication template")
    except HubError as error:  # no such template, no number, a phone that is none, a customer who is blocked
        log.warning("code_not_by_whatsapp", reason=error.code)
        async with services.transaction() as tx:
            await message_codes.fall_back(services, tx, notice_id, notice)

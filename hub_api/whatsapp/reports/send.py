"""A scheduled report leaves as the document above an approved template, through the outbox like every message of ours."""

import io
from uuid import UUID

import structlog

from hub_api.auth import audit
from hub_api.errors import Conflict, HubError
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.compose.template_parts import NewTemplate
from hub_api.whatsapp.media.upload import meta_media_id, take_in
from hub_api.whatsapp.pool.write import Recipient, write

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

BATCH = 5
MOST_ATTEMPTS = 12
MOST_NUMBERS = 3


class _OtherNumber(Exception):
    """The router chose a number that does not have the file yet."""

    def __init__(self, number_id: UUID) -> None:
        self.number_id = number_id


class NumberKeepsChanging(Conflict):
    """The pool is so unquiet that each time another number was chosen."""

    code, retryable = "number_keeps_changing", True


async def send_waiting(services: Services) -> int:
    """Queue a message for each report that waits; returns how many. One that cannot be is tried again later."""
    queued = 0
    while rows := await services.db.fetch(queries.claim, BATCH):
        for row in rows:
            try:
                await _send(services, row)
                queued += 1
            except HubError as error:  # no such template, no number, a phone that is none, Meta away
                log.warning("report_not_by_whatsapp", run_id=str(row["run_id"]), reason=error.code)
                last = row["attempts"] >= MOST_ATTEMPTS
                await services.db.execute(queries.not_sent, row["id"], error.message, last)
    return queued


async def _send(services: Services, row: Row) -> None:
    """A file belongs to the number that it was uploaded to, and which one sends is known when the message is written: when
    another was chosen nothing is kept of the try, and the next one has the file there."""
    name = f"relatorio-{row['first_day']}-{row['last_day']}.pdf"
    media = await take_in(
        services, io.BytesIO(row["file"]), filename=name, declared="application/pdf", author=audit.SYSTEM,
        scope="reports", idempotency_key=str(row["run_id"]),
    )  # fmt: skip
    number_id: UUID | None = None
    for _ in range(MOST_NUMBERS):
        file = "0" if number_id is None else await meta_media_id(services, media["id"], number_id)
        try:
            async with services.transaction() as tx:
                await _queue(tx, services, row, template_of(row["template"], file, name), number_id)
        except _OtherNumber as other:
            number_id = other.number_id
        else:
            return
    raise NumberKeepsChanging(f"no number stayed the one for {MOST_NUMBERS} tries: the report is tried again")


async def _queue(tx: Transaction, services: Services, row: Row, message: NewTemplate, number_id: UUID | None) -> None:
    placed = await write(tx, services.settings, Recipient(phone=row["recipient"]), message)
    if UUID(placed["number_id"]) != number_id:
        raise _OtherNumber(UUID(placed["number_id"]))
    if not await tx.db.fetchval(queries.sent, row["id"], UUID(placed["id"])):
        raise Conflict(f"delivery {row['id']} has its message already")


def template_of(wanted: str, file: str, name: str) -> NewTemplate:
    """The send of the template (`name` or `name:language`) with the document of Meta's id `file` above its body."""
    template, _, language = wanted.partition(":")
    header = {"type": "header", "parameters": [{"type": "document", "document": {"id": file, "filename": name}}]}
    return NewTemplate.model_validate(
        {"type": "template", "name": template, "language": language or "pt_BR", "components": [header]}
    )

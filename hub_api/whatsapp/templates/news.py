"""What Meta's webhooks say of templates, applied: status, quality, category with its 24 h notice, changed texts (§1.5)."""

from datetime import UTC, datetime

import structlog

from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import REGISTRY
from hub_api.whatsapp.inbound import Update
from hub_api.whatsapp.updates import (
    TemplateCategoryUpdate,
    TemplateComponentsUpdate,
    TemplateQualityUpdate,
    TemplateStatusUpdate,
)

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__)

# Events that say that a template may be used again.
_APPROVED_BY = frozenset({"REINSTATED", "UNARCHIVED"})
_GONE = frozenset({"PENDING_DELETION", "DELETED"})
_WORRYING = frozenset({"PAUSED", "DISABLED", "FLAGGED", "REJECTED", "LOCKED", "LIMIT_EXCEEDED"})


async def apply(tx: Transaction, update: Update) -> bool:
    """Apply one template update to what we know; False when it is none, or of a template we have never heard of."""
    match update:
        case TemplateStatusUpdate():
            return await _status(tx, update)
        case TemplateQualityUpdate():
            return await _quality(tx, update)
        case TemplateCategoryUpdate():
            return await _category(tx, update)
        case TemplateComponentsUpdate():
            account_id = await tx.db.fetchval(queries.account_of_waba, update.waba_id)
            if account_id is not None:
                tx.ring(REGISTRY["whatsapp.send.jobs.resync_templates"], str(account_id))
            return account_id is not None
        case _:
            return False


async def _status(tx: Transaction, update: TemplateStatusUpdate) -> bool:
    status = "APPROVED" if update.event in _APPROVED_BY else update.event
    detail = {
        "title": update.title,
        "description": update.description,
        "recommendation": update.recommendation,
        "disable_date": update.disable_date,
    }
    rows = await tx.db.fetch(
        queries.apply_status,
        update.waba_id,
        update.template_id,
        update.name,
        update.language,
        status,
        None if update.reason == "NONE" else update.reason or update.title,
        update.category,
        {name: value for name, value in detail.items() if value is not None},
        datetime.fromtimestamp(update.time, UTC) if update.time else None,
    )
    for row in rows:
        if status in ("APPROVED", "REJECTED"):
            await tx.db.execute(queries.decide_versions, None, row["id"])
        if status in _GONE and update.name:
            await tx.db.execute(queries.block_name, row["account_id"], update.name)
        if status in _WORRYING:
            log.warning("template_needs_attention", template=update.name, status=status, reason=update.reason)
    _relabel(tx, rows)
    return bool(rows)


async def _quality(tx: Transaction, update: TemplateQualityUpdate) -> bool:
    rows = await tx.db.fetch(
        queries.apply_quality, update.waba_id, update.template_id, update.name, update.language, update.current
    )
    if rows and update.current in ("YELLOW", "RED"):
        log.warning("template_quality_fell", template=update.name, quality=update.current, previous=update.previous)
    return bool(rows)


async def _category(tx: Transaction, update: TemplateCategoryUpdate) -> bool:
    rows = await tx.db.fetch(
        queries.apply_category,
        update.waba_id,
        update.template_id,
        update.name,
        update.language,
        update.current,
        update.upcoming,
        datetime.fromtimestamp(update.changes_at, UTC) if update.changes_at else None,
    )
    if rows:
        log.warning("template_category", template=update.name, category=update.current, announced=update.upcoming)
    _relabel(tx, rows)
    return bool(rows)


def _relabel(tx: Transaction, rows: list[Row]) -> None:
    for row in rows:
        if row["category_changed"]:
            tx.ring(REGISTRY["whatsapp.templates.jobs.relabel"], str(row["account_id"]))

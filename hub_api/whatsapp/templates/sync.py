"""Our templates made what Meta lists: when a webhook or a send says so, when asked to, and on a clock as safety."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.whatsapp.send.meta import RejectedByMeta
from hub_api.whatsapp.templates.access import KEPT_FOR_PEOPLE, Access, access, refused
from hub_api.whatsapp.templates.fingerprint import fingerprint

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__)

_FIELDS = "id,name,language,category,status,rejected_reason,quality_score,components,parameter_format,message_send_ttl_seconds"
_PAGE = "100"
_MAX_PAGES = 100  # 6,000 templates are the most an account may have
_CAPACITY = 250
DUE_AT_ONCE = 5  # accounts whose turn begins with one tick, so that a thousand of them do not call in the same minute
RELABEL_CHUNK = 2_000


async def sync_templates(services: Services, account_id: UUID, *, kept: float = 0.0) -> int:
    """Make our templates of an account what Meta lists, page by page; returns how many Meta has.

    What Meta no longer lists becomes DELETED, drafts stay. `kept`: the part of the account's management calls that is
    left to others. Raises NotFound, RefusedByMeta, BudgetSpent, and NotAccepted (retryable) when Meta does not answer;
    then nothing has changed.
    """
    meta = await access(services, account_id)
    began = await services.db.fetchval(queries.now)
    try:
        templates, capacity = await _all_templates(meta, kept)
    except RejectedByMeta as error:
        failure = refused(error, f"list the templates of account {meta.waba_id}")
        await services.db.execute(queries.sync_failed, account_id, failure.message)
        raise failure from error
    except HubError as error:
        await services.db.execute(queries.sync_failed, account_id, error.message)
        raise
    rows = [_row(template) for template in templates]
    listed = [row["meta_template_id"] for row in rows], [fingerprint(row["components"]) for row in rows]
    async with services.transaction() as tx:
        await tx.db.execute(queries.upsert_templates, account_id, rows, began)
        names = [row["name"] for row in rows], [row["language"] for row in rows]
        await tx.db.execute(queries.mark_unlisted, account_id, *names, began)
        await tx.db.execute(queries.settle_unanswered, account_id, *listed, began)
        await tx.db.execute(queries.decide_versions, account_id, None)
        await tx.db.execute(queries.add_foreign_versions, account_id, *listed, [uuid7() for _ in rows])
        period = timedelta(hours=services.settings.template_sync_hours)
        await tx.db.execute(queries.synced, account_id, len(rows), capacity, period)
        tx.ring(REGISTRY["whatsapp.templates.jobs.relabel"], str(account_id))
    log.info("templates_synced", account=str(account_id), count=len(templates))
    return len(templates)


async def due_accounts(services: Services) -> list[UUID]:
    """Accounts whose turn has come to be read again; asking takes the turn."""
    period = timedelta(hours=services.settings.template_sync_hours)
    async with services.transaction() as tx:
        rows = await tx.db.fetch(queries.due_syncs, period, DUE_AT_ONCE)
        await tx.db.execute(queries.forget_calls)
    return [row["account_id"] for row in rows]


async def sync_on_clock(services: Services, account_id: UUID) -> None:
    """The safety poll of one account; what keeps it from happening is kept with the account and tried at its next turn."""
    try:
        await sync_templates(services, account_id, kept=KEPT_FOR_PEOPLE)
    except HubError as error:
        log.warning("template_sync_failed", account=str(account_id), code=error.code)


async def relabel_queued(services: Services, account_id: UUID) -> int:
    """Give messages that wait the category, and with it the lane and the opt-outs, that their template has by now;
    returns how many. In chunks, each its own transaction."""
    total, changed = 0, RELABEL_CHUNK
    while changed == RELABEL_CHUNK:
        tag = await services.db.execute(queries.relabel_queued, account_id, RELABEL_CHUNK)
        changed = int(tag.rpartition(" ")[2])
        total += changed
    return total


async def _all_templates(meta: Access, kept: float) -> tuple[list[dict[str, Any]], int]:
    """What Meta lists, and how many templates it allows the account."""
    templates: dict[tuple[str, str], dict[str, Any]] = {}
    query = {"fields": _FIELDS, "limit": _PAGE, "summary": "total_count,message_template_count,message_template_limit"}
    capacity = _CAPACITY
    for _ in range(_MAX_PAGES):
        page = await meta.get(f"{meta.waba_id}/message_templates", kept=kept, **query)
        for template in page.get("data", []):
            templates[(template["name"], template["language"])] = template
        limit = (page.get("summary") or {}).get("message_template_limit")
        capacity = limit if isinstance(limit, int) and limit > 0 else capacity
        paging = page.get("paging") or {}
        after = (paging.get("cursors") or {}).get("after")
        if not paging.get("next") or not after:
            break
        query["after"] = after
    return list(templates.values()), capacity


def _row(template: dict[str, Any]) -> dict[str, Any]:
    """Our columns of a template as Meta lists it; ids are text here, whatever they are there."""
    score = template.get("quality_score")
    reason = template.get("rejected_reason")
    return {
        "id": str(uuid7()),
        "meta_template_id": str(template["id"]),
        "name": template["name"],
        "language": template["language"],
        "category": template.get("category") or "UNKNOWN",
        "status": template.get("status") or "UNKNOWN",
        "status_reason": None if reason == "NONE" else reason,
        "quality": (score.get("score") if isinstance(score, dict) else None) or "UNKNOWN",
        "components": template.get("components") or [],
        "parameter_format": "NAMED" if template.get("parameter_format") == "NAMED" else "POSITIONAL",
        "ttl_s": template.get("message_send_ttl_seconds"),
    }

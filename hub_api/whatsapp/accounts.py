"""Our WhatsApp business accounts: registering them and their numbers, and reading their templates from Meta."""

from typing import Any
from uuid import UUID

import structlog

from hub_api.errors import Conflict, NotFound
from hub_api.platform import crypto, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.whatsapp.send.callers import open_callers
from hub_api.whatsapp.send.meta import MetaClient, RejectedByMeta

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "accounts.sql")

_TEMPLATE_FIELDS = "id,name,language,category,status,rejected_reason,quality_score,components"
_PAGE = "100"
_MAX_PAGES = 100  # 6,000 templates are the most an account may have


async def add_account(services: Services, *, waba_id: str, portfolio_id: str, name: str, token: str) -> UUID:
    """Register a WhatsApp business account, or renew its name and token; returns its id.

    The token of the system user is stored encrypted. A new one lifts the pause that a refused token had caused.
    """
    sealed = crypto.encrypt(services.settings.secret_key.get_secret_value(), token)
    return await services.db.fetchval(  # type: ignore[no-any-return]
        queries.upsert_account, uuid7(), waba_id, portfolio_id, name, sealed
    )


async def add_number(
    services: Services,
    *,
    waba_id: str,
    phone_number_id: str,
    display_phone_number: str,
    verified_name: str | None = None,
    throughput_mps: int = 80,
) -> UUID:
    """Register a number of an account, or renew what is known of it; returns its id.

    `throughput_mps`: messages per second Meta allows it (80, 1,000, or 20 in coexistence). Raises NotFound when the
    account is not registered.
    """
    account_id = await services.db.fetchval(queries.find_account, waba_id)
    if account_id is None:
        raise NotFound(f"there is no WhatsApp account {waba_id}: add the account before its numbers", waba_id=waba_id)
    return await services.db.fetchval(  # type: ignore[no-any-return]
        queries.upsert_number,
        uuid7(),
        account_id,
        phone_number_id,
        display_phone_number,
        verified_name,
        throughput_mps,
    )


async def list_accounts(services: Services) -> list[Row]:
    """Every account with its state, never its token."""
    return await services.db.fetch(queries.list_accounts)


async def list_numbers(services: Services, *, limit: int = 100, cursor: str | None = None) -> Rows:
    """Numbers with their state, in the order of phone_number_id. Raises Invalid for a cursor that is none of ours."""
    (after,) = read_cursor(cursor, str)
    return page(await services.db.fetch(queries.list_numbers, after, limit + 1), limit, "phone_number_id")


async def list_templates(
    services: Services, *, account_id: UUID | None = None, limit: int = 100, cursor: str | None = None
) -> Rows:
    """Templates of one account or of all, as Meta listed them last. Raises Invalid for a cursor that is none of ours."""
    (after,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_templates, after, limit + 1, account_id), limit, "id")


async def sync_templates(services: Services, account_id: UUID) -> int:
    """Make our templates of an account what Meta lists, page by page; returns how many Meta has.

    What Meta no longer lists becomes DELETED. Raises NotFound, Conflict when Meta refuses the read, and NotAccepted
    (retryable) when Meta does not answer; then nothing has changed.
    """
    account = await services.db.fetchrow(queries.account_access, account_id)
    if account is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
    token = crypto.decrypt(services.settings.secret_key.get_secret_value(), account["token_encrypted"])
    client = (await services.shared(open_callers)).client
    try:
        templates = await _all_templates(client, account["waba_id"], token)
    except RejectedByMeta as error:
        raise Conflict(
            f"Meta refused to list the templates of account {account['waba_id']}: "
            f"{error.refusal.code} {error.refusal.title}",
            meta_code=error.refusal.code,
        ) from error
    rows = [_row(template) for template in templates]
    async with services.transaction() as tx:
        await tx.db.execute(queries.upsert_templates, account_id, rows)
        listed = [row["name"] for row in rows], [row["language"] for row in rows]
        await tx.db.execute(queries.mark_deleted_templates, account_id, *listed)
    log.info("templates_synced", account=str(account_id), count=len(templates))
    return len(templates)


async def _all_templates(client: MetaClient, waba_id: str, token: str) -> list[dict[str, Any]]:
    templates: dict[tuple[str, str], dict[str, Any]] = {}
    query = {"fields": _TEMPLATE_FIELDS, "limit": _PAGE}
    for _ in range(_MAX_PAGES):
        page = await client.get(f"{waba_id}/message_templates", token, **query)
        for template in page.get("data", []):
            templates[(template["name"], template["language"])] = template
        paging = page.get("paging") or {}
        after = (paging.get("cursors") or {}).get("after")
        if not paging.get("next") or not after:
            break
        query["after"] = after
    return list(templates.values())


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
    }

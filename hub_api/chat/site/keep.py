"""Sites are made and changed here, each change with its row in the audit log."""

import secrets
import string
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import conversations
from hub_api.chat.site.schemas import SiteRules
from hub_api.errors import Invalid, NotFound, Stale
from hub_api.platform import crypto, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

_ALPHABET = string.ascii_lowercase + string.digits


async def list_sites(services: Services, *, limit: int, cursor: str | None) -> Rows:
    """All sites, oldest first. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_sites, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def find_site(db: Any, site_id: UUID) -> Row:
    """One of them. Raises NotFound."""
    row = await db.fetchrow(queries.find_site, site_id)
    if row is None:
        raise NotFound(f"there is no site {site_id}")
    return row  # type: ignore[no-any-return]


async def make_site(tx: Transaction, who: Principal | str, rules: SiteRules, *, key: str | None = None) -> UUID:
    """A site with a new key (or `key`, for a demonstration). Raises NotFound for an unknown queue, Invalid for a text that
    is none."""
    site_id = uuid7()
    key = key or "".join(secrets.choice(_ALPHABET) for _ in range(24))
    await tx.db.execute(queries.insert_site, site_id, key, *await _columns(tx, rules))
    await audit.write(tx, who, "site.created", "site", site_id, after=rules.model_dump())
    return site_id


async def change_site(tx: Transaction, who: Principal, site_id: UUID, rules: SiteRules, *, version: int | None) -> None:
    """Replace a site's rules; who is connected meets them with the next message. Raises NotFound, Stale, Invalid."""
    before = await find_site(tx.db, site_id)
    now = await tx.db.fetchval(queries.lock_site, site_id)
    if version not in (None, now):
        raise Stale("the site has changed since you read it: read it again", version=now)
    await tx.db.execute(queries.set_site, site_id, *await _columns(tx, rules))
    was = {name: before[name] for name in SiteRules.model_fields}
    await audit.write(tx, who, "site.changed", "site", site_id, before=was, after=rules.model_dump())


async def new_secret(services: Services, tx: Transaction, who: Principal, site_id: UUID) -> str:
    """A new secret for signing users; what was signed with the one before is worth nothing from here on. Raises NotFound."""
    await find_site(tx.db, site_id)
    secret = secrets.token_urlsafe(32)
    sealed = crypto.encrypt(services.settings.secret_key.get_secret_value(), secret)
    await tx.db.execute(queries.set_secret, site_id, sealed)
    await audit.write(tx, who, "site.secret_made", "site", site_id)
    return secret


async def _columns(tx: Transaction, rules: SiteRules) -> tuple[Any, ...]:
    queue = await conversations.find_queue(tx, rules.queue) if rules.queue else None
    for name in ("consent_pt", "consent_en"):
        if not await tx.db.fetchval(queries.is_service_text, getattr(rules, name)):
            message = "this is no consent text of scope `service` that is in force"
            raise Invalid(message, errors=[{"field": f"body.{name}", "message": message}])
    return (
        rules.name, rules.title, rules.origins, queue["id"] if queue else None, rules.bot, rules.offline_form, rules.color,
        rules.consent_pt, rules.consent_en, rules.active,
    )  # fmt: skip

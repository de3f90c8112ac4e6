"""Where short links lead: https addresses on hosts that HUB_LINK_HOSTS allows, kept here; no request can name another."""

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings

queries = sqlfile.load(__package__)

# In the query of a target: the code of whoever clicked, by which the conversion API knows him (goals/routes.py).
CLICK = "{click}"
# In the query of a campaign's link: what is known of the customer (fill.py), as `{contract.plan}`.
_COLUMN = re.compile(r"\{((?:customer|contract|invoice|feature|csv|trigger)\.[A-Za-z0-9_-]{1,60})\}")


def check_url(settings: Settings, url: str) -> None:
    """Raises Invalid unless a short link may lead there: https, an allowed host, nothing that browsers read otherwise."""
    reason = refused(settings, url) or ("columns are for links of campaigns" if columns_in(url) else None)
    if reason is not None:
        raise Invalid(f"a short link cannot lead there: {reason}", errors=[{"field": "body.url", "message": reason}])


def may_lead(settings: Settings, url: str) -> bool:
    """Whether a short link may lead there now: the list of hosts may have become shorter since it was made."""
    return refused(settings, url) is None


def columns_in(url: str) -> list[str]:
    """The customer's columns that an address asks for in its query."""
    return list(dict.fromkeys(_COLUMN.findall(url.partition("?")[2])))


def refused(settings: Settings, url: str) -> str | None:
    """Why no short link may lead there; None when one may."""
    if not url.isascii() or any(char <= " " or char in "\\<>\"'`\x7f" for char in url):
        return "it has a character that belongs percent-encoded"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is no address"
    braces = parts._replace(query=_COLUMN.sub("", parts.query.replace(CLICK, ""))).geturl()
    faults = {
        "it must be https:// on the usual port": parts.scheme != "https" or port not in (None, 443),
        "it must not carry a user name": parts.username is not None or parts.password is not None,
        "HUB_LINK_HOSTS does not allow its host": not _allowed(settings, parts),
        f"braces are for {CLICK} and columns of the customer in its query": "{" in braces or "}" in braces,
    }
    return next((reason for reason, wrong in faults.items() if wrong), None)


def _allowed(settings: Settings, parts: SplitResult) -> bool:
    host = (parts.hostname or "").rstrip(".")
    return any(
        host.endswith(one) and len(host) > len(one) if one.startswith(".") else host == one
        for one in map(str.lower, settings.link_hosts)
    )


async def create(
    tx: Transaction, who: Principal, settings: Settings, name: str, url: str, campaign_id: UUID | None, life_days: int
) -> UUID:
    """A new target; its id. Raises Invalid for an address where no link may lead."""
    check_url(settings, url)
    target_id = uuid7()
    await tx.db.execute(queries.insert_target, target_id, campaign_id, name, url, life_days, who.actor)
    after = {"name": name, "host": urlsplit(url).hostname, "campaign_id": str(campaign_id or "")}
    await audit.write(tx, who, "link.created", "link", target_id, after=after)
    return target_id


async def archive(tx: Transaction, who: Principal, target_id: UUID) -> None:
    """Its codes lead nowhere from now on; their clicks stay. Raises NotFound, Conflict when it was put away before."""
    name = await tx.db.fetchval(queries.archive_target, target_id)
    if name is None:
        if await tx.db.fetchrow(queries.find_target, target_id) is None:
            raise _unknown(target_id)
        raise Conflict("this link was put away already")
    await audit.write(tx, who, "link.archived", "link", target_id, detail={"name": name})


async def find(db: Pool, target_id: UUID) -> Row:
    """A target with its figures. Raises NotFound."""
    row = await db.fetchrow(queries.find_target, target_id)
    if row is None:
        raise _unknown(target_id)
    return row


async def list_targets(db: Pool, *, campaign_id: UUID | None, limit: int, cursor: str | None) -> Rows:
    """Targets, newest first. Raises Invalid for a cursor that is none of ours."""
    (last,) = read_cursor(cursor, UUID)
    rows: list[Any] = await db.fetch(queries.list_targets, campaign_id, last, limit + 1)
    return page(rows, limit, "id")


def _unknown(target_id: UUID) -> NotFound:
    return NotFound(f"there is no link {target_id}")

"""What happens when somebody opens a short link, or the page that ends our advertising."""

from datetime import UTC, datetime
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog
from redis.exceptions import RedisError

from hub_api.auth import audit
from hub_api.campaigns.goals import record as goals
from hub_api.campaigns.links import codes, targets, variables
from hub_api.campaigns.links.targets import queries
from hub_api.chat import consent
from hub_api.chat.consent_confirm import confirm
from hub_api.events import LinkClicked
from hub_api.platform import metrics, ratelimit, request_info
from hub_api.platform.pgtypes import Row
from hub_api.platform.ratelimit import Limit
from hub_api.platform.request_info import limit_key
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

MOST_TOLD = 50  # visits of one link that are told as events: who reloads all day is counted here, and does not fill the warehouse
MISSES_A_MINUTE = 30  # codes that lead nowhere: more is a guesser, who has 62^16 to go


def link_id(digest: bytes) -> UUID:
    """The aggregate of a personal link: of its hash, which leads nobody to the code."""
    return uuid5(NAMESPACE_URL, f"urn:hub:link:{digest.hex()}")


async def limit(services: Services, *, missed: bool = False) -> None:
    """Count a request of this address. Raises TooMany. While Redis is away nobody is counted: a link that leads nowhere
    harms more people than a guesser finds codes."""
    place = limit_key(request_info.current.get().address)
    allowed = Limit(f"link:{place}", services.settings.link_per_minute)
    if missed:
        allowed = Limit(f"link-miss:{place}", MISSES_A_MINUTE)
    try:
        await ratelimit.take(services.redis, [allowed], "too many links from here: wait a minute")
    except RedisError as error:
        log.warning("link_limits_away", error=type(error).__name__)


async def look_up(services: Services, code: str, purpose: Literal["link", "opt_out"]) -> Row | None:
    """The link of a code; None when there is none of this purpose, which counts as a guess. Raises TooMany."""
    await limit(services)
    plain = code.isascii() and code.isalnum() and len(code) == codes.LENGTH
    row = await services.db.fetchrow(queries.find_code, codes.fingerprint(code)) if plain else None
    if row is None or row["purpose"] != purpose:
        await limit(services, missed=True)
        return None
    return row


def is_over(row: Row) -> bool:
    """Whether a link's time has ended, or it was put away."""
    return bool(row["expires_at"] <= datetime.now(UTC) or row["archived_at"] is not None)


async def open_link(services: Services, code: str, *, by_program: bool) -> str | None:
    """Where the link of `code` leads; None when it leads nowhere (any more). Raises TooMany.

    A person's visit is counted and told as `link.clicked`, whose version says the how manieth it was; the first one may be a goal.
    """
    row = await look_up(services, code, "link")
    if row is None or is_over(row) or not targets.may_lead(services.settings, row["url"]):
        metrics.link_visits.labels("nowhere").inc()
        return None
    digest = codes.fingerprint(code)
    metrics.link_visits.labels("program" if by_program else "person").inc()
    if by_program:
        await services.db.execute(queries.count_preview, digest)
    else:
        await _count(services, row, digest)
    return variables.destination(row["url"], code, row["fills"])


async def _count(services: Services, row: Row, digest: bytes) -> None:
    async with services.transaction() as tx:
        clicks = await tx.db.fetchval(queries.count_click, digest)
        if clicks is not None and clicks <= MOST_TOLD:
            clicked = LinkClicked(
                aggregate_id=link_id(digest),
                aggregate_version=clicks,
                occurred_at=datetime.now(UTC),
                customer_id=row["customer_id"],
                target_id=row["target_id"],
                campaign_id=row["campaign_id"],
                variant=row["variant"],
                message_id=row["message_id"],
            )
            tx.emit(clicked)
            if (
                clicks == 1
                and row["campaign_id"]
                and await tx.db.fetchval(goals.queries.wants_clicks, row["campaign_id"])
            ):
                told = goals.Told(
                    "click", str(clicked.aggregate_id), clicked.occurred_at, customer_id=row["customer_id"]
                )
                await goals.record(tx, [(0, told)], zone=services.settings.timezone, source="click", by="system")


async def opt_out(services: Services, code: str, scope: consent.Scope) -> bool:
    """End messages of `scope` for the customer of an opt-out code, and confirm it to him once; False for a code that is none.

    Confirming again changes nothing. Raises TooMany.
    """
    row = await look_up(services, code, "opt_out")
    if row is None or is_over(row):
        return False
    digest, customer_id = codes.fingerprint(code), row["customer_id"]
    async with services.transaction() as tx:
        await tx.db.fetchval(consent.queries.lock_customer, customer_id)
        stopped = await tx.db.fetchval(consent.queries.refused, customer_id, scope)
        if not stopped:
            evidence = {"link": str(link_id(digest)), "campaign_id": str(row["campaign_id"] or "")}
            await consent.record(
                tx, customer_id, scope, granted=False, source="link", evidence=evidence, occurred_at=datetime.now(UTC)
            )
            await confirm(tx, customer_id, scope)
        await tx.db.fetchval(queries.count_click, digest)
        detail = {"scope": scope, "granted": False, "source": "link", "new": not stopped}
        await audit.write(tx, f"customer:{customer_id}", "consent.recorded", "customer", customer_id, detail=detail)
    return True

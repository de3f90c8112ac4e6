"""Jobs of auth: what is to be sent leaves, and what is of no use any more goes."""

import asyncio

import structlog

from hub_api.auth import audit_chain, guard, notices, second_factor, sessions, tokens, users
from hub_api.auth.notices import unseal
from hub_api.auth.openid import exchange
from hub_api.auth.openid import keys as openid_keys
from hub_api.platform import mail, sms
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

BATCH = 20


@job("maintenance", timeout_s=60)
async def send_notices(services: Services) -> None:
    """Send mail and SMS that are due. One that fails is tried again later, until it is of no use."""
    while rows := await services.db.fetch(notices.queries.claim, BATCH, ["email", "sms"]):
        await asyncio.gather(*(_send(services, row["id"], row["sealed"], row["attempts"]) for row in rows))


async def _send(services: Services, notice_id: object, sealed: bytes, attempts: int) -> None:
    notice = unseal(services, sealed)
    try:
        if notice.channel == "email":
            await mail.send(services.settings, notice.to, notice.subject or "", notice.text)
        else:
            await sms.send(services.settings, notice.to, notice.text)
    except (OSError, mail.MailRefused, sms.SmsRefused) as error:
        log.warning("notice_not_sent", channel=notice.channel, attempts=attempts, error=type(error).__name__)
        return
    await services.db.execute(notices.queries.sent, notice_id)


@job("maintenance", timeout_s=60)
async def tidy(services: Services) -> None:
    """Delete what has expired: sessions (after 30 days, for whoever asks what happened), devices, codes, links, keys."""
    await services.db.execute(sessions.queries.drop_ended_sessions, sessions.kept_since())
    for query in (
        exchange.queries.drop_expired_tokens,
        exchange.queries.drop_ended_grants,
        openid_keys.queries.drop_superseded_keys,
        guard.queries.drop_expired_devices,
        second_factor.queries.drop_expired_message_codes,
        notices.queries.drop_expired,
        tokens.queries.drop_superseded_keys,
        users.queries.drop_expired_links,
    ):
        await services.db.execute(query)


@job("maintenance", timeout_s=60)
async def seal_audit(services: Services) -> None:
    """Link what the audit log got since, and sign the chain's head."""
    await audit_chain.seal(services)

"""Jobs of auth: what is to be sent leaves, and what is of no use any more goes."""

import asyncio

import structlog

from hub_api.auth import audit_chain, audit_verify, notices, sessions
from hub_api.auth.notices import unseal
from hub_api.platform import mail, sms, sqlfile
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

BATCH = 20
# Files and not the modules that load them: those bring the web framework, which no worker needs.
EXPIRED = (
    ("hub_api.auth.openid", "grants.sql", "drop_expired_tokens"),
    ("hub_api.auth.openid", "grants.sql", "drop_ended_grants"),
    ("hub_api.auth.openid", "keys.sql", "drop_superseded_keys"),
    ("hub_api.auth", "guard.sql", "drop_expired_devices"),
    ("hub_api.auth", "second_factor.sql", "drop_expired_message_codes"),
    ("hub_api.auth", "notices.sql", "drop_expired"),
    ("hub_api.auth", "tokens.sql", "drop_superseded_keys"),
    ("hub_api.auth", "users.sql", "drop_expired_links"),
)


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
    for package, file, query in EXPIRED:
        await services.db.execute(getattr(sqlfile.load(package, file), query))


@job("maintenance", timeout_s=60)
async def seal_audit(services: Services) -> None:
    """Link what the audit log got since, and sign the chain's head."""
    await audit_chain.seal(services)


@job("maintenance", timeout_s=1800)
async def verify_audit(services: Services) -> None:
    """Verify the audit log when somebody has asked for it."""
    await audit_verify.run(services)


@job("maintenance", timeout_s=1800)
async def verify_daily(services: Services) -> None:
    """Verify it once a day, asked or not."""
    await audit_verify.run(services, daily=True)

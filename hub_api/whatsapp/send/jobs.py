"""The sender's doorbells."""

from uuid import UUID

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.send import sender
from hub_api.whatsapp.templates.sync import sync_templates


@job("outbound", timeout_s=60)
async def drain_outbox(services: Services, shard: int) -> None:
    """Send what this shard has queued until it is empty or time is up, then ring again if work is left."""
    if await sender.drain(services, shard):
        await services.bells.ring([(drain_outbox, (shard,))])


@job("maintenance", timeout_s=60)
async def resync_templates(services: Services, account_id: str) -> None:
    """Read an account's templates from Meta again: a send found one that is not as we know it."""
    await sync_templates(services, UUID(account_id))

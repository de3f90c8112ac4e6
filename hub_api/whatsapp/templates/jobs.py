"""The jobs of templates: the safety poll spread over accounts and time, and messages that follow their template's category."""

from uuid import UUID

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.templates import sync


@job("maintenance", timeout_s=60)
async def sync_due(services: Services) -> None:
    """Ring for the accounts whose turn has come."""
    await services.bells.ring([(sync_account, (str(account_id),)) for account_id in await sync.due_accounts(services)])


@job("maintenance", timeout_s=120)
async def sync_account(services: Services, account_id: str) -> None:
    """Read one account's templates on the clock."""
    await sync.sync_on_clock(services, UUID(account_id))


@job("maintenance", timeout_s=60)
async def relabel(services: Services, account_id: str) -> None:
    """Give waiting messages the category of their template."""
    await sync.relabel_queued(services, UUID(account_id))

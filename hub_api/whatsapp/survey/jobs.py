"""Jobs of the survey by template."""

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.survey import place


@job("bot", timeout_s=60)
async def ask(services: Services) -> None:
    """Surveys that are due get their template into the outbox, or their reason."""
    await place.place_due(services)

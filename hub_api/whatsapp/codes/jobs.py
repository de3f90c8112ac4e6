"""Jobs of one-time codes by WhatsApp."""

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.codes import place


@job("maintenance", timeout_s=30)
async def send_codes(services: Services) -> None:
    """Codes that wait go into the outbox; those that failed or are late leave by SMS."""
    await place.place_due(services)
    await place.settle_placed(services)

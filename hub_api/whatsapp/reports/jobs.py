"""Jobs of reports by WhatsApp."""

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.reports import send


@job("maintenance", timeout_s=120)
async def send_reports(services: Services) -> None:
    """Reports that wait for WhatsApp go into the outbox."""
    await send.send_waiting(services)

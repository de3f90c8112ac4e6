"""What keeps the lists true while nobody looks."""

from hub_api.campaigns.suppressions.match import match_new
from hub_api.platform.queue import job
from hub_api.platform.services import Services


@job("maintenance", timeout_s=120)
async def match(services: Services) -> None:
    """Find the customers of numbers that came onto a list before they came to us; harmless to repeat."""
    await match_new(services)

"""The jobs of media: fetch and scan what is due, delete what nothing refers to, end what is past its time."""

from hub_api.chat.privacy.erase import register_eraser
from hub_api.chat.privacy.retention import register_ender
from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.media.erase import end_media, erase_media, expire_old, remove_freed
from hub_api.whatsapp.media.fetcher import open_fetcher

register_eraser("media", erase_media)
register_ender("media", end_media)


@job("maintenance", timeout_s=30)
async def fetch_due(services: Services) -> None:
    """Wake this process's fetcher and return: a slow media host must not hold the worker, which has messages to handle."""
    (await services.shared(open_fetcher)).wake()


@job("maintenance", timeout_s=120)
async def remove_erased(services: Services) -> None:
    """Erase files past HUB_MEDIA_RETENTION_DAYS, then delete freed content from the store."""
    await expire_old(services)
    await remove_freed(services)

"""The erasure's part in the lake: days whose rows have changed in the warehouse are written again, so its files follow it.

The lake has no text that the warehouse has not: a day counts as clean when its hash is that of the warehouse's rows, which
are searched themselves (survivors.py).
"""

from hub_api.chat.privacy.inventory import inventory
from hub_api.platform.lake.write import LakeAhead, bring_up_to_date, differences, read_manifests
from hub_api.settings import Settings


async def follow(settings: Settings) -> dict[str, int]:
    """Write those days again that the lake has and that differ from the warehouse; how many, by table.

    Days that only the lake has are left for the rebuild of the warehouse, and stay survivors until it is done.
    """
    if not _tables(settings):
        return {}
    try:
        changed = await bring_up_to_date(settings, _tables(settings), follow=True)
    except LakeAhead:
        return {}
    return {table: len(days) for table, days in changed.items()}


async def survivors(settings: Settings) -> dict[str, int]:
    """Days of the lake that are not what the warehouse has now, by table."""
    if not _tables(settings):
        return {}
    return {table: len(days) for table, days in (await differences(settings, _tables(settings))).items()}


def _tables(settings: Settings) -> list[str]:
    """The tables with personal data that the lake has."""
    personal = inventory().of("warehouse")
    return [table for table in read_manifests(settings) if table not in personal or personal[table].personal]

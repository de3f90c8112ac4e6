"""Conversations that time ends: with the bot and gone quiet, or resolved and past the time for coming back.

Without it a customer who writes again after a week would go on under last week's protocol number.
"""

from datetime import UTC, datetime, timedelta

from hub_api.chat.resolve import close, resolve
from hub_api.platform import sqlfile
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "quiet.sql")

BATCH = 200


async def resolve_quiet(services: Services) -> int:
    """Resolve conversations with the bot in which nobody has written for HUB_BOT_QUIET_HOURS; how many, a batch at most.

    Nobody is asked for a rating: the customer left in the middle.
    """
    since = datetime.now(UTC) - timedelta(hours=services.settings.bot_quiet_hours)
    async with services.transaction() as tx:
        found = await tx.db.fetch(queries.quiet_with_bot, since, BATCH)
        for row in found:
            await resolve(tx, row["id"], reason="quiet", ask_rating=False)
    return len(found)


async def close_past_reopening(services: Services) -> int:
    """Close conversations that were resolved more than HUB_REOPEN_HOURS ago; how many, a batch at most."""
    since = datetime.now(UTC) - timedelta(hours=services.settings.reopen_hours)
    async with services.transaction() as tx:
        found = await tx.db.fetch(queries.past_reopening, since, BATCH)
        for row in found:
            await close(tx, row["id"], reason="reopening_over")
    return len(found)

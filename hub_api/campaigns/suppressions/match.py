"""Numbers on a list that were nobody's when they came, found again when a customer gets such a number."""

from datetime import timedelta

from hub_api.campaigns.suppressions.keep import follow, phone_hash, queries
from hub_api.platform.services import Services

PHONES_A_TRANSACTION = 5_000
# A number's row carries the time at which its transaction began: one that committed late is still looked at.
LATE = timedelta(minutes=10)


async def match_new(services: Services) -> int:
    """Compare the numbers that came since the last look with the lists; how many entries found their customer.

    A campaign calls it before it freezes its audience, a clock each minute. Two at a time do no harm.
    """
    secret_key = services.settings.secret_key.get_secret_value()
    found = 0
    since = None
    while True:
        async with services.transaction() as tx:
            mark = await tx.db.fetchval(queries.match_mark)
            rows = await tx.db.fetch(queries.new_phones, since or mark - LATE, PHONES_A_TRANSACTION)
            if rows and await tx.db.fetchval(queries.any_unmatched):
                hashes = [phone_hash(secret_key, row["value"]) for row in rows]
                matched = await tx.db.fetch(queries.match, hashes, [row["customer_id"] for row in rows])
                await follow(tx, {row["customer_id"] for row in matched})
                found += len(matched)
            if rows:
                await tx.db.execute(queries.set_mark, rows[-1]["created_at"])
        if len(rows) < PHONES_A_TRANSACTION or rows[-1]["created_at"] == since:
            return found
        since = rows[-1]["created_at"]

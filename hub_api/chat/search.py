"""Search in messages, in Portuguese: newest month first, stopping as soon as there is enough to show."""

from datetime import datetime

from hub_api.auth.principal import Principal
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Pool, Row

queries = sqlfile.load(__package__, "search.sql")


async def search_messages(
    db: Pool,
    caller: Principal,
    words: str,
    *,
    before: datetime | None = None,
    limit: int = 50,
    since: datetime | None = None,
    author: str | None = None,
    queue: str | None = None,
) -> list[Row]:
    """Up to `limit` messages that the caller sees and that match `words` (websearch syntax: "frase exata", -sem, or), the newest first;
    of one `author`, or of conversations whose last `queue` has this key, where these are given.

    `before` is where the last page ended. A month is one partition, so a search that finds enough in the newest months
    touches no older ones.
    """
    return await db.fetch(queries.search, *caller.scope, words, before, limit, since, author, queue)

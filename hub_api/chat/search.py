"""Search in messages, in Portuguese: newest month first, stopping as soon as there is enough to show."""

from datetime import datetime
from typing import Any

from hub_api.auth.principal import Principal
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Pool

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
) -> list[dict[str, Any]]:
    """Up to `limit` messages that the caller sees and that match `words` (websearch syntax: "frase exata", -sem, or), the newest first;
    of one `author`, or of conversations whose last `queue` has this key, where these are given. Each with `customer_name`,
    `customer_phone` and who wrote it (`author_id`).

    `before` is where the last page ended. A month is one partition, so a search that finds enough in the newest months
    touches no older ones.
    """
    found = await db.fetch(queries.search, *caller.scope, words, before, limit, since, author, queue)
    if not found:
        return []
    keys = [row["id"] for row in found], [row["created_at"] for row in found]
    people = {row["id"]: row for row in await db.fetch(queries.people, *keys)}
    return [{**row, **people[row["id"]]} for row in found]

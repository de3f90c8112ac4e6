"""The independent count: reads every row of every table as text, whatever the inventory says, and every key of Redis."""

from collections.abc import Sequence
from uuid import UUID

from redis.asyncio import Redis

from hub_api.chat.privacy import lake, warehouse
from hub_api.chat.privacy.marks import Marks
from hub_api.platform.pgtypes import Pool
from hub_api.platform.services import Services

_TABLES = """
SELECT c.oid::regclass::text AS name,
    array_agg(a.attname::text) FILTER (WHERE a.atttypid = 'bytea'::regtype) AS binary
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace NOT IN (
    SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema') OR nspname LIKE 'pg\\_%'
)
GROUP BY c.oid ORDER BY 1
"""
# A wamid is long and random: a few hundred tell whether they were forgotten, thousands would only take longer.
WAMIDS = 200


async def count_survivors(services: Services, marks: Marks, ids: Sequence[UUID]) -> dict[str, int]:
    """How many rows, keys and texts of the person are left, by `store:table`; empty when none is."""
    words = [*marks.words(), *sorted(marks.wamids)[:WAMIDS]]
    found = await _postgresql(services.db, words)
    found |= await _redis(services.redis, words)
    for table, count in (await warehouse.survivors(services.settings, words, ids)).items():
        found[f"warehouse:{table}"] = count
    for table, days in (await lake.survivors(services.settings)).items():
        found[f"lake:{table}"] = days
    return found


async def count_namesakes(db: Pool, marks: Marks) -> int:
    """Rows that hold the person's whole name: of others who are called the same, or forgotten ones. For a person to judge."""
    return sum((await _postgresql(db, sorted(name for name in marks.names if " " in name))).values())


async def _postgresql(db: Pool, words: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    if not words:
        return found
    for table in await db.fetch(_TABLES):
        name, binary = table["name"], table["binary"] or []
        columns = ["t::text AS line", *(f"t.{_quoted(column)}" for column in binary)]
        holds = " OR ".join(
            [
                "position(word IN line) > 0",
                *(f"position(convert_to(word, 'UTF8') IN {_quoted(column)}) > 0" for column in binary),
            ]
        )
        # OFFSET 0 keeps the rows apart from the search: else each row would be printed anew for each word.
        rows = f"SELECT {', '.join(columns)} FROM {name} t OFFSET 0"  # noqa: S608
        sql = f"SELECT count(*) FROM ({rows}) AS r WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE {holds})"  # noqa: S608
        if count := await db.fetchval(sql, words):
            found[f"postgresql:{name}"] = count
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _redis(redis: Redis, words: Sequence[str]) -> dict[str, int]:
    raw, found = [word.encode() for word in words], 0
    async for key in redis.scan_iter(count=1000):
        held = key + (await redis.get(key) or b"" if await redis.type(key) == b"string" else b"")
        found += any(word in held for word in raw)
    return {"redis:keys": found} if found else {}

"""The independent count: reads every row of every table as text, whatever the inventory says, and every key of Redis.

All words of all people are looked for in one pass (Aho and Corasick, "Efficient string matching", CACM 18, 1975): asking
PostgreSQL for the position of each word in each row took minutes where this takes seconds.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from ahocorasick_rs import BytesAhoCorasick
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


class Sought(NamedTuple):
    """A person who must be found nowhere: what he is recognised by, and the ids under which he was known."""

    marks: Marks
    ids: Sequence[UUID]

    def words(self) -> set[str]:
        """What is looked for."""
        return {*self.marks.words(), *self.marks.wamids}


class Words:
    """Finds in a stream of bytes which of many words stand in it."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(set(words))
        self._automaton = BytesAhoCorasick([word.encode() for word in self._words])
        self._longest = max((len(word.encode()) for word in self._words), default=0)
        self._before = b""
        self.found: set[str] = set()

    def read(self, some: bytes) -> None:
        """Look through what follows in the stream; a word may have begun in what was read before."""
        block = self._before + some
        matches = self._automaton.find_matches_as_indexes(block, overlapping=True)
        self.found.update(self._words[word] for word, _, _ in matches)
        self._before = block[-self._longest :]

    def take(self) -> set[str]:
        """What was found; the next stream begins."""
        found, self.found, self._before = self.found, set(), b""
        return found


async def count_survivors(services: Services, people: Sequence[Sought]) -> list[dict[str, int]]:
    """How many rows, keys and texts of each person are left, by `store:table`; empty when none is.

    Each store is read once for all of them; only what holds somebody is read again for each.
    """
    words = [person.words() for person in people]
    postgresql = await _postgresql(services.db, words)
    redis = await _redis(services.redis, words)
    tables = await warehouse.survivors(services.settings, words, [person.ids for person in people])
    days = {f"lake:{table}": count for table, count in (await lake.survivors(services.settings)).items()}
    return [
        {
            **postgresql[n],
            **({"redis:keys": redis[n]} if redis[n] else {}),
            **{f"warehouse:{table}": count for table, count in tables[n].items()},
            **days,
        }
        for n in range(len(people))
    ]


async def count_namesakes(db: Pool, people: Sequence[Sought]) -> list[int]:
    """Rows that hold each person's whole name: of others who are called the same, or forgotten ones. For a person to judge."""
    names = [{name for name in person.marks.names if " " in name} for person in people]
    return [sum(mine.values()) for mine in await _postgresql(db, names)]


async def _postgresql(db: Pool, words: Sequence[set[str]]) -> list[dict[str, int]]:
    """The tables that hold words of each person, with the number of rows."""
    found: list[dict[str, int]] = [{} for _ in words]
    search = Words(chain.from_iterable(words))

    async def read(some: bytes) -> None:
        search.read(some)

    for table in await db.fetch(_TABLES) if any(words) else ():
        columns = ["t::text", *(f"t.{_quoted(column)}" for column in table["binary"] or [])]
        async with db.acquire() as connection:
            rows = f"SELECT {', '.join(columns)} FROM {table['name']} t"  # noqa: S608
            await connection.copy_from_query(rows, output=read, format="binary")  # binary: texts and bytes as they are
        held = search.take()
        for mine, theirs in zip(found, words, strict=True):
            if held & theirs:
                mine[f"postgresql:{table['name']}"] = await _rows_with(db, table["name"], columns, held & theirs)
    return found


async def _rows_with(db: Pool, table: str, columns: Sequence[str], words: set[str]) -> int:
    line, *binary = columns
    holds = [f"position(word IN {line}) > 0", *(f"position(convert_to(word, 'UTF8') IN {one}) > 0" for one in binary)]
    sql = f"SELECT count(*) FROM {table} t WHERE EXISTS (SELECT FROM unnest($1::text[]) AS word WHERE {' OR '.join(holds)})"  # noqa: S608
    return await db.fetchval(sql, sorted(words))  # type: ignore[no-any-return]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _redis(redis: Redis, words: Sequence[set[str]]) -> list[int]:
    """The number of keys that hold words of each person, in their name or value."""
    search, found = Words(chain.from_iterable(words)), [0] * len(words)
    async for key in redis.scan_iter(count=1000):
        search.read(key + (await redis.get(key) or b"" if await redis.type(key) == b"string" else b""))
        held = search.take()
        for n, theirs in enumerate(words):
            found[n] += bool(held & theirs)
    return found

"""The erasure's part in ClickHouse: texts leave every table at once, and the list of erasures is kept there as well.

Tables about a customer alone lose his rows. An ALTER UPDATE or DELETE rewrites the parts it touches, so that nothing is left on disk once the old parts are removed (minutes); a
lightweight DELETE would only mark rows. The new payload is to the byte what PostgreSQL prints after its own erasure: the
daily reconciliation finds both sides equal.
"""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from hub_api.chat.privacy.inventory import inventory
from hub_api.chat.privacy.tombstones import queries as tombstone_queries
from hub_api.platform.clickhouse import BACKFILL, connect, render_ddl
from hub_api.platform.pgtypes import Pool
from hub_api.settings import Settings

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

RAW, LIST = "raw.events", "raw.erasures"
# "content" or "emoji" as jsonb prints a member; inside a text its quotes would be escaped.
_MEMBER = r'"(content|emoji)": "(?:[^"\\\\]|\\\\.)*"'
_WORDS_AT_ONCE = 200  # multiSearchAny takes 255
_OF_PERSON = "(aggregate_id IN {ids:Array(UUID)} OR JSONExtractString(payload, 'customer_id') IN {texts:Array(String)})"


class Listed(NamedTuple):
    """An erasure as the warehouse's list has it."""

    id: UUID
    customer_id: UUID
    reason: str
    erased_at: datetime


async def erase_texts(settings: Settings, ids: Sequence[UUID]) -> dict[str, int]:
    """Empty the texts of these customers in every table, and end the rows that are about them alone; how many rows it
    were, by table. Harmless to repeat."""
    return await asyncio.to_thread(_erase_texts, settings, ids)


def _erase_texts(settings: Settings, ids: Sequence[UUID]) -> dict[str, int]:
    return _change(settings, _changes(), ids)


async def erase_conversations(settings: Settings, ids: Sequence[UUID]) -> dict[str, int]:
    """Empty the texts of these conversations in every table; how many rows had some, by table. Harmless to repeat."""
    return await asyncio.to_thread(_erase_conversations, settings, ids)


def _erase_conversations(settings: Settings, ids: Sequence[UUID]) -> dict[str, int]:
    return _change(settings, _changes("conversation_id IN {ids:Array(UUID)}", "conversation_id"), ids)


def _change(settings: Settings, changes: list[tuple[str, str, str]], ids: Sequence[UUID]) -> dict[str, int]:
    client = connect(settings.clickhouse_url, BACKFILL)
    parameters = {"ids": list(ids), "texts": [str(one) for one in ids]}
    counts = {}
    try:
        for table, change, condition in changes:
            found = client.query(f"SELECT count() FROM {table} WHERE {condition}", parameters=parameters)  # noqa: S608
            counts[table] = found.result_rows[0][0]
            if counts[table]:
                alter = f"ALTER TABLE {table} /*ON CLUSTER*/ {change} WHERE {condition}"
                client.command(render_ddl(alter, settings.clickhouse_cluster), parameters=parameters)
    finally:
        client.close()
    return counts


def _changes(of_raw: str = _OF_PERSON, key: str = "customer_id") -> list[tuple[str, str, str]]:
    """Table, what an ALTER does and condition, for each table with columns that an erasure empties or rows that it ends.

    `of_raw` finds the rows of the raw events, `key` is the column that finds them in the tables made from those.
    """
    payload = f"UPDATE payload = replaceRegexpAll(payload, '{_MEMBER}', '\"\\\\1\": null')"
    changes = [(RAW, payload, f"{of_raw} AND match(payload, '{_MEMBER}')")]
    for name, table in inventory().of("warehouse").items():
        if name == RAW or key not in table.columns:
            continue
        of_person = f"{key} IN {{ids:Array(UUID)}}"
        if key in table.personal and table.personal[key].treatment == "delete":
            changes.append((name, "DELETE", of_person))
            continue
        emptied = sorted(column for column, one in table.personal.items() if one.treatment == "null")
        if emptied:
            some = " OR ".join(f"{column} IS NOT NULL" for column in emptied)
            sets = ", ".join(f"{column} = NULL" for column in emptied)
            changes.append((name, f"UPDATE {sets}", f"{of_person} AND ({some})"))
    return changes


async def survivors(
    settings: Settings, words: Sequence[Collection[str]], ids: Sequence[Sequence[UUID]]
) -> list[dict[str, int]]:
    """For each person, rows of any table, known to the inventory or not, in which one of his `words` stands, or a text of
    his `ids`; by table."""
    return await asyncio.to_thread(_survivors, settings, words, ids)


def _survivors(
    settings: Settings, words: Sequence[Collection[str]], ids: Sequence[Sequence[UUID]]
) -> list[dict[str, int]]:
    client = connect(settings.clickhouse_url, BACKFILL)
    people = [(sorted(theirs), his) for theirs, his in zip(words, ids, strict=True)]
    everybody = (sorted(set(chain.from_iterable(words))), list(chain.from_iterable(ids)))
    found: list[dict[str, int]] = [{} for _ in people]
    try:
        tables = client.query(
            "SELECT concat(database, '.', name) FROM system.tables WHERE engine LIKE '%MergeTree' "
            "AND database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')"
        ).result_rows
        texts = {table: condition for table, _, condition in _changes()}
        for (table,) in tables:
            if not _count(client, table, texts.get(table), *everybody):
                continue
            for mine, person in zip(found, people, strict=True):
                if count := _count(client, table, texts.get(table), *person):
                    mine[table] = count
    finally:
        client.close()
    return found


def _count(client: "Client", table: str, texts: str | None, words: Sequence[str], ids: Sequence[UUID]) -> int:
    """Rows with one of the words, and those of `ids` that `texts` finds a text in."""
    # One search for many words at once: a lambda over the words would copy each row for each of them.
    groups = {f"w{n}": list(words[n : n + _WORDS_AT_ONCE]) for n in range(0, len(words), _WORDS_AT_ONCE)}
    holds = [f"multiSearchAny(formatRow('TSV', *), {{{group}:Array(String)}})" for group in groups]
    parameters = {**groups, "ids": list(ids), "texts": [str(one) for one in ids]}
    count = 0
    for condition in (" OR ".join(holds), texts):
        if condition:
            sql = f"SELECT count() FROM {table} WHERE {condition}"  # noqa: S608
            count += client.query(sql, parameters=parameters).result_rows[0][0]
    return count


async def write_list(settings: Settings, db: Pool, erasure: Listed) -> None:
    """Put an erasure and its tombstones on the list; harmless to repeat."""
    stones = await db.fetch(tombstone_queries.of_erasure, erasure.id)
    rows = [[*erasure, "person", ""]]
    rows += [[*erasure, row["kind"], bytes(row["key_hash"]).hex()] for row in stones]
    await asyncio.to_thread(_with_client, settings, _insert, rows)


def _insert(client: "Client", rows: list[list[Any]]) -> None:
    names = ["erasure_id", "customer_id", "reason", "erased_at", "kind", "key_hash"]
    client.insert(LIST, rows, column_names=names, settings={"insert_deduplicate": 0})


async def read_list(settings: Settings) -> list[Listed]:
    """Every erasure on the list, oldest first."""
    return await asyncio.to_thread(_with_client, settings, _read)


def _read(client: "Client") -> list[Listed]:
    sql = (
        f"SELECT erasure_id, customer_id, reason, erased_at FROM {LIST} FINAL WHERE kind = 'person' ORDER BY erased_at"  # noqa: S608
    )
    return [Listed(one, customer, reason, _utc(at)) for one, customer, reason, at in client.query(sql).result_rows]


async def read_tombstones(settings: Settings, erasure_id: UUID) -> list[tuple[str, bytes]]:
    """Kind and hash of an erasure's tombstones on the list."""
    return await asyncio.to_thread(_with_client, settings, _tombstones, erasure_id)


def _tombstones(client: "Client", erasure_id: UUID) -> list[tuple[str, bytes]]:
    sql = f"SELECT kind, key_hash FROM {LIST} FINAL WHERE erasure_id = {{id:UUID}} AND kind <> 'person'"  # noqa: S608
    rows = client.query(sql, parameters={"id": erasure_id}).result_rows
    return [(kind, bytes.fromhex(key)) for kind, key in rows]


def _with_client(settings: Settings, act: Any, *arguments: Any) -> Any:
    client = connect(settings.clickhouse_url, BACKFILL)
    try:
        return act(client, *arguments)
    finally:
        client.close()


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)

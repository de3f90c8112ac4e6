"""Every named query is prepared on the real schema: a typo or a dropped column fails here, not in traffic."""

import re
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

import hub_api
from hub_api.platform import sqlfile
from hub_api.platform.postgres import prepare_connection

ROOT = Path(str(resources.files(hub_api)))
# Files of migrations are no query files; those of the warehouse speak ClickHouse's dialect.
QUERY_FILES = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.sql") if path.parts[len(ROOT.parts)] != "migrations"
)
PARTITION = {"{table}": "messages_default"}


@pytest.fixture
async def db(database_url):
    connection = await asyncpg.connect(database_url)
    await prepare_connection(connection)
    yield connection
    await connection.close()


@pytest.mark.parametrize("file", QUERY_FILES)
async def test_every_named_query_can_be_prepared(db, file):
    queries = list(sqlfile.parse((ROOT / file).read_text(), file))
    assert queries, f"{file} names no query"
    for name, sql in queries:
        for mark, value in PARTITION.items():
            sql = sql.replace(mark, value)
        try:
            await db.prepare(sql)
        except asyncpg.PostgresError as error:
            pytest.fail(f"{file}: {name}: {error}")


def test_every_change_of_a_message_says_when():
    """No trigger does it: one before the update would compute the text search of every changed row again (0017)."""
    silent = [
        f"{file}: {name}"
        for file in QUERY_FILES
        for name, sql in sqlfile.parse((ROOT / file).read_text(), file)
        for change in re.split(r"(?=UPDATE messages\b)", sql)[1:]
        if not re.search(r"\bupdated_at = (now\(\)|at_time)", change.split("WHERE")[0])
    ]
    assert not silent


def test_a_name_used_twice_is_refused():
    with pytest.raises(ValueError, match="'twice' is named twice"):
        sqlfile.parse("-- name: twice\nSELECT 1;\n-- name: twice\nSELECT 2;\n", "x.sql")


def test_sql_before_the_first_name_is_refused():
    with pytest.raises(ValueError, match="stands before"):
        sqlfile.parse("SELECT 1;\n-- name: late\nSELECT 2;\n", "x.sql")

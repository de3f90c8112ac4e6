"""Every named query is prepared on the real schema: a typo or a dropped column fails here, not in traffic."""

import ast
import re
from importlib import resources
from pathlib import Path

import asyncpg
import pytest

import hub_api
from hub_api.platform import sqlfile
from hub_api.platform.postgres import prepare_connection

ROOT = Path(str(resources.files(hub_api)))
# Files of migrations are no query files; `.clickhouse.sql` speaks the warehouse's dialect and is asked there (tests/analytics).
QUERY_FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in ROOT.rglob("*.sql")
    if path.parts[len(ROOT.parts)] != "migrations" and not path.name.endswith(".clickhouse.sql")
)
PARTITION = {"{table}": "messages_default", "{events}": "events_default"}


def statements_of(path: Path) -> list[str]:
    """What a file may send to PostgreSQL: its named queries, or the texts of a module that begin like a statement."""
    file = path.relative_to(ROOT).as_posix()
    if path.suffix == ".sql":
        return [sql for _, sql in sqlfile.parse(path.read_text(), file)] if file in QUERY_FILES else []
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    return [
        text
        for text in texts
        if isinstance(text, str) and re.match(r"\s*(SELECT|SET|WITH|LISTEN|CREATE|DECLARE) ", text)
    ]


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


def test_no_statement_leaves_a_trace_in_its_session():
    """Pooled connections are given back as they are (platform/postgres.py)."""
    trace = re.compile(
        r"\b(pg_(try_)?advisory_lock|LISTEN|CREATE TEMP|DECLARE)\b|\A\s*SET (?!LOCAL|TRANSACTION)", re.IGNORECASE
    )
    sources = [path for path in ROOT.rglob("*") if path.suffix in (".py", ".sql") and "migrations" not in path.parts]
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sources
        if any(trace.search(statement) for statement in statements_of(path))
    }
    own_connection = {"analytics/queries.sql", "platform/migrate.py", "platform/lake/write.py"}
    other_database = {"embedded/warehouse/engine.py"}
    assert found == own_connection | other_database


def test_a_name_used_twice_is_refused():
    with pytest.raises(ValueError, match="'twice' is named twice"):
        sqlfile.parse("-- name: twice\nSELECT 1;\n-- name: twice\nSELECT 2;\n", "x.sql")


def test_sql_before_the_first_name_is_refused():
    with pytest.raises(ValueError, match="stands before"):
        sqlfile.parse("SELECT 1;\n-- name: late\nSELECT 2;\n", "x.sql")

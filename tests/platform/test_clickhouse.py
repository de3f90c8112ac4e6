"""ClickHouse SQL as text, and schema files for one node and a cluster."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.errors import HubError
from hub_api.platform.clickhouse import connect, render_ddl, run_ddl, table_files
from hub_api.platform.clickhouse_sql import lex, redact, split_statements, tokens
from tests.support.warehouse import EmbeddedWarehouse

DDL = """
-- one row per event; order; matters
CREATE TABLE IF NOT EXISTS gold.x /*ON CLUSTER*/ (
    a String COMMENT 'it''s; \\'quoted\\'', /* nested /* ; */ comment */
    b UInt8 DEFAULT 1 # ; comment
) ENGINE = /*Replicated*/MergeTree ORDER BY a;;
INSERT INTO gold.x VALUES ($tag$a;b$tag$, 1);
"""


def test_statements_are_split_where_they_end_and_nowhere_else() -> None:
    first, second = split_statements(DDL)
    assert first.startswith("-- one row") and first.endswith("ORDER BY a")
    assert second == "INSERT INTO gold.x VALUES ($tag$a;b$tag$, 1)"
    assert split_statements(" ; -- nothing\n;") == []
    assert split_statements("SELECT 'never closed ; ") == ["SELECT 'never closed ;"]


@given(st.text(st.sampled_from("a1 '\"`\\-/*#$;\n(").map(str), max_size=40))
def test_tokens_cover_any_text_in_order(sql: str) -> None:
    end = 0
    for token in lex(sql):
        assert sql[end : token.start].strip() == ""
        assert token.text == sql[token.start : token.end] != ""
        end = token.end
    assert sql[end:].strip() == ""


@given(st.text(max_size=40))
def test_a_string_literal_is_one_token_and_never_logged(value: str) -> None:
    literal = "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert [token.kind for token in tokens(f"SELECT {literal}")] == ["word", "string"]
    assert redact(f"SELECT {literal} AS x") == "SELECT ? AS x"


def test_the_shape_of_a_statement_keeps_no_value() -> None:
    sql = "SELECT * FROM t WHERE phone = '5511999998888' /* 5511999998888 */ AND id IN (5511999998888, 7)"
    assert redact(sql) == "SELECT * FROM t WHERE phone = ? AND id IN (?, 7)"


def test_one_schema_file_serves_one_node_and_a_cluster() -> None:
    assert render_ddl(DDL, None) == DDL
    rendered = render_ddl(DDL, "hub")
    assert "gold.x ON CLUSTER `hub` (" in rendered
    assert "ENGINE = ReplicatedMergeTree ORDER BY a" in rendered


def test_schema_files_run_layer_by_layer_and_views_last(tmp_path: Path) -> None:
    for name in (
        "gold/kpi/sql/a.table.sql",
        "raw/z.table.sql",
        "raw/events.view.sql",
        "silver/sql/m.table.sql",
        "gold/q.sql",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    found = [str(file.relative_to(tmp_path)) for file in table_files(tmp_path)]
    assert found == ["raw/z.table.sql", "silver/sql/m.table.sql", "gold/kpi/sql/a.table.sql", "raw/events.view.sql"]


@pytest.mark.parametrize("url", ["postgres://x/y", "127.0.0.1:8123", "http://"])
def test_a_malformed_address_is_named_as_such(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be http\(s\)://"):
        connect(url)


def test_a_schema_file_runs_and_says_which_statement_failed(tmp_path: Path) -> None:
    with EmbeddedWarehouse() as server:
        client = connect(server.url())
        for _ in range(2):
            assert run_ddl(client, DDL, source="x.table.sql") == 2
        assert client.query("SELECT a, count() FROM gold.x GROUP BY a").result_rows == [("a;b", 2)]
        with pytest.raises(HubError, match=r"bad.table.sql: statement 2 \(CREATE TABLE gold.y.*\) failed"):
            run_ddl(client, "SELECT 1; CREATE TABLE gold.y (a NoSuchType) ENGINE = Memory", source="bad.table.sql")
        client.close()

"""The schema files: every column described, every target of a view deduplicating, one text for both topologies."""

from pathlib import Path

import pytest

import assets
from hub_api.platform.clickhouse import apply_schema, render_ddl, table_files
from hub_api.settings import Settings
from tests.assets.conftest import Given

ROOT = Path(assets.__path__[0])
FILES = table_files(ROOT)


def test_every_column_of_every_table_has_a_comment(given: Given) -> None:
    bare = given.rows(
        "SELECT concat(database, '.', table, '.', name) AS column FROM system.columns "
        "WHERE database IN ('raw', 'bronze', 'silver', 'gold') AND comment = '' "
        "AND table NOT IN (SELECT name FROM system.tables WHERE engine = 'MaterializedView')"
    )
    assert bare == []


def test_columns_of_time_and_count_name_their_unit(given: Given) -> None:
    rows = given.rows(
        "SELECT concat(database, '.', table, '.', name) AS column, comment FROM system.columns "
        "WHERE database IN ('raw', 'bronze', 'silver', 'gold') AND (name LIKE '%seconds%' OR type LIKE '%DateTime%') "
        "AND table NOT IN (SELECT name FROM system.tables WHERE engine = 'MaterializedView')"
    )
    assert len(rows) > 30
    assert [row["column"] for row in rows if not ("UTC" in row["comment"] or "seconds" in row["comment"])] == []


def test_raw_tables_and_targets_of_views_have_a_deduplication_window(given: Given) -> None:
    rows = given.rows(
        "SELECT concat(database, '.', name) AS name, create_table_query FROM system.tables "
        "WHERE database = 'raw' AND engine LIKE '%MergeTree'"
    )
    assert {row["name"] for row in rows} == {"raw.erasures", "raw.events", "raw.events_by_period"}
    assert all("non_replicated_deduplication_window = 1000" in row["create_table_query"] for row in rows)


def test_the_schema_can_be_applied_again(warehouse_settings: Settings) -> None:
    assert apply_schema(warehouse_settings) == [file.name for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_renders_for_a_cluster(file: Path) -> None:
    text = file.read_text()
    rendered = render_ddl(text, "hub")
    assert "/*" not in rendered.replace("/* ", "")
    assert rendered.count("ON CLUSTER `hub`") == text.count("CREATE ")
    assert rendered.count("Replicated") == text.count("ENGINE = ")

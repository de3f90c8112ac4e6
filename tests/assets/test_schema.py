"""The schema files: every column described, every target of a view deduplicating, one text for both topologies."""

from pathlib import Path

import pytest

import assets
from hub_api.errors import Unavailable
from hub_api.platform.clickhouse import apply_schema, missing_tables, render_ddl, table_files
from hub_api.settings import Settings
from tests.assets.conftest import Given
from tests.support.data import data_settings_for, table_hash

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
    assert apply_schema(warehouse_settings) == []
    assert missing_tables(warehouse_settings) == []


def test_a_table_that_is_missing_is_named_and_made(warehouse_settings: Settings, given: Given) -> None:
    given.warehouse.client.command("DROP TABLE gold.service_kpi_hourly SYNC")
    assert missing_tables(warehouse_settings) == ["gold.service_kpi_hourly"]
    assert apply_schema(warehouse_settings) == ["gold.service_kpi_hourly"]


def test_a_table_of_an_older_installation_gets_the_partitions_of_today_with_all_its_rows(
    warehouse_settings: Settings, given: Given
) -> None:
    client = given.warehouse.client
    made = given.row(
        "SELECT create_table_query AS sql FROM system.tables WHERE database = 'gold' AND name = 'opt_outs'"
    )["sql"]
    old = made.replace("toMonday(day)", "day").replace("ORDER BY (day, ", "ORDER BY (")
    assert old != made
    client.command("DROP TABLE gold.opt_outs SYNC")
    client.command(old)
    client.command(
        "INSERT INTO gold.opt_outs (day, hour, event_id) SELECT toDate('2026-01-01') + number % 90, toDateTime('2026-01-01', 'UTC'), "
        "generateUUIDv4() FROM numbers(500)"
    )
    before = table_hash(client, "gold.opt_outs")
    assert apply_schema(warehouse_settings) == ["gold.opt_outs"]
    assert table_hash(client, "gold.opt_outs") == before
    assert client.command("SELECT partition_key FROM system.tables WHERE name = 'opt_outs'") == "toMonday(day)"
    assert client.command("SELECT count() FROM gold.kpi_opt_out_rate") == 500, "views read it as before"
    assert client.command("SELECT count() FROM system.tables WHERE name LIKE '%reshaped%'") == 0
    assert apply_schema(warehouse_settings) == []


def test_a_warehouse_that_is_away_is_told_with_the_remedy(warehouse_settings: Settings) -> None:
    away = data_settings_for("postgresql://none@127.0.0.1:1/none", "http://admin:secret@127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"127.0.0.1:1 does not let us in.*HUB_CLICKHOUSE_URL") as told:
        missing_tables(away)
    assert "secret" not in told.value.message


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_each_file_renders_for_a_cluster(file: Path) -> None:
    text = file.read_text()
    rendered = render_ddl(text, "hub")
    assert "/*" not in rendered.replace("/* ", "")
    assert rendered.count("ON CLUSTER `hub`") == text.count("CREATE ") + text.count("ALTER ")
    assert rendered.count("Replicated") == text.count("ENGINE = ")

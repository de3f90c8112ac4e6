"""The lake: what is in its files is what the warehouse has, DuckDB and Polars read it, a day that differs is written again."""

import asyncio
import json
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from hub_api.platform.lake.restore import damaged
from hub_api.platform.lake.write import LakeAhead, differences, read_manifests
from tests.lake.conftest import Built

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


def facts(history: Built, what: str) -> list[tuple]:
    client = history.client()
    try:
        return client.query(f"SELECT {what} FROM gold.conversation_facts WHERE day < {{today:String}}", {"today": history.days[-1]}).result_rows  # fmt: skip
    finally:
        client.close()


def test_every_table_and_day_before_today_has_a_file_and_the_manifest_tells_what_is_in_it(
    history: Built, lake: Path
) -> None:
    known = read_manifests(history.settings)
    assert {"raw.events", "gold.conversation_facts", "gold.service_kpi_hourly", "gold.message_costs_daily"} <= set(
        known
    )
    files = {str(file.relative_to(lake)) for file in lake.rglob("*.parquet")}
    assert files == {day.file for one in known.values() for day in one.days.values()}
    for one in known.values():
        assert history.days[-1] not in one.days, "today is not over"
        for day in one.days.values():
            meta = pq.ParquetFile(lake / day.file).metadata
            assert meta.num_rows == day.rows > 0
            assert (lake / day.file).stat().st_size == day.bytes
            assert {meta.row_group(0).column(n).compression for n in range(meta.num_columns)} == {"ZSTD"}
    manifest = json.loads((lake / "gold/conversation_facts/manifest.json").read_text())
    day = manifest["days"][min(manifest["days"])]
    assert day["batch"] > 0 and day["schema_version"] == manifest["schema_version"]
    assert all(column["comment"] for column in manifest["columns"])


def test_duckdb_and_polars_read_the_same_figures_as_the_warehouse(history: Built, lake: Path) -> None:
    expected = facts(history, "count(), uniqExact(conversation_id), sum(messages_in), count(first_response_seconds)")[0]
    files = str(lake / "gold/conversation_facts/*/data.parquet")
    (found,) = duckdb.sql(
        "SELECT count(*), count(DISTINCT conversation_id), sum(messages_in), count(first_response_seconds) "
        f"FROM read_parquet('{files}', hive_partitioning = true) WHERE day < DATE '{history.days[-1]}'"
    ).fetchall()
    assert found == expected
    frame = pl.scan_parquet(files, hive_partitioning=True)
    read = frame.select(
        pl.len(), pl.col("conversation_id").n_unique(), pl.col("messages_in").sum(), pl.col("first_response_seconds").count()
    ).collect()  # fmt: skip
    assert read.row(0) == expected
    assert frame.select("day").collect()["day"].unique().len() == len(read_manifests(history.settings)["gold.conversation_facts"].days)  # fmt: skip


def test_a_second_writing_changes_no_file_and_a_changed_day_is_the_only_one_written(history: Built, lake: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in lake.rglob("*") if file.is_file()}
    assert history.write() == {}
    assert {file: file.stat().st_mtime_ns for file in lake.rglob("*") if file.is_file()} == before
    client, day = history.client(), max(read_manifests(history.settings)["gold.service_kpi_hourly"].days)
    change = "ALTER TABLE gold.service_kpi_hourly UPDATE messages_in = messages_in {} 1 WHERE day = {{day:String}}"
    client.command(change.format("+"), {"day": day}, settings={"mutations_sync": 2})
    assert asyncio.run(differences(history.settings)) == {"gold.service_kpi_hourly": [day]}
    written = history.write()
    client.command(change.format("-"), {"day": day}, settings={"mutations_sync": 2})
    assert {table: list(days) for table, days in written.items()} == {"gold.service_kpi_hourly": [day]}
    assert {table: list(days) for table, days in history.write().items()} == {"gold.service_kpi_hourly": [day]}
    assert asyncio.run(differences(history.settings)) == {}
    client.close()


def test_a_day_of_one_person_that_was_never_built_as_a_day_ends_with_him(history: Built, lake: Path) -> None:
    """Such days come from what operators tell of long ago; an erasure leaves the warehouse without them, and the lake follows."""
    client, table = history.client(), "gold.customer_actions_daily"
    day = "2024-02-29"
    client.command(
        f"INSERT INTO {table} SELECT '{day}', generateUUIDv4(), 'contract_started', 'fibra', 1, 0, toDateTime64('{day} 12:00:00', 6), "
        f"toDateTime64('{day} 12:00:00', 6)"
    )
    assert {name: list(days) for name, days in history.write().items()} == {table: [day]}
    client.command(f"DELETE FROM {table} WHERE day = '{day}'")
    written = history.write()
    client.close()
    assert {name: [(one, file.bytes) for one, file in days.items()] for name, days in written.items()} == {
        table: [(day, 0)]
    }
    assert asyncio.run(differences(history.settings)) == {} and list(damaged(history.settings)) == []


def test_a_file_that_was_damaged_or_lost_is_named(history: Built, lake: Path) -> None:
    assert list(damaged(history.settings)) == []
    files = sorted((lake / "gold/conversation_facts").rglob("*.parquet"))[:2]
    kept = [file.read_bytes() for file in files]
    files[0].write_bytes(kept[0][:-20] + bytes(20))
    files[1].unlink()
    stranger = lake / "gold" / "conversation_facts" / "stranger.parquet"
    stranger.write_bytes(b"PAR1")
    try:
        expected = {str(file.relative_to(lake)) for file in (*files, stranger)}
        assert set(damaged(history.settings)) == expected
    finally:
        stranger.unlink()
        for file, content in zip(files, kept, strict=True):
            file.write_bytes(content)


def test_a_warehouse_that_has_lost_events_never_overwrites_the_lake(history: Built, lake: Path) -> None:
    client = history.client()
    client.command("RENAME TABLE raw.events TO raw.kept")
    client.command("CREATE TABLE raw.events AS raw.kept")
    try:
        with pytest.raises(LakeAhead, match=r"raw.events.*hub warehouse rebuild"):
            history.write()
        assert list(damaged(history.settings)) == []
    finally:
        client.command("DROP TABLE raw.events SYNC")
        client.command("RENAME TABLE raw.kept TO raw.events")
        client.close()

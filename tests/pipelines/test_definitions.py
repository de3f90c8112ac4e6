"""The definitions: on one screen, quickly loaded, complete."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster._core.definitions.partitions.context import partition_loading_context

import assets
import pipelines.definitions
from assets.daily import CUSTOMERS, DAILY
from hub_api.platform.clickhouse import connect, table_files, table_of
from pipelines import tables
from pipelines.definitions import defs

HEAVY = ("pandas", "polars", "pyarrow", "great_expectations", "chdb", "duckdb", "sklearn", "clickhouse_connect")


def test_the_definitions_fit_one_screen_and_load() -> None:
    assert len(Path(pipelines.definitions.__file__).read_text().splitlines()) < 60
    dg.Definitions.validate_loadable(defs)


def test_the_kept_keys_of_days_are_those_of_dagster_at_every_moment() -> None:
    count = type(DAILY).get_partition_keys
    for moment in (
        datetime(2026, 3, 10, 2, 59, tzinfo=UTC),
        datetime(2026, 3, 10, 3, 1, tzinfo=UTC),
        datetime.now(UTC),
    ):
        with partition_loading_context(moment):
            keys = DAILY.get_partition_keys()
            assert keys == count(DAILY) and keys[-1] == DAILY.get_last_partition_key()
            assert DAILY.get_partition_keys() is keys, "counted once"


def test_loading_the_code_location_imports_nothing_heavy_and_needs_no_settings() -> None:
    script = f"import sys, pipelines.definitions; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:pipelines", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HUB_HOME": "/nowhere"}, capture_output=True, text=True, check=True,
        cwd=Path(pipelines.definitions.__file__).parent.parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_every_daily_table_of_the_schema_is_an_asset_that_says_what_it_is_and_whose() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    files = table_files(Path(assets.__path__[0]))
    by_day = re.compile(r"PARTITION BY (day|toMonday\(day\))\n")
    daily = {table_of(file).replace(".", "/") for file in files if by_day.search(file.read_text())}
    assert {"bronze/events", "silver/messages", "gold/conversation_facts"} < daily
    assert daily <= set(specs)
    for spec in specs.values():
        assert spec.description and spec.owners == ["team:data"], spec.key
    for table in daily:
        assert isinstance(specs[table].partitions_def, dg.DailyPartitionsDefinition), table


def test_every_table_shows_its_columns_with_their_comments_as_the_warehouse_has_them(warehouse_server) -> None:
    client = connect(warehouse_server.url())
    rows = client.query(
        "SELECT concat(database, '/', table), groupArray(tuple(name, comment)) FROM system.columns "
        "WHERE database IN ('raw', 'bronze', 'silver', 'gold') GROUP BY 1"
    ).result_rows
    client.close()
    there = {table: dict(columns) for table, columns in rows}
    shown = 0
    for spec in defs.resolve_all_asset_specs():
        if schema := spec.metadata.get("dagster/column_schema"):
            told = {column.name: column.description for column in schema.columns}
            assert told == there[spec.key.to_user_string()], spec.key
            shown += 1
    assert shown >= len(tables.daily_keys())


def test_both_jobs_build_every_daily_table_and_the_last_waits_for_all_of_gold() -> None:
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    daily = {
        key
        for key, spec in specs.items()
        if isinstance(spec.partitions_def, dg.DailyPartitionsDefinition) and spec.group_name != CUSTOMERS
    }
    built = {
        name: set(defs.resolve_job_def(name).asset_layer.executable_asset_keys)
        for name in ("refresh", "reconcile_and_refresh")
    }
    assert built["reconcile_and_refresh"] == daily
    assert built["refresh"] == daily - {dg.AssetKey(["raw", "events"])}
    last = dg.AssetKey(["gold", "built_days"])
    gold = {key for key in daily if key.path[0] == "gold"} - {last}
    assert {dep.asset_key for dep in specs[last].deps} == gold


def test_the_job_of_customers_builds_what_reads_postgresql_and_nothing_else() -> None:
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    built = set(defs.resolve_job_def("customers").asset_layer.executable_asset_keys)
    assert built == {key for key, spec in specs.items() if spec.group_name == CUSTOMERS}
    assert {dg.AssetKey(["silver", "customers"]), dg.AssetKey(["gold", "customer_features"])} < built


def test_each_daily_gold_table_has_expectations_and_a_recomputation_both_blocking() -> None:
    graph = defs.resolve_asset_graph()
    last = dg.AssetKey(["gold", "built_days"])
    gold = [key for key in tables.daily_keys() if key.path[0] == "gold" and key != last]
    gold += [dg.AssetKey(["gold", "customer_actions_daily"]), dg.AssetKey(["gold", "customer_features"])]
    assert len(gold) >= 3
    for table in gold:
        checks = {key.name: graph.get_check_spec(key) for key in graph.asset_check_keys if key.asset_key == table}
        blocking = {name for name, spec in checks.items() if spec.blocking}
        assert "expectations" in blocking, table
        assert any(name.startswith("recomputed") for name in blocking), table


def test_a_job_runs_its_steps_in_one_process_and_days_in_one_run() -> None:
    job = defs.resolve_job_def("refresh")
    assert job.executor_def is dg.in_process_executor
    assert job.tags["hub/builds"] == "tables"
    daily = [asset for asset in tables.assets() if isinstance(asset.partitions_def, dg.DailyPartitionsDefinition)]
    assert {asset.backfill_policy for asset in daily} == {dg.BackfillPolicy.single_run()}

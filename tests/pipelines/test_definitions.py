"""The definitions: on one screen, quickly loaded, complete."""

import subprocess
import sys
from pathlib import Path

import dagster as dg

import pipelines.definitions
from pipelines.definitions import defs

HEAVY = ("pandas", "polars", "pyarrow", "great_expectations", "chdb", "duckdb", "sklearn", "clickhouse_connect")


def test_the_definitions_fit_one_screen_and_load() -> None:
    assert len(Path(pipelines.definitions.__file__).read_text().splitlines()) < 60
    dg.Definitions.validate_loadable(defs)


def test_loading_the_code_location_imports_nothing_heavy_and_needs_no_settings() -> None:
    script = f"import sys, pipelines.definitions; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:pipelines", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HUB_HOME": "/nowhere"}, capture_output=True, text=True, check=True,
        cwd=Path(pipelines.definitions.__file__).parent.parent,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_every_asset_says_what_it_is_and_whose() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    assert set(specs) == {
        *("raw/events", "bronze/events", "silver/messages", "silver/conversations", "silver/conversation_states"),
        *("gold/conversation_facts", "gold/service_kpi_hourly", "gold/message_costs_daily", "gold/built_days"),
    }
    for spec in specs.values():
        assert spec.description and spec.owners == ["team:data"]
        assert isinstance(spec.partitions_def, dg.DailyPartitionsDefinition)
    assert specs["gold/service_kpi_hourly"].freshness_policy is not None


def test_both_jobs_build_every_table() -> None:
    everything = {spec.key for spec in defs.resolve_all_asset_specs()}
    built = {
        name: set(defs.resolve_job_def(name).asset_layer.executable_asset_keys)
        for name in ("refresh", "reconcile_and_refresh")
    }
    assert built["reconcile_and_refresh"] == everything
    assert built["refresh"] == everything - {dg.AssetKey(["raw", "events"])}


def test_each_gold_table_has_expectations_and_a_recomputation_both_blocking() -> None:
    graph = defs.resolve_asset_graph()
    for table in ("conversation_facts", "service_kpi_hourly", "message_costs_daily"):
        checks = {
            key.name: graph.get_check_spec(key) for key in graph.asset_check_keys if key.asset_key.path[-1] == table
        }
        assert set(checks) == {"expectations", "recomputed_from_events"}
        assert all(spec.blocking for spec in checks.values())


def test_a_job_runs_its_steps_in_one_process_and_days_in_one_run() -> None:
    job = defs.resolve_job_def("refresh")
    assert job.executor_def is dg.in_process_executor
    assert job.tags["hub/builds"] == "tables"
    assets = [asset for asset in defs.assets if isinstance(asset, dg.AssetsDefinition)]
    assert {asset.backfill_policy for asset in assets} == {dg.BackfillPolicy.single_run()}

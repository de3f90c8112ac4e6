"""What the manifest of a history says of its campaign is inside the intervals that the read-out tells, whatever the seed."""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from assets.gold.experiments.assets import funnel_sql
from assets.gold.experiments.results import read_stories, result_rows
from assets.warehouse import Warehouse, load_sql
from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.services import open_services
from hub_api.settings import Settings
from hub_api.simulator.history.campaign import PRICES, SHARES, WINDOW_DAYS
from hub_api.simulator.history.run import Plan, make_history
from pipelines.materialize import days_between
from tests.assets.test_experiments import PACKAGE, RESULTS
from tests.support.chance import drawn_seed
from tests.support.data import empty
from tests.support.hub import make_settings
from tests.support.postgres import Databases
from tests.support.waiting import run_async
from tests.support.warehouse import EmbeddedWarehouse

SEED = drawn_seed()
PLAN = Plan(days=34, customers=2_500, seed=SEED)
DELIVERED, READ = 0.985, 0.985 * 0.86  # script.delivery_of
OUTCOME = f"SELECT * FROM {RESULTS} WHERE day = (SELECT max(day) FROM {RESULTS}) AND variant != control"


@pytest.fixture(scope="module")
def told(
    databases: Databases, warehouse_server: EmbeddedWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, dict[str, Any]]]:
    """A warehouse with the history's tables, and the manifest's effects."""
    url, file = databases.create(), tmp_path_factory.mktemp("planted") / "manifest.json"
    empty(warehouse_server.url())
    settings = make_settings(url, "redis://127.0.0.1:1", clickhouse_url=warehouse_server.url())
    run_async(write(settings, file))
    warehouse = Warehouse(settings)
    days = days_between(PLAN.first_day(settings.zone), PLAN.last_day(settings.zone))
    newest = warehouse.newest_batch()
    for table, package, sql in [
        ("bronze.events", "assets.bronze", "events.sql"), ("silver.messages", "assets.silver", "messages.sql"),
        ("gold.experiment_assignments", PACKAGE, "experiment_assignments.sql"),
    ]:  # fmt: skip
        warehouse.replace_days(table, load_sql(package, sql), days, batch=newest)
    warehouse.replace_days("gold.campaign_funnel", funnel_sql(), days, batch=newest)
    rows = [row for story in read_stories(warehouse, days) for row in result_rows(story, days)]
    warehouse.replace_days_from(RESULTS, rows, days)
    yield warehouse, {name: one["value"] for name, one in json.loads(file.read_text())["effects"].items()}
    warehouse.close()
    databases.drop(url)


async def write(settings: Settings, file: Path) -> None:
    async with open_services(settings, lambda events: (), "test") as services:
        await make_history(services, PLAN, manifest=file)
    await relay_until_empty(settings)


def expected(planted: dict[str, Any], variant: str) -> dict[str, float]:
    """The planted differences to the control, per assigned customer: purchases are Poisson at gamma-distributed rates."""
    mean, shape, factor = (
        planted["addon_rate"] / 30 * WINDOW_DAYS,
        planted["addon_shape"],
        planted[f"addon_factor_{variant}"],
    )
    buys = lambda rate: 1 - (1 + rate / shape) ** -shape  # noqa: E731
    return {
        "conversion": DELIVERED * (buys(mean * factor) - buys(mean)),
        "value": DELIVERED * (factor - 1) * mean * fmean(PRICES),
        "opt_out": READ * planted[f"opt_out_{variant}"],
    }


def test_the_planted_effects_are_inside_the_intervals(told: tuple[Warehouse, dict[str, Any]]) -> None:
    warehouse, planted = told
    answer = warehouse.client.query(OUTCOME)
    rows = [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]
    outside = []
    print(f"\nseed {SEED}: planted against read out, treated minus control")
    for row in rows:
        truth = expected(planted, row["variant"]).get(row["metric"])
        low, high = row["sequential_low"], row["sequential_high"]
        estimate = row["difference"] if row["adjusted_difference"] is None else row["adjusted_difference"]
        if truth is not None:
            print(f"{row['variant']} {row['metric']:<10} planted {truth:+.4f}  read out {estimate:+.4f}  "
                  f"sequential [{low}, {high}]  {row['decision']}")  # fmt: skip
            if low is not None and not low <= truth <= high:
                outside.append((row["variant"], row["metric"]))
        # One history in a thousand is blocked by chance (srm.THRESHOLD); arms that are not as planned have no such p.
        assert row["complete"] and row["srm_p"] > 1e-6 and row["crossover_share"] == 0
    assert outside == [], f"seed {SEED}"
    assert sum(row["sequential_low"] is not None for row in rows) >= 6
    reduced = [row["variance_reduction"] for row in rows if row["metric"] == "value"]
    assert min(reduced) > 0, f"seed {SEED}: CUPED took nothing away"


def test_the_funnel_and_the_arms_fit_each_other(told: tuple[Warehouse, dict[str, Any]]) -> None:
    warehouse, planted = told
    funnel = {
        variant: rest
        for variant, *rest in warehouse.rows(
            "SELECT variant, sum(sent), sum(delivered), sum(read), sum(replied), sum(opted_out), sum(converted), sum(cost_micros) "
            "FROM gold.campaign_funnel GROUP BY variant"
        )
    }
    assigned = dict(warehouse.rows("SELECT variant, count() FROM gold.experiment_assignments GROUP BY variant"))
    assert set(assigned) == set(SHARES) and set(funnel) == {"a", "b"}
    for variant, (sent, delivered, read, replied, opted_out, converted, cost) in funnel.items():
        assert sent == assigned[variant] >= delivered >= read >= replied >= opted_out and converted > 0
        assert cost == delivered * 62_500
        assert delivered / sent == pytest.approx(DELIVERED, abs=0.03), f"seed {SEED}"
        assert opted_out / read < 3 * planted[f"opt_out_{variant}"] + 0.01, f"seed {SEED}"
    days = [day.isoformat() for (day,) in warehouse.rows("SELECT DISTINCT day FROM bronze.events")]
    for table in ("experiment_assignments", "campaign_funnel", "experiment_results"):
        for figure, ours, theirs in warehouse.rows(load_sql(PACKAGE, f"{table}.check.sql"), days):
            assert ours == pytest.approx(theirs, rel=1e-6), f"seed {SEED}: {table} {figure}"

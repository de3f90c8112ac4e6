"""Conversion as the metric of a test, equal live and in the warehouse; who stayed a customer; campaigns of one message have a goal too."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from assets.gold.experiments.results import read_stories, result_rows
from assets.warehouse import Warehouse, load_sql
from hub_api import campaign_jobs
from hub_api.analytics.relay import relay_until_empty
from hub_api.campaigns.goals.record import Told, record
from hub_api.campaigns.goals.stays import record_stays
from hub_api.settings import Settings
from hub_api.simulator.server import Simulator
from tests.auth.people import call
from tests.campaigns.engine.stage import ALWAYS, CAMPAIGNS, Stage, variant
from tests.campaigns.engine.test_rules import _look_again
from tests.support.sending import drain_all


@pytest.fixture
def settings(with_warehouse: Settings) -> Settings:
    """With a warehouse, which counts too."""
    return with_warehouse


async def _buy(stage: Stage, shares: dict[str, float], kind: str = "purchase", after: timedelta = timedelta()) -> None:
    """The first share of each variant reaches a goal."""
    rows = await stage.hub.fetch(
        "SELECT customer_id, variant FROM (SELECT customer_id, variant, row_number() OVER (PARTITION BY variant ORDER BY position) AS n, "
        "count(*) OVER (PARTITION BY variant) AS of FROM campaign_recipients WHERE assigned_at IS NOT NULL) AS r "
        "WHERE n <= of * coalesce(($1::jsonb ->> variant)::float8, 0) "
        "AND NOT EXISTS (SELECT FROM goals g WHERE g.customer_id = r.customer_id AND g.kind = $2)",
        shares, kind,
    )  # fmt: skip
    told = [
        Told(
            kind, f"{kind} {row['customer_id']}", datetime.now(UTC) + after, 90_000_000, customer_id=row["customer_id"]
        )
        for row in rows
    ]
    async with stage.hub.services.transaction() as tx:
        report = await record(tx, list(enumerate(told)), zone="America/Sao_Paulo", source="api", by="system")
    assert report.faults == []


async def test_the_variant_that_sells_more_wins_and_the_warehouse_counts_the_same(
    stage: Stage, settings: Settings
) -> None:
    campaign_id = await stage.begun(
        await stage.people(600), goal="purchase", window_days=7, pacing={"runway": 1000},
        variants=[variant("a", 0.33), variant("b", 0.33), variant("controle", 0.34, None)],
        experiment={"allocation": "winner", "metric": "conversion", "test_share": 0.8, "effect": 0.1, "most_opt_outs": 0.05},
    )  # fmt: skip
    for _ in range(2):
        await stage.tick()
        await drain_all(stage.hub.services)
    await _buy(stage, {"a": 0.05, "b": 0.50, "controle": 0.45})
    await _buy(stage, {"a": 0.9}, kind="other")
    await _look_again(stage)
    await stage.tick()
    assert not await stage.hub.fetch("SELECT FROM campaign_decisions"), "b beats a, but maybe not silence"
    path = f"{CAMPAIGNS}/{campaign_id}/experiment"
    _, test = await call(stage.hub, "GET", path, stage.marketer.headers)
    p = {one["worse"]: one["p"] for one in test["differences"]}
    assert (test["best"], test["why"], test["promoted"]) == ("b", "undecided", None) and p["a"] < 0.05 < p["controle"]
    await _buy(stage, {"b": 0.85})
    await _look_again(stage)
    await stage.tick()
    decision = await stage.hub.services.db.fetchrow("SELECT rule, outcome, evidence FROM campaign_decisions")
    assert (decision["rule"], decision["outcome"], decision["evidence"]["winner"]) == ("winner", "promote", "b")
    evidence = decision["evidence"]
    assert evidence["metric"] == "conversion" and evidence["control"]["controle"]["successes"] > 0
    live = {name: (one["n"], one["successes"]) for name, one in {**evidence["arms"], **evidence["control"]}.items()}
    # The look came before what this round sent to the rest: the warehouse is asked about those of the test.
    await relay_until_empty(settings)
    plan = await stage.hub.services.db.fetchrow("SELECT payload FROM events WHERE type = 'experiment.planned'")
    assert {one["name"]: one["role"] for one in plan["payload"]["metrics"]}["conversion"] == "primary"
    told = _gold(settings, campaign_id)
    assert {name: sums["conversions"] for name, sums in told.items()} == {name: y for name, (_, y) in live.items()}
    tested = await stage.hub.fetch(
        "SELECT variant, count(*) AS n FROM campaign_recipients WHERE assigned_at <= (SELECT decided_at FROM campaign_decisions) GROUP BY 1"
    )
    assert {row["variant"]: row["n"] for row in tested} == {name: n for name, (n, _) in live.items()}
    assert sum(sums["customers"] for sums in told.values()) >= sum(n for n, _ in live.values()) == 480


def _gold(settings: Settings, campaign_id: UUID) -> dict[str, dict[str, int]]:
    """Customers and conversions of each variant by gold.experiment_results, built from the events."""
    today = datetime.now(settings.zone).date()
    days, warehouse = [str(today - timedelta(days=1)), str(today)], Warehouse(settings)
    package = "assets.gold.experiments"
    batch = warehouse.newest_batch()
    warehouse.replace_days("bronze.events", load_sql("assets.bronze", "events.sql"), days, batch=batch)
    warehouse.replace_days(
        "gold.experiment_assignments", load_sql(package, "experiment_assignments.sql"), days, batch=batch
    )
    rows = [row for story in read_stories(warehouse, days) for row in result_rows(story, [str(today)])]
    warehouse.close()
    return {
        row["variant"]: {"customers": row["customers"], "conversions": round(row["sum_y"])}
        for row in rows
        if row["metric"] == "conversion" and row["campaign_id"] == campaign_id
    }


async def test_who_is_still_a_customer_when_the_window_ends_has_reached_no_churn(stage: Stage) -> None:
    people = await stage.people(8)
    campaign_id = await stage.begun(
        people, variants=[variant("a", 0.5), variant("controle", 0.5, None)], goal="no_churn", window_days=7
    )
    await stage.run()
    assert await record_stays(stage.hub.services) == 0, "no window is over"
    await _contract(stage, people[0].id, "active")
    await _contract(stage, people[1].id, "cancelled", ended="current_date - 1")
    await _contract(stage, people[2].id, "cancelled", ended="current_date + 3")  # has given notice
    await _contract(stage, people[3].id, "suspended")
    await _contract(stage, people[4].id, "active", started="current_date + 1")
    await _contract(stage, people[5].id, "cancelled")
    await stage.hub.fetch(
        "UPDATE campaign_recipients SET assigned_at = now() - interval '7 days' + interval '0.9 seconds'"
    )
    await stage.hub.fetch("UPDATE campaign_runs SET started_at = now() - interval '7 days'")
    assert await record_stays(stage.hub.services) == 3
    stayed = await stage.hub.fetch("SELECT customer_id, kind, source FROM goals")
    assert {row["customer_id"] for row in stayed} == {people[0].id, people[2].id, people[3].id}
    assert {(row["kind"], row["source"]) for row in stayed} == {("no_churn", "contracts")}
    assert await record_stays(stage.hub.services) == 0, "each is asked once"
    laid = await stage.hub.fetch(
        "SELECT a.reason, p.state FROM goal_attributions a JOIN goals g ON g.id = a.goal_id "
        "JOIN campaign_recipients p ON p.customer_id = g.customer_id AND p.campaign_id = $1",
        campaign_id,
    )
    expected = {"sent": "attributed", "control": "no_message"}
    assert len(laid) == 3 and all(row["reason"] == expected[row["state"]] for row in laid)


async def _contract(
    stage: Stage, customer_id: UUID, status: str, *, started: str = "'2025-01-01'", ended: str = "NULL"
) -> None:
    await stage.hub.fetch(
        "INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('P1', 'Fibra', 'fiber', 99900000) ON CONFLICT DO NOTHING"
    )
    await stage.hub.fetch(
        "INSERT INTO contracts (external_id, customer_id, plan_id, status, started_on, ended_on) "
        f"VALUES ($1, $2, 'P1', $3, {started}, {ended})",
        f"C{customer_id}", customer_id, status,
    )  # fmt: skip


async def test_a_campaign_of_one_message_has_its_goal_and_window_and_tests_nothing(
    stage: Stage, settings: Settings
) -> None:
    campaign_id = await stage.begun(await stage.people(3), goal="purchase", window_days=7)
    await stage.run()
    wanted = await stage.hub.services.db.fetchrow(
        "SELECT kind, window_days FROM campaign_goals WHERE campaign_id = $1", campaign_id
    )
    assert wanted is not None and (wanted["kind"], wanted["window_days"]) == ("purchase", 7)
    assert await stage.hub.fetchval("SELECT count(*) FROM events WHERE type = 'experiment.assigned'") == 0
    await _buy(stage, {"a": 0.5}, kind="other")
    assert await stage.hub.fetchval("SELECT reason FROM goal_attributions") == "other_goal"
    await relay_until_empty(settings)
    assert _gold(settings, campaign_id) == {}


async def test_a_cap_counts_a_campaigns_own_earlier_occurrences(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(4)
    recurring: dict[str, Any] = {"kind": "recurring", "schedule": {**ALWAYS, "rhythm": {"every": "day", "hour": 10}}}
    await stage.begun(people, **recurring, pacing={"cap": {"messages": 2, "days": 7}})
    for _ in range(3):
        await stage.hub.fetch("UPDATE campaigns SET next_at = now() - interval '1 second'")
        await stage.tick()
        await stage.run()
    assert sim.core.ledger.accepted_calls == 8
    assert (
        await stage.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE excluded_for = 'frequency_cap'") == 4
    )


async def test_a_journeys_own_steps_do_not_count_against_its_cap(stage: Stage, sim: Simulator) -> None:
    await stage.begun(
        await stage.people(3), variants=[variant("a"), variant("lembrete", 0.0)], pacing={"cap": {"messages": 1, "days": 7}},
        steps=[{"after_hours": 1, "when": "always", "variant": "lembrete"}],
    )  # fmt: skip
    await stage.tick()
    await drain_all(stage.hub.services)
    await stage.tick()
    await stage.hub.fetch("UPDATE campaign_recipients SET send_after = now() WHERE step = 1")
    await stage.run()
    assert sim.core.ledger.accepted_calls == 6


async def test_two_campaigns_at_once_do_not_pass_the_cap_together(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(60)
    cap = {"cap": {"messages": 1, "days": 7}, "runway": 500}
    for number in range(3):
        await stage.begun(people, name=f"Oferta {number}", pacing=cap)
    services = stage.hub.services
    await campaign_jobs.watch.function(services)
    for row in await stage.hub.fetch("SELECT id FROM campaign_runs"):
        await campaign_jobs.freeze.function(services, str(row["id"]))
    ids = [str(row["id"]) for row in await stage.hub.fetch("SELECT id FROM campaigns")]
    await asyncio.gather(*(campaign_jobs.send.function(services, one) for one in ids))
    await stage.run()
    most = "SELECT max(n) FROM (SELECT count(*) AS n FROM campaign_recipients WHERE state = 'sent' GROUP BY customer_id) AS each"
    assert await stage.hub.fetchval(most) == 1 and sim.core.ledger.accepted_calls == 60

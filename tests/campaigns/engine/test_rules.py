"""Rules at work: the better variant is promoted to the rest, a mismatch stops all, a bad start too; journeys, rhythms, triggers."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from hub_api.chat import consent
from hub_api.simulator.server import Simulator
from models_ml.experiments.assignment import variant_of
from tests.auth.people import call
from tests.campaigns.engine.stage import ALWAYS, CAMPAIGNS, Stage, now, variant
from tests.support.hours import closed_now
from tests.support.sending import drain_all


async def _look_again(stage: Stage) -> None:
    async for key in stage.hub.services.redis.scan_iter("campaign-look:*"):
        await stage.hub.services.redis.delete(key)


async def _replies(stage: Stage, variant_name: str, share: float) -> None:
    """The first `share` of who got the variant write back."""
    await stage.hub.fetch(
        "UPDATE conversations v SET last_customer_message_at = now() FROM ("
        "  SELECT customer_id, row_number() OVER (ORDER BY position) AS n, count(*) OVER () AS of FROM campaign_recipients"
        "  WHERE variant = $1 AND state = 'sent') AS r WHERE v.customer_id = r.customer_id AND r.n <= r.of * $2::float8",
        variant_name, share,
    )  # fmt: skip


async def test_the_better_variant_wins_by_the_rule_and_the_rest_gets_it(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(700)
    campaign_id = await stage.begun(
        people,
        variants=[variant("a", 0.45), variant("b", 0.45), variant("controle", 0.1, None)],
        experiment={"allocation": "winner", "test_share": 0.6, "effect": 0.1, "most_opt_outs": 0.05},
        pacing={"runway": 1000},
    )
    for _ in range(3):
        await stage.tick()
        await drain_all(stage.hub.services)
    await stage.tick()
    turns = await stage.hub.fetchval("SELECT turns FROM campaign_runs")
    assert turns == 420, "the rest waits for the decision"
    _, held = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/monitor", stage.marketer.headers)
    assert (held["waits_for"], held["lag_s"], held["recipients"]["pending"]) == ("winner", 0, 280), "and is not late"
    await _replies(stage, "a", 0.05)
    await _replies(stage, "b", 0.40)
    await _look_again(stage)
    await stage.run()
    _, told = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/decisions", stage.marketer.headers)
    (decision,) = told["items"]
    assert (decision["rule"], decision["outcome"], decision["evidence"]["winner"]) == ("winner", "promote", "b")
    assert decision["evidence"]["p"]["b>a"] <= 0.05 and decision["evidence"]["arms"]["b"]["n"] > 100
    rows = await stage.hub.fetch("SELECT customer_id, variant, position FROM campaign_recipients ORDER BY position")
    shares = {"a": 0.45, "b": 0.45, "controle": 0.1}
    assigned = {row["customer_id"]: variant_of(f"campaign:{campaign_id}", row["customer_id"], shares) for row in rows}
    assert all(row["variant"] == assigned[row["customer_id"]] for row in rows[:420])
    rest = Counter((assigned[row["customer_id"]], row["variant"]) for row in rows[420:])
    assert rest.keys() <= {("a", "b"), ("b", "b"), ("controle", "controle")} and rest["a", "b"] > 50
    sent = sum(row["variant"] != "controle" for row in rows)
    assert sim.core.ledger.accepted_calls == sent and (await stage.states())["control"] == 700 - sent
    plans = await stage.hub.fetch(
        "SELECT payload FROM events WHERE type = 'experiment.planned' ORDER BY aggregate_version"
    )
    first, then = (row["payload"] for row in plans)
    assert first["control"] == "controle" and first["campaign_id"] == str(campaign_id) and first["shares"] == shares
    assert then["shares"] == {"a": 0.0, "b": 0.9, "controle": 0.1}, "or the warehouse would see arms that do not fit"
    assert await stage.hub.fetchval("SELECT count(*) FROM events WHERE type = 'experiment.assigned'") == 700
    _, test = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/experiment", stage.marketer.headers)
    assert sum(one["n"] for one in test["arms"]) == 420 and test["mismatch_p"] > 0.001, "the rest is not of the test"


async def test_arms_that_are_not_what_was_planned_stop_the_campaign(stage: Stage) -> None:
    campaign_id = await stage.begun(
        await stage.people(300), variants=[variant("a", 0.5), variant("b", 0.5)], pacing={"runway": 250}
    )
    await stage.tick()
    await stage.hub.fetch("UPDATE campaign_recipients SET variant = 'a' WHERE variant = 'b' AND position % 2 = 0")
    await _look_again(stage)
    await stage.tick()
    row = await stage.of(campaign_id)
    assert (row["state"], row["block_reason"]) == ("paused", "mismatch")
    decision = await stage.hub.services.db.fetchrow("SELECT rule, outcome, evidence FROM campaign_decisions")
    assert (decision["rule"], decision["outcome"]) == ("mismatch", "stop") and decision["evidence"][
        "mismatch_p"
    ] < 0.001
    await stage.step(campaign_id, "resume")
    await _look_again(stage)
    await stage.run()
    assert (await stage.of(campaign_id))["state"] == "completed", (
        "resumed by a person, the test is over and stops nothing more"
    )
    assert await stage.states() == {"sent": 300}


async def test_a_smooth_start_stops_when_people_leave(stage: Stage, sim: Simulator) -> None:
    smooth = {"share": 0.1, "at_least": 20, "wait_minutes": 0, "most_opt_outs": 0.05}
    campaign_id = await stage.begun(await stage.people(100), pacing={"smooth_start": smooth})
    await stage.tick()
    await drain_all(stage.hub.services)
    assert sim.core.ledger.accepted_calls == 20
    for row in await stage.hub.fetch("SELECT customer_id FROM campaign_recipients WHERE state = 'queued' LIMIT 2"):
        async with stage.hub.services.transaction() as tx:
            await consent.record(
                tx, row["customer_id"], "marketing", granted=False, source="button", evidence={}, occurred_at=now()
            )
    await stage.tick(2)
    row = await stage.of(campaign_id)
    assert (row["state"], row["block_reason"]) == ("paused", "smooth_start")
    assert sim.core.ledger.accepted_calls == 20

    await stage.step(campaign_id, "resume")  # whoever saw the evidence may let it go on, and is not stopped again
    await stage.run()
    assert (await stage.of(campaign_id))["state"] == "completed" and sim.core.ledger.accepted_calls == 100
    decided = await stage.hub.fetch("SELECT rule, outcome, decided_by FROM campaign_decisions ORDER BY decided_at")
    assert [(one["rule"], one["outcome"]) for one in decided] == [("smooth_start", "stop"), ("smooth_start", "go_on")]
    assert [one["decided_by"] for one in decided] == ["system", f"user:{stage.supervisor.id}"]


async def test_a_smooth_start_goes_on_when_all_is_well(stage: Stage, sim: Simulator) -> None:
    smooth = {"share": 0.1, "at_least": 10, "wait_minutes": 0}
    await stage.begun(await stage.people(60), pacing={"smooth_start": smooth})
    await stage.run()
    assert sim.core.ledger.accepted_calls == 60
    assert await stage.hub.fetchval("SELECT outcome FROM campaign_decisions") == "go_on"


async def test_a_journey_writes_again_to_who_did_not_answer(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(6)
    await stage.begun(
        people,
        variants=[variant("a"), variant("lembrete", 0.0)],
        steps=[{"after_hours": 24, "when": "not_replied", "variant": "lembrete"}],
    )
    await stage.tick()
    await drain_all(stage.hub.services)
    await stage.tick()
    answered, stopped, served = people[:3]
    await stage.hub.fetch(
        "UPDATE conversations SET last_customer_message_at = now() WHERE customer_id = $1", answered.id
    )
    async with stage.hub.services.transaction() as tx:
        await consent.record(tx, stopped.id, "marketing", granted=False, source="api", evidence={}, occurred_at=now())
    await stage.hub.fetch("UPDATE conversations SET state = 'queued' WHERE customer_id = $1", served.id)
    assert (
        await stage.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE step = 1 AND state = 'pending'") == 6
    )
    await stage.hub.fetch("UPDATE campaign_recipients SET send_after = now() WHERE step = 1")
    await stage.run()
    rows = await stage.hub.fetch("SELECT customer_id, state, excluded_for FROM campaign_recipients WHERE step = 1")
    found = {row["customer_id"]: (row["state"], row["excluded_for"]) for row in rows}
    assert found[answered.id] == ("excluded", "condition")
    assert found[stopped.id] == ("excluded", "suppressed") and found[served.id] == ("excluded", "open_conversation")
    assert [found[one.id] for one in people[3:]] == [("sent", None)] * 3
    assert sim.core.ledger.accepted_calls == 9
    assert await stage.hub.fetchval("SELECT state FROM campaigns") == "completed"


async def test_enough_messages_are_enough_across_campaigns(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(3)
    for number in range(3):
        fresh = await stage.people(1, first=3 + number)
        await stage.begun([*people, *fresh], name=f"Oferta {number}", pacing={"cap": {"messages": 2, "days": 7}})
        await stage.run()
    assert sim.core.ledger.accepted_calls == 9
    assert (
        await stage.hub.fetchval("SELECT count(*) FROM campaign_recipients WHERE excluded_for = 'frequency_cap'") == 3
    )


async def test_a_recurring_campaign_begins_each_time_once_and_keeps_variants(stage: Stage, sim: Simulator) -> None:
    rhythm = {"every": "day", "hour": 10}
    campaign_id = await stage.begun(
        await stage.people(8), kind="recurring", schedule={**ALWAYS, "rhythm": rhythm},
        variants=[variant("a", 0.5), variant("b", 0.5)], pacing={"cap": None},
    )  # fmt: skip
    await stage.tick(2)
    assert await stage.hub.fetchval("SELECT count(*) FROM campaign_runs") == 0
    assert (await stage.of(campaign_id))["next_at"] > datetime.now(UTC)
    for _ in range(2):
        await stage.hub.fetch("UPDATE campaigns SET next_at = now() - interval '1 second'")
        await stage.tick()
        await stage.run()
    rows = await stage.hub.fetch(
        "SELECT customer_id, array_agg(DISTINCT variant) AS v, count(*) AS n FROM campaign_recipients GROUP BY 1"
    )
    assert [(len(row["v"]), row["n"]) for row in rows] == [(1, 2)] * 8
    assert sim.core.ledger.accepted_calls == 16 and (await stage.of(campaign_id))["state"] == "running"
    assert await stage.hub.fetchval("SELECT count(*) FROM campaign_runs WHERE state = 'completed'") == 2


async def test_an_outage_sets_a_notice_off_for_its_region_once(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(5)
    await stage.contracts([one.id for one in people[:3]], "SP-01")
    await stage.contracts([one.id for one in people[3:]], "RJ-07")
    await stage.begun(
        people, kind="triggered", lane="utility", variants=[variant("a", template="boas_vindas")],
        schedule={**ALWAYS, "trigger": {"event": "outage_started"}},
    )  # fmt: skip
    await stage.tick()
    assert sim.core.ledger.accepted_calls == 0
    await stage.hub.fetch(
        "INSERT INTO outages (external_id, region_code, service, started_at) VALUES ('Q1', 'SP-01', 'fiber', now())"
    )
    for _ in range(3):
        await stage.run()
        await stage.hub.fetch("UPDATE outages SET updated_at = now()")
    assert sim.core.ledger.accepted_calls == 3
    assert (
        await stage.hub.fetchval("SELECT count(DISTINCT customer_id) FROM campaign_recipients WHERE state = 'sent'")
        == 3
    )


async def test_a_scheduled_campaign_begins_at_its_time_and_waits_for_open_hours(stage: Stage, sim: Simulator) -> None:
    start = datetime.now(UTC) + timedelta(hours=2)
    campaign_id = await stage.begun(await stage.people(3), schedule={**ALWAYS, "start_at": start.isoformat()})
    await stage.tick()
    assert (await stage.of(campaign_id))["state"] == "scheduled"
    asked: dict[str, Any] = (await stage.of(campaign_id))["schedule"]
    closed = {**asked, "start_at": None, "hours": closed_now()}
    await stage.hub.fetch("UPDATE campaigns SET next_at = now(), schedule = $1", closed)
    await stage.tick(2)
    assert (await stage.of(campaign_id))["state"] == "running" and await stage.states() == {"pending": 3}
    earliest: datetime = await stage.hub.fetchval("SELECT min(send_after) FROM campaign_recipients")
    assert earliest > datetime.now(UTC) + timedelta(minutes=30) and sim.core.ledger.accepted_calls == 0

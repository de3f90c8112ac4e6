"""What somebody sees who watches a campaign: where recipients stand, what failed, the test now and over time, who is on the list."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.campaigns.results.readout import points
from hub_api.events import MessageReceived
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from hub_api.simulator.server import Simulator
from tests.auth.people import Person, add_person, call
from tests.campaigns.engine.stage import CAMPAIGNS, Stage, variant
from tests.support.sending import drain_all

NOON = datetime(2026, 11, 26, 15, tzinfo=UTC)


@pytest.fixture
def settings(with_warehouse: Settings) -> Settings:
    """With a warehouse, where the series come from."""
    return with_warehouse


async def _get(stage: Stage, path: str, who: Any = None) -> tuple[int, Any]:
    return await call(stage.hub, "GET", f"/api/v1/{path}", (who or stage.marketer).headers)


async def _answer(stage: Stage, name: str, count: int) -> None:
    """So many who got the variant write back."""
    rows = await stage.hub.fetch(
        "UPDATE conversations v SET last_customer_message_at = now() FROM ("
        "  SELECT customer_id FROM campaign_recipients WHERE variant = $1 AND state = 'sent' ORDER BY position LIMIT $2"
        ") AS r WHERE v.customer_id = r.customer_id RETURNING v.id, v.customer_id",
        name, count,
    )  # fmt: skip
    async with stage.hub.services.transaction() as tx:
        for row in rows:
            tx.emit(MessageReceived(
                aggregate_id=uuid7(), aggregate_version=1, occurred_at=datetime.now(UTC), conversation_id=row["id"],
                customer_id=row["customer_id"], message_type="text", content="sim", received_at=datetime.now(UTC),
            ))  # fmt: skip


async def test_a_campaign_is_watched_from_its_list_to_its_test(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(300)
    await stage.hub.fetch(
        "UPDATE consent_ledger SET granted = false WHERE customer_id = ANY($1)", [one.id for one in people[:7]]
    )
    shares = [variant("a", 0.4), variant("b", 0.4), variant("controle", 0.2, None)]
    status, made = await call(
        stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=await stage.plan(people, variants=shares, pacing={"runway": 1000})
    )  # fmt: skip
    assert status == 201 and made["created_by_name"] and (made["runs"], made["turns"]) == (0, 0)
    campaign = UUID(made["id"])
    status, idle = await _get(stage, f"campaigns/{campaign}/monitor")
    assert (status, idle["run"], idle["recipients"]) == (200, None, {})
    status, refused = await _get(stage, f"campaigns/{campaign}/experiment")
    assert (status, refused["code"]) == (409, "nothing_to_compare")
    for verb, who in (("submit", stage.marketer), ("approve", stage.supervisor), ("start", stage.supervisor)):
        await stage.step(campaign, verb, who)
    await stage.tick()
    await stage.step(campaign, "pause")
    _, paused = await _get(stage, f"campaigns/{campaign}/monitor")
    assert paused["state"] == "paused" and paused["held"] == paused["recipients"]["queued"] > 200
    await stage.step(campaign, "resume")
    await drain_all(stage.hub.services)
    await stage.run()
    await stage.hub.fetch(
        "UPDATE campaign_recipients SET state = 'failed', error_code = 131026 WHERE customer_id = ANY($1) AND state = 'sent'",
        [one.id for one in people[40:60]],
    )
    _, told = await _get(stage, f"campaigns/{campaign}/monitor")
    assert (told["run"]["members"], told["run"]["eligible"], told["run"]["state"]) == (300, 293, "completed")
    assert told["excluded"] == {"no_consent": 7} and told["held"] == 0 and told["last_sent_at"]
    assert told["last_minute"] == told["recipients"]["sent"] and sum(told["recipients"].values()) == 300
    failed = told["recipients"]["failed"]
    (failure,) = told["failures"]
    assert (failure["error_code"], failure["recipients"]) == (131026, failed) and failure["meaning"]
    assert {one["variant"] for one in told["by_variant"]} == {"a", "b", "controle"}
    _, page = await call(stage.hub, "GET", f"{CAMPAIGNS}?name=fibra%20600&state=completed", stage.marketer.headers)
    (listed,) = page["items"]
    assert (listed["eligible"], listed["turns"], listed["approved_by_name"] is None) == (293, 293, False)
    assert (await call(stage.hub, "GET", f"{CAMPAIGNS}?name=%25", stage.marketer.headers))[1]["items"] == []

    await _answer(stage, "a", 10)
    await _answer(stage, "b", 40)
    await relay_until_empty(stage.hub.services.settings)
    status, test = await _get(stage, f"campaigns/{campaign}/experiment")
    assert status == 200, test
    arms = {one["variant"]: one for one in test["arms"]}
    assert (test["best"], arms["b"]["successes"], arms["a"]["successes"], arms["controle"]["rate"]) == (
        "b",
        40,
        10,
        None,
    )
    assert sum(one["n"] for one in test["arms"]) == 293 and test["mismatch_p"] > 0.001
    (pair,) = test["differences"]
    assert (pair["better"], pair["worse"]) == ("b", "a") and pair["low"] < pair["difference"] < pair["high"]
    status, series = await _get(stage, f"campaigns/{campaign}/experiment/series")
    assert status == 200, series
    last = {one["variant"]: one for one in series["items"][-1]["arms"]}
    assert (last["b"]["successes"], last["a"]["successes"], last.keys()) == (40, 10, {"a", "b"})
    assert last["b"]["n"] == arms["b"]["n"]

    _, first = await _get(stage, f"campaigns/{campaign}/recipients?limit=200")
    _, rest = await _get(stage, f"campaigns/{campaign}/recipients?limit=200&cursor={first['next_cursor']}")
    assert {one["customer_id"] for one in first["items"] + rest["items"]} == {str(one.id) for one in people}
    assert rest["next_cursor"] is None and first["items"][0]["phone"].startswith("…")
    _, left_out = await _get(stage, f"campaigns/{campaign}/recipients?state=excluded&reason=no_consent")
    assert {one["customer_id"] for one in left_out["items"]} == {str(one.id) for one in people[:7]}
    _, blind = await _get(stage, f"campaigns/{campaign}/recipients", await add_person(stage.hub, "executive"))
    assert blind["items"][0]["name"] is None and blind["items"][0]["phone"] is None
    _, meant = await _get(stage, f"customers/{people[0].id}/campaigns")
    assert [(one["campaign"], one["state"], one["excluded_for"]) for one in meant["items"]] == [
        ("Fibra 600", "excluded", "no_consent")
    ]
    assert (await _get(stage, f"campaigns/{campaign}/monitor?run_id={uuid7()}"))[0] == 404


async def test_names_on_a_list_are_those_of_customers_that_one_sees_elsewhere_too(stage: Stage) -> None:
    """A supervisor reads in a campaign what the page of a customer tells him, and nothing of another team's customers."""
    mine, other = [row["id"] for row in await stage.hub.fetch(
        "INSERT INTO teams (id, name) SELECT gen_random_uuid(), 'Equipe ' || n FROM generate_series(1, 2) AS n RETURNING id"
    )]  # fmt: skip
    customers = await stage.people(5)
    people = [one.id for one in customers]
    ours, theirs, nobodys, silent, merged = people
    moved = "UPDATE conversations SET customer_id = $1 WHERE customer_id = ANY($2)"
    await stage.hub.fetch(moved, theirs, [silent, merged])
    for customer, team in ((ours, mine), (theirs, other)):
        queue = uuid7()
        await stage.hub.fetch(
            "INSERT INTO queues (id, key, name, team_id) VALUES ($1, $2, $2, $3)", queue, queue.hex, team
        )
        await stage.hub.fetch("UPDATE conversations SET queue_id = $2 WHERE customer_id = $1", customer, queue)
    await stage.hub.fetch("UPDATE customers SET status = 'merged', merged_into = $1 WHERE id = $2", theirs, merged)
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=await stage.plan(customers[:3]))
    run, campaign = uuid7(), UUID(made["id"])
    await stage.hub.fetch(
        "INSERT INTO campaign_runs (id, campaign_id, occurrence) VALUES ($1, $2, 'once')", run, campaign
    )
    await stage.hub.fetch(
        "INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, variant, position, state) "
        "SELECT $1, $2, id, 'a', 0, 'pending' FROM unnest($3::uuid[]) AS id",
        campaign, run, people,
    )  # fmt: skip

    async def shown(who: Person) -> dict[UUID, tuple[str | None, str | None]]:
        status, page = await _get(stage, f"campaigns/{campaign}/recipients", who)
        assert status == 200, page
        return {UUID(one["customer_id"]): (one["name"], one["phone"]) for one in page["items"]}

    supervisor = await add_person(stage.hub, "supervisor", mine)
    found = await shown(supervisor)
    assert {one for one, (name, phone) in found.items() if name and phone} == {ours, nobodys, silent}
    assert {found[theirs], found[merged]} == {(None, None)}
    for one in people:
        status, customer = await _get(stage, f"customers/{one}", supervisor)
        assert (status, customer.get("name")) == ((200, found[one][0]) if found[one][0] else (404, None))
    assert all(name for name, _ in (await shown(stage.marketer)).values())


def test_a_series_adds_up_and_its_interval_narrows() -> None:
    rows = [
        {"variant": name, "begins": NOON + timedelta(minutes=minute), "units": 100, "successes": successes}
        for minute in range(30)
        for name, successes in (("a", 5), ("b", 15), ("later step", 1))
    ]
    told = points(rows, ["a", "b"], 0.05, 0.05)
    assert [one["at"] for one in told] == [NOON + timedelta(minutes=minute) for minute in range(30)]
    assert [(one["variant"], one["n"], one["rate"]) for one in told[-1]["arms"]] == [
        ("a", 3000, 0.05),
        ("b", 3000, 0.15),
    ]
    widths = [one["differences"][0]["high"] - one["differences"][0]["low"] for one in told]
    assert widths == sorted(widths, reverse=True)
    assert told[0]["differences"][0]["low"] < 0 < told[-1]["differences"][0]["low"]
    assert points([], ["a", "b"], 0.05, 0.05) == []

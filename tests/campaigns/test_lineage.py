"""Why a person received a message and what became of it; results over HTTP; what is counted of opt-outs and of work."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prometheus_client import REGISTRY

from hub_api.analytics.relay import relay_until_empty
from hub_api.campaigns.links import codes
from hub_api.campaigns.results import jobs
from hub_api.chat import consent
from hub_api.events import ExperimentAssigned, assignment_id
from hub_api.platform.ids import uuid7
from tests.campaigns.conftest import SHOP, add_campaign, add_person, address, api
from tests.campaigns.test_goals import plan, sold, tell, write_to
from tests.campaigns.test_links import PHONE, opening
from tests.support.hub import Hub


async def test_a_message_leads_back_to_its_audience_and_forward_to_its_goals(hub: Hub) -> None:
    ana, campaign = await add_person(hub), await add_campaign(hub)
    await plan(hub, campaign, "purchase")
    async with hub.services.transaction() as tx:
        await consent.record(
            tx, ana.id, "marketing", granted=True, source="api", evidence={}, occurred_at=datetime.now(UTC), text_version="v1"
        )  # fmt: skip
        assigned = ExperimentAssigned(
            aggregate_id=assignment_id(campaign, ana.id), aggregate_version=1, occurred_at=datetime.now(UTC),
            experiment_id=campaign, experiment="turbo", variant="a", customer_id=ana.id, campaign_id=campaign,
        )  # fmt: skip
        tx.emit(assigned)
    message = await write_to(hub, ana, campaign)
    run = await address(hub, campaign, ana, message)
    _, link = await api(hub, "POST", "/links", json={"name": "Turbo", "url": f"{SHOP}/", "campaign_id": str(campaign)})
    async with hub.services.transaction() as tx:
        code = (await codes.issue(tx, hub.services.settings, UUID(link["id"]), {ana.id: "a"}))[ana.id]
    async with opening(hub, f"/l/{code}", headers=PHONE):
        pass
    await tell(hub, sold("L1", customer_id=str(ana.id)))
    status, told = await api(hub, "GET", f"/messages/{message}/lineage")
    assert status == 200, told
    assert (told["campaign_id"], told["variant"], told["template"], told["state"]) == (
        str(campaign),
        "a",
        "oferta",
        "queued",
    )
    audience = told["audience"]
    assert (audience["run_id"], audience["asset_version"], audience["members"]) == (str(run), "b7", 1)
    assert audience["members_sha256"] == hashlib.sha256(ana.id.bytes).hexdigest()
    assert told["assignment"]["experiment"] == "turbo" and told["assignment"]["variant"] == "a"
    assert [(one["scope"], one["granted"], one["text_version"]) for one in told["consent"]] == [
        ("marketing", True, "v1")
    ]
    assert [(one["name"], one["clicks"]) for one in told["clicks"]] == [("Turbo", 1)]
    assert [(one["kind"], one["reason"], one["value_micros"]) for one in told["goals"]] == [
        ("purchase", "attributed", 99_900_000)
    ]
    assert "oferta" not in str({**told, "template": None}), "no words of the message"
    assert (await api(hub, "GET", f"/messages/{uuid7()}/lineage"))[0] == 404


async def test_results_come_within_seconds_of_the_events(whole: Hub) -> None:
    hub, campaign = whole, await add_campaign(whole)
    people = [await add_person(hub, f"+55119876543{number:02}") for number in range(4)]
    for person in people:
        message = await write_to(hub, person, campaign)
        await address(hub, campaign, person, message)
    await tell(hub, sold("R1", customer_id=str(people[0].id)), sold("R2", customer_id=str(people[0].id)))
    async with hub.services.transaction() as tx:
        await consent.record(
            tx, people[1].id, "marketing", granted=False, source="button", evidence={}, occurred_at=datetime.now(UTC)
        )
    await relay_until_empty(hub.services.settings)
    status, found = await api(hub, "GET", f"/campaigns/{campaign}/results")
    assert status == 200, found
    total = found["total"]
    assert (total["sent"], total["converted"], total["goals"], total["opted_out"]) == (4, 1, 2, 1)
    assert (total["value_micros"], total["value_currency"]) == (199_800_000, "BRL")
    assert [(one["variant"], one["sent"]) for one in found["by_variant"]] == [("a", 4)]
    assert sum(one["sent"] for one in found["series"]) == 4 and found["as_of"] and found["by_segment"] == []
    assert (await api(hub, "GET", f"/campaigns/{uuid7()}/results"))[0] == 404
    assert (await api(hub, "GET", f"/campaigns/{await add_campaign(hub)}/results"))[1]["total"]["sent"] == 0


async def test_the_gauges_follow_campaigns_at_work(hub: Hub) -> None:
    ana, campaign = await add_person(hub), await add_campaign(hub)
    await address(hub, campaign, ana, None, state="pending")
    await hub.fetch("UPDATE campaign_recipients SET send_after = now() - interval '30 seconds', queued_at = NULL")
    await jobs.measure.function(hub.services)
    label = {"campaign": str(campaign)}
    assert REGISTRY.get_sample_value("campaign_recipients", {**label, "state": "pending"}) == 1
    assert 29 < (REGISTRY.get_sample_value("campaign_lag_seconds", label) or 0) < 300
    await hub.fetch("UPDATE campaign_runs SET waits_for = 'winner'")
    await jobs.measure.function(hub.services)
    assert REGISTRY.get_sample_value("campaign_lag_seconds", label) == 0, "whom a test holds back is not late"
    await hub.fetch("UPDATE campaigns SET state = 'cancelled'")
    await jobs.measure.function(hub.services)
    assert REGISTRY.get_sample_value("campaign_recipients", {**label, "state": "pending"}) == 0


async def violations(hub: Hub) -> float | None:
    await jobs.watch_opt_outs.function(hub.services)
    return REGISTRY.get_sample_value("campaign_opt_out_violations")


async def test_a_message_claimed_after_an_opt_out_is_found_and_nothing_else(hub: Hub) -> None:
    ana, campaign = await add_person(hub), await add_campaign(hub)
    before = await write_to(hub, ana, campaign)
    await hub.fetch(
        "UPDATE messages SET state = 'claimed', claimed_at = now(), updated_at = now() WHERE id = $1", before
    )
    async with hub.services.transaction() as tx:
        await consent.record(
            tx, ana.id, "marketing", granted=False, source="button", evidence={}, occurred_at=datetime.now(UTC)
        )
    assert await violations(hub) == 0, "claimed before it was committed"
    await hub.fetch("UPDATE consent_ledger SET created_at = created_at - interval '1 hour'")
    assert await violations(hub) == 1
    async with hub.services.transaction() as tx:
        await consent.record(
            tx, ana.id, "marketing", granted=True, source="button", evidence={}, occurred_at=datetime.now(UTC) + timedelta(seconds=1)
        )  # fmt: skip
    assert await violations(hub) == 1, "coming back later does not make it right"
    await hub.fetch("UPDATE consent_ledger SET created_at = created_at - interval '30 minutes' WHERE granted")
    assert await violations(hub) == 0, "he had come back before"

"""A campaign from its draft to its end, through the doors: once each, nobody who must not, and two people for every send."""

import asyncio
from uuid import UUID

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub_api.campaign_operations import campaigns
from hub_api.campaigns.plans.states import WrongState
from hub_api.chat import consent
from hub_api.platform.csv_export import as_text
from hub_api.platform.ids import uuid7
from hub_api.simulator.server import Simulator
from tests.auth.people import add_person, call
from tests.campaigns.engine.stage import AUDIENCES, CAMPAIGNS, Stage, now, variant
from tests.support.sending import drain_all


async def test_a_double_click_plans_one_campaign_and_a_changed_body_is_refused(stage: Stage) -> None:
    plan = await stage.plan(await stage.people(2))
    headers = {**stage.marketer.headers, "Idempotency-Key": "clique-1"}
    answers = await asyncio.gather(*(call(stage.hub, "POST", CAMPAIGNS, headers, json=plan) for _ in range(3)))
    assert {status for status, _ in answers} == {201} and len({answer["id"] for _, answer in answers}) == 1
    assert await stage.hub.fetchval("SELECT count(*) FROM campaigns") == 1
    status, answer = await call(stage.hub, "POST", CAMPAIGNS, headers, json={**plan, "name": "Outra"})
    assert (status, answer["code"]) == (409, "idempotency_key_reused")


async def test_two_people_are_needed_and_a_change_voids_the_approval(stage: Stage) -> None:
    plan = await stage.plan(await stage.people(2))
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan)
    path, marketer, supervisor = f"{CAMPAIGNS}/{made['id']}", stage.marketer.headers, stage.supervisor.headers
    status, answer = await call(stage.hub, "POST", f"{path}/approve", supervisor)
    assert (status, answer["code"]) == (409, "campaign_state")
    await stage.step(made["id"], "submit", stage.marketer)
    status, answer = await call(stage.hub, "POST", f"{path}/approve", marketer)
    assert (status, answer["code"]) == (409, "needs_second_person")
    approved = await stage.step(made["id"], "approve")
    assert approved["approved_by"] == f"user:{stage.supervisor.id}"
    status, answer = await call(stage.hub, "PUT", path, {**marketer, "If-Match": '"1"'}, json={**plan, "name": "Nova"})
    assert (status, answer["code"]) == (412, "stale")
    etag = {"If-Match": f'"{approved["version"]}"'}
    status, changed = await call(stage.hub, "PUT", path, {**marketer, **etag}, json={**plan, "name": "Nova"})
    assert status == 200 and (changed["state"], changed["approved_by"]) == ("draft", None)
    status, answer = await call(stage.hub, "POST", f"{path}/start", supervisor)
    assert (status, answer["code"]) == (409, "campaign_state")
    actions = {
        row["action"] for row in await stage.hub.fetch("SELECT action FROM audit_log WHERE object_type = 'campaign'")
    }
    assert actions == {"campaign.created", "campaign.submitted", "campaign.approved", "campaign.changed"}


async def test_teams_see_their_own_campaigns_only(stage: Stage) -> None:
    teams = [row["id"] for row in await stage.hub.fetch(
        "INSERT INTO teams (id, name) SELECT gen_random_uuid(), 'Equipe ' || n FROM generate_series(1, 2) AS n RETURNING id"
    )]  # fmt: skip
    inside, outside = (
        await add_person(stage.hub, "supervisor", teams[0]),
        await add_person(stage.hub, "supervisor", teams[1]),
    )
    plan = await stage.plan(await stage.people(1), team_id=str(teams[0]))
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan)
    path = f"{CAMPAIGNS}/{made['id']}"
    assert (await call(stage.hub, "GET", path, inside.headers))[0] == 200
    assert (await call(stage.hub, "GET", path, outside.headers))[0] == 404
    assert (await call(stage.hub, "POST", f"{path}/approve", outside.headers))[0] == 404
    assert (await call(stage.hub, "GET", CAMPAIGNS, outside.headers))[1]["items"] == []


async def test_a_check_shows_no_message_to_a_customer_of_another_team(stage: Stage) -> None:
    teams = [row["id"] for row in await stage.hub.fetch(
        "INSERT INTO teams (id, name) SELECT gen_random_uuid(), 'Equipe ' || n FROM generate_series(1, 2) AS n RETURNING id"
    )]  # fmt: skip
    ours, theirs = people = await stage.people(2)
    for person, team in zip(people, teams, strict=True):
        queue = uuid7()
        await stage.hub.fetch(
            "INSERT INTO queues (id, key, name, team_id) VALUES ($1, $2, $2, $3)", queue, queue.hex, team
        )
        await stage.hub.fetch("UPDATE conversations SET queue_id = $2 WHERE customer_id = $1", person.id, queue)
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=await stage.plan(people))
    supervisor = await add_person(stage.hub, "supervisor", teams[0])
    for who, seen in ((supervisor, {ours.id}), (stage.marketer, {ours.id, theirs.id})):
        status, checked = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", who.headers)
        assert status == 200 and checked["eligible"] == 2
        assert {UUID(one["customer_id"]) for one in checked["samples"]} == seen


async def test_every_step_from_a_wrong_state_says_where_it_begins(stage: Stage) -> None:
    plan = await stage.plan(await stage.people(1))
    made = [
        (await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan))[1]["id"]
        for _ in range(len(STATES))
    ]
    for campaign_id, (state, _) in zip(made, STATES.items(), strict=True):
        await stage.hub.fetch(
            "UPDATE campaigns SET approved_by = 'user:x', edited_by = 'user:y', created_by = 'user:y' WHERE id = $1",
            campaign_id,
        )
        for to in PATHS[state]:
            await stage.hub.fetch("UPDATE campaigns SET state = $2 WHERE id = $1", campaign_id, to)
        for verb in ("submit", "approve", "reject", "start", "pause", "resume", "cancel"):
            if verb in STATES[state]:
                continue
            body = {"json": {"reason": "teste"}} if verb in ("pause", "cancel", "reject") else {}
            path = f"{CAMPAIGNS}/{campaign_id}/{verb}"
            status, answer = await call(stage.hub, "POST", path, stage.hub.auth, **body)
            assert (status, answer["code"], answer["state"]) == (409, "campaign_state", state), (verb, state, answer)
        if state in ("running", "paused", "completed", "cancelled", "failed"):
            headers = {**stage.hub.auth, "If-Match": "*"}
            status, answer = await call(stage.hub, "PUT", f"{CAMPAIGNS}/{campaign_id}", stage.hub.auth, json=plan)
            assert (status, answer["code"]) in ((409, "campaign_under_way"), (428, "precondition_required")), (
                headers,
                answer,
            )


async def test_an_operator_stops_and_resumes_from_the_command_line(
    stage: Stage, sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = stage.hub.services.settings
    required = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    for name in required:
        monkeypatch.setenv(f"HUB_{name.upper()}", getattr(settings, name).get_secret_value())
    campaign_id = await stage.begun(await stage.people(30), pacing={"runway": 10})
    await stage.tick()

    async def hub(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, campaigns, list(arguments))

    found = await hub("list", "--state", "running")
    assert found.exit_code == 0 and str(campaign_id) in found.output, found.output
    assert "10 messages are held" in (await hub("pause", str(campaign_id))).output
    await stage.tick()
    await drain_all(stage.hub.services)
    assert (await stage.of(campaign_id))["block_reason"] == "by_hand" and sim.core.ledger.accepted_calls == 0
    again = await hub("pause", str(campaign_id))
    assert isinstance(again.exception, WrongState) and "paused" in str(again.exception)
    assert '"pending": 20' in (await hub("show", str(campaign_id), "--json")).output
    assert "10 messages were held" in (await hub("resume", str(campaign_id))).output
    await stage.run()
    assert sim.core.ledger.accepted_calls == 30
    actors = await stage.hub.fetch(
        "SELECT action FROM audit_log WHERE actor = 'operator' AND object_type = 'campaign' ORDER BY id"
    )
    assert [row["action"] for row in actors] == ["campaign.paused", "campaign.resumed"]


# What may be done in each state, and by which steps of the table it is reached from a draft.
STATES = {
    "draft": {"submit", "cancel"}, "in_review": {"approve", "reject", "cancel"}, "approved": {"reject", "start", "cancel"},
    "scheduled": {"pause", "cancel"}, "running": {"pause", "cancel"}, "paused": {"resume", "cancel"},
    "completed": set[str](), "cancelled": set[str](), "failed": set[str](),
}  # fmt: skip
_APPROVED = ("in_review", "approved")
PATHS: dict[str, tuple[str, ...]] = {
    "draft": (), "in_review": ("in_review",), "approved": _APPROVED, "scheduled": (*_APPROVED, "scheduled"),
    "running": (*_APPROVED, "running"), "paused": (*_APPROVED, "running", "paused"),
    "completed": (*_APPROVED, "running", "completed"), "cancelled": ("cancelled",), "failed": (*_APPROVED, "running", "failed"),
}  # fmt: skip


async def test_everybody_who_may_gets_it_once_and_the_others_are_named(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(30)
    stranger = (await stage.people(1, first=30, consent=False))[0]
    talking, gone, stopped = people[:3]
    await stage.hub.fetch("UPDATE conversations SET state = 'queued' WHERE customer_id = $1", talking.id)
    await stage.hub.fetch("UPDATE customers SET status = 'blocked' WHERE id = $1", gone.id)
    async with stage.hub.services.transaction() as tx:
        await consent.record(tx, stopped.id, "marketing", granted=False, source="api", evidence={}, occurred_at=now())
    campaign_id = await stage.begun([*people, stranger])
    await stage.run()
    assert (await stage.of(campaign_id))["state"] == "completed"
    assert await stage.states() == {"sent": 27, "excluded": 4}
    assert sim.core.ledger.accepted_calls == 27
    _, runs = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/runs", stage.marketer.headers)
    (run,) = runs["items"]
    assert run["excluded"] == {"gone": 1, "no_consent": 1, "open_conversation": 1, "suppressed": 1}
    assert (run["members"], run["turns"], len(run["members_sha256"])) == (31, 27, 64)
    rows = await stage.hub.fetch("SELECT payload FROM events WHERE type = 'message.queued'")
    assert {row["payload"]["campaign_id"] for row in rows} == {str(campaign_id)} and len(rows) == 27
    steps = await stage.hub.fetch(
        "SELECT payload ->> 'to_state' AS state FROM events WHERE type = 'campaign.changed' ORDER BY seq"
    )
    assert [row["state"] for row in steps] == ["in_review", "approved", "running", "completed"]


async def test_a_check_tells_cost_end_and_what_is_in_the_way(stage: Stage) -> None:
    people = await stage.people(5)
    plan = await stage.plan(people, variants=[variant("a", 0.5), variant("controle", 0.5, None)])
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=plan)
    status, checked = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", stage.marketer.headers)
    assert status == 200 and checked["problems"] == [] and (checked["members"], checked["eligible"]) == (5, 5)
    assert checked["cost_micros"] > 0 and checked["forecast"]["words"].startswith("termina ")
    assert checked["advice"]["smallest_variant"] == 2 and "cerca de" in checked["advice"]["words"]
    assert "Cliente" in checked["samples"][0]["message"]["text"] and checked["samples"][0]["fallbacks"] == []
    await stage.hub.fetch("UPDATE templates SET status = 'PAUSED'")
    status, answer = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/submit", stage.marketer.headers)
    assert (status, answer["code"]) == (409, "campaign_blocked")
    (problem,) = answer["problems"]
    assert (problem["code"], problem["params"]["status"]) == ("template_not_approved", "PAUSED"), problem
    assert problem["message"] == "variante a: o modelo oferta_fibra (pt_BR) está PAUSED"
    english = {**stage.marketer.headers, "Accept-Language": "en-US,en;q=0.9"}
    _, told = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", english)
    assert told["problems"][0]["message"] == "variant a: the template oferta_fibra (pt_BR) is PAUSED"
    assert "ends" in told["forecast"]["words"] or "nothing" in told["forecast"]["words"]


async def test_a_file_is_reported_row_by_row(stage: Stage) -> None:
    (one,) = await stage.people(1)
    home = one.phone.removeprefix("55")
    text = f"phone;valor\n({home[:2]}) {home[2:-4]}-{home[-4:]};89\n+{one.phone};90\n11 91000-0000;1\nabc;2\n+{one.phone}\n"
    status, made = await call(stage.hub, "POST", AUDIENCES, stage.marketer.headers, json={"name": "a.csv", "csv": text})
    assert status == 201 and (made["rows"], made["accepted"], made["columns"]) == (5, 1, ["valor"])
    _, report = await call(stage.hub, "GET", f"{AUDIENCES}/{made['id']}/problems", stage.marketer.headers)
    found = {row["line"]: row["problem"] for row in report["items"]}
    assert found == {3: "duplicate", 4: "unknown_customer", 5: "not_a_phone", 6: "wrong_columns"}


async def test_a_name_that_a_spreadsheet_would_run_is_text_in_a_message(stage: Stage, sim: Simulator) -> None:
    """Scenario 22: what an export made harmless comes back as it was, and is nothing but words."""
    people = await stage.people(6)
    names = ["=HYPERLINK(1)", "+55 11", "-Ana", "@SUM(A1)", "'aspas", "Bia"]
    cells = [as_text(name) for name in names]
    assert [cell[0] for cell in cells] == ["'"] * 5 + ["B"]
    lines = "".join(f'+{one.phone};"{cell}"\n' for one, cell in zip(people, cells, strict=True))
    _, made = await call(
        stage.hub, "POST", AUDIENCES, stage.marketer.headers, json={"name": "a.csv", "csv": f"phone;nome\n{lines}"}
    )
    variables = {"body.1": {"source": "csv.nome", "fallback": "cliente"}}
    audience = {"upload_id": made["id"]}
    await stage.begun(people, audience=audience, variants=[{**variant("a"), "variables": variables}])
    await stage.run()
    rows = await stage.hub.fetch("SELECT customer_id, payload FROM messages WHERE author = 'campaign'")
    told = {row["customer_id"]: row["payload"]["template"]["components"][0]["parameters"][0]["text"] for row in rows}
    assert [told[one.id] for one in people] == names


async def test_a_pause_holds_what_waits_and_the_rest_goes_on_exactly(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(60)
    campaign_id = await stage.begun(people, pacing={"runway": 20})
    await stage.tick()
    assert (await stage.states())["queued"] == 20
    await stage.step(campaign_id, "pause")
    await drain_all(stage.hub.services)
    await stage.tick(3)
    await drain_all(stage.hub.services)
    assert sim.core.ledger.accepted_calls == 0
    await stage.step(campaign_id, "resume")
    await stage.run()
    assert await stage.states() == {"sent": 60} and sim.core.ledger.accepted_calls == 60
    assert await stage.hub.fetchval("SELECT count(*) FROM messages WHERE author = 'campaign'") == 60


async def test_cancelling_sends_nothing_more(stage: Stage, sim: Simulator) -> None:
    campaign_id = await stage.begun(await stage.people(30), pacing={"runway": 10})
    await stage.tick()
    await stage.step(campaign_id, "cancel")
    await stage.tick(2)
    await drain_all(stage.hub.services)
    assert await stage.states() == {"cancelled": 30} and sim.core.ledger.accepted_calls == 0
    assert await stage.hub.fetchval("SELECT count(*) FROM campaign_runs WHERE state = 'cancelled'") == 1


async def test_who_opts_out_meanwhile_gets_nothing_after_the_commit(stage: Stage, sim: Simulator) -> None:
    """Scenario 29: one while he waits in the outbox, one while his turn is still to come."""
    people = await stage.people(20)
    await stage.begun(people, pacing={"runway": 10})
    await stage.tick()
    rows = await stage.hub.fetch("SELECT customer_id, state FROM campaign_recipients ORDER BY state")
    waiting = next(row["customer_id"] for row in rows if row["state"] == "pending")
    queued = next(row["customer_id"] for row in rows if row["state"] == "queued")
    for customer_id in (waiting, queued):
        async with stage.hub.services.transaction() as tx:
            await consent.record(
                tx, customer_id, "marketing", granted=False, source="api", evidence={}, occurred_at=now()
            )
    await stage.run()
    found = {
        row["customer_id"]: (row["state"], row["excluded_for"])
        for row in await stage.hub.fetch("SELECT customer_id, state, excluded_for FROM campaign_recipients")
    }
    assert (found[waiting], found[queued]) == (("excluded", "suppressed"), ("excluded", "stopped"))
    assert sim.core.ledger.accepted_calls == 18


async def test_a_budget_is_never_passed(stage: Stage, sim: Simulator) -> None:
    _, price = await _price(stage)
    campaign_id = await stage.begun(
        await stage.people(12), budget_micros=price[0] * 7, budget_currency=price[1], pacing={"runway": 5}
    )
    for _ in range(4):
        await stage.tick()
        await drain_all(stage.hub.services)
    row = await stage.of(campaign_id)
    assert (row["state"], row["block_reason"], row["placed"]) == ("paused", "budget", 7)
    assert sim.core.ledger.accepted_calls == 7
    _, told = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/decisions", stage.marketer.headers)
    assert (told["items"][0]["rule"], told["items"][0]["evidence"]["placed"]) == ("budget", 7)

    more = {"json": {"budget_micros": price[0] * 9}}
    path = f"{CAMPAIGNS}/{campaign_id}/budget"
    status, refused = await call(stage.hub, "PUT", path, stage.marketer.headers, **more)
    assert (status, refused["code"]) == (409, "needs_second_person"), "a marketer may approve, but not what is his"
    old = {**stage.supervisor.headers, "If-Match": f'"{row["version"] - 1}"'}
    assert (await call(stage.hub, "PUT", path, old, **more))[0] == 412
    status, raised = await call(stage.hub, "PUT", path, stage.supervisor.headers, **more)
    assert (status, raised["budget_micros"], raised["state"]) == (200, price[0] * 9, "paused")
    await stage.step(campaign_id, "resume")
    for _ in range(4):
        await stage.tick()
        await drain_all(stage.hub.services)
    row = await stage.of(campaign_id)
    assert (row["block_reason"], row["placed"], sim.core.ledger.accepted_calls) == ("budget", 9, 9)
    await call(stage.hub, "PUT", path, stage.supervisor.headers, json={"budget_micros": None})
    await stage.step(campaign_id, "resume")
    await stage.run()
    assert (await stage.of(campaign_id))["state"] == "completed" and sim.core.ledger.accepted_calls == 12
    status, over = await call(stage.hub, "PUT", path, stage.supervisor.headers, **more)
    assert (status, over["code"]) == (409, "campaign_state")


async def _price(stage: Stage) -> tuple[UUID, tuple[int, str]]:
    from hub_api.campaign_jobs import CHANNEL

    price = await CHANNEL.price(stage.hub.services, "marketing")
    assert price is not None
    return stage.number_id, price

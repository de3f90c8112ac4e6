"""What stops or delays a campaign is told where people look: in its state with a decision, in the monitor, in the log."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api import campaign_jobs
from hub_api.campaigns.lists import freeze as lists
from hub_api.errors import Unavailable
from hub_api.simulator.server import Simulator
from tests.auth.people import call
from tests.campaigns.engine.stage import ALWAYS, CAMPAIGNS, Stage, variant
from tests.support.sending import drain_all


async def monitor(stage: Stage, campaign_id: UUID) -> dict[str, Any]:
    """What whoever watches the campaign sees."""
    status, told = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/monitor", stage.supervisor.headers)
    assert status == 200, told
    return dict(told)


@pytest.mark.parametrize(("column", "value", "rule"), [
    ("quality", "RED", "guardrail"), ("status", "PAUSED", "guardrail"), ("status", "REJECTED", "template"),
])  # fmt: skip
async def test_a_template_that_is_refused_stops_its_campaign_until_a_person_resumes_it(
    stage: Stage, sim: Simulator, column: str, value: str, rule: str
) -> None:
    shares = [variant("a", 0.5), variant("b", 0.5, "outra")]
    await stage.template(sim, "outra")
    campaign_id = await stage.begun(await stage.people(40), variants=shares, pacing={"runway": 10})
    await stage.tick()
    await drain_all(stage.hub.services)
    await stage.hub.fetch(f"UPDATE templates SET {column} = $1 WHERE name = 'outra'", value)
    await stage.tick()
    row = await stage.of(campaign_id)
    assert (row["state"], row["block_reason"]) == ("paused", rule)
    _, decided = await call(stage.hub, "GET", f"{CAMPAIGNS}/{campaign_id}/decisions", stage.supervisor.headers)
    (decision,) = decided["items"]
    assert (decision["rule"], decision["outcome"]) == (rule, "stop")
    assert (decision["evidence"]["variant"], decision["evidence"]["template"]) == ("b", "outra")
    assert decision["evidence"]["status"] == ("LOW_QUALITY" if value == "RED" else value)
    before = sim.core.ledger.accepted_calls
    await stage.tick(2)
    await drain_all(stage.hub.services)
    assert sim.core.ledger.accepted_calls == before

    await stage.hub.fetch("UPDATE templates SET status = 'APPROVED', quality = 'GREEN'")
    await stage.hub.fetch("UPDATE campaign_recipients SET send_after = now() WHERE state = 'pending'")
    await stage.step(campaign_id, "resume")
    await stage.run()
    assert await stage.states() == {"sent": 40} and sim.core.ledger.accepted_calls == 40


async def test_whoever_watches_sees_what_a_campaign_waits_for(stage: Stage, sim: Simulator) -> None:
    campaign_id = await stage.begun(await stage.people(9), pacing={"per_day": 4})
    await stage.tick()
    await stage.hub.fetch(
        "UPDATE messages SET put_off = 'quota', not_before = now() + interval '1 hour' WHERE author = 'campaign'"
    )
    await stage.tick()
    told = await monitor(stage, campaign_id)
    assert (told["waits_for"], told["put_off"], told["held"]) == ("per_day", {"quota": 4}, 0)
    await stage.step(campaign_id, "pause")
    told = await monitor(stage, campaign_id)
    assert (told["waits_for"], told["put_off"], told["held"]) == (None, {}, 4)
    await stage.step(campaign_id, "resume")
    await stage.hub.fetch("UPDATE campaigns SET pacing = pacing - 'per_day'")
    await stage.hub.fetch("UPDATE whatsapp_numbers SET state = 'paused'")
    await stage.tick()
    assert (await monitor(stage, campaign_id))["waits_for"] == "no_number"
    await stage.hub.fetch("UPDATE whatsapp_numbers SET state = 'connected'")
    await stage.hub.fetch("UPDATE campaign_recipients SET send_after = now() WHERE state = 'pending'")
    await stage.run()
    told = await monitor(stage, campaign_id)
    assert (told["waits_for"], told["recipients"]) == (None, {"sent": 9})

    smooth = {"share": 0.1, "at_least": 2, "wait_minutes": 60}
    careful = await stage.begun(
        await stage.people(5, first=20), name="Outra", pacing={"smooth_start": smooth, "cap": None}
    )
    for _ in range(2):
        await stage.tick()
        await drain_all(stage.hub.services)
    assert (await monitor(stage, careful))["waits_for"] == "smooth_start"


async def test_a_list_that_waits_for_the_warehouse_says_so(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign_id = await stage.begun(await stage.people(2))

    async def away(*_: Any) -> Any:
        raise Unavailable("the warehouse does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(lists, "open_source", away)
        with pytest.raises(Unavailable):
            await stage.tick()
    assert (await monitor(stage, campaign_id))["waits_for"] == "unavailable"
    await stage.hub.fetch("UPDATE campaign_runs SET last_turn_at = NULL")
    await stage.run()
    assert (await monitor(stage, campaign_id))["waits_for"] is None and await stage.states() == {"sent": 2}


async def test_a_campaign_in_trouble_keeps_no_other_from_its_turn(stage: Stage) -> None:
    rhythm = {"every": "day", "hour": 10}
    broken = await stage.begun(await stage.people(1), kind="recurring", schedule={**ALWAYS, "rhythm": rhythm})
    sound = await stage.begun(await stage.people(2, first=1), name="Outra")
    await stage.hub.fetch(
        "UPDATE campaigns SET schedule = jsonb_set(schedule, '{rhythm,every}', '\"never\"') WHERE id = $1", broken
    )
    with pytest.raises(KeyError):
        await campaign_jobs.watch.function(stage.hub.services)
    assert await stage.hub.fetchval("SELECT state FROM campaign_runs WHERE campaign_id = $1", sound) == "freezing"
    await stage.hub.fetch("UPDATE campaigns SET state = 'paused' WHERE id = $1", broken)
    await stage.run()
    assert await stage.states(sound) == {"sent": 2}


async def test_what_comes_again_is_completed_when_its_end_has_come_and_its_last_run_is_over(stage: Stage) -> None:
    until = datetime.now(UTC) + timedelta(hours=2)
    schedule = {**ALWAYS, "until": until.isoformat(), "rhythm": {"every": "day", "hour": 10}}
    campaign_id = await stage.begun(await stage.people(3), kind="recurring", schedule=schedule)
    await stage.tick()
    await stage.hub.fetch("UPDATE campaigns SET next_at = now() - interval '1 second'")
    await stage.tick()
    await stage.hub.fetch(
        "UPDATE campaigns SET next_at = now(), schedule = jsonb_set(schedule, '{until}', to_jsonb(now()))"
    )
    await stage.tick()
    assert (await stage.of(campaign_id))["state"] == "running", "what is in the outbox goes out"
    await stage.run()
    await stage.tick()
    assert (await stage.of(campaign_id))["state"] == "completed" and await stage.states() == {"sent": 3}
    assert await stage.hub.fetchval("SELECT count(*) FROM campaign_runs") == 1


async def test_a_notice_of_an_invoice_names_that_invoice(stage: Stage, sim: Simulator) -> None:
    people = await stage.people(2)
    await stage.contracts([one.id for one in people])
    invoice = (
        "INSERT INTO invoices (external_id, contract_id, reference_month, amount_micros, due_on, status, updated_at) "
        "SELECT $1 || customer_id, external_id, current_date, $2, current_date + $3::int, 'open', $4 FROM contracts WHERE customer_id = $5"
    )
    long_ago = datetime.now(UTC) - timedelta(days=90)
    await stage.hub.fetch(invoice, "velha", 500_000_000, -60, long_ago, people[0].id)
    texts = {
        "body.1": {"source": "trigger.amount", "fallback": "o valor no aplicativo"},
        "body.2": {"source": "trigger.due_on", "fallback": "o dia no aplicativo"},
        "body.3": {"source": "trigger.region_code", "fallback": "sua região"},
    }
    example = {"body_text": [["R$ 1,00", "01/01/2026", "fim"]]}
    body = [{"type": "BODY", "text": "Fatura de {{1}}, vence em {{2}}, {{3}}.", "example": example}]
    await stage.template(sim, "aviso_de_fatura", body, "UTILITY")
    given: dict[str, Any] = {
        "kind": "triggered", "lane": "utility", "schedule": {**ALWAYS, "trigger": {"event": "invoice_issued"}},
        "variants": [{**variant("a", template="aviso_de_fatura"), "variables": texts}],
    }  # fmt: skip
    _, made = await call(stage.hub, "POST", CAMPAIGNS, stage.marketer.headers, json=await stage.plan(people, **given))
    _, checked = await call(stage.hub, "POST", f"{CAMPAIGNS}/{made['id']}/check", stage.marketer.headers)
    (problem,) = checked["problems"]
    assert (problem["code"], problem["params"]["source"]) == ("trigger_field", "trigger.region_code")
    assert "trigger.region_code" in problem["message"]

    texts["body.3"] = {"source": "text", "fallback": "obrigado"}
    await stage.begun(people, **given)
    await stage.tick()
    await stage.hub.fetch(invoice, "nova", 89_900_000, 9, datetime.now(UTC), people[0].id)
    await stage.run()
    (sent,) = await stage.hub.fetch("SELECT customer_id, payload FROM messages WHERE author = 'campaign'")
    told = [one["text"] for one in sent["payload"]["template"]["components"][0]["parameters"]]
    due = await stage.hub.fetchval("SELECT to_char(current_date + 9, 'DD/MM/YYYY')")
    assert (sent["customer_id"], told) == (people[0].id, ["R$ 89,90", due, "obrigado"])


async def test_a_notice_of_an_outage_says_until_when_to_those_of_its_audience(stage: Stage) -> None:
    people = await stage.people(3)
    await stage.contracts([one.id for one in people[:2]], "SP-01")
    texts = {"body.1": {"source": "trigger.expected_end", "fallback": "em breve"}}
    await stage.begun(
        people[1:], kind="triggered", lane="utility", schedule={**ALWAYS, "trigger": {"event": "outage_started"}},
        variants=[{**variant("a", template="boas_vindas"), "variables": texts}],
    )  # fmt: skip
    await stage.tick()
    ends = datetime(2030, 3, 4, 21, 30, tzinfo=UTC)
    await stage.hub.fetch(
        "INSERT INTO outages (external_id, region_code, service, started_at, expected_end_at) VALUES ('Q1', 'SP-01', 'fiber', now(), $1)",
        ends,
    )
    await stage.run()
    (sent,) = await stage.hub.fetch("SELECT customer_id, payload FROM messages WHERE author = 'campaign'")
    assert sent["customer_id"] == people[1].id, (
        "the first is struck and not in the file, the third is in it and not struck"
    )
    (text,) = sent["payload"]["template"]["components"][0]["parameters"]
    assert text["text"] == "04/03 às 18:30"

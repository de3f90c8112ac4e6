"""Our templates are what Meta says they are: by webhook at once, by reading as safety; and sends follow."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from hub_api import roles
from hub_api.platform.ids import uuid7
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator import review
from hub_api.simulator.config import PORTFOLIO_ID, WABA_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.model import Template
from hub_api.simulator.server import Simulator
from hub_api.whatsapp import accounts
from hub_api.whatsapp.send.meta import NotAccepted
from hub_api.whatsapp.templates import news, read
from hub_api.whatsapp.templates.access import RefusedByMeta
from hub_api.whatsapp.templates.sync import due_accounts, relabel_queued, sync_on_clock, sync_templates
from hub_api.whatsapp.updates import TemplateStatusUpdate
from tests.support.hub import Hub
from tests.support.process import free_port
from tests.support.sending import add_our_number, add_people, drain_all, message, queue, states, template
from tests.support.waiting import eventually


def at_meta(sim: Simulator, name: str) -> Template:
    return sim.core.world.wabas[WABA_ID].templates[(name, "pt_BR")]


async def test_templates_become_what_meta_lists_page_by_page(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    waba = sim.core.world.wabas[WABA_ID]
    for number in range(230):
        body = {"type": "BODY", "text": f"Aviso {number}"}
        sim.core.world.add_template(
            waba, name=f"aviso_{number}", language="pt_BR", category="UTILITY", components=[body]
        )
    listed = len(waba.templates)
    assert listed > 2 * 100, "less than three pages prove nothing"
    assert await sync_templates(services, account_id) == listed
    rows = {row["name"]: row for row in await services.db.fetch("SELECT * FROM templates")}
    assert len(rows) == listed
    assert (rows["oferta_fibra"]["category"], rows["oferta_fibra"]["status"]) == ("MARKETING", "APPROVED")
    assert rows["aviso_7"]["components"] == [{"type": "BODY", "text": "Aviso 7"}]
    assert rows["fatura_disponivel"]["parameter_format"] == "NAMED"
    del waba.templates[("aviso_7", "pt_BR")]
    waba.templates[("oferta_fibra", "pt_BR")].status = "PAUSED"
    await sync_templates(services, account_id)
    await sync_templates(services, account_id)
    found = await services.db.fetch(
        "SELECT name, status FROM templates WHERE name IN ('aviso_7', 'oferta_fibra') ORDER BY 1"
    )
    assert [tuple(row) for row in found] == [("aviso_7", "DELETED"), ("oferta_fibra", "PAUSED")]
    assert await services.db.fetchval("SELECT count(*) FROM templates") == listed
    assert await services.db.fetchval("SELECT count(*) FROM template_versions WHERE author = 'meta'") == listed


async def test_a_sync_that_meta_refuses_or_never_answers_changes_nothing(
    services: Services, settings: Settings, account_id: UUID
) -> None:
    await sync_templates(services, account_id)
    before = await services.db.fetchval("SELECT count(*) FROM templates WHERE status = 'APPROVED'")
    await accounts.add_account(services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="P", token="wrong")
    with pytest.raises(RefusedByMeta, match="refused to list the templates"):
        await sync_templates(services, account_id)
    nowhere = settings.model_copy(update={"meta_base_url": f"http://127.0.0.1:{free_port()}"})
    async with roles.services(nowhere, "test") as cut_off:
        with pytest.raises(NotAccepted):
            await sync_templates(cut_off, account_id)
    assert await services.db.fetchval("SELECT count(*) FROM templates WHERE status = 'APPROVED'") == before
    assert "no connection" in await services.db.fetchval("SELECT failure FROM template_syncs")


async def test_a_template_meta_does_not_know_is_looked_up_again(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    number_id = await add_our_number(services)
    await sync_templates(services, account_id)
    [person] = await add_people(services, number_id, 1)
    sim.core.faults.add(Fault("error", code=132001, times=1))
    await queue(services, person, template())
    await drain_all(services)
    status = "SELECT status FROM templates WHERE name = 'boas_vindas'"
    assert await services.db.fetchval(status) == "NOT_FOUND"
    bells = await services.redis.keys("bell:whatsapp.send.jobs.resync_templates:*")
    assert [bell.decode().rpartition(":")[2] for bell in bells] == [str(account_id)]
    await sync_templates(services, account_id)
    assert await services.db.fetchval(status) == "APPROVED"


async def test_what_was_written_in_meta_s_own_tools_becomes_a_version(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    await sync_templates(services, account_id)
    document = at_meta(sim, "fatura_com_documento")
    document.components = [
        {**document.components[0], "example": {"header_handle": ["https://scontent.example/expires"]}},
        *document.components[1:],
    ]
    at_meta(sim, "boas_vindas").components = [{"type": "BODY", "text": "Olá {{1}}, que bom ter você aqui!"}]
    await sync_templates(services, account_id)
    counts = dict(
        await services.db.fetch(
            "SELECT t.name, count(*) FROM template_versions v JOIN templates t ON t.id = v.template_id GROUP BY 1"
        )
    )
    assert counts["boas_vindas"] == 2
    assert counts["fatura_com_documento"] == 1, "an address of a sample that expires is no new content"


async def test_a_hundred_accounts_take_turns_within_the_period(services: Services, account_id: UUID) -> None:
    await services.db.execute(
        "INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted) "
        "SELECT gen_random_uuid(), 'w' || n, '1', 'x', 'x' FROM generate_series(1, 99) n"
    )
    seen: list[UUID] = []
    while turn := await due_accounts(services):
        assert len(turn) <= 5
        seen += turn
    assert len(seen) == len(set(seen)) == 100
    hours = await services.db.fetch(
        "SELECT floor(extract(epoch FROM next_at - now()) / 3600) AS hour, count(*) FROM template_syncs GROUP BY 1 ORDER BY 1"
    )
    assert [int(row["hour"]) for row in hours] == list(range(6)) and max(row["count"] for row in hours) < 40
    await services.db.execute("UPDATE template_syncs SET next_at = now() WHERE account_id = $1", account_id)
    assert await due_accounts(services) == [account_id]
    assert await due_accounts(services) == []


async def test_the_clock_s_sync_keeps_its_failure_and_goes_on(services: Services, account_id: UUID) -> None:
    assert account_id in await due_accounts(services)
    await accounts.add_account(services, waba_id=WABA_ID, portfolio_id=PORTFOLIO_ID, name="P", token="wrong")
    await sync_on_clock(services, account_id)
    assert "190" in await services.db.fetchval("SELECT failure FROM template_syncs")
    await add_our_number(services)
    await sync_on_clock(services, account_id)
    assert await services.db.fetchval("SELECT failure FROM template_syncs") is None


@pytest.fixture
async def told(hub: Hub, sim: Simulator) -> Hub:
    """The hub with an account whose webhooks come."""
    await add_our_number(hub.services)
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    await sync_templates(hub.services, await hub.fetchval("SELECT id FROM whatsapp_accounts"))
    return hub


async def heard(hub: Hub, sim: Simulator) -> None:
    await delivered(sim)
    await hub.settled()


async def delivered(sim: Simulator) -> None:
    """What the simulator has to tell by now has been told; what it plans for later stays planned."""
    await eventually(lambda: not sim.core.delivery.moving, every_s=0.005)


async def shown(hub: Hub, name: str) -> dict:
    return await read.get_template(hub.services, await read.find_template(hub.services, name, "pt_BR"))


async def test_a_pause_is_heard_at_once_and_ends_by_itself(told: Hub, sim: Simulator) -> None:
    review.pause(sim.core, at_meta(sim, "oferta_fibra"))
    await heard(told, sim)
    paused = await shown(told, "oferta_fibra")
    assert (paused["status"], paused["sends"]) == ("PAUSED", False)
    assert paused["status_detail"]["title"] == "FIRST_PAUSE"
    review.unpause(sim.core, at_meta(sim, "oferta_fibra"))
    await heard(told, sim)
    again = await shown(told, "oferta_fibra")
    assert (again["status"], again["sends"], again["status_detail"]["title"]) == ("APPROVED", True, "UNPAUSE")


async def test_a_text_changed_at_meta_is_read_again(told: Hub, sim: Simulator) -> None:
    value = {"message_template_id": int(at_meta(sim, "boas_vindas").id), "message_template_name": "boas_vindas",
             "message_template_language": "pt_BR", "message_template_element": "Outro texto"}  # fmt: skip
    sim.core.tell_account(sim.core.world.wabas[WABA_ID], "message_template_components_update", value)
    await heard(told, sim)
    account_id = await told.fetchval("SELECT id FROM whatsapp_accounts")
    assert await told.services.redis.keys(f"bell:whatsapp.send.jobs.resync_templates:{account_id}")


async def test_a_name_deleted_at_meta_is_blocked_here(told: Hub, sim: Simulator) -> None:
    review.set_status(sim.core, at_meta(sim, "boas_vindas"), "DELETED")
    await heard(told, sim)
    assert (await shown(told, "boas_vindas"))["status"] == "DELETED"
    assert await told.fetchval("SELECT name FROM template_name_blocks WHERE blocked_until > now() + interval '29 days'")


async def test_red_quality_stops_new_sends_and_green_lets_them_go(told: Hub, sim: Simulator) -> None:
    number_id = await told.fetchval("SELECT id FROM whatsapp_numbers")
    [person] = await add_people(told.services, number_id, 1)
    review.set_quality(sim.core, at_meta(sim, "boas_vindas"), "RED")
    await heard(told, sim)
    assert (await shown(told, "boas_vindas"))["sends"] is False
    [message_id] = await queue(told.services, person, template())
    await drain_all(told.services)
    waiting = await message(told.services, message_id)
    assert waiting["state"] == "queued" and waiting["not_before"] > datetime.now(UTC)
    body = {"type": "template", "name": "boas_vindas", "language": "pt_BR", "components": []}
    answer = await told.post(f"/api/v1/conversations/{person.conversation_id}/messages", headers=told.auth, json=body)
    assert answer.status == 409 and (await answer.json())["code"] == "template_not_approved"
    review.set_quality(sim.core, at_meta(sim, "boas_vindas"), "GREEN")
    await heard(told, sim)
    await told.services.db.execute("UPDATE messages SET not_before = NULL WHERE id = $1", message_id)
    await drain_all(told.services)
    assert await states(told.services, [message_id]) != ["queued"]
    qualities = [(c["old"], c["new"]) for c in (await shown(told, "boas_vindas"))["changes"] if c["what"] == "quality"]
    assert qualities == [("RED", "GREEN"), ("GREEN", "RED")]


async def test_a_change_of_category_is_announced_then_made_and_waiting_messages_change_lanes(
    told: Hub, sim: Simulator
) -> None:
    number_id = await told.fetchval("SELECT id FROM whatsapp_numbers")
    people = await add_people(told.services, number_id, 3)
    ids = [(await queue(told.services, person, template()))[0] for person in people]
    other = await queue(told.services, people[0], template("fatura_disponivel"))
    review.announce_category(sim.core, at_meta(sim, "boas_vindas"), "MARKETING")
    await delivered(sim)
    await hear_updates(told)
    announced = await shown(told, "boas_vindas")
    assert (announced["category"], announced["next_category"]) == ("UTILITY", "MARKETING")
    assert announced["category_changes_at"] - datetime.now(UTC) > timedelta(hours=23)
    review.announce_category(sim.core, at_meta(sim, "boas_vindas"), "MARKETING", notice_s=0)
    await delivered(sim)
    await hear_updates(told)
    changed = await shown(told, "boas_vindas")
    assert (changed["category"], changed["next_category"], changed["category_changes_at"]) == ("MARKETING", None, None)
    history = [(c["what"], c["new"]) for c in changed["changes"]]
    assert history == [("category", "MARKETING"), ("next_category", "MARKETING")]
    account_id = changed["account_id"]
    assert await told.services.redis.keys(f"bell:whatsapp.templates.jobs.relabel:{account_id}")
    assert await relabel_queued(told.services, account_id) == 3
    rows = await told.fetch("SELECT category, priority FROM messages WHERE id = ANY($1)", ids)
    assert [tuple(row) for row in rows] == [("marketing", 3)] * 3
    assert (await message(told.services, other[0]))["category"] == "utility"
    assert await relabel_queued(told.services, account_id) == 0


async def hear_updates(hub: Hub) -> None:
    """Handle what came in, and send nothing."""
    while await hub.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NULL"):
        await REGISTRY["whatsapp.jobs.split_inbox"].function(hub.services)
    for lane in range(hub.services.settings.inbox_lanes):
        await REGISTRY["whatsapp.jobs.handle_lane"].function(hub.services, lane)


async def test_an_older_status_that_comes_late_is_no_news(services: Services, account_id: UUID) -> None:
    await sync_templates(services, account_id)
    now = int(datetime.now(UTC).timestamp())

    async def tell(event: str, at: int) -> bool:
        update = TemplateStatusUpdate(
            waba_id=WABA_ID, phone_number_id=None, field="message_template_status_update", value={}, time=at, event=event,
            template_id="0", name="boas_vindas", language="pt_BR",
        )  # fmt: skip
        async with services.transaction() as tx:
            return await news.apply(tx, update)

    assert await tell("PAUSED", now)
    assert not await tell("APPROVED", now - 60)
    assert await services.db.fetchval("SELECT status FROM templates WHERE name = 'boas_vindas'") == "PAUSED"
    assert await tell("REINSTATED", now + 1)
    assert await services.db.fetchval("SELECT status FROM templates WHERE name = 'boas_vindas'") == "APPROVED"


async def test_a_list_that_was_read_before_a_webhook_does_not_undo_it(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    await sync_templates(services, account_id)
    await services.db.execute("UPDATE templates SET status = 'PAUSED' WHERE name = 'boas_vindas'")
    # The update above is newer than a reading that began before it; one that begins now is newer than the update.
    queries = read.queries
    began = datetime.now(UTC) - timedelta(minutes=1)
    row = dict(await services.db.fetchrow("SELECT * FROM templates WHERE name = 'boas_vindas'"))
    listed = {**{k: row[k] for k in ("meta_template_id", "name", "language", "category", "quality", "components")},
              "id": str(uuid7()), "status": "APPROVED", "parameter_format": "POSITIONAL"}  # fmt: skip
    await services.db.execute(queries.upsert_templates, account_id, [listed], began)
    assert await services.db.fetchval("SELECT status FROM templates WHERE name = 'boas_vindas'") == "PAUSED"
    await sync_templates(services, account_id)
    assert await services.db.fetchval("SELECT status FROM templates WHERE name = 'boas_vindas'") == "APPROVED"

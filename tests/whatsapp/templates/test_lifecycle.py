"""A template from the draft to its end: limits counted before Meta is asked, versions kept, lost answers settled."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub_api import roles
from hub_api.errors import Invalid, NotFound
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator import review
from hub_api.simulator.config import WABA_ID
from hub_api.simulator.model import Template
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.send.meta import NotAccepted
from hub_api.whatsapp.templates import drafts, read, submit
from hub_api.whatsapp.templates.access import BudgetSpent, RefusedByMeta
from hub_api.whatsapp.templates.check import Draft
from hub_api.whatsapp.templates.sync import sync_templates
from tests.support.hours import let_the_hour_last
from tests.support.process import free_port
from tests.whatsapp.templates.drafting import BODY, bill, plain


async def written(services: Services, account_id: UUID, draft: Draft | None = None) -> UUID:
    async with services.transaction() as tx:
        return (await drafts.create(tx, account_id, draft or bill(), "ana")).id


async def edited(services: Services, template_id: UUID, text: str, **changes: Any) -> int:
    async with services.transaction() as tx:
        return (await drafts.edit(tx, template_id, [plain(text)], "bia", **changes)).version


def at_meta(sim: Simulator, name: str = "fatura_nova") -> Template:
    return sim.core.world.wabas[WABA_ID].templates[(name, "pt_BR")]


async def approved(services: Services, sim: Simulator, account_id: UUID, draft: Draft | None = None) -> UUID:
    template_id = await written(services, account_id, draft)
    await submit.submit(services, template_id)
    review.set_status(sim.core, at_meta(sim, (draft or bill()).name), "APPROVED")
    await sync_templates(services, account_id)
    return template_id


async def test_a_draft_is_reviewed_by_meta_and_its_versions_say_who_wrote_what(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    template_id = await written(services, account_id)
    draft = await read.get_template(services, template_id)
    assert (draft["status"], draft["sends"], draft["meta_template_id"]) == ("DRAFT", False, None)
    await submit.submit(services, template_id)
    pending = await read.get_template(services, template_id)
    assert (pending["status"], pending["meta_template_id"]) == ("PENDING", at_meta(sim).id)
    assert at_meta(sim).parameter_format == "NAMED" and at_meta(sim).components[0]["text"] == BODY["text"]
    review.set_status(sim.core, at_meta(sim), "APPROVED")
    await sync_templates(services, account_id)
    assert await edited(services, template_id, "Sua fatura nova já chegou.") == 2
    assert (await read.get_template(services, template_id))["components"][0]["text"] == BODY["text"]
    await submit.submit(services, template_id)
    review.set_status(sim.core, at_meta(sim), "REJECTED", reason="INVALID_FORMAT")
    at_meta(sim).rejected_reason = "INVALID_FORMAT"
    await sync_templates(services, account_id)
    full = await read.get_template(services, template_id)
    told = [(v["number"], v["state"], v["author"], v["call"]) for v in full["versions"]]
    assert told == [(2, "rejected", "bia", "edit_approved"), (1, "approved", "ana", "create")]
    assert full["versions"][0]["answer"]["reason"] == "INVALID_FORMAT"
    statuses = [(c["old"], c["new"]) for c in full["changes"] if c["what"] == "status"]
    assert statuses == [("PENDING", "REJECTED"), ("APPROVED", "PENDING"), ("PENDING", "APPROVED"), ("DRAFT", "PENDING")]


async def test_a_draft_that_breaks_a_limit_is_not_kept(services: Services, account_id: UUID) -> None:
    with pytest.raises(Invalid) as broken:
        await written(services, account_id, bill(name="Com Espaço", components=[plain("a" * 1025)]))
    assert [error["field"] for error in broken.value.context["errors"]] == ["name", "components[0].text"]
    assert await services.db.fetchval("SELECT count(*) FROM templates") == 0
    with pytest.raises(NotFound, match="no WhatsApp account"):
        await written(services, uuid4())


async def test_a_name_is_taken_once_for_each_language(services: Services, account_id: UUID) -> None:
    await written(services, account_id)
    with pytest.raises(drafts.TemplateExists):
        await written(services, account_id)
    await written(services, account_id, bill(language="en"))
    with pytest.raises(drafts.VersionChanged):
        template_id = await read.find_template(services, "fatura_nova", "pt_BR")
        await edited(services, template_id, "Texto novo aqui.", if_version=7)


async def test_what_meta_refuses_is_kept_with_its_words_and_can_be_written_anew(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    body = {"type": "BODY", "text": "Aviso de outra ferramenta"}
    sim.core.world.add_template(
        sim.core.world.wabas[WABA_ID], name="fatura_nova", language="pt_BR", category="UTILITY", components=[body]
    )
    template_id = await written(services, account_id)
    with pytest.raises(RefusedByMeta, match="already content"):
        await submit.submit(services, template_id)
    [version] = (await read.get_template(services, template_id))["versions"]
    assert version["state"] == "refused" and version["answer"]["refused"]["code"] == 100
    with pytest.raises(submit.NothingToSubmit):
        await submit.submit(services, template_id)


async def test_a_deleted_name_is_blocked_for_thirty_days(services: Services, sim: Simulator, account_id: UUID) -> None:
    template_id = await approved(services, sim, account_id)
    await submit.delete(services, template_id)
    await submit.delete(services, template_id)
    assert ("fatura_nova", "pt_BR") not in sim.core.world.wabas[WABA_ID].templates
    assert await written(services, account_id) == template_id
    with pytest.raises(submit.TemplateLimit, match="was deleted") as blocked:
        await submit.submit(services, template_id)
    assert "retry_at" in blocked.value.context
    await services.db.execute("UPDATE template_name_blocks SET blocked_until = now() - interval '1 second'")
    sim.core.world.wabas[WABA_ID].deleted_names.clear()
    await submit.submit(services, template_id)
    assert [v["number"] for v in (await read.get_template(services, template_id))["versions"]] == [2, 1]


async def test_a_draft_that_meta_never_saw_just_goes(services: Services, sim: Simulator, account_id: UUID) -> None:
    template_id = await written(services, account_id)
    await submit.delete(services, template_id)
    with pytest.raises(NotFound):
        await read.get_template(services, template_id)


async def test_an_approved_template_is_edited_once_a_day_and_ten_times_in_thirty_days(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    template_id = await approved(services, sim, account_id)
    calls = sim.core.world.wabas[WABA_ID].management_calls
    for age_days in range(29, 19, -1):
        await edited(services, template_id, f"Aviso número {age_days} da sua conta.")
        await submit.submit(services, template_id)
        review.set_status(sim.core, at_meta(sim), "APPROVED")
        at_meta(sim).edits.clear()  # Meta's own count is not what is tested
        await sync_templates(services, account_id)
        before = len(calls)
        await edited(services, template_id, "Mais uma vez, sua conta.")
        with pytest.raises(submit.TemplateLimit, match="once in 24 h"):
            await submit.submit(services, template_id)
        assert len(calls) == before, "Meta was asked"
        await services.db.execute(
            "UPDATE template_versions SET submitted_at = now() - $2 * interval '1 day' "
            "WHERE template_id = $1 AND submitted_at > now() - interval '1 day' AND call = 'edit_approved'",
            template_id,
            age_days,
        )
    with pytest.raises(submit.TemplateLimit, match="10 times in 30 days"):
        await submit.submit(services, template_id)
    with pytest.raises(drafts.NotEditable, match="category"):
        await edited(services, template_id, "Oferta para sua conta.", category="MARKETING")


async def test_a_hundred_creations_an_hour_and_the_account_s_places_are_counted_here(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    template_id = await written(services, account_id)
    await services.db.execute(
        "WITH t AS (INSERT INTO templates (id, account_id, name, language, category, status, meta_template_id) "
        "SELECT gen_random_uuid(), $1, 't' || n, 'pt_BR', 'UTILITY', 'APPROVED', n FROM generate_series(1, 100) n RETURNING id) "
        "INSERT INTO template_versions (id, template_id, number, category, parameter_format, components, fingerprint, state, "
        "author, call, submitted_at) SELECT gen_random_uuid(), id, 1, 'UTILITY', 'POSITIONAL', '[]', sha256(''), 'approved', "
        "'x', 'create', now() - interval '59 minutes' FROM t",
        account_id,
    )
    with pytest.raises(submit.TemplateLimit, match="100 templates were created"):
        await submit.submit(services, template_id)
    await services.db.execute(
        "UPDATE template_versions SET submitted_at = now() - interval '61 minutes' WHERE author = 'x'"
    )
    await services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status, meta_template_id) "
        "SELECT gen_random_uuid(), $1, 'u' || n, 'pt_BR', 'UTILITY', 'APPROVED', n FROM generate_series(1, 150) n",
        account_id,
    )
    with pytest.raises(submit.TemplateLimit, match="has its 250 templates"):
        await submit.submit(services, template_id)
    assert not sim.core.world.wabas[WABA_ID].management_calls
    await sync_templates(
        services, account_id
    )  # Meta says that it allows the verified portfolio 6,000, and lists none of these
    await submit.submit(services, template_id)
    assert await services.db.fetchval("SELECT capacity FROM template_syncs") == 6_000


async def test_management_calls_stay_within_meta_s_hour_and_half_is_left_to_people(
    services: Services, account_id: UUID
) -> None:
    let_the_hour_last(30)
    await services.db.execute(
        "UPDATE whatsapp_numbers SET state = 'offline'"
    )  # without a number that sends: 200 an hour
    spent = "INSERT INTO management_calls VALUES ($1, date_trunc('hour', now()) - interval '1 hour', $2)"
    await services.db.execute(spent, account_id, 150)
    with pytest.raises(BudgetSpent):
        await sync_templates(services, account_id, kept=0.5)
    await sync_templates(services, account_id)
    await services.db.execute("UPDATE management_calls SET calls = 199 WHERE hour < date_trunc('hour', now())")
    template_id = await written(services, account_id)
    with pytest.raises(BudgetSpent):
        await submit.submit(services, template_id)
    assert (await read.get_template(services, template_id))["versions"][0]["state"] == "draft"


async def test_without_meta_a_draft_stays_a_draft(services: Services, settings: Settings, account_id: UUID) -> None:
    template_id = await written(services, account_id)
    nowhere = settings.model_copy(update={"meta_base_url": f"http://127.0.0.1:{free_port()}"})
    async with roles.services(nowhere, "test") as cut_off:
        with pytest.raises(NotAccepted):
            await submit.submit(cut_off, template_id)
    await submit.submit(services, template_id)
    assert [v["state"] for v in (await read.get_template(services, template_id))["versions"]] == ["submitted"]


@pytest.mark.parametrize("arrived", [True, False], ids=["Meta has it", "Meta never got it"])
async def test_a_lost_answer_is_settled_by_what_meta_lists(
    services: Services, sim: Simulator, account_id: UUID, settings: Settings, arrived: bool
) -> None:
    template_id = await written(services, account_id)

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.close()

    deaf = await asyncio.start_server(swallow, "127.0.0.1", 0)
    port = deaf.sockets[0].getsockname()[1]
    async with (
        deaf,
        roles.services(settings.model_copy(update={"meta_base_url": f"http://127.0.0.1:{port}"}), "t") as cut,
    ):
        with pytest.raises(submit.OutcomeNotKnown):
            await submit.submit(cut, template_id)
    with pytest.raises(submit.NothingToSubmit, match="answer was lost"):
        await submit.submit(services, template_id)
    if arrived:
        draft = bill()
        sim.core.world.add_template(
            sim.core.world.wabas[WABA_ID],
            name=draft.name,
            language=draft.language,
            category="UTILITY",
            components=list(draft.components),
            parameter_format="NAMED",
        )
    await sync_templates(services, account_id)
    template = await read.get_template(services, template_id)
    assert [v["state"] for v in template["versions"]] == (["approved"] if arrived else ["draft"])
    assert template["status"] == ("APPROVED" if arrived else "DRAFT")


async def test_two_people_submit_once(services: Services, sim: Simulator, account_id: UUID) -> None:
    template_id = await written(services, account_id)
    results = await asyncio.gather(*(submit.submit(services, template_id) for _ in range(4)), return_exceptions=True)
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, submit.NothingToSubmit) for result in results) == 3
    assert len(sim.core.world.wabas[WABA_ID].created_at) == 1


async def test_a_pause_that_came_from_pacing_is_ended_by_a_person(
    services: Services, sim: Simulator, account_id: UUID
) -> None:
    template_id = await approved(services, sim, account_id)
    with pytest.raises(drafts.NotEditable, match="not PAUSED"):
        await submit.unpause(services, template_id)
    review.pause(sim.core, at_meta(sim))
    await sync_templates(services, account_id)
    await submit.unpause(services, template_id)
    assert at_meta(sim).status == "APPROVED"
    bells = await services.redis.keys("bell:whatsapp.send.jobs.resync_templates:*")
    assert len(bells) == 1


async def test_a_throttled_submission_can_be_repeated(services: Services, sim: Simulator, account_id: UUID) -> None:
    template_id = await written(services, account_id)
    calls = sim.core.world.wabas[WABA_ID].management_calls
    calls.extend([sim.core.clock.now()] * 5_000)
    with pytest.raises(RefusedByMeta, match="80007"):
        await submit.submit(services, template_id)
    calls.clear()
    await submit.submit(services, template_id)
    assert (await read.get_template(services, template_id))["status"] == "PENDING"

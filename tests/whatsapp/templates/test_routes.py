"""Templates over HTTP and from the command line."""

from uuid import uuid4

import pytest
from typer.testing import CliRunner

from hub_api.cli import commands
from hub_api.simulator import review
from hub_api.simulator.config import WABA_ID
from hub_api.simulator.server import Simulator
from tests.support.hub import Hub
from tests.support.sending import add_our_number
from tests.whatsapp.templates.drafting import BODY, STOP, plain

PATH = "/api/v1/whatsapp/templates"


@pytest.fixture
async def account_id(hub: Hub) -> str:
    await add_our_number(hub.services)
    return str(await hub.fetchval("SELECT id FROM whatsapp_accounts"))


def bill(account_id: str, **changes) -> dict:
    return {
        "account_id": account_id,
        "name": "fatura_nova",
        "language": "pt_BR",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [BODY],
        **changes,
    }


async def call(hub: Hub, method: str, path: str, **arguments):
    headers = {**hub.auth, **arguments.pop("headers", {})}
    async with hub.session.request(method, hub.url + path, headers=headers, **arguments) as answer:
        await answer.read()
        return answer


async def test_a_template_is_written_submitted_edited_and_deleted(hub: Hub, sim: Simulator, account_id: str) -> None:
    created = await call(hub, "POST", PATH, json=bill(account_id))
    assert created.status == 201
    template_id = (await created.json())["id"]
    submitted = await call(hub, "POST", f"{PATH}/{template_id}/submit")
    assert (await submitted.json())["status"] == "PENDING"
    review.set_status(sim.core, sim.core.world.wabas[WABA_ID].templates[("fatura_nova", "pt_BR")], "APPROVED")
    synced = await call(hub, "POST", f"/api/v1/whatsapp/accounts/{account_id}/templates/sync")
    assert (await synced.json())["templates"] == len(sim.core.world.templates)
    read = await call(hub, "GET", f"{PATH}/{template_id}")
    assert (await read.json())["sends"] is True and read.headers["ETag"] == '"1"'
    edit = {"components": [plain("Sua fatura já está aqui.")], "parameter_format": "POSITIONAL"}
    stale = await call(hub, "PUT", f"{PATH}/{template_id}", json=edit, headers={"If-Match": '"9"'})
    assert stale.status == 412 and (await stale.json())["code"] == "version_changed"
    kept = await call(hub, "PUT", f"{PATH}/{template_id}", json=edit, headers={"If-Match": read.headers["ETag"]})
    assert (await kept.json())["version"] == 2
    listed = await call(hub, "GET", PATH, params={"status": "APPROVED", "name": "nova"})
    assert [item["name"] for item in (await listed.json())["items"]] == ["fatura_nova"]
    for _ in range(2):
        assert (await call(hub, "DELETE", f"{PATH}/{template_id}")).status == 204
    assert (await (await call(hub, "GET", f"{PATH}/{template_id}")).json())["status"] == "DELETED"


async def test_a_refused_draft_names_every_field(hub: Hub, account_id: str) -> None:
    answer = await call(hub, "POST", PATH, json=bill(account_id, name="Fatura", components=[plain("a" * 1025)]))
    problem = await answer.json()
    assert (answer.status, problem["code"]) == (422, "invalid")
    assert [error["field"] for error in problem["errors"]] == ["name", "components[0].text"]
    assert (await call(hub, "POST", PATH, json=bill(account_id, colour="green"))).status == 422


async def test_writing_twice_with_one_key_writes_once(hub: Hub, account_id: str) -> None:
    key = {"Idempotency-Key": "abc"}
    answers = [await call(hub, "POST", PATH, json=bill(account_id), headers=key) for _ in range(2)]
    assert await answers[0].json() == await answers[1].json()
    assert (await call(hub, "POST", PATH, json=bill(account_id))).status == 409


async def test_the_preview_is_json_or_a_page_that_runs_nothing(hub: Hub, account_id: str) -> None:
    template_id = (await (await call(hub, "POST", PATH, json=bill(account_id))).json())["id"]
    given = [("value", "primeiro_nome=<b>*Bia*"), ("value", "valor=R$ 5")]
    shown = (await (await call(hub, "GET", f"{PATH}/{template_id}/preview", params=given)).json())["preview"]
    assert shown["text"] == "Olá <b>Bia, sua fatura de R$ 5 já está disponível para pagamento."
    assert "&lt;b&gt;" in shown["html"] and "<b>" not in shown["html"]
    page = await call(hub, "GET", f"{PATH}/{template_id}/preview", params=[*given, ("format", "html")])
    assert page.content_type == "text/html" and "sandbox" in page.headers["Content-Security-Policy"]
    text = await page.text()
    assert "R$ 5" in text and "<script" not in text
    bad = await call(hub, "GET", f"{PATH}/{template_id}/preview", params={"value": "sem igual"})
    assert bad.status == 422
    assert (await call(hub, "GET", f"{PATH}/{template_id}/preview", params={"version": "7"})).status == 404
    assert (await call(hub, "GET", f"{PATH}/{uuid4()}/preview")).status == 404


async def test_an_unsaved_draft_is_checked_and_shown(hub: Hub, account_id: str) -> None:
    body = {"components": [{**BODY, "text": "{{primeiro_nome}}, oi de {{valor}} hoje"}], "category": "MARKETING",
            "parameter_format": "NAMED", "values": ["primeiro_nome=Caio"]}  # fmt: skip
    shown = await (await call(hub, "POST", f"{PATH}/preview", json=body)).json()
    assert shown["preview"]["text"] == "Caio, oi de R$ 99,90 hoje"
    assert [fault["field"] for fault in shown["faults"]] == ["components[0].text"]
    assert len(shown["warnings"]) == 2
    better = {**body, "components": [BODY, STOP]}
    assert (await (await call(hub, "POST", f"{PATH}/preview", json=better)).json())["faults"] == []


async def test_the_command_line_lists_shows_submits_and_syncs(
    hub: Hub, sim: Simulator, account_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    await call(hub, "POST", PATH, json=bill(account_id))
    settings = hub.services.settings
    monkeypatch.setattr("hub_api.settings.load_settings", lambda: settings)

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, commands, ["templates", *arguments])
        assert result.exit_code == 0, result.output + repr(result.exception)
        return result.stdout

    assert "PENDING" in await run("submit", "fatura_nova")
    review.set_status(sim.core, sim.core.world.wabas[WABA_ID].templates[("fatura_nova", "pt_BR")], "APPROVED")
    assert f"{WABA_ID}: {len(sim.core.world.templates)} templates" in await run("sync")
    assert '"name": "fatura_nova"' in await run("list", "--status", "APPROVED", "--json")
    shown = await run("show", "fatura_nova", "--language", "pt_BR")
    assert "Olá Ana, sua fatura de R$ 99,90" in shown and "approved" in shown

"""From the demo to a real number, against the simulator: every step passes, and each fails with its own remedy."""

import asyncio
import json
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from typer.testing import CliRunner

from hub_api import connect_operations
from hub_api.cli import commands
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, TOKEN, WABA_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.model import App, Number
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.connect import address_steps, message_step, meta_steps, run, setup, texts
from hub_api.whatsapp.connect.address_steps import address
from hub_api.whatsapp.connect.run import STEPS
from hub_api.whatsapp.connect.setup import Answers, Failed, Setup
from hub_api.whatsapp.send.meta import open_client
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.process import free_port
from tests.whatsapp.connect.conftest import PHONE, connect, failed
from tests.whatsapp.connect.tls import Authority, tls_in_front


async def test_every_step_passes_and_the_message_reaches_the_phone(
    live: Hub, settings: Settings, sim: Simulator
) -> None:
    outcomes = await connect(settings, live.url)
    assert failed(outcomes) == {}
    assert [outcome.step for outcome in outcomes] == [step.name for step in STEPS]
    assert outcomes[-1].facts["state"] in ("delivered", "read")
    assert sim.core.ledger.accepted_calls == 1
    assert await live.fetchval("SELECT waba_id FROM whatsapp_accounts") == WABA_ID
    assert await live.fetchval("SELECT phone_number_id FROM whatsapp_numbers") == PHONE_NUMBER_ID
    probes = "SELECT count(*) FROM webhook_event WHERE position('hub_connect_probe' IN convert_from(body, 'UTF8')) > 0"
    assert await live.fetchval(probes) == 1
    assert await live.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_the_account_is_billed_here_as_meta_bills_it(hub: Hub, settings: Settings, sim: Simulator) -> None:
    waba = sim.core.world.wabas[WABA_ID]
    waba.currency, waba.timezone = "USD", "America/Noronha"
    await connect(settings, hub.url, skip=("message",))
    assert [tuple(row) for row in await hub.fetch("SELECT currency, timezone FROM whatsapp_accounts")] == [
        ("USD", "America/Noronha")
    ]


async def test_a_second_run_remembers_its_answers_and_checks_again(
    live: Hub, settings: Settings, sim: Simulator
) -> None:
    await connect(settings, live.url, skip=("message",))
    kept = settings.home / "connect.json"
    memory = json.loads(kept.read_text())
    assert memory["answers"] == {
        "waba_id": WABA_ID, "portfolio_id": PORTFOLIO_ID, "phone_number_id": PHONE_NUMBER_ID, "url": live.url,
    }  # fmt: skip
    assert kept.stat().st_mode & 0o777 == 0o600
    assert TOKEN not in kept.read_text() and PHONE not in kept.read_text()
    since = memory["passed"]["payment"]
    again = await connect(settings, None, token=None, phone_number_id=None, skip=("message",))
    assert failed(again) == {} and json.loads(kept.read_text())["passed"]["payment"] == since
    sim.core.world.wabas[WABA_ID].payment_method = False
    told: list[tuple[str, str | None]] = []
    await connect_operations.connected(
        settings, Answers(), lambda _: None, skip=("message",), tell=lambda one, at: told.append((one.code, at))
    )
    assert ("no_payment", since) in told
    assert "payment" not in json.loads(kept.read_text())["passed"]


def an_app(**changes: Any) -> Callable[[Simulator], None]:
    def change(sim: Simulator) -> None:
        sim.core.app = replace(App(), **changes)

    return change


def a_number(**changes: Any) -> Callable[[Simulator], None]:
    def change(sim: Simulator) -> None:
        for name, value in changes.items():
            setattr(sim.core.world.numbers[PHONE_NUMBER_ID], name, value)

    return change


def a_waba(**changes: Any) -> Callable[[Simulator], None]:
    def change(sim: Simulator) -> None:
        for name, value in changes.items():
            setattr(sim.core.world.wabas[WABA_ID], name, value)

    return change


def two_numbers(sim: Simulator) -> None:
    sim.core.world.add_number(Number(id="106540000000009", display="551130009999", waba=sim.core.world.wabas[WABA_ID]))


Case = tuple[Callable[[Simulator], None], dict[str, Any], str, str]
NOTHING: Callable[[Simulator], None] = lambda sim: None  # noqa: E731

WRONG: dict[str, Case] = {
    "no token": (NOTHING, {"token": None}, "token", "needs_value"),
    "another token": (NOTHING, {"token": "EAAwrong"}, "token", "token_invalid"),
    "a token that was revoked": (an_app(token_valid=False), {}, "token", "token_invalid"),
    "a person's token": (an_app(token_type="USER"), {}, "token", "token_of_a_person"),
    "a token that ends": (an_app(token_expires_at=int(time.time()) + 86_400), {}, "token", "token_ends"),
    "another app's secret": (lambda sim: setattr(sim.core.delivery, "app_secret", "other-secret"), {}, "app_secret", "secret_of_another_app"),
    "no messaging permission": (an_app(scopes={"whatsapp_business_management"}), {}, "permissions", "permission_missing"),
    "another account": (NOTHING, {"waba_id": "999999999"}, "waba", "waba_unreadable"),
    "webhooks go elsewhere": (a_waba(webhook_override="https://elsewhere.example/hook"), {}, "callback", "callback_elsewhere"),
    "no webhook address": (lambda sim: setattr(sim.core, "webhook_url", None), {}, "callback", "callback_not_set"),
    "another number": (NOTHING, {"phone_number_id": "999999999"}, "number", "number_unreadable"),
    "two numbers and no choice": (two_numbers, {"phone_number_id": None}, "number", "needs_value"),
    "a banned number": (a_number(status="BANNED"), {}, "number", "number_state"),
    "a wrong PIN": (a_number(status="PENDING"), {"pin": "999999"}, "number", "pin_wrong"),
    "a name under review": (a_number(name_status="PENDING_REVIEW"), {}, "name", "name_not_approved"),
    "red quality": (a_number(quality="RED"), {}, "quality", "quality_red"),
    "no payment method": (a_waba(payment_method=False), {}, "payment", "no_payment"),
    "a banned account": (a_waba(restricted_until=float("inf")), {}, "payment", "blocked"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
async def test_a_step_that_fails_says_why_and_stops_only_what_needs_it(
    hub: Hub, settings: Settings, sim: Simulator, case: str
) -> None:
    change, given, step, code = WRONG[case]
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    change(sim)
    outcomes = await connect(settings, hub.url, skip=("message",), **given)
    assert failed(outcomes) == {step: code}
    blocked = {outcome.step for outcome in outcomes if outcome.state == "waiting"}
    needing = {one.name for one in STEPS if step in one.needs} - {"message"}
    assert needing <= blocked
    assert "address" not in blocked and sim.core.ledger.accepted_calls == 0


async def test_a_number_is_registered_and_an_account_subscribed_when_they_are_not(
    hub: Hub, settings: Settings, sim: Simulator
) -> None:
    a_number(status="PENDING", webhook_override="https://old.example/hook")(sim)
    a_waba(subscribed=False)(sim)
    outcomes = await connect(settings, hub.url, skip=("message",), pin="000000", override_callback=True)
    assert failed(outcomes) == {}
    number = sim.core.world.numbers[PHONE_NUMBER_ID]
    assert number.status == "CONNECTED" and number.waba.subscribed
    assert sim.core.address_for(number) == f"{hub.url}/webhooks/whatsapp"


async def test_secrets_that_are_placeholders_are_found_before_meta_is_asked(
    settings: Settings, hub: Hub, sim: Simulator
) -> None:
    short = settings.model_copy(update={"meta_app_secret": type(settings.meta_app_secret)("x")})
    outcomes = await connect(short, hub.url)
    assert failed(outcomes) == {"settings": "secret_too_short"}
    assert {outcome.state for outcome in outcomes[1:]} == {"waiting"}
    same = settings.model_copy(update={"meta_verify_token": settings.meta_app_secret})
    assert failed(await connect(same, hub.url)) == {"settings": "secrets_equal"}


async def test_without_meta_the_step_says_so(settings: Settings, hub: Hub) -> None:
    nowhere = settings.model_copy(update={"meta_base_url": f"http://127.0.0.1:{free_port()}"})
    assert failed(await connect(nowhere, hub.url))["token"] == "meta_unreachable"


async def answering(get: Callable[[web.Request], web.Response], post: Callable[[web.Request], web.Response]) -> Any:
    async def handle(request: web.Request) -> web.Response:
        await request.read()
        return (get if request.method == "GET" else post)(request)

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port := free_port()).start()
    return runner, f"http://127.0.0.1:{port}"


def challenge(request: web.Request) -> web.Response:
    if request.query["hub.verify_token"] != "test-verify-token":
        return web.Response(status=403)
    return web.Response(text=request.query["hub.challenge"])


STRANGERS = {
    "handshake_not_answered": (lambda r: web.Response(text="It works!"), lambda r: web.Response()),
    "handshake_open": (lambda r: web.Response(text=r.query["hub.challenge"]), lambda r: web.Response()),
    "signature_not_checked": (challenge, lambda r: web.Response()),
    "signature_refused": (challenge, lambda r: web.Response(status=401)),
    "webhook_answer": (challenge, lambda r: web.Response(status=502)),
}


@pytest.mark.parametrize("code", STRANGERS)
async def test_somebody_else_at_our_address_is_found_out(settings: Settings, hub: Hub, code: str) -> None:
    runner, url = await answering(*STRANGERS[code])
    try:
        outcomes = await connect(settings, url)
    finally:
        await runner.cleanup()
    step = "handshake" if code.startswith("handshake") else "signature"
    assert failed(outcomes)[step] == code


async def test_another_hub_with_our_secrets_is_found_out(
    settings: Settings, hub: Hub, databases: Any, sim: Simulator
) -> None:
    other_url = databases.create()
    try:
        async with running_hub(make_settings(other_url, settings.redis_url.get_secret_value())) as other:
            assert failed(await connect(settings, other.url))["signature"] == "another_hub"
    finally:
        databases.drop(other_url)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


async def test_https_with_a_trusted_certificate_passes(
    settings: Settings, hub: Hub, sim: Simulator, authority: Authority
) -> None:
    async with tls_in_front(int(hub.url.rpartition(":")[2]), authority.context()) as url:
        sim.core.webhook_url = f"{url}/webhooks/whatsapp"
        outcomes = await connect(settings, url, ca_file=str(authority.ca_file), skip=("message",))
    assert failed(outcomes) == {}
    [found] = [outcome for outcome in outcomes if outcome.step == "address"]
    assert len(found.facts["certificate"]) == len("01/01/2027")


CERTIFICATES: dict[str, tuple[dict[str, Any], bool]] = {
    "certificate_chain": ({}, False),
    "certificate_self_signed": ({"self_signed": True}, True),
    "certificate_expired": ({"days": -2}, True),
    "certificate_ends": ({"days": 5}, True),
    "certificate_other_name": ({"name": "hub.example"}, True),
}


@pytest.mark.parametrize("code", CERTIFICATES)
async def test_a_certificate_that_meta_would_refuse_is_named(
    settings: Settings, hub: Hub, authority: Authority, code: str
) -> None:
    shape, trusted = CERTIFICATES[code]
    async with tls_in_front(int(hub.url.rpartition(":")[2]), authority.context(**shape)) as url:
        outcomes = await connect(settings, url, ca_file=str(authority.ca_file) if trusted else None)
    assert failed(outcomes)["address"] == code


async def test_an_address_that_meta_cannot_reach_is_named(settings: Settings, hub: Hub, services: Services) -> None:
    real = replace(services, settings=settings.model_copy(update={"meta_base_url": "https://graph.facebook.com"}))
    wrong = {
        "not_https": "http://hub.example",
        "address_private": "https://127.0.0.1:8443",
        "name_unknown": "https://no-such-host.invalid",
    }
    async with open_client(settings) as client:
        for code, url in wrong.items():
            with pytest.raises(Failed) as failure:
                await address(Setup(real, client, Answers(url=url), lambda _: None))
            assert failure.value.code == code
    assert failed(await connect(settings, f"https://127.0.0.1:{free_port()}"))["address"] == "unreachable"
    assert failed(await connect(settings, hub.url.replace("http:", "https:")))["address"] == "no_tls"


async def test_a_message_that_fails_or_is_never_heard_of_says_which_part_of_the_way_is_broken(
    live: Hub, settings: Settings, sim: Simulator
) -> None:
    assert failed(await connect(settings, live.url, test_to="98765-4321")) == {"message": "phone_wrong"}
    assert failed(await connect(settings, live.url, template="nada")) == {"message": "template_not_approved"}
    assert failed(await connect(settings, live.url, template="fatura_com_documento")) == {
        "message": "template_needs_more"
    }
    sim.core.faults.add(Fault("error", code=131026, times=1))
    outcomes = await connect(settings, live.url, template="hello_world")
    assert failed(outcomes) == {"message": "send_failed"} and outcomes[-1].facts["meta_code"] == 131026
    named = await connect(settings, live.url, template="fatura_disponivel")
    assert failed(named) == {}, "its examples fill it"
    sim.core.delivery.knobs = replace(sim.core.delivery.knobs, statuses=())
    silent = await connect(settings, live.url, template="hello_world", message_within_s=1.5)
    assert failed(silent) == {"message": "no_status"}


async def test_without_a_worker_the_message_stays_in_the_queue(hub: Hub, settings: Settings, sim: Simulator) -> None:
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    outcomes = await connect(settings, hub.url, message_within_s=0.5)
    assert failed(outcomes) == {"message": "no_worker"}


async def test_the_command_is_scriptable(hub: Hub, settings: Settings, sim: Simulator, monkeypatch: Any) -> None:
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    monkeypatch.setattr("hub_api.settings.load_settings", lambda: settings)
    monkeypatch.setenv("HUB_META_TOKEN", TOKEN)

    async def run(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, commands, ["whatsapp", "connect", *arguments])

    passed = await run("--url", hub.url, "--without-message", "--json")
    assert passed.exit_code == 0, passed.output
    told = json.loads(passed.stdout)
    assert told["ok"] and {step["state"] for step in told["steps"]} == {"passed", "skipped"}
    assert TOKEN not in passed.output
    async with aiohttp.ClientSession() as session:
        await session.post(f"{sim.url}/_sim/app", json={"scopes": ["whatsapp_business_management"]})
    missing = await run("--without-message", "--json", "--lang", "en")
    assert missing.exit_code == 1
    [step] = [one for one in json.loads(missing.stdout)["steps"] if one["state"] == "failed"]
    assert step["code"] == "permission_missing" and "whatsapp_business_messaging ticked" in step["remedy"]
    people = await run("--without-message")
    assert (
        people.exit_code == 1 and "✗ Permissões do token" in people.output and "Gere o token de novo" in people.output
    )
    assert (await run("--lang", "fr")).exit_code == 2


async def test_a_secret_that_is_not_set_is_the_first_step_s_failure(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    env |= {"HUB_HOME": str(tmp_path), "HUB_META_VERIFY_TOKEN": "x" * 20, "HUB_SECRET_KEY": "x", "COLUMNS": "200"}
    env |= {f"HUB_{name}_URL": "none://127.0.0.1:1" for name in ("DATABASE", "REDIS", "CLICKHOUSE")}
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub_api", "whatsapp", "connect", env=env, stdout=asyncio.subprocess.PIPE
    )
    told = (await command.communicate())[0].decode()
    assert command.returncode == 1
    assert "falta HUB_META_APP_SECRET" in told and "hub.env" in told and "espera" in told


async def test_what_is_missing_is_asked_for_once(hub: Hub, settings: Settings, sim: Simulator) -> None:
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    a_number(status="PENDING")(sim)
    two_numbers(sim)
    asked: list[str] = []
    says = {"token": TOKEN, "url": hub.url, "phone_number_id": PHONE_NUMBER_ID, "pin": "000000"}

    def ask(name: str) -> str | None:
        asked.append(name)
        return says.get(name)

    outcomes = await connect_operations.connected(settings, Answers(), ask, skip=("message",))
    assert failed(outcomes) == {} and sorted(asked) == sorted(says)


def test_every_step_and_failure_has_its_words_in_both_languages() -> None:
    assert texts.TITLES.keys() == texts.FOUND.keys() == {step.name for step in STEPS}
    for both in [*texts.TITLES.values(), *texts.FOUND.values()]:
        assert all(both)
    steps = [Path(module.__file__).read_text() for module in (address_steps, message_step, meta_steps, run, setup)]
    raised = set(re.findall(r'Failed\(\s*"(\w+)"', "".join(steps)))
    assert raised <= texts.FAILURES.keys()
    assert not [code for code in texts.FAILURES if f'"{code}"' not in "".join(steps)], "words for what never happens"
    for found, remedy in texts.FAILURES.values():
        assert all(found) and all(remedy) and remedy[0] != remedy[1]

"""What Meta, a certificate or the way of the message can say no with: each its code, with words and a remedy that names
what was found."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.faults import GraphFault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.connect import texts
from hub_api.whatsapp.connect.run import Outcome
from tests.support.hub import Hub
from tests.whatsapp.connect.conftest import connect, failed
from tests.whatsapp.connect.tls import Authority, tls_in_front

REFUSED_PATHS = {
    "meta_unwell": (GraphFault("/debug_token", "GET", 2, "Service temporarily unavailable"), "token", "meta_refused"),
    "waba": (
        GraphFault(f"/{WABA_ID}", "GET", answer={"id": WABA_ID, "account_review_status": "REJECTED"}),
        "waba",
        "waba_refused",
    ),
    "no_access": (GraphFault(f"/{WABA_ID}", "GET", 200, "no permission"), "waba", "waba_unreadable"),
    "subscription": (GraphFault("/subscribed_apps"), "subscription", "not_subscribed"),
}
PIN_CODES = {
    133005: "pin_wrong",
    133006: "phone_not_verified",
    133008: "pin_locked",
    133009: "pin_locked",
    133015: "deleted_lately",
    133016: "registered_too_often",
    133000: "meta_refused",
}


def told(outcomes: list[Outcome], step: str) -> str:
    """What an operator reads of a failed step, in Portuguese."""
    [outcome] = [one for one in outcomes if one.step == step]
    return f"{texts.found(outcome, 'pt')} {texts.remedy(outcome, 'pt')}"


@pytest.mark.parametrize("case", REFUSED_PATHS)
async def test_what_meta_refuses_is_told_at_its_step(hub: Hub, settings: Settings, sim: Simulator, case: str) -> None:
    fault, step, code = REFUSED_PATHS[case]
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    sim.core.world.wabas[WABA_ID].subscribed = False
    sim.core.graph_faults.rules = [fault]
    outcomes = await connect(settings, hub.url, skip=("message",))
    assert failed(outcomes) == {step: code}
    assert "{" not in told(outcomes, step)
    if fault.code:
        assert fault.details in told(outcomes, step)


@pytest.mark.parametrize("code", PIN_CODES)
async def test_a_registration_is_tried_once_and_its_refusal_explained(
    hub: Hub, settings: Settings, sim: Simulator, code: int
) -> None:
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    sim.core.world.numbers[PHONE_NUMBER_ID].status = "PENDING"
    sim.core.graph_faults.rules = [fault := GraphFault("/register", code=code, details="as Meta says")]
    outcomes = await connect(settings, hub.url, pin="123456", skip=("message",))
    assert failed(outcomes) == {"number": PIN_CODES[code]} and fault.hits == 1
    assert "123456" not in told(outcomes, "number")


async def test_a_certificate_authority_that_cannot_be_read_or_is_none_is_named(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    junk = tmp_path / "ca.pem"
    for content in (None, "no certificate"):
        if content:
            junk.write_text(content)
        outcomes = await connect(settings, hub.url.replace("http:", "https:"), ca_file=str(junk))
        assert failed(outcomes)["address"] == "ca_file" and str(junk) in told(outcomes, "address")


async def test_a_certificate_that_is_not_valid_yet_is_wrong(hub: Hub, settings: Settings, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with tls_in_front(int(hub.url.rpartition(":")[2]), authority.context(begins_in_days=2)) as url:
        outcomes = await connect(settings, url, ca_file=str(authority.ca_file))
    assert failed(outcomes)["address"] == "certificate_wrong"
    assert "not yet valid" in told(outcomes, "address")


async def test_a_message_that_stays_on_its_way_is_told_by_the_last_that_was_heard(
    live: Hub, settings: Settings, sim: Simulator
) -> None:
    sim.core.delivery.knobs = replace(sim.core.delivery.knobs, statuses=("sent",))
    outcomes = await connect(settings, live.url, message_within_s=1.5)
    assert failed(outcomes) == {"message": "not_delivered"} and outcomes[-1].facts["state"] == "sent"
    sim.core.graph_faults.rules = [GraphFault("/message_templates", "GET", 80007, "rate limit")]
    assert failed(await connect(settings, live.url)) == {"message": "templates_unreadable"}


async def test_a_number_that_is_paused_here_holds_the_message_back(
    hub: Hub, settings: Settings, sim: Simulator
) -> None:
    sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
    await connect(settings, hub.url, skip=("message",))
    await hub.fetch(
        "UPDATE whatsapp_numbers SET state = 'paused', state_reason = 'pausado por Bia', state_source = 'operator'"
    )
    outcomes = await connect(settings, hub.url, message_within_s=0.5)
    assert failed(outcomes) == {"message": "held_back"} and "pausado por Bia" in told(outcomes, "message")

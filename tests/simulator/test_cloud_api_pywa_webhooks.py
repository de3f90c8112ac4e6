"""pywa, an independent webhook server for the Cloud API, checks and parses what the simulator delivers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI
from pywa import types
from pywa.types import MessageStatusType, MessageType
from pywa.types.templates import TemplateStatus
from pywa_async import WhatsApp

from hub_api.simulator import inbound, management, review
from hub_api.simulator.behaviour import Prompt, Reaction, says, taps
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.render import choices_of
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.simulator import (
    ANA,
    ANA_BSUID,
    APP_SECRET,
    FIXTURES,
    VERIFY_TOKEN,
    Sender,
    signed,
    test_config,
    until,
)


class Judge:
    """pywa's server with a handler for each kind of update; `seen` has what it made of them."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.raw = 0
        self.app = FastAPI()
        self.wa = WhatsApp(
            phone_id=PHONE_NUMBER_ID, token="none", server=self.app, verify_token=VERIFY_TOKEN, waba_id=WABA_ID,
            app_secret=APP_SECRET, skip_duplicate_updates=False,
        )  # fmt: skip
        for register in (
            self.wa.on_message, self.wa.on_callback_button, self.wa.on_callback_selection, self.wa.on_message_status,
            self.wa.on_phone_number_change, self.wa.on_template_status_update, self.wa.on_template_quality_update,
            self.wa.on_template_category_update, self.wa.on_user_marketing_preferences, self.wa.on_account_update,
            self.wa.on_flow_completion, self.wa.on_call_connect, self.wa.on_call_terminate, self.wa.on_edited_message,
            self.wa.on_deleted_message, self.wa.on_outgoing_message, self.wa.on_template_components_update,
            self.wa.on_call_permission_update, self.wa.on_identity_change, self.wa.on_call_status,
            self.wa.on_outgoing_edited_message, self.wa.on_outgoing_deleted_message,
        ):  # fmt: skip
            register()(self._see)
        self.wa.on_raw_update()(self._count)

    async def _see(self, _: WhatsApp, update: Any) -> None:
        self.seen.append(update)

    async def _count(self, _: WhatsApp, update: Any) -> None:
        self.raw += 1

    async def one(self, kind: type) -> Any:
        """The first update of a kind, once it has come."""
        return (await until(lambda: [u for u in self.seen if isinstance(u, kind)]))[0]

    def statuses(self) -> list[MessageStatusType]:
        return [u.status for u in self.seen if isinstance(u, types.MessageStatus)]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def judge() -> Judge:
    return Judge()


@pytest.fixture
async def sim(judge: Judge) -> AsyncIterator[Simulator]:
    async with served(judge.app) as url, Simulator(test_config(webhook_url=f"{url}/", speed=50.0)) as running:
        running.core.world.register([NewUser(ANA, name="Ana Souza", bsuid=ANA_BSUID, username="")])
        yield running


@pytest.fixture
async def send(sim: Simulator) -> AsyncIterator[Sender]:
    async with aiohttp.ClientSession() as session:
        yield Sender(sim, session)


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> Any:
    """pywa logs what it cannot parse or what is not signed, and answers 200: a complaint fails the test."""
    caplog.set_level(logging.WARNING, logger="pywa")
    yield
    complaints = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING and "pywa" in r.name]
    assert not complaints


def write(sim: Simulator, type_: str, content: Any, **more: Any) -> str:
    core = sim.core
    user, number = core.world.find_user(ANA), core.world.numbers[PHONE_NUMBER_ID]
    return inbound.write(core, user, number, type_, content, **more)


async def test_the_handshake_is_passed(sim, send):
    told = await send.control("POST", "webhooks", {"verify": True})
    assert told["verified"] is True
    told = await send.control("POST", "webhooks", {"verify": True, "verify_token": "wrong"})
    assert told["verified"] is False


async def test_a_text_is_parsed_with_its_author(sim, judge):
    wamid = write(sim, "text", {"body": "minha internet caiu, já reiniciei 😡 http://x/"})
    message = await judge.one(types.Message)
    assert (message.id, message.text) == (wamid, "minha internet caiu, já reiniciei 😡 http://x/")
    assert (message.from_user.wa_id, message.from_user.bsuid, message.from_user.name) == (ANA, ANA_BSUID, "Ana Souza")
    assert message.metadata.phone_number_id == PHONE_NUMBER_ID


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_a_medium_is_parsed_and_its_file_can_be_had(sim, judge, send, kind):
    write(sim, kind, {"caption": "veja"} if kind in ("image", "video", "document") else {})
    message = await judge.one(types.Message)
    assert message.type == MessageType(kind)
    status, found = await send.graph("GET", message.media.id)
    assert status == 200
    async with send.session.get(found["url"], headers={"Authorization": "Bearer sim-token"}) as response:
        content = await response.read()
    assert (len(content), response.content_type) == (found["file_size"], found["mime_type"].split(";")[0])
    assert message.media.mime_type == found["mime_type"]


async def test_location_contacts_reaction_and_order_are_parsed(sim, judge):
    write(sim, "location", {"latitude": -23.55, "longitude": -46.63, "name": "Praça da Sé"})
    assert (await judge.one(types.Message)).location.name == "Praça da Sé"
    judge.seen.clear()
    write(sim, "contacts", [{"name": {"formatted_name": "Zé", "first_name": "Zé"}, "phones": [{"phone": "+5531"}]}])
    assert (await judge.one(types.Message)).contacts[0].name.formatted_name == "Zé"
    judge.seen.clear()
    write(sim, "reaction", {"message_id": "wamid.X", "emoji": "👍"})
    assert (await judge.one(types.Message)).reaction.emoji == "👍"
    judge.seen.clear()
    product = {"product_retailer_id": "wifi6", "quantity": 1, "item_price": 299.9, "currency": "BRL"}
    write(sim, "order", {"catalog_id": "1", "product_items": [product]})
    assert (await judge.one(types.Message)).order.products[0].sku == "wifi6"


async def test_a_message_from_an_ad_and_a_quote_carry_their_origin(sim, judge):
    ad = {"source_url": "https://fb.me/1", "source_id": "12", "source_type": "ad", "headline": "Fibra", "body": "500",
          "media_type": "image", "image_url": "https://x/i", "ctwa_clid": "Aff"}  # fmt: skip
    write(sim, "text", {"body": "quero"}, referral=ad)
    assert (await judge.one(types.Message)).referral.source_id == "12"
    judge.seen.clear()
    write(sim, "text", {"body": "essa"}, quotes="wamid.ORIG")
    assert (await judge.one(types.Message)).reply_to_message.id == "wamid.ORIG"


async def test_a_tapped_button_and_a_picked_row_are_parsed_as_replies(sim, judge, send):
    class Taps(Prompt):
        def reactions(self, user, message, rng):
            return [*super().reactions(user, message, rng), taps(2.0, choices_of(message)[1])]

    sim.core.behaviour = Taps()
    write(sim, "text", {"body": "oi"})
    buttons = [{"type": "reply", "reply": {"id": f"menu:{i}", "title": f"Opção {i}"}} for i in range(3)]
    interactive = {"type": "button", "body": {"text": "Menu"}, "action": {"buttons": buttons}}
    _, answer = await send(ANA, type="interactive", interactive=interactive)
    tapped = await judge.one(types.CallbackButton)
    assert (tapped.data, tapped.title) == ("menu:1", "Opção 1")
    assert tapped.reply_to_message.id == answer["messages"][0]["id"]
    rows = [{"id": f"plano:{i}", "title": f"Fibra {i}00", "description": "mega"} for i in range(2)]
    action = {"button": "Planos", "sections": [{"title": "Fibra", "rows": rows}]}
    await send(ANA, type="interactive", interactive={"type": "list", "body": {"text": "Qual?"}, "action": action})
    picked = await judge.one(types.CallbackSelection)
    assert (picked.data, picked.title, picked.description) == ("plano:1", "Fibra 100", "mega")


async def test_a_template_quick_reply_carries_its_payload(sim, judge, send):
    class Parar(Prompt):
        def reactions(self, user, message, rng):
            return [taps(1.0, choices_of(message)[-1])]

    sim.core.behaviour = Parar()
    components = [
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}]},
        {"type": "button", "sub_type": "quick_reply", "index": "1",
         "parameters": [{"type": "payload", "payload": "OPTOUT_PROMO"}]},
    ]  # fmt: skip
    await send.template("oferta_fibra", components=components)
    tapped = await judge.one(types.CallbackButton)
    assert (tapped.data, tapped.title, tapped.is_quick_reply) == ("OPTOUT_PROMO", "Parar promoções", True)


async def test_a_finished_flow_is_parsed(judge, send):
    flow = {"from": ANA, "flow": {"cpf": "529.982.247-25"}, "flow_token": "t1", "quotes": "wamid.F"}
    await send.control("POST", "inbound", flow)
    done = await judge.one(types.FlowCompletion)
    assert (done.token, done.response["cpf"]) == ("t1", "529.982.247-25")


async def test_statuses_are_parsed_in_full(sim, judge, send):
    write(sim, "text", {"body": "oi"})
    _, answer = await send(ANA, text="Olá!", biz_opaque_callback_data="m1.1")
    await until(lambda: len(judge.statuses()) == 3)
    updates = [u for u in judge.seen if isinstance(u, types.MessageStatus)]
    by_status = {u.status: u for u in updates}
    assert set(by_status) == {MessageStatusType.SENT, MessageStatusType.DELIVERED, MessageStatusType.READ}
    assert {u.id for u in updates} == {answer["messages"][0]["id"]}
    assert {u.tracker for u in updates} == {"m1.1"}
    assert {u.from_user.bsuid for u in updates} == {ANA_BSUID}
    prices = [u.pricing for u in updates if u.pricing]
    assert {(p.category.value, p.type.value, p.billable) for p in prices} == {
        ("service", "free_customer_service", False)
    }


async def test_a_voice_message_ends_as_played(sim, judge, send):
    write(sim, "text", {"body": "oi"})
    await send(ANA, type="audio", audio={"link": "https://telecom.example/a.ogg", "voice": True})
    await until(lambda: MessageStatusType.PLAYED in judge.statuses())


async def test_a_changed_number_is_parsed(sim, judge, send):
    await send.control("POST", "act", {"from": ANA, "do": "change_number", "phone": "5521999990000"})
    change = await judge.one(types.PhoneNumberChange)
    assert (change.old_wa_id, change.new_wa_id) == (ANA, "5521999990000")
    assert change.new_user_id != ANA_BSUID
    assert sim.core.world.find_user("5521999990000").name == "Ana Souza"


async def test_marketing_preferences_are_parsed(sim, judge, send):
    await send.control("POST", "act", {"from": ANA, "do": "stop"})
    preference = await judge.one(types.UserMarketingPreferences)
    assert (preference.value.value, preference.from_user.bsuid) == ("stop", ANA_BSUID)
    assert not preference


async def test_a_template_on_its_way_through_pause_and_quality_is_parsed(sim, judge):
    core = sim.core
    template = core.world.wabas[WABA_ID].templates[("oferta_fibra", "pt_BR")]
    review.set_quality(core, template, "RED")
    assert (await judge.one(types.templates.TemplateQualityUpdate)).new_quality_score.value == "RED"
    review.pause(core, template)
    update = await judge.one(types.templates.TemplateStatusUpdate)
    assert (update.new_status, update.template_name) == (TemplateStatus.PAUSED, "oferta_fibra")
    judge.seen.clear()
    review.announce_category(core, template, "UTILITY", notice_s=0.0)
    assert (await judge.one(types.templates.TemplateCategoryUpdate)).new_category.value == "UTILITY"


async def test_a_call_is_parsed(sim, judge, send):
    await send.control("POST", "act", {"from": ANA, "do": "call", "duration_s": 12})
    assert (await judge.one(types.CallTerminate)).duration == 12


async def test_a_reply_written_by_a_customer_opens_the_window(sim, judge, send):
    class Replies(Prompt):
        def reactions(self, user, message, rng):
            return [Reaction(0.2, "delivered"), says(1.0, "obrigada!")]

    sim.core.behaviour = Replies()
    await send.template("boas_vindas", "Ana")
    assert (await judge.one(types.Message)).text == "obrigada!"
    _, answer = await send(ANA, text="De nada!")
    await until(lambda: sim.core.messages[answer["messages"][0]["id"]].status == "delivered")


async def test_an_account_restriction_is_told_and_stops_sends(sim, judge, send):
    management.produce(sim.core, "account_update", "ACCOUNT_RESTRICTION")
    await until(lambda: judge.raw)
    status, answer = await send.template("boas_vindas", "Ana")
    assert (status, answer["error"]["code"]) == (403, 368)


# Bodies that Meta's pages allow and pywa 4.5 cannot read, with what it misses in them.
PYWA_MISSES = {
    "calls_status": "contacts",
    "interactive_nfm_reply_invalid_json": "valid JSON",
    "interactive_nfm_reply_without_json": "response_json",
    "smb_message_echo_edit": "contacts",
    "smb_message_echo_image": "contacts",
    "smb_message_echo_revoke": "contacts",
    "smb_message_echo_text": "contacts",
    "status_failed_131026": "contacts",
    "status_failed_131047": "contacts",
    "status_failed_131049": "contacts",
    "status_failed_131050": "contacts",
    "status_failed_132015": "contacts",
    "status_failed_bsuid_only": "contacts",
    "status_group": "contacts",
    "system_user_changed_user_id": "from",
    "text_phone_only": "user_id",
    "text_without_contacts": "contacts",
}


@pytest.mark.filterwarnings("ignore::pywa.errors.PywaWarning")
async def test_every_fixture_is_well_signed_and_read_by_pywa_as_far_as_it_can(judge, caplog):
    names = sorted(path.stem for path in FIXTURES.glob("*.json"))
    assert len(names) > 140
    unread = set()
    async with served(judge.app) as url, aiohttp.ClientSession() as session:
        for name in names:
            caplog.clear()
            before = judge.raw
            async with session.post(f"{url}/", **signed(name)) as response:
                assert response.status == 200, name
            await until(lambda before=before: judge.raw > before)
            if any(record.levelno >= logging.ERROR for record in caplog.records):
                unread.add(name)
        broken = signed("text")
        async with session.post(f"{url}/", data=broken["data"] + b" ", headers=broken["headers"]) as response:
            assert response.status == 403
    caplog.clear()
    assert unread == set(PYWA_MISSES)

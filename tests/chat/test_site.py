"""The chat of a website through its public door: a visitor on another origin, the console's agents behind it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.auth import notices
from hub_api.chat.privacy.marks import Marks
from hub_api.chat.privacy.rows import erase_rows
from hub_api.chat.site import tokens
from hub_api.chat.site.origins import allowed
from hub_api.platform.ids import uuid7
from tests.auth.people import add_person, add_team, call
from tests.support.hours import closed_now
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.waiting import eventually

PAGE = "https://www.loja.example"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture
async def hub(database_url: str, redis_url: str, tmp_path) -> AsyncIterator[Hub]:
    settings = make_settings(database_url, redis_url, sms_url="http://127.0.0.1:1/sms", home=tmp_path)
    async with running_hub(settings) as running:
        yield running


async def make_site(hub: Hub, **rules: Any) -> dict[str, Any]:
    body = {"name": "Loja", "origins": [PAGE], "offline_form": False} | rules
    status, made = await call(hub, "POST", "/api/v1/sites", hub.auth, json=body)
    assert status == 201, made
    return made


class Widget:
    """What the script in the page does, without a page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket, self.frames = socket, []

    async def say(self, op: str, **fields: Any) -> None:
        await self.socket.send_json({"op": op, **fields}, dumps=lambda given: json.dumps(given, default=str))

    async def until(self, kind: str) -> dict[str, Any]:
        """The next frame of this type; what comes before it is kept too."""
        while True:
            frame = json.loads(await self.socket.receive_str(timeout=20))
            self.frames.append(frame)
            if frame["type"] == kind:
                return frame

    async def write(self, text: str, **fields: Any) -> dict[str, Any]:
        await self.say("message", client_id=uuid4().hex, text=text, **fields)
        return await self.until("sent")

    async def hears(self, text: str) -> dict[str, Any]:
        """The message with this text, told already or next."""
        while True:
            for frame in self.frames:
                if frame["type"] == "message" and text in (frame["data"]["text"] or ""):
                    return frame["data"]
            await self.until("message")

    @property
    def messages(self) -> list[str]:
        return [frame["data"]["id"] for frame in self.frames if frame["type"] == "message"]


@asynccontextmanager
async def opened(hub: Hub, site: dict[str, Any], *, origin: str | None = PAGE, **hello: Any) -> AsyncIterator[Widget]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{hub.url}/widget/ws?key={site['key']}", origin=origin) as socket,
    ):
        widget = Widget(socket)
        await widget.say("hello", **hello)
        yield widget


@asynccontextmanager
async def started(hub: Hub, site: dict[str, Any], **hello: Any) -> AsyncIterator[tuple[Widget, str]]:
    """A visitor who agreed, and his token."""
    async with opened(hub, site, **hello) as widget:
        welcome = await widget.until("welcome")
        await widget.say("start", version=welcome["consent"]["pt"]["version"], page=f"{PAGE}/ajuda")
        yield widget, (await widget.until("started"))["token"]


async def answer(hub: Hub, conversation_id: Any, words: str) -> None:
    body = {"type": "text", "text": words}
    status, told = await call(hub, "POST", f"/api/v1/conversations/{conversation_id}/messages", hub.auth, json=body)
    assert status == 202, told


async def test_visitor_and_agent_talk_live_in_the_same_conversation(hub: Hub):
    site = await make_site(hub)
    async with started(hub, site) as (widget, token):
        sent = await widget.write("minha internet caiu")
        await hub.settled()
        menu = await widget.until("message")
        while menu["data"]["from"] != "bot":
            menu = await widget.until("message")
        assert menu["data"]["options"], "what the bot offers can be tapped"
        await widget.say("message", client_id=uuid4().hex, choice={"id": "agent", "title": "Falar com atendente"})
        await widget.until("sent")
        await hub.settled()
        row = (await hub.fetch("SELECT * FROM conversations"))[0]
        assert (row["channel"], row["state"], row["number_id"]) == ("site", "queued", None)
        _, shown = await call(hub, "GET", f"/api/v1/conversations/{row['id']}", hub.auth)
        assert shown["channel"] == "site"
        await hub.fetch(
            "UPDATE conversations SET last_customer_message_at = now() - interval '3 days' WHERE id = $1", row["id"]
        )
        await answer(hub, row["id"], "Olá! Já estou verificando.")
        told = await widget.hears("verificando")
        assert told["from"] == "agent"
        ours = UUID(told["id"])
        message = (await hub.fetch("SELECT * FROM messages WHERE id = $1", ours))[0]
        assert message["state"] == "sent", "no 24 h window here, and nothing waits for Meta"
        assert await hub.fetchval("SELECT count(*) FROM outbox") == 0
        await widget.say("ack", delivered=ours)
        await widget.say("ack", read=ours)
        await eventually(lambda: hub.fetchval("SELECT state = 'read' FROM messages WHERE id = $1", ours))
        states = await hub.fetch(
            "SELECT payload ->> 'to_state' AS state FROM events WHERE aggregate_id = $1 AND type = 'message.state_changed' "
            "ORDER BY seq", ours,
        )  # fmt: skip
        assert [one["state"] for one in states] == ["sent", "delivered", "read"]
        opened_as = await hub.fetchval("SELECT payload ->> 'channel' FROM events WHERE type = 'conversation.opened'")
        assert opened_as == "site", "the warehouse counts it as the website's"
    assert await hub.fetchval("SELECT name FROM customers") is None
    assert sent["id"] in await _ids(hub, site, token)


async def _ids(hub: Hub, site: dict[str, Any], token: str, after: str | None = None) -> list[str]:
    async with opened(hub, site, token=token, after=after) as widget:
        await widget.until("ready")
        return widget.messages


async def test_who_comes_back_with_his_last_message_misses_nothing_and_a_message_sent_twice_is_one(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (widget, token):
        first = await widget.write("oi")
        twice = {"client_id": uuid4().hex, "text": "estou sem sinal"}
        await widget.say("message", **twice)
        one = await widget.until("sent")
        await widget.say("message", **twice)
        again = await widget.until("sent")
        assert one["id"] == again["id"]
    conversation = await hub.fetchval("SELECT id FROM conversations")
    await answer(hub, conversation, "enquanto você não estava")
    back = await _ids(hub, site, token, after=first["id"])
    assert len(back) == len(set(back)) == 3, "his two, and the answer of meanwhile, each once"
    assert await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'") == 2


async def test_nothing_is_taken_before_the_consent_which_is_in_the_ledger_with_its_version(hub: Hub):
    site = await make_site(hub)
    async with opened(hub, site) as widget:
        welcome = await widget.until("welcome")
        assert welcome["token"] is None and "atender" in welcome["consent"]["pt"]["text"]
        await widget.say("message", client_id=uuid4().hex, text="oi")
        assert (await widget.until("error"))["code"] == "consent_needed"
        await widget.say("start", version="site-pt-0")
        assert (await widget.until("error"))["code"] == "invalid"
        assert await hub.fetchval("SELECT count(*) FROM customers") == 0
        await widget.say("start", version=welcome["consent"]["en"]["version"], page=f"{PAGE}/help")
        await widget.until("started")
    proof = (await hub.fetch("SELECT * FROM consent_ledger"))[0]
    assert (proof["scope"], proof["granted"], proof["channel"], proof["text_version"]) == (
        "service", True, "site", "site-en-1",
    )  # fmt: skip
    assert proof["evidence"]["page"] == f"{PAGE}/help"
    _, ledger = await call(hub, "GET", f"/api/v1/customers/{proof['customer_id']}/consents", hub.auth)
    assert ledger["items"][0]["text"].startswith("To help you")


@pytest.mark.parametrize("origin", [None, "https://loja.example", "https://www.loja.example.evil.test", "null"])
async def test_another_page_cannot_open_it_and_learns_no_key(hub: Hub, origin: str | None):
    site = await make_site(hub)
    for key in (site["key"], "a" * 24):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with opened(hub, {"key": key}, origin=origin):
                pass
        assert refused.value.status == 403


async def test_a_token_is_worth_nothing_on_another_site_or_when_it_was_changed(hub: Hub):
    site, other = await make_site(hub), await make_site(hub, name="Outra")
    async with started(hub, site) as (_, token):
        pass
    for where, shown in ((other, token), (site, token[:-1] + ("0" if token[-1] != "0" else "1")), (site, "v1.x")):
        async with opened(hub, where, token=shown) as widget:
            assert (await widget.until("welcome"))["token"] is None
    async with opened(hub, site, token=token) as widget:
        assert (await widget.until("welcome"))["token"]


async def test_the_website_signs_its_user_and_two_of_his_browsers_are_one_customer(hub: Hub):
    site = await make_site(hub)
    _, made = await call(hub, "POST", f"/api/v1/sites/{site['id']}/identity-secret", hub.auth)
    ana = {"id": "ana-1", "signature": tokens.signature_of(made["secret"], "ana-1"), "name": "Ana Souza"}
    async with started(hub, site, identity=ana) as (_, token), started(hub, site, identity=ana):
        pass
    assert await hub.fetchval("SELECT count(DISTINCT customer_id) FROM site_visitors") == 1
    assert await hub.fetchval("SELECT name FROM customers") == "Ana Souza"
    forged = ana | {"id": "bia-2"}
    async with opened(hub, site, identity=forged) as widget:
        assert (await widget.until("error"))["code"] == "forbidden"
    bia = {"id": "bia-2", "signature": tokens.signature_of(made["secret"], "bia-2")}
    async with opened(hub, site, token=token, identity=bia) as widget:
        assert (await widget.until("welcome"))["token"] is None, "who signs in after somebody else begins anew"
    assert await hub.fetchval("SELECT count(*) FROM customers WHERE status = 'merged'") == 0


async def test_a_code_to_his_phone_joins_a_visitor_to_the_customer_we_know(hub: Hub):
    known = uuid7()
    await hub.fetch("INSERT INTO customers (id, name, phone) VALUES ($1, 'Carlos', '+5511987654321')", known)
    await hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value, valid_from) VALUES ($1, $2, 'phone', '+5511987654321', "
        "now() - interval '1 day')", uuid7(), known,
    )  # fmt: skip
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (widget, token):
        await widget.write("quero a segunda via")
        await widget.say("code", phone="(11) 98765-4321")
        await widget.until("code_sent")
        code = notices.unseal(hub.services, await hub.fetchval("SELECT sealed FROM notices")).text.split()[0]
        wrong = f"{(int(code) + 1) % 1_000_000:06d}"
        await widget.say("verify", phone="(11) 98765-4321", code=wrong)
        assert (await widget.until("error"))["code"] == "code_wrong"
        await widget.say("verify", phone="(11) 97777-2222", code=code)
        assert (await widget.until("error"))["code"] == "code_wrong", "a code proves the phone it went to, and no other"
        await widget.say("verify", phone="(11) 98765-4321", code=code)
        await widget.until("verified")
        await widget.write("do mês passado")
    assert await hub.fetchval("SELECT count(DISTINCT customer_id) FROM messages WHERE direction = 'in'") == 1
    assert await hub.fetchval("SELECT customer_id FROM conversations") == known
    assert len(await _ids(hub, site, token)) == 2, "his chat goes on"


async def test_outside_the_hours_a_form_leads_to_the_queue(hub: Hub):
    _, queue = await add_team(hub, "site")
    await hub.fetch(
        "UPDATE queues SET business_hours = $2, holidays_closed = false WHERE key = $1", queue, closed_now()
    )
    site = await make_site(hub, queue=queue, offline_form=True)
    async with started(hub, site) as (widget, _):
        assert widget.frames[0]["open"] is False and widget.frames[0]["opens_at"]
        await widget.say("message", client_id=uuid4().hex, text="oi")
        assert (await widget.until("error"))["code"] == "closed"
        await widget.say("form", client_id=uuid4().hex, name="Ana", text="me liguem")
        assert (await widget.until("error"))["code"] == "invalid", "without an address nobody can answer"
        await widget.say("form", client_id=uuid4().hex, name="Ana", email="ana@example.com", text="me liguem")
        await widget.until("sent")
        await widget.write("obrigada")
    row = (await hub.fetch("SELECT c.state, q.key FROM conversations c JOIN queues q ON q.id = c.queue_id"))[0]
    assert (row["state"], row["key"]) == ("queued", queue)
    first = await hub.fetchval("SELECT content FROM messages ORDER BY id LIMIT 1")
    assert "me liguem" in first and "ana@example.com" in first
    assert await hub.fetchval("SELECT count(*) FROM bot_turn") == 0


def _form(content: bytes, kind: str = "image/png") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", content, filename="foto.png", content_type=kind)
    return form


async def test_files_go_both_ways_and_to_nobody_else(hub: Hub):
    site = await make_site(hub, bot=False)
    path = f"{hub.url}/widget/files"
    async with (
        started(hub, site) as (widget, token),
        started(hub, site) as (other, foreign),
        aiohttp.ClientSession() as web,
    ):
        mine = {"Origin": PAGE, "Authorization": f"Bearer {token}"}
        async with web.options(path, headers={"Origin": PAGE}) as told:
            assert told.status == 204 and told.headers["Access-Control-Allow-Origin"] == PAGE
        async with web.options(path, headers={"Origin": "https://evil.test"}) as told:
            assert told.status == 403 and "Access-Control-Allow-Origin" not in told.headers
        query = {"key": site["key"]}
        for headers, status in (({"Origin": PAGE}, 401), (mine | {"Origin": "https://evil.test"}, 403)):
            async with web.post(path, params=query, headers=headers, data=_form(PNG)) as told:
                assert told.status == status
        for content, kind in ((b"<html>", "text/html"), (b"MZ" + b"x" * 100, "image/png"), (b"%PDF-1.4", "image/png")):
            async with web.post(path, params=query, headers=mine, data=_form(content, kind)) as told:
                assert told.status == 422, kind
        async with web.post(path, params=query, headers=mine, data=_form(PNG)) as told:
            assert told.status == 201, await told.text()
            file = await told.json()
        await other.say("message", client_id=uuid4().hex, file=file["id"])
        assert (await other.until("error"))["code"] == "invalid", "another visitor's file"
        await widget.say("message", client_id=uuid4().hex, file=file["id"], text="olha o erro")
        await widget.until("sent")
        shown = await widget.hears("olha")
        assert shown["files"][0]["id"] == file["id"]
        conversation = await hub.fetchval("SELECT id FROM conversations")
        _, messages = await call(hub, "GET", f"/api/v1/conversations/{conversation}/messages", hub.auth)
        assert messages["items"][0]["media"][0]["state"] == "stored"
        _, ours = await call(hub, "POST", "/api/v1/media", hub.auth, data=_form(PNG))
        body = {"type": "image", "image": {"id": ours["id"], "caption": "assim"}}
        path_of = f"/api/v1/conversations/{conversation}/messages"
        status, said = await call(hub, "POST", path_of, hub.auth, json=body)
        assert status == 202, said
        answered = await widget.hears("assim")
        for bearer, status in ((token, 200), (foreign, 404)):
            headers = {"Origin": PAGE, "Authorization": f"Bearer {bearer}"}
            async with web.get(f"{path}/{answered['files'][0]['id']}", params=query, headers=headers) as told:
                assert told.status == status
                if status == 200:
                    assert await told.read() == PNG


async def test_agent_and_visitor_alike_see_only_their_own(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (one, _), started(hub, site) as (two, _):
        await one.write("sou o primeiro")
        await two.write("sou o segundo")
        await answer(
            hub, await hub.fetchval("SELECT conversation_id FROM messages WHERE content LIKE '%primeiro'"), "só a um"
        )
        await one.hears("só a um")
        await answer(
            hub, await hub.fetchval("SELECT conversation_id FROM messages WHERE content LIKE '%segundo'"), "só a dois"
        )
        await two.hears("só a dois")
        assert "só a um" not in json.dumps(two.frames)
        assert "sou o segundo" not in json.dumps(one.frames)


async def test_the_erased_visitor_is_nobody_and_his_words_are_gone(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (widget, token):
        await widget.write("meu segredo")
    customer = await hub.fetchval("SELECT id FROM customers")
    async with hub.services.transaction() as tx:
        erasure = uuid7()
        await tx.db.execute(
            "INSERT INTO erasures (id, customer_id, reason, requested_by, erased_at) VALUES ($1, $2, 'request', 'system', now())",
            erasure, customer,
        )  # fmt: skip
        secret = hub.services.settings.secret_key.get_secret_value()
        await erase_rows(tx, secret, erasure, customer, datetime.now(UTC), Marks(frozenset(), frozenset(), frozenset()))
    assert await hub.fetchval("SELECT count(*) FROM site_visitors") == 0
    assert await hub.fetchval("SELECT count(*) FROM messages WHERE content IS NOT NULL OR wamid IS NOT NULL") == 0
    assert await hub.fetchval("SELECT count(*) FROM consent_ledger WHERE evidence::text LIKE '%loja%'") == 0
    async with opened(hub, site, token=token) as widget:
        assert (await widget.until("welcome"))["token"] is None


async def test_who_writes_too_much_is_told_to_wait(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (widget, _):
        for number in range(21):
            await widget.say("message", client_id=uuid4().hex, text=f"oi {number}")
        refused = await widget.until("error")
        assert refused["code"] == "too_many_requests" and refused["retry_after_s"] > 0
        await widget.say("message", client_id=uuid4().hex, text="x" * 4001)
        assert (await widget.until("error"))["code"] == "invalid"
    assert await hub.fetchval("SELECT count(*) FROM messages") == 20


async def test_sites_are_changed_by_who_may_and_a_closed_one_answers_nobody(hub: Hub):
    agent = await add_person(hub, "agent")
    assert (await call(hub, "GET", "/api/v1/sites", agent.headers))[0] == 403
    site = await make_site(hub, bot=False)
    wrong = {"name": "x", "origins": ["https://a.example/path"]}
    assert (await call(hub, "POST", "/api/v1/sites", hub.auth, json=wrong))[0] == 422
    unknown = {"name": "x", "origins": [PAGE], "consent_pt": "none"}
    assert (await call(hub, "POST", "/api/v1/sites", hub.auth, json=unknown))[0] == 422
    async with started(hub, site) as (widget, _):
        rules = {"name": "Loja", "origins": [PAGE], "active": False}
        path = f"/api/v1/sites/{site['id']}"
        stale = hub.auth | {"If-Match": '"7"'}
        assert (await call(hub, "PUT", path, stale, json=rules))[0] == 412
        assert (await call(hub, "PUT", path, hub.auth, json=rules))[0] == 200
        await widget.say("message", client_id=uuid4().hex, text="oi")
        assert (await widget.until("error"))["code"] == "forbidden"
    _, page = await call(hub, "GET", "/api/v1/sites", hub.auth)
    assert [one["active"] for one in page["items"]] == [False]
    with pytest.raises(aiohttp.WSServerHandshakeError):
        async with opened(hub, site):
            pass


HOSTS = st.from_regex(r"[a-z]{1,8}(\.[a-z]{1,8}){1,3}", fullmatch=True)


@given(HOSTS, st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_a_wildcard_lets_in_what_is_below_its_host_and_nothing_else(host: str, label: str):
    origins = [f"https://*.{host}"]
    assert allowed(origins, f"https://{label}.{host}")
    for other in (
        f"https://{host}",
        f"http://{label}.{host}",
        f"https://{label}{host}",
        f"https://{label}.{host}.evil",
        None,
    ):
        assert not allowed(origins, other)


@given(st.text(max_size=120))
def test_no_text_is_a_token(text: str):
    secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    site, visitor = uuid7(), uuid7()
    assert tokens.read_token(secret, site, text) is None
    good = tokens.make_token(secret, site, visitor)
    assert tokens.read_token(secret, site, good) == visitor
    assert tokens.read_token(secret, site, good, now=4e9) is None

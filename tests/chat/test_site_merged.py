"""Two browsers that turn out to be one person: whose talk was merged into the other's follows it, and learns nothing older."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from hub_api.auth import notices
from hub_api.chat.site import tokens
from hub_api.platform.ids import uuid7
from tests.auth.people import call
from tests.chat.test_site import PAGE, PNG, Widget, answer, make_site, opened, started
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.waiting import eventually

PHONE = "+5511987654321"


@pytest.fixture
async def hub(database_url: str, redis_url: str, tmp_path) -> AsyncIterator[Hub]:
    settings = make_settings(database_url, redis_url, sms_url="http://127.0.0.1:1/sms", home=tmp_path)
    async with running_hub(settings) as running:
        yield running


async def talk_of(widget: Widget, conversation_id: Any) -> dict[str, Any]:
    """What he is told of this conversation as the one that he is in, told already or next."""
    while True:
        for frame in widget.frames:
            if frame["type"] == "talk" and frame["data"] and frame["data"]["id"] == str(conversation_id):
                return frame["data"]
        await widget.until("talk")


async def conversation_of(hub: Hub, sent: dict[str, Any]) -> UUID:
    return await hub.fetchval("SELECT conversation_id FROM messages WHERE id = $1", UUID(sent["id"]))


async def has_the_phone(hub: Hub, conversation_id: UUID) -> None:
    """The hub knows the customer of this conversation by his phone already."""
    await hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value, valid_from) "
        "SELECT $2, customer_id, 'phone', $3, now() - interval '1 day' FROM conversations WHERE id = $1",
        conversation_id, uuid7(), PHONE,
    )  # fmt: skip


async def types_the_code(hub: Hub, widget: Widget) -> None:
    await widget.say("code", phone=PHONE)
    await widget.until("code_sent")
    sealed = await hub.fetchval("SELECT sealed FROM notices ORDER BY created_at DESC LIMIT 1")
    await widget.say("verify", phone=PHONE, code=notices.unseal(hub.services, sealed).text.split()[0])
    await widget.until("verified")


async def uploaded(hub: Hub, site: dict[str, Any], token: str) -> str:
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="conta.png", content_type="image/png")
    headers = {"Origin": PAGE, "Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as web,
        web.post(f"{hub.url}/widget/files", params={"key": site["key"]}, data=form) as told,
    ):
        assert told.status == 201, await told.text()
        return (await told.json())["id"]


async def fetched(hub: Hub, site: dict[str, Any], token: str, file: str) -> int:
    headers = {"Origin": PAGE, "Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as web,
        web.get(f"{hub.url}/widget/files/{file}", params={"key": site["key"]}) as told,
    ):
        return told.status


def words(widget: Widget) -> list[str]:
    return [frame["data"]["text"] for frame in widget.frames if frame["type"] == "message"]


async def seen_again(hub: Hub, site: dict[str, Any], token: str, **hello: Any) -> tuple[list[str], dict[str, Any]]:
    """The words of whoever comes back without anything, and the conversation he is in."""
    async with opened(hub, site, token=token, after=None, **hello) as widget:
        await widget.until("ready")
        return words(widget), next(frame["data"] for frame in widget.frames if frame["type"] == "talk")


async def test_who_typed_a_code_follows_the_conversation_that_goes_on_and_sees_what_is_new_in_it(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (first, first_token), started(hub, site) as (second, second_token):
        kept = await conversation_of(hub, await first.write("segredo do primeiro"))
        await answer(hub, kept, "resposta ao primeiro")
        await first.hears("resposta ao primeiro")
        closed = await conversation_of(hub, await second.write("pergunta do segundo"))
        await talk_of(second, closed)
        await has_the_phone(hub, kept)
        await types_the_code(hub, second)
        merged = await hub.fetchval("SELECT merged_into FROM conversations WHERE id = $1", closed)
        assert merged == kept

        told = await talk_of(second, kept)
        protocol = await hub.fetchval("SELECT protocol FROM conversations WHERE id = $1", kept)
        assert (told["state"], told["protocol"]) == ("queued", protocol)
        await answer(hub, kept, "resposta aos dois")
        for one in (first, second):
            await one.hears("resposta aos dois")
        assert await conversation_of(hub, await second.write("obrigado")) == kept
        await first.hears("obrigado")
        # What he did not see is not read by him.
        ours = await second.hears("resposta aos dois")
        await second.say("ack", read=ours["id"])
        state = "SELECT state FROM messages WHERE content = $1"
        await eventually(lambda: hub.fetchval("SELECT state = 'read' FROM messages WHERE id = $1", UUID(ours["id"])))
        assert await hub.fetchval(state, "resposta ao primeiro") == "sent"
        assert not [one for one in words(second) if "primeiro" in one]
        assert not [one for one in words(first) if "segundo" in one]

    again, talk = await seen_again(hub, site, second_token)
    assert again == ["pergunta do segundo", "resposta aos dois", "obrigado"] and talk["id"] == str(kept)
    others, talk = await seen_again(hub, site, first_token)
    assert others == ["segredo do primeiro", "resposta ao primeiro", "resposta aos dois", "obrigado"]
    assert talk["id"] == str(kept)


async def test_who_was_away_when_it_was_merged_finds_it_where_it_goes_on(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (first, _):
        kept = await conversation_of(hub, await first.write("segredo do primeiro"))
    async with started(hub, site) as (second, token):
        closed = await conversation_of(hub, await second.write("pergunta do segundo"))
    body = {"other": str(closed), "same_person": True}
    status, told = await call(hub, "POST", f"/api/v1/conversations/{kept}/merge", hub.auth, json=body)
    assert status == 200, told
    await answer(hub, kept, "resposta aos dois")
    again, talk = await seen_again(hub, site, token)
    assert again == ["pergunta do segundo", "resposta aos dois"] and talk["id"] == str(kept)


async def test_a_lent_phone_opens_nothing_and_the_website_s_own_user_sees_both_his_browsers(hub: Hub):
    site = await make_site(hub, bot=False)
    _, made = await call(hub, "POST", f"/api/v1/sites/{site['id']}/identity-secret", hub.auth)
    ana = {"id": "ana-1", "signature": tokens.signature_of(made["secret"], "ana-1"), "name": "Ana Souza"}
    async with started(hub, site, identity=ana) as (laptop, _), started(hub, site) as (lent, lent_token):
        talk = await conversation_of(hub, await laptop.write("segredo de Ana"))
        await has_the_phone(hub, talk)
        await types_the_code(hub, lent)  # he has no conversation that could be merged
        assert await conversation_of(hub, await lent.write("posso ver?")) == talk
        async with started(hub, site, identity=ana) as (phone, phone_token):
            assert await conversation_of(hub, await phone.write("agora do celular")) == talk
        assert words(lent).count("segredo de Ana") == 0
    shown, _ = await seen_again(hub, site, lent_token)
    assert shown == ["posso ver?", "agora do celular"]
    shown, _ = await seen_again(hub, site, phone_token, identity=ana)
    assert shown == ["segredo de Ana", "posso ver?", "agora do celular"]


async def test_a_file_that_the_other_browser_sent_before_is_not_opened(hub: Hub):
    site = await make_site(hub, bot=False)
    async with started(hub, site) as (first, first_token), started(hub, site) as (second, second_token):
        file = await uploaded(hub, site, first_token)
        await first.say("message", client_id=uuid4().hex, file=file, text="minha conta")
        kept = await conversation_of(hub, await first.until("sent"))
        await second.write("oi")
        await has_the_phone(hub, kept)
        await types_the_code(hub, second)
        await talk_of(second, kept)
        assert await fetched(hub, site, first_token, file) == 200
        assert await fetched(hub, site, second_token, file) == 404
        later = await uploaded(hub, site, first_token)
        await first.say("message", client_id=uuid4().hex, file=later, text="e esta")
        await second.hears("e esta")
        assert await fetched(hub, site, second_token, later) == 200

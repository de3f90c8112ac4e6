"""Accounts and numbers: registered once, tokens sealed, listed without them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub_api.errors import NotFound
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.config import WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.whatsapp import accounts
from hub_api.whatsapp.send.errors_table import RULES
from tests.support.hub import Hub, fixture, make_settings, signed
from tests.support.sending import TOKEN, add_our_number, add_people, drain_all, message, queue, states, text
from tests.support.simulator import test_config


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    """A simulator without limits."""
    async with Simulator(test_config(enforce_limits=frozenset())) as running:
        yield running


@pytest.fixture
def settings(database_url: str, redis_url: str, sim: Simulator) -> Settings:
    """Settings whose Meta is the simulator."""
    return make_settings(database_url, redis_url, meta_base_url=sim.url)


async def test_an_account_and_a_number_are_registered_once_and_renewed_after(services: Services) -> None:
    first = await add_our_number(services)
    again = await add_our_number(services, throughput_mps=250, verified_name="Provedor Exemplo")
    assert first == again
    [number] = (await accounts.list_numbers(services)).rows
    assert (number["throughput_mps"], number["verified_name"]) == (250, "Provedor Exemplo")
    assert len(await accounts.list_accounts(services)) == 1


async def test_a_token_is_stored_encrypted_and_never_listed(services: Services) -> None:
    await add_our_number(services)
    stored = await services.db.fetchval("SELECT token_encrypted FROM whatsapp_accounts")
    assert TOKEN.encode() not in stored
    [account] = await accounts.list_accounts(services)
    assert "token" not in " ".join(account.keys())


async def test_a_number_needs_its_account(services: Services) -> None:
    with pytest.raises(NotFound, match="add the account before"):
        await accounts.add_number(
            services, waba_id="999999", phone_number_id="888888", display_phone_number="551130009999"
        )


async def test_a_new_token_lifts_the_pause_that_the_old_one_caused(services: Services, sim: Simulator) -> None:
    number_id = await add_our_number(services)
    account_id = await services.db.fetchval("SELECT id FROM whatsapp_accounts")
    await accounts.add_account(services, waba_id=WABA_ID, portfolio_id="111000000000001", name="P", token="expired")
    [person] = await add_people(services, number_id, 1)
    [message_id] = await queue(services, person, text())
    await drain_all(services)
    row = await services.db.fetchrow("SELECT state, state_reason FROM whatsapp_accounts")
    assert row["state"] == "paused" and "token" in row["state_reason"]
    assert await states(services, [message_id]) == ["queued"] and not sim.core.ledger.accepted_calls
    await add_our_number(services)
    assert await services.db.fetchval("SELECT state FROM whatsapp_accounts WHERE id = $1", account_id) == "active"
    await drain_all(services)
    assert await states(services, [message_id]) == ["accepted"]


async def pages_of(hub: Hub, path: str, limit: int) -> list[dict[str, Any]]:
    """All items of a list, read page by page."""
    items, cursor = [], None
    while True:
        query = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
        answer = await hub.get(path, headers=hub.auth, params=query)
        assert answer.status == 200, await answer.text()
        content = await answer.json()
        assert len(content["items"]) <= limit
        items += content["items"]
        cursor = content["next_cursor"]
        if cursor is None:
            return items


async def test_operators_register_and_list_accounts_and_numbers_over_http(hub: Hub) -> None:
    account = {"waba_id": WABA_ID, "portfolio_id": "111000000000001", "name": "Provedor", "token": "a-secret-token"}
    assert (await hub.post("/api/v1/whatsapp/accounts", headers=hub.auth, json=account)).status == 201
    for number in range(5):
        body = {"waba_id": WABA_ID, "phone_number_id": f"10654{number:03d}", "display_phone_number": "551130001000"}
        assert (await hub.post("/api/v1/whatsapp/numbers", headers=hub.auth, json=body)).status == 201
    listed = await pages_of(hub, "/api/v1/whatsapp/numbers", 2)
    assert [n["phone_number_id"] for n in listed] == [f"10654{number:03d}" for number in range(5)]
    shown = await (await hub.get("/api/v1/whatsapp/accounts", headers=hub.auth)).text()
    assert "a-secret-token" not in shown and "Provedor" in shown


async def test_a_paused_number_and_account_are_resumed_over_http(hub: Hub) -> None:
    number_id = await add_our_number(hub.services)
    for table, path in (("whatsapp_numbers", "numbers"), ("whatsapp_accounts", "accounts")):
        row_id = await hub.fetchval(f"UPDATE {table} SET state = 'restricted' RETURNING id")
        answer = await hub.post(f"/api/v1/whatsapp/{path}/{row_id}/resume", headers=hub.auth)
        assert answer.status == 204
        assert await hub.fetchval(f"SELECT state FROM {table}") in ("connected", "active")
    assert (await hub.post(f"/api/v1/whatsapp/numbers/{uuid4()}/resume", headers=hub.auth)).status == 404
    assert number_id is not None


async def unknown_message(services: Services, number_id: UUID, age: timedelta, index: int) -> UUID:
    """A message whose outcome has been unknown for `age`."""
    [person] = await add_people(services, number_id, 1, first=index)
    [message_id] = await queue(services, person, text("texto secreto"))
    await services.db.execute(
        "UPDATE messages SET state = 'claimed', attempt = 1, claimed_at = $2 WHERE id = $1",
        message_id,
        datetime.now(UTC) - age,
    )
    await services.db.execute("UPDATE messages SET state = 'unknown' WHERE id = $1", message_id)
    return message_id


async def test_sends_in_doubt_are_listed_after_a_quarter_of_an_hour_and_settled_by_a_person(hub: Hub) -> None:
    number_id = await add_our_number(hub.services)
    old = [await unknown_message(hub.services, number_id, timedelta(minutes=20 + index), index) for index in (3, 2, 1)]
    young = await unknown_message(hub.services, number_id, timedelta(minutes=14), 9)
    listed = await pages_of(hub, "/api/v1/messages/unknown", 2)
    assert [item["id"] for item in listed] == [str(message_id) for message_id in old]
    assert "texto secreto" not in str(listed)
    path = f"/api/v1/messages/{old[0]}/resolve-unknown"
    assert (await hub.post(path, headers=hub.auth, json={"outcome": "sent"})).status == 422
    answers = await asyncio.gather(*(hub.post(path, headers=hub.auth, json={"outcome": "failed"}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [204, 409, 409]
    row = await message(hub.services, old[0])
    assert row["state"] == "failed" and "test" in row["error_title"]
    await hub.settled()
    assert await states(hub.services, [*old[1:], young]) == ["unknown"] * 3
    missing = f"/api/v1/messages/{uuid4()}/resolve-unknown"
    assert (await hub.post(missing, headers=hub.auth, json={"outcome": "failed"})).status == 404


async def test_dead_letters_are_listed_and_replayed_over_http(hub: Hub) -> None:
    await hub.services.db.execute(
        "INSERT INTO dead_letter (id, source, reason, payload, received_at, webhook_id, kind) "
        "VALUES ($1, 'parked', 'foreign_number', '{}', now(), $1, 'message')",
        uuid4(),
    )
    answer = await hub.get("/api/v1/webhooks/dead", headers=hub.auth)
    [letter] = (await answer.json())["items"]
    assert letter["reason"] == "foreign_number" and "payload" not in letter
    replayed = await hub.post("/api/v1/webhooks/dead/replay", headers=hub.auth, json={"ids": [letter["id"]]})
    assert await replayed.json() == {"replayed": 1}


async def test_what_the_channel_told_is_shown_page_by_page_also_what_nobody_knows(hub: Hub) -> None:
    await accounts.add_account(hub.services, waba_id=WABA_ID, portfolio_id="111", name="Telecom", token="t")
    for name in ("field_of_the_future.json", "account_alerts.json", "partner_solutions.json"):
        assert (await hub.post("/webhooks/whatsapp", **signed(name))).status == 200
        await hub.settled()
    told, cursor = [], None
    while True:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = await (await hub.get("/api/v1/webhooks/updates", headers=hub.auth, params=params)).json()
        told += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    future = fixture("field_of_the_future.json")["entry"][0]["changes"][0]
    assert [one["field"] for one in told] == ["partner_solutions", "account_alerts", future["field"]]
    assert told[2]["value"] == future["value"] and told[2]["applied_at"] is None and told[1]["applied_at"]
    only = await (
        await hub.get("/api/v1/webhooks/updates", headers=hub.auth, params={"field": "account_alerts"})
    ).json()
    assert [one["id"] for one in only["items"]] == [told[1]["id"]]


async def test_a_cursor_that_is_none_of_ours_is_refused(hub: Hub) -> None:
    for path in ("whatsapp/templates", "messages/unknown", "webhooks/dead", "webhooks/updates"):
        answer = await hub.get(f"/api/v1/{path}", headers=hub.auth, params={"cursor": "não-é-nosso"})
        assert answer.status == 422


async def test_every_route_of_the_channel_asks_for_a_key(hub: Hub) -> None:
    document = await (await hub.get("/openapi.json")).json()
    ours = [
        (method, path)
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith(("/api/v1/whatsapp", "/api/v1/webhooks", "/api/v1/messages"))
    ]
    assert len(ours) >= 11
    for method, path in ours:
        url = f"{hub.url}{path}".replace("{", "").replace("}", "")
        async with hub.session.request(method, url, json={}) as answer:
            assert answer.status == 401, (method, path)


def test_every_alert_of_the_table_tells_what_it_means() -> None:
    assert all(len(rule.meaning) > 5 for rule in RULES.values())

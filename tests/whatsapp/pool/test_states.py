"""The life of a number: which steps there are, who made them, and what they do to what waits."""

from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from hub_api.platform.services import Services
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.pool import states as pool
from tests.support.hub import Hub
from tests.support.sending import add_our_number, add_people, drain_all, queue, states, template, text

NUMBER_STATES = ("connected", "limited", "paused", "restricted", "offline", "draining", "removed")
ACCOUNT_STATES = ("active", "paused", "restricted", "disabled")
# What must never be: a graver stop is not replaced by a lighter one, and what was removed is added again first.
FORBIDDEN = {
    "whatsapp_numbers": {("restricted", "paused"), ("offline", "paused")}
    | {("removed", state) for state in NUMBER_STATES if state not in ("connected", "removed")},
    "whatsapp_accounts": {("restricted", "paused"), ("disabled", "paused")},
}


@pytest.mark.parametrize(
    ("table", "known"), [("whatsapp_numbers", NUMBER_STATES), ("whatsapp_accounts", ACCOUNT_STATES)]
)
async def test_every_step_is_either_allowed_and_told_or_refused(
    services: Services, table: str, known: tuple[str, ...]
) -> None:
    await add_our_number(services)
    row_id = await services.db.fetchval(f"SELECT id FROM {table}")
    history = table.removesuffix("s") + "_history"
    for start, end in product(known, known):
        async with services.db.acquire() as db:
            transaction = db.transaction()
            await transaction.start()
            await db.execute(f"ALTER TABLE {table} DISABLE TRIGGER change_state")
            await db.execute(f"UPDATE {table} SET state = $1", start)
            await db.execute(f"ALTER TABLE {table} ENABLE TRIGGER change_state")
            step = f"UPDATE {table} SET state = $1, state_reason = 'porque', state_source = 'test' WHERE id = $2"
            if (start, end) in FORBIDDEN[table]:
                with pytest.raises(asyncpg.CheckViolationError, match=f"cannot go from {start} to {end}"):
                    await db.execute(step, end, row_id)
            else:
                await db.execute(step, end, row_id)
                told = await db.fetch(f"SELECT from_state, to_state, reason, source FROM {history}")
                assert [tuple(row) for row in told] == ([(start, end, "porque", "test")] if start != end else [])
            await transaction.rollback()


async def act(hub: Hub, number_id: UUID, step: str, body: dict[str, Any] | None = None) -> int:
    answer = await hub.post(f"/api/v1/whatsapp/numbers/{number_id}/{step}", headers=hub.auth, json=body)
    return answer.status


async def test_operators_pause_drain_resume_and_remove_a_number_and_its_history_says_who(hub: Hub) -> None:
    number_id = await add_our_number(hub.services)
    assert await act(hub, number_id, "pause", {"reason": "obra na torre"}) == 204
    assert await act(hub, number_id, "drain", {"reason": "vai embora"}) == 200
    assert await hub.fetchval("SELECT state FROM whatsapp_numbers") == "paused", "a drain started what was stopped"
    assert await act(hub, number_id, "resume") == 204
    assert await hub.fetchval("SELECT state FROM whatsapp_numbers") == "draining"
    [person] = await add_people(hub.services, number_id, 1)
    await queue(hub.services, person, text())
    async with hub.session.delete(f"{hub.url}/api/v1/whatsapp/numbers/{number_id}", headers=hub.auth) as answer:
        assert answer.status == 409 and (await answer.json())["code"] == "number_still_working"
    await hub.services.db.execute("UPDATE messages SET state = 'cancelled'")
    async with hub.session.delete(f"{hub.url}/api/v1/whatsapp/numbers/{number_id}", headers=hub.auth) as answer:
        assert answer.status == 204
    assert await act(hub, number_id, "resume") == 409
    await add_our_number(hub.services)
    listed = await (await hub.get(f"/api/v1/whatsapp/numbers/{number_id}/history", headers=hub.auth)).json()
    steps = [(item["from_state"], item["to_state"], item["source"]) for item in reversed(listed["items"])]
    assert steps == [
        ("connected", "paused", "api:test"),
        ("paused", "draining", "api:test"),
        ("draining", "removed", "api:test"),
        ("removed", "connected", "added_again"),
    ]
    assert await act(hub, uuid4(), "pause", {"reason": "x"}) == 404


@pytest.mark.parametrize("what", ["numbers", "accounts"])
async def test_the_history_of_what_is_not_there_is_not_an_empty_page(hub: Hub, what: str) -> None:
    await add_our_number(hub.services)
    ours = await hub.fetchval(f"SELECT id FROM whatsapp_{what}")
    for id_, status in ((ours, 200), (uuid4(), 404)):
        answer = await hub.get(f"/api/v1/whatsapp/{what}/{id_}/history", headers=hub.auth)
        assert answer.status == status, await answer.text()


async def test_a_person_does_not_pause_what_meta_has_restricted(hub: Hub) -> None:
    number_id = await add_our_number(hub.services)
    await hub.services.db.execute("UPDATE whatsapp_numbers SET state = 'restricted', state_reason = '131031'")
    answer = await hub.post(f"/api/v1/whatsapp/numbers/{number_id}/pause", headers=hub.auth, json={"reason": "x"})
    assert answer.status == 409 and "131031" in (await answer.json())["detail"]


async def test_a_number_is_registered_with_its_pin_and_deregistered_at_meta(
    hub: Hub, sim: Simulator, number_id: UUID
) -> None:
    number = sim.core.world.numbers[PHONE_NUMBER_ID]
    assert await act(hub, number_id, "deregister") == 204
    assert number.status == "DISCONNECTED" and await hub.fetchval("SELECT state FROM whatsapp_numbers") == "offline"
    wrong = "000000" if number.pin != "000000" else "111111"
    answer = await hub.post(f"/api/v1/whatsapp/numbers/{number_id}/register", headers=hub.auth, json={"pin": wrong})
    assert answer.status == 409 and "133005" in await answer.text() and wrong not in await answer.text()
    assert await hub.fetchval("SELECT state FROM whatsapp_numbers") == "offline"
    assert await act(hub, number_id, "register", {"pin": number.pin}) == 204
    assert number.status == "CONNECTED" and await hub.fetchval("SELECT state FROM whatsapp_numbers") == "connected"


async def test_a_draining_number_sends_all_it_has_when_it_is_the_only_one_of_its_account(
    services: Services, number_id: UUID
) -> None:
    people = await add_people(services, number_id, 2)
    ids = [*await queue(services, people[0], template()), *await queue(services, people[1], text())]
    await pool.drain(services, "test", number_id, reason="vai embora")
    await drain_all(services)
    assert await states(services, ids) == ["accepted", "accepted"]

"""What operators see: the pool over HTTP and from the command line, with figures that are true."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from hub_api import maintenance
from hub_api.cli import commands
from hub_api.platform import metrics
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.pool.advice import UNKNOWN, advice
from hub_api.whatsapp.send.errors_table import RULES
from tests.support.hub import Hub
from tests.support.sending import add_people, drain_all, queue, template, text
from tests.whatsapp.pool.test_move import others

__all__ = ["others"]


async def test_the_pool_shows_state_queue_rate_errors_with_advice_and_quota(
    hub: Hub, number_id: UUID, others: list[UUID], sim: Simulator
) -> None:
    people = await add_people(hub.services, number_id, 5)
    sim.core.faults.add(Fault("error", code=131026, times=2))
    for person in people:
        await queue(hub.services, person, template())
    await drain_all(hub.services)
    await hub.services.db.execute("UPDATE whatsapp_portfolios SET messaging_limit = 250")
    await hub.post(f"/api/v1/whatsapp/numbers/{number_id}/pause", headers=hub.auth, json={"reason": "obra"})
    await queue(hub.services, people[0], text(), template("oferta_fibra", "marketing"))
    items: dict[str, Any] = {}
    path, cursor = "/api/v1/whatsapp/pool", ""
    while True:
        page = await (
            await hub.get(path, headers=hub.auth, params={"limit": "2", **({"cursor": cursor} if cursor else {})})
        ).json()
        items |= {item["id"]: item for item in page["items"]}
        if (cursor := page["next_cursor"]) is None:
            break
    assert set(items) == {str(number_id), *map(str, others)}
    ours = items[str(number_id)]
    assert (ours["state"], ours["state_reason"], ours["breaker"], ours["speed"]) == ("paused", "obra", "closed", 1)
    assert {lane: told["waiting"] for lane, told in ours["queue"].items()} == {"automatic": 1, "marketing": 1}
    assert 0 <= ours["queue"]["marketing"]["oldest_age_s"] < 60
    assert ours["accepted_per_s"] == round(3 / 300, 2) and items[str(others[0])]["accepted_per_s"] == 0
    [error] = ours["errors"]
    assert (error["code"], error["count"]) == (131026, 2) and "outro canal" in error["advice"]
    assert ours["messaging_limit"] == 250 and "token" not in json.dumps(items)
    one = await (await hub.get(f"/api/v1/whatsapp/numbers/{number_id}", headers=hub.auth)).json()
    assert [step["to_state"] for step in one["history"]] == ["paused"] and one["errors"] == ours["errors"]
    assert (await hub.get(f"/api/v1/whatsapp/numbers/{uuid4()}", headers=hub.auth)).status == 404
    await maintenance.gauges.function(hub.services)
    shown = {state: metrics.numbers_by_state.labels(state)._value.get() for state in ("connected", "paused")}
    assert shown == {"connected": 2, "paused": 1}


async def test_a_check_over_http_says_what_meta_said(hub: Hub, number_id: UUID, sim: Simulator) -> None:
    sim.core.world.numbers[PHONE_NUMBER_ID].status = "BANNED"
    answer = await (await hub.post(f"/api/v1/whatsapp/numbers/{number_id}/check", headers=hub.auth)).json()
    assert answer == {"done": True, "state": "restricted", "failure": None}


def test_every_code_of_the_table_has_advice_in_words() -> None:
    assert all(advice(code) != UNKNOWN for code in RULES)
    assert advice(424242) == UNKNOWN


async def test_operators_work_the_pool_from_the_command_line(
    hub: Hub, number_id: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub_api.settings.load_settings", lambda: settings)

    async def run(*arguments: str) -> Any:
        result = await asyncio.to_thread(CliRunner().invoke, commands, ["numbers", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    assert PHONE_NUMBER_ID in await run("list")
    await run("pause", PHONE_NUMBER_ID, "--reason", "obra na torre")
    told = json.loads(await run("show", PHONE_NUMBER_ID, "--json"))
    assert (told["state"], told["state_reason"]) == ("paused", "obra na torre")
    assert "obra na torre" in await run("show", PHONE_NUMBER_ID)
    await run("resume", PHONE_NUMBER_ID)
    assert "quality GREEN" in await run("check", str(number_id))
    await run("drain", PHONE_NUMBER_ID)
    await run("remove", PHONE_NUMBER_ID)
    [row] = json.loads(await run("list", "--json"))
    assert row["state"] == "removed" and row["waiting"] == 0
    sources = await hub.fetch("SELECT DISTINCT split_part(source, ':', 1) AS s FROM whatsapp_number_history")
    assert [source["s"] for source in sources] == ["cli"]

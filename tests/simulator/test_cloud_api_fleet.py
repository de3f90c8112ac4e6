"""Many numbers, accounts and portfolios, the account of their traffic, and the door that send calls come through."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.simulator import inbound
from hub_api.simulator.behaviour import Silent
from hub_api.simulator.config import PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID
from hub_api.simulator.server import Simulator
from tests.support.simulator import test_config

HEADERS = {"Authorization": "Bearer sim-token"}


@pytest.fixture
async def sim() -> AsyncIterator[Simulator]:
    fleet = {"numbers": 12, "accounts": 4, "portfolios": 2, "levels": (20, 80, 1000), "tiers": ("TIER_250", "TIER_2K")}
    async with Simulator(test_config(**fleet), behaviour=Silent()) as running:
        yield running


@pytest.fixture
async def client(sim: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sim.url, headers=HEADERS) as session:
        yield session


def welcome(user: int, opaque: str = "m.1") -> dict[str, Any]:
    """A send call to a person."""
    components = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    return {
        "messaging_product": "whatsapp", "to": f"+55119{user:08}", "type": "template", "biz_opaque_callback_data": opaque,
        "template": {"name": "boas_vindas", "language": {"code": "pt_BR"}, "components": components},
    }  # fmt: skip


def following(first: str, n: int) -> str:
    """The nth id."""
    return str(int(first) + n)


async def send(client: aiohttp.ClientSession, number: int, user: int, opaque: str = "m.1") -> int:
    """0 when accepted, else Meta's code."""
    path = f"/v26.0/{following(PHONE_NUMBER_ID, number)}/messages"
    async with client.post(path, json=welcome(user, opaque)) as answer:
        body = await answer.json()
        assert (answer.status == 200) == ("messages" in body)
        return int(body["error"]["code"]) if "error" in body else 0


async def test_numbers_accounts_and_portfolios_are_dealt_out_in_turn(sim, client):
    async with client.get(f"/v26.0/{following(PORTFOLIO_ID, 1)}/owned_whatsapp_business_accounts") as answer:
        owned = [waba["id"] for waba in (await answer.json())["data"]]
    assert owned == [following(WABA_ID, 1), following(WABA_ID, 3)]
    async with client.get(f"/v26.0/{owned[1]}/phone_numbers?fields=id,throughput") as answer:
        numbers = (await answer.json())["data"]
    assert [number["id"] for number in numbers] == [following(PHONE_NUMBER_ID, n) for n in (3, 7, 11)]
    assert [sim.core.world.numbers[number["id"]].mps for number in numbers] == [20, 80, 1000]
    async with client.get(f"/v26.0/{owned[1]}/message_templates") as answer:
        assert "boas_vindas" in {template["name"] for template in (await answer.json())["data"]}
    async with client.put(
        "/_sim/numbers", json={"id": "777", "display": "551130009999", "waba_id": owned[0]}
    ) as answer:
        assert (await answer.json())["waba_id"] == owned[0]


async def test_the_tally_knows_each_numbers_refusals_and_its_busiest_second(sim, client):
    number = sim.core.world.numbers[following(PHONE_NUMBER_ID, 3)]  # 20 a second
    sim.core.clock.set(speed=0)
    codes = [await send(client, 3, user) for user in range(25)]
    assert codes == [0] * 20 + [130429] * 5
    sim.core.clock.advance(0.5)
    assert [await send(client, 3, user) for user in range(25, 36)] == [0] * 10 + [130429]
    inbound.write(sim.core, sim.core.world.user_by_phone("5511900000001"), number, "text", {"body": "oi"})
    sim.core.clock.advance(3)
    assert await send(client, 3, 99) == 0
    async with client.get("/_sim/tally") as answer:
        tally = await answer.json()
    mine = tally["numbers"][number.id]
    assert (mine["accepted"], mine["inbound"], mine["refused"], mine["mps"]) == (31, 1, {"130429": 6}, 20)
    assert mine["peak_per_second"] == 31, "20, and within the same second 10 and one that came in"
    assert mine["last_at"] - mine["first_at"] == pytest.approx(3.5)
    assert tally["refusals"] == {"130429": 6} and tally["accepted"] == 31


async def test_a_portfolios_limit_counts_its_numbers_together_and_is_told_in_the_tally(sim, client):
    for user in range(260):
        assert await send(client, (0, 2)[user % 2], user, f"m{user}.1") in (0, 130429)
        sim.core.clock.advance(0.05)
    async with client.get("/_sim/tally") as answer:
        assert (await answer.json())["over_portfolio_limit"] == 10


async def test_acceptance_times_are_told_for_the_ids_asked_for(sim, client):
    await send(client, 1, 1, "a.1")
    async with client.post("/_sim/accepted", json={"ids": ["a", "b"], "times": True}) as answer:
        told = await answer.json()
    assert told["accepted"] == {"a": 1, "b": 0}
    assert told["accepted_at"] == {"a": pytest.approx(sim.core.clock.now(), abs=5)}


async def test_a_connection_serves_send_calls_and_everything_else(sim):
    one = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(sim.url, headers=HEADERS, connector=one) as client:
        for user in range(3):
            assert await send(client, 2, user, f"m{user}.1") == 0
            async with client.get(f"/v26.0/{PHONE_NUMBER_ID}") as answer:
                assert (await answer.json())["id"] == PHONE_NUMBER_ID
        assert await send(client, 2, 9) == 0
        async with client.post("/v26.0/404/messages", json=welcome(1)) as answer:
            assert answer.status == 400 and (await answer.json())["error"]["error_subcode"] == 33
        async with client.post(
            f"/v26.0/{PHONE_NUMBER_ID}/messages", json=welcome(1), headers={"Authorization": "Bearer no"}
        ) as answer:
            assert answer.status == 401
    assert sim.core.ledger.accepted_calls == 4


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 2_000), max_size=6), chunked=st.booleans(), first=st.booleans())
async def test_a_call_is_understood_in_whatever_pieces_it_arrives(sim, cuts, chunked, first):
    before = sim.core.ledger.accepted_calls
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sim.url.rpartition(":")[2]))
    calls = [request(user, chunked=chunked and (user == 0) == first) for user in range(3)]
    stream = b"".join(calls)
    points = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    for start, end in pairwise(points):
        writer.write(stream[start:end])
        await writer.drain()
        await asyncio.sleep(0.002)
    for _ in calls:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200 ")
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        assert b'"wamid.' in await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    assert sim.core.ledger.accepted_calls == before + 3


def request(user: int, *, chunked: bool) -> bytes:
    """A send call as it goes over the wire, to one of the numbers without a low limit."""
    body = json.dumps(welcome(user + 1_000 * (not chunked))).encode()
    head = f"POST /v26.0/{following(PHONE_NUMBER_ID, 2)}/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sim-token\r\n"
    if chunked:
        return f"{head}Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body

"""The boards: whole states, told when they change, to those who may see them and of what they see; read once for everybody."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.live import boards, figures
from tests.auth.people import Person, add_conversation, add_person, add_team, call
from tests.chat.test_live import Client, connected
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.waiting import eventually

MINE, FOREIGN = "fila-cobrança", "fila-suporte"


@pytest.fixture
async def hub(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    async with running_hub(make_settings(database_url, redis_url)) as running:
        yield running


async def waits(hub: Hub, queue: str, since: datetime, priority: int = 1) -> str:
    """A conversation that waits in this queue since then."""
    made = await add_conversation(hub, queue, "oi")
    await hub.services.db.execute(
        "UPDATE conversations SET priority = $3, line_at = $2 WHERE id = $1", made["conversation"], since, priority
    )
    return str(made["conversation"])


async def watch(client: Client, board: str) -> dict[str, Any]:
    await client.say(op="subscribe", stream=board)
    await client.until("subscribed", stream=board)
    return await client.until(board)


async def until(client: Client, board: str, fits: Any) -> dict[str, Any]:
    """The next frame of a board whose data are so."""
    while True:
        frame = await client.until(board)
        if fits(frame["data"]):
            return frame["data"]


def of(data: dict[str, Any], key: str) -> dict[str, Any]:
    return next(queue for queue in data["queues"] if queue["key"] == key)


async def team_of_supervisor(hub: Hub) -> tuple[Person, Person]:
    """A supervisor and an agent of the team of MINE; FOREIGN is another one's."""
    team, _ = await add_team(hub, "cobrança")
    await add_team(hub, "suporte")
    return await add_person(hub, "supervisor", team), await add_person(hub, "agent", team)


async def test_a_line_is_told_in_its_order_as_it_changes_and_of_ones_own_teams_alone(hub: Hub) -> None:
    supervisor, _ = await team_of_supervisor(hub)
    early, late = datetime(2026, 11, 1, 12, tzinfo=UTC), datetime(2026, 11, 1, 13, tzinfo=UTC)
    second = await waits(hub, MINE, late)
    async with connected(hub, supervisor) as client, connected(hub) as admin:
        data = (await watch(client, "queue"))["data"]
        assert FOREIGN not in [queue["key"] for queue in data["queues"]]
        assert of(data, MINE)["waiting"] == 1 and of(data, MINE)["oldest_waiting_at"].startswith("2026-11-01T13:00")
        first = await waits(hub, MINE, early)
        urgent = await waits(hub, MINE, late, priority=5)
        data = await until(client, "queue", lambda told: of(told, MINE)["waiting"] == 3)
        assert [(one["id"], one["position"]) for one in of(data, MINE)["line"]] == [
            (urgent, 1), (first, 2), (second, 3),
        ]  # fmt: skip
        assert of(data, MINE)["oldest_waiting_at"].startswith("2026-11-01T12:00")
        await waits(hub, FOREIGN, early)
        everything = (await watch(admin, "queue"))["data"]
        if not of(everything, FOREIGN)["waiting"]:
            everything = await until(admin, "queue", lambda told: of(told, FOREIGN)["waiting"])
        assert of(everything, FOREIGN)["waiting"] == 1 and of(everything, MINE)["waiting"] == 3
        assert FOREIGN not in json.dumps([frame for frame in await client.quiet() if frame["type"] == "queue"])


async def test_presence_has_slots_and_changes_with_what_an_agent_does(hub: Hub) -> None:
    supervisor, agent = await team_of_supervisor(hub)
    foreign = await add_person(hub, "agent", (await add_team(hub, "vendas"))[0])
    async with connected(hub, supervisor) as client:
        data = (await watch(client, "presence"))["data"]
        people = {one["user_id"]: one for one in data["agents"]}
        assert str(foreign.id) not in people and people[str(agent.id)]["presence"] == "offline"
        status, _ = await call(hub, "PUT", "/api/v1/agents/me/presence", agent.headers, json={"presence": "online"})
        assert status == 200

        def is_online(told: dict[str, Any]) -> bool:
            return any(one["user_id"] == str(agent.id) and one["presence"] == "online" for one in told["agents"])

        data = await until(client, "presence", is_online)
        told = next(one for one in data["agents"] if one["user_id"] == str(agent.id))
        assert told["free"] == told["capacity"] - told["load"] == 3 and told["since"]


async def test_each_board_wants_its_permission_also_while_it_is_open(hub: Hub) -> None:
    supervisor, agent = await team_of_supervisor(hub)
    async with connected(hub, agent) as client:
        for board in ("presence", "wallboard"):
            await client.say(op="subscribe", stream=board)
            assert (await client.until("error"))["code"] == "forbidden"
        await watch(client, "queue")
    async with connected(hub, supervisor) as client:
        await watch(client, "presence")
        await hub.services.db.execute("UPDATE users SET role = 'agent' WHERE id = $1", supervisor.id)
        await client.until("gone", stream="presence")
        await call(hub, "PUT", "/api/v1/agents/me/presence", agent.headers, json={"presence": "online"})
        assert not [frame for frame in await client.quiet() if frame["type"] == "presence"]


async def test_many_clients_of_many_processes_cost_one_reading(
    hub: Hub, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, _ = await team_of_supervisor(hub)
    read, load = [], boards.load

    async def counted(services: Any) -> boards.State:
        read.append(services)
        return await load(services)

    monkeypatch.setattr(boards, "load", counted)
    async with running_hub(make_settings(database_url, redis_url)) as other:
        clients = [connected(one, supervisor) for one in (hub, other) for _ in range(5)]
        opened = [await client.__aenter__() for client in clients]
        first = [await watch(client, "queue") for client in opened]
        assert all(of(frame["data"], MINE)["waiting"] == 0 for frame in first)
        began, before = asyncio.get_running_loop().time(), len(read)
        await waits(hub, MINE, datetime.now(UTC))
        for client in opened:
            await until(client, "queue", lambda told: of(told, MINE)["waiting"] == 1)
        passed = asyncio.get_running_loop().time() - began
        assert len(read) - before <= passed / boards.EVERY_S + 2
        for client in clients:
            await client.__aexit__(None, None, None)


async def test_the_wallboard_sums_what_one_sees_and_adds_the_figures_of_ones_queues(hub: Hub) -> None:
    supervisor, _ = await team_of_supervisor(hub)
    await waits(hub, MINE, datetime.now(UTC))
    await waits(hub, FOREIGN, datetime.now(UTC))
    shown = figures.Shown(
        key="abandonment_rate", name="Abandono", unit="share", better="down", kind="ratio", scale=1.0, target=None
    )
    rows = [(MINE, 9, 1, 4), (FOREIGN, 9, 4, 4), ("", 10, 0, 1)]
    today = [
        figures.Sums(kpi="abandonment_rate", queue=queue, hour=hour, numerator=n, denominator=d)
        for queue, hour, n, d in rows
    ]
    kept = figures.Figures(
        at="2026-11-26T13:00:00+00:00", day="2026-11-26", hour=10, shown=[shown], today=today, yesterday=[]
    )
    await figures.keep(hub.services, kept)
    async with connected(hub, supervisor) as client, connected(hub) as admin:
        mine = await _with_figures(client)
        assert mine["waiting"] == 1 and [one["key"] for one in mine["queues"]] == [MINE]
        (figure,) = mine["figures"]["items"]
        assert figure["today"] == 1 / 5 and figure["hours"][9] == 1 / 4 and figure["yesterday"] is None
        everybody = await _with_figures(admin)
        assert everybody["waiting"] == 2 and everybody["figures"]["items"][0]["today"] == 5 / 9
    assert await figures.wanted(hub.services)


async def _with_figures(client: Client) -> dict[str, Any]:
    frame = await watch(client, "wallboard")
    return frame["data"] if frame["data"]["figures"] else await until(client, "wallboard", lambda told: told["figures"])


async def test_a_promise_about_to_break_and_a_broken_one_are_counted_once_each(hub: Hub) -> None:
    supervisor, _ = await team_of_supervisor(hub)
    risky, broken = await waits(hub, MINE, datetime.now(UTC)), await waits(hub, MINE, datetime.now(UTC))
    policy = await hub.services.db.fetchval(
        "INSERT INTO sla_policies (id, name, target, seconds) VALUES (gen_random_uuid(), 'x', 'resolution', 60) RETURNING id"
    )
    await hub.services.db.executemany(
        "INSERT INTO sla_clocks (conversation_id, target, policy_id, started_at, running_since, due_at, warn_at, breached_at) "
        "VALUES ($1, $2, $3, now(), now(), now() + $4::int * interval '1 minute', now() - interval '1 minute', $5) "
        "ON CONFLICT (conversation_id, target) DO UPDATE SET due_at = excluded.due_at, warn_at = excluded.warn_at, "
        "breached_at = excluded.breached_at",
        [
            (risky, "resolution", policy, 30, None),
            (broken, "resolution", policy, 30, None),
            (broken, "next_response", policy, -5, datetime.now(UTC)),
        ],
    )
    async with connected(hub, supervisor) as client:
        queue = of((await watch(client, "queue"))["data"], MINE)
        assert (queue["breached"], queue["at_risk"]) == (1, 1)


async def test_a_state_that_waits_is_replaced_by_the_newer_one(hub: Hub) -> None:
    from hub_api.chat.live.subscriber import Subscriber

    class Still:
        """A socket whose client reads nothing yet."""

        caller = type("Nobody", (), {"teams": None})()
        sent: list[str] = []

        async def send(self, text: str) -> None:
            self.sent.append(text)

    still = Still()
    one = Subscriber(still)  # type: ignore[arg-type]
    for number in range(5000):
        one.put_newest("queue", json.dumps(number))
    one.put("after")
    assert not one.too_slow.is_set()
    sending = asyncio.create_task(one.send())
    await eventually(lambda: len(still.sent) == 2)
    sending.cancel()
    assert still.sent == ["4999", "after"] and one._characters == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 23), st.integers(0, 9), st.integers(0, 9)), max_size=30),
    st.sets(st.sampled_from("abc")),
)
def test_figures_of_queues_are_those_of_the_sums(rows: list[tuple[str, int, int, int]], queues: set[str]) -> None:
    shown = figures.Shown(key="k", name="K", unit="share", better="up", kind="ratio", scale=0.5, target=None)
    sums = [figures.Sums(kpi="k", queue=q, hour=h, numerator=n, denominator=d) for q, h, n, d in rows]
    told = figures.added(
        figures.Figures(at="", day="", hour=23, shown=[shown], today=sums, yesterday=sums), queues
    )["items"][0]  # fmt: skip
    numerator = sum(n for q, _, n, _ in rows if q in queues)
    denominator = sum(d for q, _, _, d in rows if q in queues)
    assert told["today"] == (0.5 * numerator / denominator if denominator else None)
    assert told["yesterday_so_far"] == told["yesterday"] == told["today"] and told["cases"] == denominator


async def test_each_stream_is_told_by_its_own_permission(hub: Hub) -> None:
    chief = await add_person(hub, "executive")
    async with connected(hub, chief) as client:
        assert (await watch(client, "wallboard"))["data"]["waiting"] == 0
        for stream in ("inbox", "queue", "presence"):
            await client.say(op="subscribe", stream=stream)
            refused = await client.until("error")
            assert (refused["code"], refused["stream"]) == ("forbidden", stream)
        made = await add_conversation(hub, None, "segredo")
        await client.say(op="subscribe", stream="conversation", id=made["conversation"])
        refused = await client.until("error")
        assert (refused["code"], refused["id"]) == ("forbidden", str(made["conversation"]))
        assert not any(one["type"] in ("conversation", "message") for one in client.frames)


async def test_a_board_tells_which_skill_a_queue_asks_for_in_vain(hub: Hub) -> None:
    supervisor, agent = await team_of_supervisor(hub)
    await hub.fetch(
        """UPDATE queues SET skills = '{"fibra": 3, "ingles": 2}', languages = '{pt_BR}' WHERE key = $1""", MINE
    )
    async with connected(hub, supervisor) as client:
        assert of((await watch(client, "queue"))["data"], MINE)["lacks"] == ["fibra:3", "ingles:2", "pt_BR"]
        skills = "INSERT INTO agents (user_id, skills) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET skills = $2"
        await hub.fetch(skills, agent.id, {"fibra": 3})
        await until(client, "queue", lambda told: of(told, MINE)["lacks"] == ["ingles:2"])
        await hub.fetch(skills, supervisor.id, {"ingles": 5})
        await until(client, "queue", lambda told: of(told, MINE)["lacks"] == ["fibra:3", "ingles:2"])  # nobody has both
        await hub.fetch(skills, agent.id, {"fibra": 4, "ingles": 2})
        await until(client, "queue", lambda told: of(told, MINE)["lacks"] == [])

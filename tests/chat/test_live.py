"""The live streams: everything told once it is committed, in whatever order; resumed without a gap; nothing foreign; bounded."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.live import streams, subscriber
from hub_api.chat.live.position import MOST_GAPS, Position, cursor_of, read_cursor
from hub_api.errors import Invalid
from hub_api.platform.eventlog import insert_events
from hub_api.platform.ids import uuid7
from hub_api.platform.postgres import prepare_connection
from tests.auth.people import Person, add_conversation, add_person, add_team, call
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.waiting import eventually

QUIET_S = 0.6  # nothing more comes: thirty looks of the reader


@pytest.fixture
async def hub(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    async with running_hub(make_settings(database_url, redis_url)) as running:
        yield running


class Client:
    """A client that keeps every frame it was sent, and the last cursor of each stream."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []
        self.cursors: dict[str, str] = {}

    async def say(self, **fields: Any) -> None:
        await self.socket.send_json(fields, dumps=lambda given: json.dumps(given, default=str))

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next frame of this type with these fields; what comes before it is kept too."""
        end = time.monotonic() + 30
        while True:
            frame = await self.next(max(0.1, end - time.monotonic()))
            assert kind == "error" or frame["type"] != "error", frame
            if frame["type"] == kind and all(str(frame.get(name)) == str(value) for name, value in fields.items()):
                return frame

    async def next(self, patience_s: float) -> dict[str, Any]:
        frame = json.loads(await self.socket.receive_str(timeout=patience_s))
        self.frames.append(frame)
        if frame.get("cursor"):
            self.cursors[frame.get("id") if frame.get("stream") == "conversation" else "inbox"] = frame["cursor"]
        return frame

    async def quiet(self) -> list[dict[str, Any]]:
        """What still comes until nothing does."""
        before = len(self.frames)
        try:
            while True:
                await self.next(QUIET_S)
        except TimeoutError:
            return self.frames[before:]

    async def subscribe(self, room: UUID | None = None, after: str | None = None) -> None:
        named = {"stream": "inbox"} if room is None else {"stream": "conversation", "id": room}
        await self.say(op="subscribe", after=after, **named)
        await self.until("subscribed", **named)

    def messages(self) -> list[str]:
        return [frame["data"]["id"] for frame in self.frames if frame["type"] == "message"]

    def inbox(self) -> list[str]:
        return [frame["data"]["id"] for frame in self.frames if frame["type"] == "conversation"]


@asynccontextmanager
async def connected(hub: Hub, who: Person | None = None) -> AsyncIterator[Client]:
    headers = who.headers if who else hub.auth
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.ws_connect(hub.url + "/ws", headers=headers) as socket,
    ):
        yield Client(socket)


async def spoken(db: Any, conversation: dict[str, UUID], words: str = "oi") -> UUID:
    """A message of the customer with its event, in the caller's transaction."""
    from hub_api.events import MessageReceived

    message_id = uuid7()
    await db.execute(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
        "VALUES ($1, now(), $2, $3, 'in', 'customer', 'text', $4, 'received')",
        message_id, conversation["conversation"], conversation["customer"], words,
    )  # fmt: skip
    at = await db.fetchval("SELECT now()")
    await insert_events(
        db,
        [
            MessageReceived(
                aggregate_id=message_id, aggregate_version=1, occurred_at=at, message_type="text", content=words,
                conversation_id=conversation["conversation"], customer_id=conversation["customer"], received_at=at,
            )
        ],
    )  # fmt: skip
    return message_id


async def write(hub: Hub, conversation: dict[str, UUID], words: str = "oi") -> str:
    async with hub.services.db.acquire() as db, db.transaction():
        return str(await spoken(db, conversation, words))


async def test_what_happens_is_told_in_the_inbox_and_in_the_open_conversation(hub: Hub) -> None:
    talk = await add_conversation(hub, None, "boleto")
    agent = await add_person(hub, "agent")
    async with connected(hub, agent) as client:
        await client.subscribe()
        await client.subscribe(talk["conversation"])
        told = await write(hub, talk, "cadê meu boleto?")
        message = await client.until("message")
        assert message["data"]["id"] == told and message["data"]["content"] == "cadê meu boleto?"
        _, by_rest = await call(hub, "GET", f"/api/v1/conversations/{talk['conversation']}/messages", agent.headers)
        assert message["data"] == by_rest["items"][0]

        status, _ = await call(
            hub, "POST", f"/api/v1/conversations/{talk['conversation']}/assign", agent.headers,
            json={"agent_id": str(agent.id)},
        )  # fmt: skip
        assert status == 200
        card = await client.until("conversation")
        while card["data"]["state"] != "assigned":
            card = await client.until("conversation")
        _, by_rest = await call(hub, "GET", f"/api/v1/conversations/{talk['conversation']}", agent.headers)
        assert card["data"] == by_rest


async def test_a_later_commit_of_an_earlier_number_is_told_and_a_rolled_back_one_is_not(
    hub: Hub, database_url: str
) -> None:
    talk = await add_conversation(hub, None, "sinal")
    slow, failed = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    for one in (slow, failed):
        await prepare_connection(one)
    opened, lost = slow.transaction(), failed.transaction()
    await opened.start()
    await lost.start()
    late, never = await spoken(slow, talk, "primeiro"), await spoken(failed, talk, "nunca")
    async with connected(hub) as client:
        await client.subscribe(talk["conversation"])  # both are under way already
        early = await write(hub, talk, "segundo")
        await client.until("message")
        assert client.messages() == [early]
        resumed = client.cursors[str(talk["conversation"])]
        await lost.rollback()
        await opened.commit()
        await client.until("message")
        assert client.messages() == [early, str(late)]
    # Somebody who was cut off between the two commits hears of the later one, and of it alone.
    async with connected(hub) as again:
        await again.subscribe(talk["conversation"], resumed)
        await again.quiet()
        assert again.messages() == [str(late)] and str(never) not in again.messages()
    await slow.close()
    await failed.close()


async def test_a_client_that_comes_back_hears_what_it_missed_once_and_goes_on(hub: Hub, database_url: str) -> None:
    talk, other = await add_conversation(hub, None, "um"), await add_conversation(hub, None, "dois")
    async with connected(hub) as client:
        await client.subscribe()
        await client.subscribe(talk["conversation"])
        first = await write(hub, talk)
        await client.until("message")
        await client.quiet()
        cursors, before = dict(client.cursors), len(client.frames)
    missed = [await write(hub, talk, f"perdida {n}") for n in range(5)]
    await write(hub, other, "outra conversa")
    # On another process, with its own reader.
    settings = make_settings(database_url, hub.services.settings.redis_url.get_secret_value())
    async with running_hub(settings) as second, connected(second) as client:
        await client.subscribe(talk["conversation"], cursors[str(talk["conversation"])])
        await client.subscribe(None, cursors["inbox"])
        live = await write(hub, talk, "ao vivo")
        await client.quiet()
        assert client.messages() == [*missed, live]
        assert first not in client.messages() and before
        assert set(client.inbox()) == {str(talk["conversation"]), str(other["conversation"])}


async def test_what_cannot_be_read_for_a_moment_is_told_once_it_can(hub: Hub, database_url: str) -> None:
    """The event is seen, and the connection breaks while its rows are read."""
    talk = await add_conversation(hub, None, "queda")
    other = await asyncpg.connect(database_url)
    reading = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%merged_protocols%'"
    async with connected(hub) as client:
        await client.subscribe(talk["conversation"])
        async with other.transaction():
            await other.execute("LOCK TABLE sla_clocks IN ACCESS EXCLUSIVE MODE")
            told = await write(hub, talk, "ainda aí?")
            await eventually(lambda: hub.fetchval(f"SELECT count(*) > 0 {reading}"), 10)
            await hub.fetch(f"SELECT pg_terminate_backend(pid) {reading}")
        await client.until("message")
        later = await write(hub, talk, "sim")
        await client.until("message")
        assert client.messages() == [told, later]
    await other.close()


async def test_where_nothing_happens_the_cursor_moves_on_and_whoever_left_hears_no_more(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "ALIVE_EVERY_S", 0.3)
    quiet, busy = await add_conversation(hub, None, "calma"), await add_conversation(hub, None, "agitada")
    async with connected(hub) as client, connected(hub) as other:
        for one in (client, other):
            await one.subscribe(quiet["conversation"])
            await one.subscribe(busy["conversation"])
        came_in = read_cursor(client.cursors[str(quiet["conversation"])]).high
        await client.say(op="unsubscribe", stream="conversation", id=busy["conversation"])
        await client.say(op="ping")
        await client.until("pong")
        for number in range(3):
            await write(hub, busy, f"{number}")
            await other.until("message")
        told: list[dict[str, Any]] = []
        while not told or read_cursor(told[0]["cursor"]).high <= came_in:
            told = (await client.until("alive"))["streams"]
        assert [(one["stream"], one["id"]) for one in told] == [("conversation", str(quiet["conversation"]))]
        assert client.messages() == [] and len(other.messages()) == 3
    monkeypatch.setattr(streams, "ALIVE_EVERY_S", 15.0)  # or it would never be quiet
    missed = await write(hub, quiet, "voltei")
    async with connected(hub) as again:
        await again.subscribe(quiet["conversation"], told[0]["cursor"])
        await again.quiet()
        assert again.messages() == [missed]


async def test_frames_cut_off_in_the_middle_of_a_batch_are_told_again(hub: Hub) -> None:
    """Only a batch's last frame moves the cursor on: whoever got the first one of three resumes before it."""
    talk = await add_conversation(hub, None, "lote")
    async with connected(hub) as client:
        await client.subscribe(talk["conversation"])
        async with hub.services.db.acquire() as db, db.transaction():
            written = [str(await spoken(db, talk, f"{n}")) for n in range(3)]
        await client.until("message")
        cut_off = client.cursors[str(talk["conversation"])]
    async with connected(hub) as again:
        await again.subscribe(talk["conversation"], cut_off)
        await again.quiet()
        assert again.messages() == written


async def test_nobody_hears_of_another_teams_conversations_and_one_that_moves_away_is_gone(hub: Hub) -> None:
    (north, north_queue), (south, south_queue) = await add_team(hub, "norte"), await add_team(hub, "sul")
    of_north, of_south = await add_person(hub, "agent", north), await add_person(hub, "agent", south)
    ours, theirs = await add_conversation(hub, north_queue, "norte"), await add_conversation(hub, south_queue, "sul")
    async with connected(hub, of_north) as client, connected(hub, of_south) as neighbour:
        for one in (client, neighbour):
            await one.subscribe()
        await client.say(op="subscribe", stream="conversation", id=theirs["conversation"])
        refused = await client.until("error")
        assert refused["code"] == "not_found"
        await client.say(op="subscribe", stream="conversation", id=uuid4())
        assert (await client.until("error"))["detail"].replace("'", "") != ""
        await client.subscribe(ours["conversation"])

        await write(hub, theirs, "segredo do sul")
        await write(hub, ours, "do norte")
        await client.until("message")
        await client.quiet()
        assert set(client.inbox()) == {str(ours["conversation"])}
        assert "segredo" not in json.dumps(client.frames, ensure_ascii=False)

        status, _ = await call(
            hub, "POST", f"/api/v1/conversations/{ours['conversation']}/transfer", hub.auth, json={"queue": south_queue}
        )
        assert status == 200
        await client.until("gone", stream="inbox", id=ours["conversation"])
        await neighbour.until("conversation")
        while str(ours["conversation"]) not in neighbour.inbox():
            await neighbour.until("conversation")
        await write(hub, ours, "agora é do sul")
        frames = await client.quiet()
        assert not [frame for frame in frames if frame["type"] in ("message", "conversation")]
        assert not await neighbour_gone(neighbour)


async def neighbour_gone(client: Client) -> list[dict[str, Any]]:
    """That something went away which it never saw."""
    return [frame for frame in client.frames if frame["type"] == "gone"]


async def test_personal_data_is_masked_for_who_may_not_see_it(hub: Hub) -> None:
    talk = await add_conversation(hub, None, "cpf")
    admin = await add_person(hub, "admin")
    plain = await add_person(hub, "agent")
    await hub.fetch(
        "INSERT INTO roles (name, title, permissions, all_teams) VALUES ('leitura', 'Só ler', '{conversations:read}', true)"
    )
    await hub.fetch("UPDATE users SET role = 'leitura' WHERE id = $1", plain.id)
    async with connected(hub, admin) as all_seen, connected(hub, plain) as masked:
        for one in (all_seen, masked):
            await one.subscribe(talk["conversation"])
        await write(hub, talk, "meu CPF é 529.982.247-25")
        assert "529.982.247-25" in (await all_seen.until("message"))["data"]["content"]
        shown = (await masked.until("message"))["data"]["content"]
        assert "529" not in shown and "4725" in shown


async def test_who_writes_and_looks_is_seen_by_others_in_other_processes(hub: Hub, database_url: str) -> None:
    talk = await add_conversation(hub, None, "colisão")
    ana, bia = await add_person(hub, "agent", name="Ana Lima"), await add_person(hub, "agent", name="Bia Reis")
    settings = make_settings(database_url, hub.services.settings.redis_url.get_secret_value())
    async with running_hub(settings) as second, connected(hub, ana) as first, connected(second, bia) as other:
        for one in (first, other):
            await one.subscribe(talk["conversation"])
        await first.say(op="typing", id=talk["conversation"])
        typing = await other.until("typing")
        assert (typing["user_id"], typing["name"]) == (str(ana.id), "Ana Lima")
        await first.say(op="viewing", id=talk["conversation"])
        await other.say(op="viewing", id=talk["conversation"])
        names: set[str] = set()
        while names != {"Ana Lima", "Bia Reis"}:
            names = {one["name"] for one in (await first.until("viewing"))["people"]}
        await other.say(op="unsubscribe", stream="conversation", id=talk["conversation"])
        while names != {"Ana Lima"}:
            names = {one["name"] for one in (await first.until("viewing"))["people"]}
        assert not [frame for frame in first.frames if frame["type"] == "typing"]
        await other.say(op="typing", id=talk["conversation"])
        assert (await other.until("error"))["code"] == "invalid"


async def test_a_client_that_does_not_read_is_cut_off_and_catches_up_by_its_cursor(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriber, "MOST_WAITING", 20)
    talk = await add_conversation(hub, None, "lento")
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(hub.url + "/ws", headers=hub.auth, max_msg_size=0)
        client = Client(socket)
        await client.subscribe(talk["conversation"])
        socket._response.connection.transport.pause_reading()  # its buffers fill, then the hub's
        words = "x" * 60_000
        written = [await write(hub, talk, f"{words} {n}") for n in range(150)]
        gauge = "websocket_too_slow_total"
        await eventually(lambda: counted(hub, gauge), 30)
        socket._response.connection.transport.resume_reading()
        with pytest.raises((TypeError, aiohttp.WSMessageTypeError)):
            while True:
                await client.next(10)
        assert socket.close_code in (4008, 1006)
    got = client.messages()
    assert 0 < len(got) < len(written)
    async with connected(hub) as again:
        await again.subscribe(talk["conversation"], client.cursors[str(talk["conversation"])])
        await again.quiet()
        assert list(dict.fromkeys(got + again.messages())) == written


async def counted(hub: Hub, name: str) -> bool:
    """Whether a counter has moved."""
    text = await (await hub.get("/metrics", headers=hub.auth)).text()
    return any(line.startswith(name) and float(line.split()[-1]) > 0 for line in text.splitlines())


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "[]", '{"op":"steal"}', '{"op":"subscribe"}', '{"op":"subscribe","stream":"conversation"}',
        '{"op":"subscribe","stream":"inbox","id":"0199f2c0-7a10-7c31-9a5e-3d1f0b6c2a11"}', '{"op":"typing"}',
        '{"op":"subscribe","stream":"inbox","after":"1; DROP TABLE events"}', '{"op":"ping","more":1}',
        '{"op":"subscribe","stream":"inbox","after":"99999999999-1~2.2.x"}', "\\u0000", '{"op":"viewing","id":"x"}',
    ],
)  # fmt: skip
async def test_what_is_no_frame_of_ours_is_answered_and_the_socket_goes_on(hub: Hub, said: str) -> None:
    async with connected(hub) as client:
        await client.socket.send_str(said)
        assert (await client.until("error"))["code"] == "invalid"
        await client.say(op="ping")
        await client.until("pong")


async def test_a_cursor_that_is_too_old_asks_for_everything_again(hub: Hub) -> None:
    talk = await add_conversation(hub, None, "velho")
    async with connected(hub) as client:
        await client.say(op="subscribe", stream="conversation", id=talk["conversation"], after="1700000000-1")
        await client.until("reset")
        await client.until("subscribed")
        told = await write(hub, talk)
        await client.until("message")
        assert client.messages() == [told]


@given(
    order=st.permutations(range(1, 25)),
    lost=st.sets(st.integers(1, 24), max_size=6),
    cuts=st.lists(st.integers(0, 24), max_size=3),
)
def test_each_number_is_seen_once_in_any_order_of_commits_and_wherever_one_resumes(
    order: list[int], lost: set[int], cuts: list[int]
) -> None:
    """Numbers commit in `order`, some never; at each cut the reader starts anew with its cursor alone."""
    position, seen = Position(0), []
    committed: set[int] = set()
    for step, number in enumerate(order):
        if step in cuts:
            position = read_cursor(cursor_of(position))
        if number in lost:
            continue
        committed.add(number)
        new = sorted(one for one in committed if position.misses(one))
        seen += new
        position = position.after(new)
    assert sorted(seen) == sorted(committed) and len(seen) == len(set(seen))


@given(st.text(max_size=40))
def test_a_cursor_is_one_of_ours_or_refused(text: str) -> None:
    try:
        position = read_cursor(text)
    except Exception as error:
        assert isinstance(error, Invalid) or getattr(error, "code", "") == "too_old"
    else:
        assert position.high >= 0 and len(position.gaps) <= MOST_GAPS


def test_numbers_that_never_come_do_not_grow_a_position_for_ever() -> None:
    position = Position(0).after([10**9])
    assert len(position.gaps) == MOST_GAPS and position.misses(10**9 - 1) and not position.misses(10**9)

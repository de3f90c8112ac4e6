"""The boards: `queue`, `presence` and `wallboard`, each the whole state as it is now, told again whenever it has changed.

One process reads the hub's state from PostgreSQL every two seconds and leaves it in Redis; all others take it from there, however
many sockets look. Without Redis each process reads for itself. What is told is cut to what the caller sees.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, get_args
from uuid import UUID

import orjson
import structlog
from redis.exceptions import RedisError

from hub_api.auth.principal import Principal
from hub_api.chat.live import figures
from hub_api.chat.live.frames import frame
from hub_api.chat.live.subscriber import Subscriber
from hub_api.errors import Forbidden
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "boards.sql")

Board = Literal["queue", "presence", "wallboard"]
BOARDS: tuple[Board, ...] = get_args(Board)
# What each needs; none needs `conversations:read`.
PERMISSIONS: Mapping[Board, str] = {"queue": "queues:read", "presence": "agents:read", "wallboard": "analytics:read"}

KEY, LOCK = "live:boards", "live:boards:lock"
EVERY_S = 2.0
LOOK_EVERY_S = 0.5
LOCKED_MS = 5000
MOST_OF_A_LINE = 50

State = dict[str, Any]  # queues, lines and agents as JSON has them, and `at`, seconds since the epoch


class Boards:
    """Of one process: `subscribe` from a socket's task, while `run` tells what changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._looking: dict[Subscriber, dict[Board, str]] = {}  # what each was told last
        self._wanted = asyncio.Event()
        self._state: State | None = None
        self._figures: figures.Figures | None = None

    def subscribe(self, subscriber: Subscriber, board: Board) -> None:
        """Tell a socket of this board from now on. Raises Forbidden."""
        if not subscriber.caller.may(PERMISSIONS[board]):
            raise Forbidden(f"the stream `{board}` needs the permission {PERMISSIONS[board]}")
        subscriber.put(frame(type="subscribed", stream=board))
        self._looking.setdefault(subscriber, {})[board] = ""
        self._wanted.set()
        if self._state is not None and time.time() - self._state["at"] < 2 * EVERY_S:
            self._tell(self._state)  # known: no need to wait for the next look

    def unsubscribe(self, subscriber: Subscriber, board: Board | None = None) -> None:
        """No more of this board, or of any."""
        told = self._looking.get(subscriber, {})
        if board is not None:
            told.pop(board, None)
        if board is None or not told:
            self._looking.pop(subscriber, None)

    async def run(self) -> None:
        """Look and tell, as long as somebody listens; until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                self._state = await self._now()
                if any("wallboard" in told for told in self._looking.values()):
                    self._figures = await figures.read(self._services)
                self._tell(self._state)
            except (
                Exception
            ) as error:  # whatever it was: the next look comes soon, and the talk goes on without this one
                log.warning("boards_not_read", error=type(error).__name__)
            if not self._looking:
                self._wanted.clear()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _now(self) -> State:
        """The newest state: another process's, or read by this one when it is the one to read."""
        try:
            kept: Any = await self._services.redis.get(KEY)
            state: State | None = orjson.loads(kept) if kept is not None else None
            if state is not None and time.time() - state["at"] < EVERY_S:
                return state
            if not await self._services.redis.set(LOCK, b"1", nx=True, px=LOCKED_MS) and state is not None:
                return state
        except RedisError as error:
            log.warning("boards_not_shared", error=type(error).__name__)
            if self._state is not None and time.time() - self._state["at"] < EVERY_S:
                return self._state
        state = await load(self._services)
        try:
            await self._services.redis.set(KEY, orjson.dumps(state), ex=60)
            await self._services.redis.delete(LOCK)
        except RedisError as error:
            log.warning("boards_not_shared", error=type(error).__name__)
        return state

    def _tell(self, state: State) -> None:
        written: dict[tuple[Any, ...], str] = {}
        for subscriber, told in list(self._looking.items()):
            caller = subscriber.caller
            for board in list(told):
                if not caller.may(PERMISSIONS[board]):
                    self.unsubscribe(subscriber, board)
                    subscriber.put(frame(type="gone", stream=board))
                    continue
                key = (board, caller.teams, caller.user_id if board != "queue" else None)
                if key not in written:
                    data = _SHOWN[board](caller, state, self._figures)
                    written[key] = orjson.dumps(data).decode()
                if told[board] != written[key]:
                    told[board] = written[key]
                    at = orjson.dumps(state["at"]).decode()
                    text = f'{{"type":"{board}","stream":"{board}","at":{at},"data":{written[key]}}}'
                    subscriber.put_newest(board, text)


async def load(services: Services) -> State:
    """The state of the whole hub."""
    queues, lines, agents = await asyncio.gather(
        services.db.fetch(queries.queues),
        services.db.fetch(queries.lines, MOST_OF_A_LINE),
        services.db.fetch(queries.agents),
    )
    by_queue: dict[UUID, list[Mapping[str, Any]]] = {}
    for row in lines:
        by_queue.setdefault(row["queue_id"], []).append(_place(row))
    state = {
        "at": time.time(),
        "queues": [{**dict(row), "line": by_queue.get(row["id"], [])} for row in queues],
        "agents": [_agent(row) for row in agents],
    }
    loaded: State = orjson.loads(orjson.dumps(state, default=str))  # as any other process gets it
    return loaded


def _place(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "queue_id"}


def _agent(row: Row) -> dict[str, Any]:
    return {**dict(row), "free": max(0, row["capacity"] - row["load"]) if row["presence"] == "online" else 0}


def _queues_of(caller: Principal, state: State) -> list[dict[str, Any]]:
    """Queues of the caller's teams, and those of none: the rule of `sees` in SQL."""
    if caller.teams is None:
        return list(state["queues"])
    teams = {str(team) for team in caller.teams}
    return [queue for queue in state["queues"] if queue["team_id"] is None or queue["team_id"] in teams]


def _agents_of(caller: Principal, state: State) -> list[dict[str, Any]]:
    """People of the caller's teams, and himself: the rule of `list_agents`."""
    if caller.teams is None:
        return list(state["agents"])
    teams, self_id = {str(team) for team in caller.teams}, str(caller.user_id)
    return [agent for agent in state["agents"] if agent["user_id"] == self_id or teams.intersection(agent["teams"])]


def _queue(caller: Principal, state: State, _: figures.Figures | None) -> dict[str, Any]:
    return {"queues": _queues_of(caller, state)}


def _presence(caller: Principal, state: State, _: figures.Figures | None) -> dict[str, Any]:
    return {"agents": _agents_of(caller, state)}


def _wallboard(caller: Principal, state: State, counted: figures.Figures | None) -> dict[str, Any]:
    queues, agents = _queues_of(caller, state), _agents_of(caller, state)
    summed = ("waiting", "in_service", "waiting_customer", "breached", "at_risk")
    online = [agent for agent in agents if agent["presence"] == "online"]
    return {
        **{name: sum(queue[name] for queue in queues) for name in summed},
        "oldest_waiting_at": min(
            (one["oldest_waiting_at"] for one in queues if one["oldest_waiting_at"]), default=None
        ),
        "presence": {
            kind: sum(agent["presence"] == kind for agent in agents) for kind in ("online", "away", "break", "offline")
        },
        "slots": {"capacity": sum(one["capacity"] for one in online), "free": sum(one["free"] for one in online)},
        "queues": [{name: queue[name] for name in queue if name not in ("line", "team_id")} for queue in queues],
        "figures": figures.added(counted, {"", *(queue["key"] for queue in queues)}) if counted else None,
    }


_SHOWN: Mapping[Board, Callable[[Principal, State, figures.Figures | None], dict[str, Any]]] = {
    "queue": _queue,
    "presence": _presence,
    "wallboard": _wallboard,
}


@asynccontextmanager
async def open_boards(services: Services) -> AsyncIterator[Boards]:
    """For `services.shared`: one teller a process."""
    boards = Boards(services)
    telling = asyncio.create_task(boards.run(), name="boards")
    try:
        yield boards
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)

"""Virtual agents: people of the demo who are present, get conversations from the router as anybody does, answer and resolve.

They take nothing from the line themselves: the router gives to the least busy, so whoever tries the product and comes online
gets the next conversation. Each has few slots and goes on a break now and then, so that lines grow and shrink.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import structlog

from hub_api.simulator.history.script import AGENT_BYE, AGENT_HELLO, AGENT_LINES

log = structlog.get_logger(__name__)

LOOK_S = 1.0
BEAT_S = 10.0  # the hub misses who says nothing for 25 s
LONG_LINE = 8  # nobody leaves for a break while so many wait, so that a wave ends
BREAKS = ("café", "almoço", "treinamento")
# With which outcome a talk ends in which this was said; any other with the last one. Those that the hub has not in use are left out.
OUTCOMES = {
    "Enviei a segunda via atualizada.": "segunda_via_enviada", "Agendei a visita para amanhã pela manhã.": "visita_agendada",
    "Abri um chamado para a equipe técnica.": "chamado_aberto", "Fiz o ajuste por aqui, pode testar?": "ajuste_remoto",
}  # fmt: skip
USUAL_OUTCOME = "resolvido"


@dataclass(frozen=True, slots=True)
class Clerk:
    """A virtual agent: the user, and a key that acts for him."""

    user_id: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the agents work, who they are and how quick (pace 0.1: ten times as quick)."""

    api_url: str
    clerks: tuple[Clerk, ...]
    pace: float = 1.0
    works_s: tuple[float, float] = (180.0, 600.0)  # between two breaks
    rests_s: tuple[float, float] = (60.0, 180.0)


async def work(desk: Desk, rng: Random) -> None:
    """Serve until cancelled, each for himself; an API that is away for a while is waited for."""
    async with asyncio.TaskGroup() as clerks:
        for clerk in desk.clerks:
            clerks.create_task(_serve(desk, clerk, Random(rng.random())))


async def _serve(desk: Desk, clerk: Clerk, rng: Random) -> None:
    headers = {"Authorization": f"Bearer {clerk.api_key}"}
    async with aiohttp.ClientSession(desk.api_url, headers=headers) as api, asyncio.TaskGroup() as talks:
        talks.create_task(_come_and_go(desk, api, rng))
        in_hand: dict[str, asyncio.Task[None]] = {}
        heard: dict[
            str, str | None
        ] = {}  # the customer's last word that each was served for: again only after another one
        while True:
            for conversation in await _held(api, clerk):
                one, word = conversation["id"], conversation["last_customer_message_at"]
                if (one not in in_hand or in_hand[one].done()) and heard.get(one, "") != word:
                    heard[one] = word
                    in_hand[one] = talks.create_task(_talk(desk, api, conversation, rng))
            await asyncio.sleep(LOOK_S * desk.pace)


async def _come_and_go(desk: Desk, api: aiohttp.ClientSession, rng: Random) -> None:
    """Be online but for breaks, and say so every few seconds: after an outage the hub has him offline."""
    loop = asyncio.get_running_loop()
    is_here, until = True, loop.time() + rng.uniform(*desk.works_s) * desk.pace
    while True:
        presence = {"presence": "online"} if is_here else {"presence": "break", "reason": rng.choice(BREAKS)}
        try:
            async with api.get("/api/v1/agents/me") as answer:
                answer.raise_for_status()
                now = (await answer.json())["presence"]
            if now != presence["presence"]:
                async with api.put("/api/v1/agents/me/presence", json=presence) as answer:
                    answer.raise_for_status()
            await _post(api, "/api/v1/agents/me/heartbeat", None)
        except aiohttp.ClientError as error:
            log.warning("api_away", error=type(error).__name__)
        pause = min(BEAT_S, max(0.0, until - loop.time()))
        await asyncio.sleep(max(pause, 0.05))
        if loop.time() < until:
            continue
        if is_here and await _is_long(api):
            until = loop.time() + BEAT_S * desk.pace
            continue
        is_here = not is_here
        until = loop.time() + rng.uniform(*(desk.works_s if is_here else desk.rests_s)) * desk.pace


async def _is_long(api: aiohttp.ClientSession) -> bool:
    """Whether the line is too long for a break."""
    try:
        async with api.get("/api/v1/conversations", params={"state": "queued", "limit": str(LONG_LINE)}) as answer:
            answer.raise_for_status()
            return len((await answer.json())["items"]) == LONG_LINE
    except aiohttp.ClientError:
        return False


async def _held(api: aiohttp.ClientSession, clerk: Clerk) -> list[dict[str, Any]]:
    """What he has been given and the customer waits for."""
    query = {"agent_id": clerk.user_id, "state": "assigned", "limit": "50"}
    try:
        async with api.get("/api/v1/conversations", params=query) as answer:
            answer.raise_for_status()
            return (await answer.json())["items"]  # type: ignore[no-any-return]
    except aiohttp.ClientError as error:
        log.warning("api_away", error=type(error).__name__)
        return []


async def _talk(desk: Desk, api: aiohttp.ClientSession, conversation: dict[str, Any], rng: Random) -> None:
    """One conversation from the first answer to resolving it. A refusal (the customer's window closed, somebody took it over)
    ends it; what the customer writes afterwards brings it back."""
    path = f"/api/v1/conversations/{conversation['id']}"
    name = (conversation.get("customer_name") or "cliente").split()[0]
    lines = [AGENT_HELLO.format(name=name), *rng.sample(AGENT_LINES, rng.randint(1, 3))]
    lines.append(AGENT_BYE.format(protocol=conversation["protocol"]))
    try:
        for number, line in enumerate(lines):
            await asyncio.sleep(rng.uniform(3, 20) * desk.pace)
            if not await _is_his(api, path, conversation["agent_id"]):
                return
            key = f"{conversation['id']}-{conversation['version']}-{number}"
            await _post(api, f"{path}/messages", {"type": "text", "text": line}, {"Idempotency-Key": key})
        await asyncio.sleep(rng.uniform(5, 20) * desk.pace)
        if await _is_his(api, path, conversation["agent_id"]):
            await _post(api, f"{path}/resolve", {"disposition": await _outcome(api, lines)})
    except aiohttp.ClientError as error:
        log.info("talk_ended_early", conversation=conversation["id"], error=str(error))


async def _outcome(api: aiohttp.ClientSession, lines: Sequence[str]) -> str | None:
    """The key of the outcome that fits what was said; None on a hub that does not use it."""
    async with api.get("/api/v1/dispositions") as answer:
        answer.raise_for_status()
        used = {one["key"] for one in (await answer.json())["items"] if one["active"]}
    fitting = [OUTCOMES[line] for line in lines if line in OUTCOMES]
    return next((key for key in [*fitting, USUAL_OUTCOME] if key in used), None)


async def _is_his(api: aiohttp.ClientSession, path: str, agent_id: str) -> bool:
    """Whether he still has it: a person who took it over is not talked across."""
    async with api.get(path) as answer:
        answer.raise_for_status()
        now = await answer.json()
        return now["agent_id"] == agent_id and now["state"] in ("assigned", "waiting_customer")


async def _post(
    api: aiohttp.ClientSession, path: str, body: dict[str, Any] | None, headers: dict[str, str] | None = None
) -> None:
    async with api.post(path, json=body, headers=headers) as answer:
        answer.raise_for_status()

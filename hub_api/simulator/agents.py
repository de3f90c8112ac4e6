"""Virtual agents: take waiting conversations over the hub's API, answer, resolve."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp
import structlog

from hub_api.simulator.history.script import AGENT_BYE, AGENT_HELLO, AGENT_LINES

log = structlog.get_logger(__name__)

POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the agents work: the API, its key, who they are and how quick (pace 0.1: ten times as quick)."""

    api_url: str
    api_key: str
    agents: tuple[str, ...]
    at_once: int = 4  # conversations of one agent
    pace: float = 1.0


async def work(desk: Desk, rng: Random) -> None:
    """Serve the queue until cancelled; an API that is away for a while is waited for."""
    headers = {"Authorization": f"Bearer {desk.api_key}"}
    places = asyncio.Semaphore(len(desk.agents) * desk.at_once)
    async with aiohttp.ClientSession(desk.api_url, headers=headers) as api, asyncio.TaskGroup() as talks:
        taken: set[str] = set()
        while True:
            for conversation in await _waiting(api):
                if conversation["id"] in taken:
                    continue
                taken.add(conversation["id"])
                await places.acquire()
                talk = talks.create_task(_talk(desk, api, conversation, rng))
                talk.add_done_callback(lambda _: places.release())
            await asyncio.sleep(POLL_S * desk.pace)


async def _waiting(api: aiohttp.ClientSession) -> list[dict[str, Any]]:
    try:
        async with api.get("/api/v1/conversations", params={"state": "queued", "limit": "50"}) as answer:
            answer.raise_for_status()
            return (await answer.json())["items"]  # type: ignore[no-any-return]
    except aiohttp.ClientError as error:
        log.warning("api_away", error=type(error).__name__)
        return []


async def _talk(desk: Desk, api: aiohttp.ClientSession, conversation: dict[str, Any], rng: Random) -> None:
    """One conversation from taking it to resolving it. A refusal (the customer's window closed, another took it) ends it."""
    path, agent = f"/api/v1/conversations/{conversation['id']}", rng.choice(desk.agents)
    name = (conversation.get("customer_name") or "cliente").split()[0]
    lines = [AGENT_HELLO.format(name=name), *rng.sample(AGENT_LINES, rng.randint(1, 3))]
    lines.append(AGENT_BYE.format(protocol=conversation["protocol"]))
    try:
        await _post(api, f"{path}/assign", {"agent_id": agent})
        for number, line in enumerate(lines):
            await asyncio.sleep(rng.uniform(3, 20) * desk.pace)
            body = {"type": "text", "text": line, "agent_id": agent}
            await _post(api, f"{path}/messages", body, {"Idempotency-Key": f"{conversation['id']}-{agent}-{number}"})
        await asyncio.sleep(rng.uniform(5, 20) * desk.pace)
        await _post(api, f"{path}/resolve", {})
    except aiohttp.ClientError as error:
        log.info("talk_ended_early", conversation=conversation["id"], error=str(error))


async def _post(
    api: aiohttp.ClientSession, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    async with api.post(path, json=body, headers=headers) as answer:
        answer.raise_for_status()

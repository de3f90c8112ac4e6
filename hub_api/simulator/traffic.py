"""`hub simulate traffic`: customers write at a rate through the simulated channel, virtual agents answer."""

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp
import asyncpg

from hub_api.errors import Unavailable
from hub_api.simulator.agents import Desk, work
from hub_api.simulator.corpus import Corpus, load_corpus
from hub_api.simulator.history.operator import make_people
from hub_api.simulator.history.script import REASONS

BATCH_S = 0.1
MOST_AT_ONCE = 500
PROGRESS_S = 5.0
INTENTS, WEIGHTS = [reason for reason, _, _ in REASONS], [share for _, share, _ in REASONS]
REAL = "real"  # intent of texts given by the caller

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody who writes: how the simulator knows them, and their voice."""

    phone: str  # digits without a plus, as Meta writes them
    name: str
    bsuid: str
    wa_id: str
    state_code: str
    wrote_at: Mapping[str, float] = field(default_factory=dict)  # phone_number_id -> Unix time of the last message


@dataclass(frozen=True, slots=True)
class Load:
    """How much traffic: messages a second on average, for how long (None: until stopped), with which chances and words.

    `real_share` of the messages are one of `real_texts`, if there are any; the others come from the corpus.
    """

    rate: float
    seconds: float | None = None
    seed: int = 1
    real_texts: Sequence[str] = field(default_factory=tuple)
    real_share: float = 0.2


async def known_customers(database_url: str, limit: int = 20_000) -> list[Writer]:
    """Customers of the hub's history, so that live traffic comes from the people its tables know."""
    db = await asyncpg.connect(database_url)
    try:
        rows = await db.fetch(
            """
            SELECT ltrim(c.phone, '+') AS phone, c.name, coalesce(c.state_code, '') AS state_code,
                   max(i.value) FILTER (WHERE i.kind = 'bsuid') AS bsuid, max(i.value) FILTER (WHERE i.kind = 'wa_id') AS wa_id,
                   (
                       SELECT jsonb_object_agg(number, at) FROM (
                           SELECT n.phone_number_id AS number, extract(epoch FROM max(v.last_customer_message_at)) AS at
                           FROM conversations v JOIN whatsapp_numbers n ON n.id = v.number_id
                           WHERE v.customer_id = c.id AND v.last_customer_message_at > now() - interval '24 hours'
                           GROUP BY 1
                       ) AS open
                   )::text AS wrote_at
            FROM customers c JOIN customer_identities i ON i.customer_id = c.id AND i.valid_to IS NULL
            WHERE c.phone IS NOT NULL GROUP BY c.id ORDER BY c.id LIMIT $1
            """,
            limit,
        )
    finally:
        await db.close()
    return [
        Writer(
            row["phone"],
            row["name"] or "",
            row["bsuid"] or "",
            row["wa_id"] or "",
            row["state_code"],
            json.loads(row["wrote_at"] or "{}"),
        )
        for row in rows
    ]


def new_customers(rng: Random, count: int) -> list[Writer]:
    """People nobody knows yet."""
    return [Writer(p.phone, p.name, p.bsuid, p.wa_id, p.state_code) for p in make_people(rng, count)]


async def write(
    simulator_url: str,
    load: Load,
    writers: Sequence[Writer],
    corpus: Corpus | None = None,
    progress: Progress = lambda written, seconds: None,
) -> int:
    """Let `writers` send messages at the load's rate (Poisson arrivals); returns how many were written. `progress` hears
    every `PROGRESS_S` how many were in how many seconds.

    Raises Unavailable when the simulator does not answer.
    """
    rng = Random(load.seed)
    words = (corpus or load_corpus()).with_texts(load.real_texts, REAL)
    real_share = load.real_share if load.real_texts else 0.0
    written, arrives_s, end_s = 0, rng.expovariate(load.rate), load.seconds or math.inf
    async with aiohttp.ClientSession(simulator_url) as simulator:
        await _register(simulator, writers)
        began = told = time.monotonic()
        while arrives_s < end_s:
            messages: list[dict[str, Any]] = []
            now_s = time.monotonic() - began
            while arrives_s < min(now_s, end_s) and len(messages) < MOST_AT_ONCE:
                messages.append(_message(rng, words, rng.choice(writers), real_share))
                arrives_s += rng.expovariate(load.rate)
            if messages:
                await _control(simulator, "/_sim/inbound", {"messages": messages})
                written += len(messages)
            if time.monotonic() - told >= PROGRESS_S:
                told = time.monotonic()
                progress(written, told - began)
            await asyncio.sleep(BATCH_S)
    return written


async def _register(simulator: aiohttp.ClientSession, writers: Sequence[Writer]) -> None:
    for start in range(0, len(writers), 2_000):
        users = [
            {
                "phone": w.phone,
                "name": w.name,
                "bsuid": w.bsuid,
                "wa_id": w.wa_id,
                "traits": {"state_code": w.state_code},
                "wrote_at": dict(w.wrote_at),
            }
            for w in writers[start : start + 2_000]
        ]
        await _control(simulator, "/_sim/users", {"users": users})


def _message(rng: Random, words: Corpus, writer: Writer, real_share: float) -> dict[str, Any]:
    intent = rng.choices(INTENTS, WEIGHTS)[0]
    said = words.say(rng, REAL if rng.random() < real_share else intent, None, writer.state_code)
    return {"from": writer.phone, "text": said.text, "traits": {"intent": intent, "turns": 0}}


async def _control(simulator: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> None:
    try:
        async with simulator.post(path, json=body) as answer:
            answer.raise_for_status()
    except aiohttp.ClientError as error:
        raise Unavailable(f"the simulator does not take {path}: {error}; is it running (`hub status`)?") from error


async def run(
    simulator_url: str,
    load: Load,
    writers: Sequence[Writer],
    desk: Desk | None = None,
    progress: Progress = lambda written, seconds: None,
) -> int:
    """Traffic with agents who answer, if there is a desk; returns the number of messages customers wrote by themselves."""
    staff = asyncio.create_task(work(desk, Random(load.seed + 1))) if desk else None
    try:
        return await write(simulator_url, load, writers, progress=progress)
    finally:
        if staff:
            staff.cancel()
            with suppress(asyncio.CancelledError):
                await staff

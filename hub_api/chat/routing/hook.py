"""The external router: somebody else's program is asked whom to choose, and is not waited for long.

It gets no personal data: ids, priorities, skills, loads. What it answers is advice: it is judged like any choice, and
without a usable answer the queue's own strategy decides.

Request: `{"queue": key, "conversation": {id, priority, skills, languages, channel, waited_s}, "candidates": [features]}`.
Answer: `{"agent_id": "<id of a candidate>"}`, or `{"agent_id": null}` for no preference.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import structlog

from hub_api.chat.routing.choose import Candidate, fits
from hub_api.chat.routing.claim import Planned, plan, wants_of
from hub_api.errors import HubError, Unavailable
from hub_api.platform.metrics import routing_hook_calls
from hub_api.platform.outbound import Outbound, open_outbound
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

MOST_CALLS = 20  # of one pass: what is left is asked about in the next


@asynccontextmanager
async def open_caller(services: Services) -> AsyncIterator[Outbound]:
    """For `services.shared`: the guarded client of a process."""
    async with open_outbound(services.settings.outbound_hosts) as outbound:
        yield outbound


async def ask(services: Services, queue: Row) -> dict[UUID, UUID]:
    """Conversation -> agent that the queue's hook names, for those that would be given out now; no lock is held meanwhile.

    Never raises: after one failure the pass asks no more, so that a dead hook costs one timeout and not one each.
    """
    if queue["hook_url"] is None:
        return {}
    async with services.db.acquire() as db:
        planned = await plan(db, queue, {}, most=MOST_CALLS)
    named: dict[UUID, UUID] = {}
    for one in planned:
        try:
            agent_id = await _call(services, queue, one)
        except (HubError, OSError) as error:
            routing_hook_calls.labels("failed").inc()
            log.warning("routing_hook_failed", queue=queue["key"], error=type(error).__name__)
            return named
        routing_hook_calls.labels("answered").inc()
        if agent_id is not None:
            named[one.waiting["id"]] = agent_id
    return named


async def _call(services: Services, queue: Row, one: Planned) -> UUID | None:
    outbound = await services.shared(open_caller)
    status, body = await outbound.request(
        "POST",
        queue["hook_url"],
        headers={"Content-Type": "application/json"},
        timeout_s=queue["hook_timeout_ms"] / 1000,
        data=orjson.dumps(question(queue, one, datetime.now(UTC))),
    )
    if status != 200:
        raise Unavailable(f"the routing hook of {queue['key']} answered {status}")
    return read_answer(body, [each for each in one.candidates if fits(wants_of(queue, one.waiting), each)])


def question(queue: Row, one: Planned, now: datetime) -> dict[str, Any]:
    """What the hook is asked: no name, no phone, no text."""
    wants = wants_of(queue, one.waiting)
    return {
        "queue": queue["key"],
        "conversation": {
            "id": str(one.waiting["id"]),
            "priority": wants.priority,
            "skills": dict(wants.skills),
            "languages": sorted(wants.languages),
            "channel": one.waiting["channel"],
            "waited_s": max((now - one.waiting["line_at"]).total_seconds(), 0.0),
        },
        "candidates": [each.features() for each in one.candidates],
    }


def read_answer(body: bytes, fitting: list[Candidate]) -> UUID | None:
    """The agent whom an answer names, None for no preference. Raises Unavailable for anything but one of `fitting`."""
    try:
        answer = orjson.loads(body)
        named = answer["agent_id"]
        agent_id = None if named is None else UUID(named)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable('the routing hook\'s answer is not like {"agent_id": …}') from None
    if agent_id is not None and all(one.agent_id != agent_id for one in fitting):
        raise Unavailable("the routing hook names somebody who is no candidate")
    return agent_id

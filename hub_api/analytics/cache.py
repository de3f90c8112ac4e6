"""Answers kept while the data they come from stays: the key holds the newest build of the warehouse, so nothing is ever cleared.

What has names of people in it is not kept.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import orjson
import structlog
from fastapi import Request, Response
from pydantic import BaseModel
from redis.exceptions import RedisError

from hub_api.analytics.ask import questions
from hub_api.analytics.filters import Filter, queries
from hub_api.platform.services import Services
from hub_api.platform.warehouse import Reader

log = structlog.get_logger(__name__)

KEPT_S = 900


class Version(NamedTuple):
    """What the answers are made from: the newest batch and build of the warehouse, the newest search for members of segments
    (a changed segment is computed at once, without a build), and the newest baseline."""

    batch: int
    built: int
    members: int
    baselines: str


async def version(services: Services, reader: Reader) -> Version:
    """The version of the data as it is now."""
    (row,) = await reader.rows(questions.version)
    rows = await services.db.fetch(queries.baselines)
    newest = max((row["updated_at"].isoformat() for row in rows), default="")
    return Version(int(row["batch"]), int(row["built"]), int(row["members"] or 0), f"{len(rows)}:{newest}")


async def answer(
    request: Request, services: Services, reader: Reader, filter_: Filter, make: Callable[[], Awaitable[BaseModel]]
) -> Response:
    """The answer that was made for the same question of the same data, or the one that `make` gives now.

    304 without a body when the caller has it already (If-None-Match).
    """
    said = [request.url.path, sorted(request.query_params.multi_items()), str(filter_)]
    etag = await _name(services, reader, said)
    headers = {"ETag": f'W/"{etag}"', "Cache-Control": "private, no-cache"}
    if f'"{etag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    key = f"analytics:{etag}"
    body = await _kept(services, key)
    if body is None:
        body = orjson.dumps((await make()).model_dump(mode="json"))
        await _keep(services, key, body)
    return Response(body, media_type="application/json", headers=headers)


async def sums(
    services: Services, reader: Reader, said: Sequence[str], make: Callable[[], Awaitable[dict[str, int]]]
) -> dict[str, int]:
    """The sums that `make` gave for the same words of the same data, or gives now: who turns pages asks for them each time."""
    key = f"analytics:{await _name(services, reader, said)}"
    if (body := await _kept(services, key)) is not None:
        kept: dict[str, int] = orjson.loads(body)
        return kept
    made = await make()
    await _keep(services, key, orjson.dumps(made))
    return made


async def _name(services: Services, reader: Reader, said: Sequence[Any]) -> str:
    """What an answer is kept under: a hash of the question and of the data's version."""
    return hashlib.sha256(json.dumps([*await version(services, reader), *said]).encode()).hexdigest()[:32]


async def _kept(services: Services, key: str) -> bytes | None:
    try:
        found: Any = await services.redis.get(key)
    except RedisError as error:
        log.warning("answers_not_kept", error=type(error).__name__)
        return None
    return bytes(found) if found is not None else None


async def _keep(services: Services, key: str, body: bytes) -> None:
    try:
        await services.redis.set(key, body, ex=KEPT_S)
    except RedisError as error:
        log.warning("answers_not_kept", error=type(error).__name__)

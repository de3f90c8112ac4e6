"""People of a test hub: users of every role with a session, teams with queues, conversations in them."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import pyotp

from hub_api.auth.passwords import open_passwords
from hub_api.auth.second_factor import STEP_S
from hub_api.platform.ids import uuid7
from tests.support.hub import Hub

PASSWORD = "quatro girafas no telhado"
AUTH = "/api/v1/auth"
_HASHES: dict[str, str] = {}  # made once: argon2 is meant to be slow


@dataclass
class Person:
    """A user and, once signed in, the headers of his session."""

    id: UUID
    email: str
    role: str
    headers: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)


async def add_person(hub: Hub, role: str = "agent", *teams: UUID, signed_in: bool = True, **columns: Any) -> Person:
    """A user with PASSWORD; signed in as bearer unless told otherwise."""
    person = Person(uuid7(), f"{role}-{uuid7().hex[-8:]}@example.com", role)
    hashed = await _hash(hub)
    await hub.fetch(
        "INSERT INTO users (id, email, name, role, password_hash, password_changed_at) VALUES ($1,$2,$3,$4,$5,now())",
        person.id, person.email, f"{role.title()} Souza", role, hashed,
    )  # fmt: skip
    for name, value in columns.items():
        await hub.fetch(f"UPDATE users SET {name} = $2 WHERE id = $1", person.id, value)
    for team in teams:
        await hub.fetch("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team, person.id)
    if signed_in:
        await sign_in(hub, person)
    return person


async def _hash(hub: Hub) -> str:
    if PASSWORD not in _HASHES:
        _HASHES[PASSWORD] = await (await hub.services.shared(open_passwords)).hash(PASSWORD)
    return _HASHES[PASSWORD]


async def sign_in(hub: Hub, person: Person) -> dict[str, Any]:
    """A new session of the person, with limits out of the way: they have tests of their own."""
    await clear_limits(hub)
    status, tokens = await login(hub, person.email)
    assert status == 200 and tokens["access_token"], tokens
    person.tokens, person.headers = tokens, bearer(tokens["access_token"])
    return tokens


async def earlier_code(app: pyotp.TOTP) -> str:
    """The code of the step before, which is taken as long as this step lasts: that is for some seconds more."""
    left_s = STEP_S - time.time() % STEP_S
    if left_s < 3:
        await asyncio.sleep(left_s + 0.1)
    return app.at(time.time() - STEP_S)


async def login(hub: Hub, email: str, password: str = PASSWORD, **options: Any) -> tuple[int, dict[str, Any]]:
    """What the sign-in route answers."""
    headers = options.pop("headers", {})
    return await call(hub, "POST", f"{AUTH}/login", headers, json={"email": email, "password": password, **options})


async def call(
    hub: Hub, method: str, path: str, headers: dict[str, str] | None = None, **arguments: Any
) -> tuple[int, Any]:
    """One request without cookies: status and body (None when there is none)."""
    jar = aiohttp.DummyCookieJar()
    async with (
        aiohttp.ClientSession(cookie_jar=jar) as session,
        session.request(method, hub.url + path, headers=headers, **arguments) as answer,
    ):
        raw = await answer.read()
        return answer.status, (await answer.json(content_type=None)) if raw and b"{" in raw[:1] else None


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def clear_limits(hub: Hub) -> None:
    """As if a long time had passed since the last attempt."""
    keys = []
    for pattern in ("limit:*", "failures:*", "pause:*"):
        keys += [key async for key in hub.services.redis.scan_iter(pattern)]
    if keys:
        await hub.services.redis.delete(*keys)


async def actions(hub: Hub) -> list[str]:
    """The actions of the audit log in order."""
    return [row["action"] for row in await hub.fetch("SELECT action FROM audit_log ORDER BY id")]


async def add_team(hub: Hub, name: str) -> tuple[UUID, str]:
    """A team that serves one queue: its id and the queue's key."""
    team, key = uuid7(), f"fila-{name}"
    await hub.fetch("INSERT INTO teams (id, name) VALUES ($1, $2)", team, name)
    await hub.fetch("INSERT INTO queues (id, team_id, key, name) VALUES ($1, $2, $3, $3)", uuid7(), team, key)
    return team, key


async def add_conversation(hub: Hub, queue: str | None, words: str, agent: UUID | None = None) -> dict[str, UUID]:
    """A customer with one message in a conversation of this queue: the ids of all three."""
    made = {"customer": uuid7(), "conversation": uuid7(), "message": uuid7()}
    now, number = datetime.now(UTC), made["customer"].int % 10**8
    await hub.fetch(
        "INSERT INTO customers (id, name, phone) VALUES ($1, $2, $3)",
        made["customer"],
        f"Cliente {words}",
        f"+55119{number:08d}",
    )
    await hub.fetch(
        "INSERT INTO conversations (id, customer_id, state, protocol, queue_id, agent_id, opened_at, queued_at, last_customer_message_at) "
        "VALUES ($1, $2, $3, next_protocol($4, 'UTC'), (SELECT id FROM queues WHERE key = $5), $6, $4, $4, $4)",
        made["conversation"], made["customer"], "assigned" if agent else "queued", now, queue, agent,
    )  # fmt: skip
    await hub.fetch(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
        "VALUES ($1, $2, $3, $4, 'in', 'customer', 'text', $5, 'received')",
        made["message"], now, made["conversation"], made["customer"], words,
    )  # fmt: skip
    return made


async def together(*requests: Any) -> list[Any]:
    """All at once."""
    return list(await asyncio.gather(*requests))

"""SQL through every search, filter, sort and cursor: each text that a GET route takes, filled with what breaks out of quotes.

Routes come from the application's OpenAPI: a filter added later is tried as it is.
"""

import base64
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.auth.people import Person, add_conversation, add_person, add_team, call
from tests.auth.routes import Route, all_routes
from tests.support.hub import Hub, make_settings, running_hub

SLEEP_S = 10  # far more than any answer takes, on a busy machine too
PAYLOADS = (
    "'", "\\'", "'; DROP TABLE customers; --", "' OR '1'='1", "1) OR (1=1", "%", "_", f"'; SELECT pg_sleep({SLEEP_S}); --",
    f"' || pg_sleep({SLEEP_S})::text || '", "' UNION SELECT id, password_hash FROM users --", "$1", "created_at DESC", "1e400",
    "a & b | !c", "'a':*",
)  # fmt: skip
BROADENING = [one for one in PAYLOADS if "OR" in one or "UNION" in one or one in ("%", "_", "*")]
FRAGMENTS = st.sampled_from(["'", '"', ";", "--", "/*", "*/", "(", ")", " OR ", " UNION SELECT ", "\\", "%", "_", "$1", "::", "=", "é", "1", "a"])  # fmt: skip


def _takes_text(schema: dict[str, Any]) -> bool:
    kinds = [schema, *schema.get("anyOf", ())]
    return any(one.get("type") == "string" and one.get("format") != "uuid" for one in kinds)


# Every text that a GET route takes, in its query or its path.
TAKEN = [
    (route, one["name"])
    for route in all_routes()
    if route.method == "GET" and route.permission != "public" and not route.path.startswith("/apps")
    for one in route.operation.get("parameters", ())
    if one["in"] in ("query", "path") and _takes_text(one.get("schema", {}))
]


@pytest.fixture
async def hub(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    """A hub that lets one person ask a lot."""
    async with running_hub(make_settings(database_url, redis_url, user_rate_per_minute=10**8)) as running:
        yield running


@pytest.fixture
async def agent(hub: Hub) -> Person:
    """One of a team, beside a team whose conversation has the secret."""
    ours, _ = await add_team(hub, "nossa")
    _, queue = await add_team(hub, "outra")
    await add_conversation(hub, queue, "quiproquo")
    await add_conversation(hub, "fila-nossa", "nosso")
    return await add_person(hub, "agent", ours)


async def ask(hub: Hub, target: tuple[Route, str], value: str, person: Person) -> str:
    """The answer to the route with `value` in that place: never a fault, nor late. A cursor is tried as one of ours too."""
    route, name = target
    values = [value]
    if name == "cursor":
        values.append(base64.urlsafe_b64encode(f"{value}|{value}".encode()).decode())
    said = ""
    for one in values:
        query, path = dict(route.request().get("params", {})), {}
        (path if name in route.parameters else query)[name] = quote(one, safe="") if name in route.parameters else one
        began = time.monotonic()
        status, body = await call(
            hub, "GET", URL(route.url(**path), encoded=True).raw_path, person.headers, params=query
        )
        took = time.monotonic() - began
        assert status in (200, 403, 404, 422), f"{route.name} with {name}={one!r}: {status} {body}"
        assert took < SLEEP_S, f"{route.name} with {name}={one!r}: {took:.1f} s"
        said += str(body) if status == 200 else ""
    return said


async def _counts(hub: Hub) -> list[int]:
    return [
        await hub.fetchval(f"SELECT count(*) FROM {table}") for table in ("customers", "users", "messages", "templates")
    ]


@pytest.mark.parametrize("role", ["admin", "agent"])
async def test_no_text_breaks_out_of_its_place(hub: Hub, agent: Person, role: str):
    """As admin every filter is open; as agent what another team has must stay hidden whatever is asked."""
    assert len(TAKEN) > 30
    person = agent if role == "agent" else await add_person(hub, role)
    before = await _counts(hub)
    for target in TAKEN:
        for payload in PAYLOADS if role == "admin" else BROADENING:
            said = await ask(hub, target, payload, person)
            assert "argon2" not in said
            assert role == "admin" or "quiproquo" not in said, f"{target[0].name} with {payload!r} shows another team's"
    assert await _counts(hub) == before


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.sampled_from(TAKEN), fragments=st.lists(FRAGMENTS | st.text(max_size=4), min_size=1, max_size=8))
async def test_no_mixture_of_signs_makes_a_fault(
    hub: Hub, agent: Person, target: tuple[Route, str], fragments: list[str]
):
    assert "quiproquo" not in await ask(hub, target, "".join(fragments), agent)

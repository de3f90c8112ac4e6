"""Every operation of the OpenAPI called as every role with what schemathesis makes of its description, right and wrong:
no 5xx, no status that is not declared, no body or header that breaks its declared form.

Operations come from the application, so those added later are called too. HUB_TEST_OPENAPI_EXAMPLES (`make soak`) makes
more of each.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from aiohttp import FormData
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from hub_api.auth.api_keys import create_key
from hub_api.platform.ids import uuid7
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.templates.sync import sync_templates
from tests.auth.people import Person, add_conversation, add_person, add_team, sign_in
from tests.auth.routes import ROLES, application
from tests.support.chance import EXPLORE
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import add_our_number
from tests.support.simulator import test_config
from tests.support.warehouse import EmbeddedWarehouse

USUAL = 2
EXAMPLES = int(os.environ.get("HUB_TEST_OPENAPI_EXAMPLES", USUAL))
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
# Who is called with every example; the others with the first of each kind (`make soak`: with all).
BROADEST = ("supervisor", "admin", "key")
NO_LIMITS = {
    "signin_per_minute": 10**8,
    "user_rate_per_minute": 10**8,
    "key_rate_per_minute": 10**8,
    "send_per_minute": 10**8,
}


@pytest.fixture
async def open_hub(database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    """A hub without limits, whose Meta is the simulator; its warehouse has no rows."""
    empty(warehouse_server.url())
    async with Simulator(test_config()) as sim:
        settings_ = make_settings(
            database_url, redis_url, meta_base_url=sim.url, clickhouse_url=warehouse_server.url(), **NO_LIMITS
        )
        async with running_hub(settings_) as hub:
            yield hub


@dataclass
class Calls:
    """Calls made from a thread of their own while the hub answers on the loop; `faults` has one line for each kind of one."""

    hub: Hub
    people: dict[str, Person]
    known: dict[str, str]
    loop: asyncio.AbstractEventLoop
    session: requests.Session = field(default_factory=requests.Session)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    def make(self) -> None:
        load_all_checks()
        schema = schemathesis.openapi.from_dict(application().openapi())
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) > 90
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for number, case in enumerate(_cases(operation, mode)):
                    if number % 2 == 0:
                        self._aim(case)
                    for role in self.people if number == 0 or EXAMPLES > USUAL else BROADEST:
                        self._call(case, role)

    def _aim(self, case: Any) -> None:
        """Let the path name records that there are: behind a 404 nothing is seen."""
        for name in case.path_parameters or {}:
            if name in self.known:
                case.path_parameters[name] = self.known[name]

    def _call(self, case: Any, role: str) -> None:
        case.cookies.pop("hub_session", None)
        person = self.people[role]
        response = self._asked(case, person)
        if response.status_code == 401 and person.tokens:  # signed out by something that was called before
            asyncio.run_coroutine_threadsafe(sign_in(self.hub, person), self.loop).result(20)
            response = self._asked(case, person)
        headers = person.headers
        self.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS.get_by_names(list(CHECKED)), headers=headers)
        except FailureGroup as group:
            for failure in group.exceptions:
                kind = (case.operation.label, f"{type(failure).__name__} {response.status_code}")
                self.faults.setdefault(kind, f"as {role}: {failure}\n{case.as_curl_command()}\n{response.text[:300]}")

    def _asked(self, case: Any, person: Person) -> requests.Response:
        response: requests.Response = case.call(
            base_url=self.hub.url, session=self.session, headers=person.headers, timeout=20, allow_redirects=False
        )
        self.session.cookies.clear()
        return response


def _cases(operation: Any, mode: GenerationMode) -> Iterator[Any]:
    """What schemathesis makes of an operation; nothing where no request is wrong."""
    made: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=not EXPLORE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Any) -> None:
        made.append(case)

    with suppress(Unsatisfiable):  # an operation that takes nothing takes nothing wrong
        keep()
    return iter(made)


@pytest.mark.timeout(600 * max(1, EXAMPLES // USUAL))
async def test_every_operation_answers_every_role_as_it_is_described(open_hub: Hub):
    people = {role: await add_person(open_hub, role) for role in reversed(ROLES)}
    key = await create_key(open_hub.services.db, "all", ["*"])
    people["key"] = Person(uuid7(), "", "key", {"Authorization": f"Bearer {key}"})
    calls = Calls(open_hub, people, await _known(open_hub), asyncio.get_running_loop())
    await asyncio.to_thread(calls.make)
    assert not calls.faults, "\n\n".join(f"{label}: {what} {text}" for (label, what), text in calls.faults.items())
    few = {status: calls.statuses[status] for status in (200, 204, 403, 404, 422) if calls.statuses[status] < 20}
    assert not few, f"the calls reach too little: {calls.statuses}"


async def _known(hub: Hub) -> dict[str, str]:
    """Records of every kind, by the names that paths give their ids."""
    team, queue = await add_team(hub, "central")
    stranger = await add_person(hub, "agent", team)
    made = await add_conversation(hub, queue, "bom dia")
    await create_key(hub.services.db, "spare", [])
    number_id = await add_our_number(hub.services)
    await hub.fetch("INSERT INTO roles (name, title, permissions) VALUES ('qualidade', 'Qualidade', '{audit:read}')")
    account_id = await hub.fetchval("SELECT id FROM whatsapp_accounts")
    await sync_templates(hub.services, account_id)
    form = FormData()
    form.add_field("file", b"%PDF-1.4 oi", filename="oi.pdf", content_type="application/pdf")
    async with hub.session.post(f"{hub.url}/api/v1/media", headers=hub.auth, data=form) as answer:
        media = (await answer.json())["id"]
    await hub.fetch(
        "INSERT INTO openid_clients (id, name, redirect_uris, permission) VALUES ('grafana', 'Grafana', '{http://127.0.0.1/}', 'account:use')"
    )
    ids = {
        "client_id": "grafana",
        "kpi": "first_response_time",
        "funnel": "service",
        "conversation_id": made["conversation"],
        "reference": made["conversation"],
        "customer_id": made["customer"],
        "message_id": made["message"],
        "user_id": stranger.id,
        "session_id": await hub.fetchval("SELECT id FROM sessions WHERE user_id = $1", stranger.id),
        "team_id": team,
        "key": queue,
        "name": "qualidade",
        "number_id": number_id,
        "account_id": account_id,
        "media_id": media,
        "key_id": await hub.fetchval("SELECT id FROM api_keys WHERE name = 'spare'"),
        "template_id": await hub.fetchval("SELECT id FROM templates LIMIT 1"),
    }
    return {name: str(value) for name, value in ids.items()}

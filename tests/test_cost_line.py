"""Costs through the whole line: messages accepted and priced at the simulator, their events relayed, the day built; the
table must come to what the webhooks' own pricing objects and the rate card come to, and to what the API says. And a
conversation that we began: no demand for anybody's figures until the customer writes."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from pipelines.materialize import materialize
from tests.support.hours import let_the_day_last
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import add_our_number, add_people, queue, template, text
from tests.support.simulator import test_config
from tests.support.tables import made_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.timeout(300)

NEW = "5511955554444"
TABLES = made_of("gold/message_costs_daily", "gold/service_kpi_hourly")
RATES = {"utility": 6_800, "marketing": 62_500, "service": 6_800}
DONE = """
SELECT count(*) FROM messages
WHERE direction = 'out' AND NOT (state IN ('delivered', 'read') AND pricing IS NOT NULL OR state = 'sent' AND customer_id = $1)
"""


@dataclass
class Line:
    """The hub, the simulator and the warehouse."""

    hub: Hub
    sim: Simulator
    settings: Settings

    async def build(self) -> None:
        """Relay what happened and build the day."""
        await relay_until_empty(self.settings)
        today = datetime.now(self.settings.zone).date().isoformat()
        (result,) = await asyncio.to_thread(materialize, self.settings, [today], only=TABLES)
        assert result.success and all(check.passed for check in result.get_asset_check_evaluations())

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the warehouse."""
        client = connect(self.settings.clickhouse_url)
        try:
            return [tuple(row) for row in client.query(sql).result_rows]
        finally:
            client.close()

    async def told_by_webhooks(self) -> Counter[tuple[str, str]]:
        """What is owed by our category and the billed type, from nothing but the bodies of the webhooks."""
        last: dict[str, dict[str, Any]] = {}
        arrived = set()
        for (body,) in await self.hub.fetch("SELECT body FROM webhook_event ORDER BY received_at, id"):
            for status in _statuses(json.loads(body)):
                last[status["id"]] = status.get("pricing") or last.get(status["id"], {})
                if status["status"] in ("delivered", "read"):
                    arrived.add(status["id"])
        owed: Counter[tuple[str, str]] = Counter()
        for wamid in arrived:
            pricing = last[wamid]
            owed[pricing["category"], pricing["type"]] += RATES[pricing["category"]] * (pricing["type"] == "regular")
        return owed


def _statuses(body: dict[str, Any]) -> list[dict[str, Any]]:
    changes = [change for entry in body["entry"] for change in entry["changes"]]
    return [status for change in changes for status in change["value"].get("statuses", [])]


@pytest.fixture
async def line(database_url: str, redis_url: str, data_settings: Settings) -> AsyncIterator[Line]:
    let_the_day_last(120)
    async with Simulator(test_config(enforce_limits=frozenset())) as sim:
        clickhouse_url = data_settings.clickhouse_url.get_secret_value()
        settings = make_settings(database_url, redis_url, meta_base_url=sim.url, clickhouse_url=clickhouse_url)
        async with running_hub(settings) as hub:
            sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
            sim.core.delivery.resume()
            yield Line(hub, sim, settings)


async def test_the_cost_table_comes_to_what_the_pricing_webhooks_come_to(line: Line) -> None:
    number_id = await add_our_number(line.hub.services, throughput_mps=1000)
    *people, lost = await add_people(line.hub.services, number_id, 6)
    line.sim.core.world.register([NewUser(person.phone) for person in (*people, lost)])
    line.sim.core.world.user_by_phone(lost.phone).pair(PHONE_NUMBER_ID).blocked = True
    (number,) = line.sim.core.world.numbers.values()
    number.service_messages[datetime.now(line.settings.zone).strftime("%Y-%m")] = 997  # three are free still
    for number_of_texts, person in enumerate(people):
        await queue(line.hub.services, person, *[text() for _ in range(number_of_texts)], template())
        await queue(line.hub.services, person, template("oferta_fibra", "marketing"))
    await queue(line.hub.services, lost, template())

    async def told() -> bool:
        await line.hub.settled()
        return await line.hub.fetchval(DONE, lost.id) == 0

    await eventually(told, timeout_s=90)
    await line.build()
    shown = line.rows(
        "SELECT pricing_category, pricing_type, sum(cost_micros), sum(delivered), sum(untold) FROM gold.message_costs_daily "
        "WHERE pricing_type != '' GROUP BY 1, 2"
    )
    assert {(category, type): cost for category, type, cost, _, _ in shown} == await line.told_by_webhooks()
    assert sum(row[3] for row in shown) == 20 and sum(row[4] for row in shown) == 0
    assert line.rows("SELECT sum(messages), sum(delivered), sum(cost_micros) FROM gold.message_costs_daily") == [
        (21, 20, 5 * 6_800 + 5 * 62_500 + 7 * 6_800)
    ]
    answer = await line.hub.get("/api/v1/whatsapp/costs", headers=line.hub.auth)
    by_api = {row["category"]: row["actual_micros"] for row in (await answer.json())["items"]}
    assert by_api == dict(
        line.rows("SELECT category, sum(cost_micros) FROM gold.message_costs_daily GROUP BY category")
    )


async def test_a_conversation_that_we_began_costs_and_is_no_demand_until_the_customer_writes(line: Line) -> None:
    await add_our_number(line.hub.services, throughput_mps=1000)
    line.sim.core.world.register([NewUser(NEW)])
    await line.hub.services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "SELECT gen_random_uuid(), id, 'boas_vindas', 'pt_BR', 'UTILITY', 'APPROVED', $1 FROM whatsapp_accounts",
        [{"type": "BODY", "text": "Olá, {{1}}!"}],
    )
    filled = [{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]
    body = {"to": {"phone": NEW}, "template": {"type": "template", "name": "boas_vindas", "components": filled}}
    answer = await line.hub.post("/api/v1/whatsapp/messages", headers=line.hub.auth, json=body)
    assert answer.status == 202, await answer.text()

    async def until(query: str) -> Any:
        async def found() -> Any:
            await line.hub.settled()
            return await line.hub.fetchval(query)

        return await eventually(found, timeout_s=90)

    await until("SELECT id FROM messages WHERE state IN ('delivered', 'read') AND pricing IS NOT NULL")
    await line.build()
    costs = "SELECT category, sum(messages), sum(delivered), sum(cost_micros) FROM gold.message_costs_daily GROUP BY 1"
    assert line.rows(costs) == [("utility", 1, 1, 6_800)]
    assert line.rows("SELECT count() FROM gold.conversation_facts") == [(0,)], "nobody asked for anything"
    service = "SELECT sum(conversations_opened), sum(messages_in), max(backlog) FROM gold.service_kpi_hourly"
    assert line.rows(service) == [(0, 0, 0)]

    async with line.hub.session.post(f"{line.sim.url}/_sim/inbound", json={"from": NEW, "text": "quem é?"}) as said:
        assert said.status == 200, await said.text()
    await until(
        "SELECT id FROM messages WHERE author = 'bot' AND state IN ('delivered', 'read') AND pricing IS NOT NULL"
    )
    await line.build()
    assert line.rows("SELECT count(), sum(messages_in) FROM gold.conversation_facts") == [(1, 1)]
    assert line.rows(service) == [(1, 1, 1)]
    assert {row[0]: row[1:] for row in line.rows(costs)} == {"utility": (1, 1, 6_800), "service": (1, 1, 0)}

"""The whole line through real HTTP: a customer writes at the simulator, the bot answers there, statuses come back, every
step is an event in the warehouse, and the hour's KPIs count it."""

import asyncio
import time
from datetime import datetime

import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from hub_api.simulator.demo import connect_number
from hub_api.simulator.server import Simulator
from pipelines.materialize import materialize
from tests.support.hours import let_the_day_last
from tests.support.hub import make_settings, running_hub
from tests.support.simulator import ANA, TOKEN, test_config

pytestmark = pytest.mark.timeout(300)


async def until(condition, what, deadline_s=90):
    end = time.monotonic() + deadline_s
    while not (found := await condition()):
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.05)
    return found


async def test_from_webhook_to_kpi(database_url, redis_url, warehouse_server, data_settings):
    let_the_day_last(120)
    async with Simulator(test_config()) as simulator:
        clickhouse_url = warehouse_server.url()
        settings = make_settings(database_url, redis_url, clickhouse_url=clickhouse_url, meta_base_url=simulator.url)
        await connect_number(settings, TOKEN)
        async with running_hub(settings) as hub:
            control = f"{simulator.url}/_sim"
            async with hub.session.post(f"{control}/webhooks", json={"url": f"{hub.url}/webhooks/whatsapp"}) as answer:
                assert answer.status == 200, await answer.text()
            async with hub.session.post(f"{control}/inbound", json={"from": ANA, "text": "oi, bom dia"}) as answer:
                assert answer.status == 200, await answer.text()

            async def answer_was_read():
                await hub.settled()
                return await hub.fetchval("SELECT id FROM messages WHERE author = 'bot' AND state = 'read'")

            bot_message = await until(answer_was_read, "the bot's answer read")
            protocol = await hub.fetchval("SELECT protocol FROM conversations")
            async with hub.session.get(f"{control}/calls") as answer:
                (call,) = (await answer.json())["calls"]
            async with hub.session.get(f"{control}/messages", params={"wamid": call["wamid"]}) as answer:
                seen_by_customer = await answer.json()
            assert protocol in seen_by_customer["text"], "the greeting tells the protocol number"
            assert seen_by_customer["opaque"].partition(".")[0] == bot_message.hex

            await relay_until_empty(settings)
            today = datetime.now(settings.zone).date().isoformat()
            await asyncio.to_thread(materialize, settings, [today])
            client = connect(clickhouse_url)
            steps = client.query(
                "SELECT JSONExtractString(payload, 'to_state') FROM raw.events "
                "WHERE type = 'message.state_changed' AND aggregate_id = {id:UUID} ORDER BY aggregate_version",
                parameters={"id": bot_message},
            ).result_columns[0]
            assert list(steps) == ["accepted", "sent", "delivered", "read"]
            hour = client.query(
                "SELECT sum(conversations_opened), sum(messages_in), sum(messages_out), sum(first_answer_count) FROM gold.service_kpi_hourly"
            )
            assert hour.result_rows == [(1, 1, 1, 1)]
            client.close()

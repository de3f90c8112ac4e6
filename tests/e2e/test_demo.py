"""What a newcomer sees after `make demo`: parts ready, history in the tables, live traffic moving, pages that load."""

import asyncio
import json
import time
import urllib.request

import asyncpg
import clickhouse_connect
import pytest

from hub_api.simulator.history.run import AGENTS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

DEADLINE_S = 300


def until(condition, what: str, deadline_s: float = DEADLINE_S):
    """The first true value of `condition`, polled."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(1)
    pytest.fail(f"not within {deadline_s} s: {what}")


def sql(stack, query: str):
    async def fetch():
        db = await asyncpg.connect(stack.env["HUB_DATABASE_URL"])
        try:
            return await db.fetchval(query)
        finally:
            await db.close()

    return asyncio.run(fetch())


def warehouse(stack, query: str):
    with clickhouse_connect.get_client(dsn=stack.env["HUB_CLICKHOUSE_URL"]) as client:
        return client.query(query).result_rows


def test_every_part_is_ready(stack):
    parts = stack.status()
    assert {
        "postgres",
        "valkey",
        "warehouse",
        "simulator",
        "api",
        "worker-1",
        "scheduler",
        "relay",
        "dagster-web",
    } <= set(parts)
    assert {name: part["state"] for name, part in parts.items() if part["state"] not in ("ready", "done")} == {}


def test_history_reaches_the_gold_tables(stack):
    rows = until(
        lambda: (
            warehouse(stack, "SELECT sum(conversations_opened), sum(messages_in) FROM gold.service_kpi_hourly")[0][0]
            and warehouse(stack, "SELECT sum(conversations_opened) FROM gold.service_kpi_hourly")
        ),
        "rows in gold.service_kpi_hourly",
    )
    # What we began counts in no figure of service until the customer writes: most of a campaign's never do.
    conversations = sql(
        stack,
        "SELECT count(*) FROM conversations WHERE opened_at < now() - interval '1 day' AND last_customer_message_at IS NOT NULL",
    )
    assert rows[0][0] >= conversations > 50


def test_live_customers_are_answered(stack):
    until(
        lambda: sql(
            stack,
            "SELECT count(*) FROM messages WHERE direction = 'out' AND author = 'bot' AND state = 'read' AND inserted_at > created_at - interval '1 minute' AND created_at > now() - interval '10 minutes'",
        ),
        "bot answers read by live customers",
    )
    until(
        lambda: sql(
            stack, "SELECT count(*) FROM messages WHERE author = 'agent' AND created_at > now() - interval '10 minutes'"
        ),
        "answers of agents",
    )
    assert sql(stack, "SELECT count(*) FROM messages WHERE state = 'unknown'") == 0
    assert sql(stack, "SELECT count(*) FROM dead_letter") == 0


def test_virtual_agents_are_present_and_the_router_gives_to_them(stack):
    until(
        lambda: sql(stack, "SELECT count(*) FROM agents WHERE presence IN ('online', 'break')") == len(AGENTS),
        "agents are there",
    )
    until(
        lambda: sql(
            stack,
            "SELECT count(*) FROM assignments WHERE strategy = 'least_busy' AND assigned_at > now() - interval '10 minutes'",
        ),
        "conversations given by the router",
    )


def test_nothing_is_sent_twice(stack):
    with urllib.request.urlopen(f"{stack.env['HUB_META_BASE_URL']}/_sim/accepted") as answer:
        accepted = json.load(answer)
    assert accepted["messages"] > 0 and not accepted["more_than_once"]


def test_the_api_documentation_opens_in_a_browser(stack, browser):
    page = browser.new_page()
    page.goto(stack.status()["api"]["url"])
    page.get_by_text("Telecom hub").first.wait_for(timeout=30_000)
    assert page.locator(".opblock").count() > 10


def test_dagster_shows_the_line_from_raw_to_gold(stack, browser):
    page = browser.new_page()
    page.goto(
        f"{stack.status()['dagster-web']['url']}/assets/gold/service_kpi_hourly?view=lineage&lineageScope=upstream"
    )
    for table in ("service_kpi_hourly", "conversation_facts", "conversation_states"):
        page.get_by_text(table).first.wait_for(timeout=60_000)


def test_the_metrics_count_real_traffic(stack):
    url = stack.status()["api"]["url"].replace("/docs", "/metrics")
    with urllib.request.urlopen(url) as answer:
        text = answer.read().decode()
    counts = {
        line.split()[0]: float(line.split()[-1]) for line in text.splitlines() if line and not line.startswith("#")
    }
    assert counts["whatsapp_webhooks_accepted_total"] > 10
    assert any(name.startswith("whatsapp_mensagens_enviadas_total{") and value > 0 for name, value in counts.items())

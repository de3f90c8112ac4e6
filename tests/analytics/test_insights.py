"""What the tables know of a customer, told to who talks with him; and that the talk goes on without the tables."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest

from hub_api.platform.clickhouse import connect
from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, add_person, add_team, call
from tests.support.data import empty
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.warehouse import EmbeddedWarehouse

DAY = date(2026, 11, 25)


@pytest.fixture
async def told(database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse) -> AsyncIterator[Hub]:
    """A hub with an empty warehouse."""
    empty(warehouse_server.url())
    settings = make_settings(database_url, redis_url, clickhouse_url=warehouse_server.url())
    async with running_hub(settings) as running:
        yield running
    empty(warehouse_server.url())


async def test_segments_risk_value_mood_and_habits_come_with_their_day(told: Hub, warehouse_server: EmbeddedWarehouse):
    bia = await add_person(told)
    made = await add_conversation(told, None, "fibra")
    customer, segment, gone = made["customer"], uuid7(), uuid7()
    path = f"/api/v1/customers/{customer}/insights"
    status, nothing = await call(told, "GET", path, bia.headers)
    assert status == 200 and nothing["available"] is True
    assert (nothing["segments"], nothing["churn"], nothing["moods"], nothing["segments_as_of"]) == ([], None, [], None)

    for one, name, archived in ((segment, "Fibra sem contato", None), (gone, "Antigo", datetime.now(UTC))):
        await told.fetch(
            "INSERT INTO segments (id, name, description, created_by, archived_at) VALUES ($1, $2, '', 'test', $3)",
            one, name, archived,
        )  # fmt: skip
    client = connect(warehouse_server.url())
    rows = {
        "segment_membership (segment_id, customer_id, version, entered_on)": [
            (str(segment), str(customer), 1, "2026-11-01"),
            (str(gone), str(customer), 1, "2026-11-01"),
            (str(segment), str(uuid7()), 1, "2026-11-01"),
        ],
        "segment_state (segment_id, version, computed_at)": [(str(segment), 1, "2026-11-26 06:00:00")],
        "churn_risk (day, customer_id, probability, band, reasons, horizon_days)": [
            ("2026-11-18", str(customer), 0.1, "low", [], 30),
            (str(DAY), str(customer), 0.62, "high", ["Fatura em atraso há 12 dias"], 30),
        ],
        "customer_value (customer_id, as_of, value_score, tier, rfm_group)": [
            (str(customer), str(DAY), 71.5, "Ouro", "Fiéis")
        ],
        "conversation_sentiment (day, conversation_id, customer_id, score_mean, final_label, reason)": [
            ("2026-11-20", str(uuid7()), str(customer), 0.4, "positive", "billing"),
            (str(DAY), str(made["conversation"]), str(customer), -0.7, "negative", "technical"),
        ],
        "customer_features (day, customer_id, contacts_30d, satisfaction_90d, tickets_open, tenure_days)": [
            (str(DAY), str(customer), 3, 4.5, 1, 400)
        ],
    }
    for table, values in rows.items():
        written = ", ".join(str(value) for value in values)
        client.command(f"INSERT INTO gold.{table} VALUES {written}")
    client.close()

    status, known = await call(told, "GET", path, bia.headers)
    assert status == 200
    assert known["segments"] == [
        {"segment_id": str(segment), "name": "Fibra sem contato", "entered_on": "2026-11-01"},
    ]
    assert known["segments_as_of"].startswith("2026-11-26T06:00:00")
    assert known["churn"] == {
        "as_of": str(DAY),
        "probability": 0.62,
        "band": "high",
        "reasons": ["Fatura em atraso há 12 dias"],
        "horizon_days": 30,
    }
    assert known["value"] == {"as_of": str(DAY), "tier": "Ouro", "score": 71.5, "group": "Fiéis"}
    assert [(one["day"], one["label"], one["score"]) for one in known["moods"]] == [
        ("2026-11-25", "negative", -0.7),
        ("2026-11-20", "positive", 0.4),
    ]
    habits = known["habits"]
    assert (habits["as_of"], habits["contacts_30d"], habits["satisfaction_90d"], habits["tickets_open"]) == (
        str(DAY), 3, 4.5, 1,
    )  # fmt: skip


async def test_without_the_warehouse_the_answer_says_so_and_the_talk_goes_on(hub: Hub):
    bia = await add_person(hub)
    made = await add_conversation(hub, None, "fibra")
    status, known = await call(hub, "GET", f"/api/v1/customers/{made['customer']}/insights", bia.headers)
    assert (status, known["available"], known["segments"], known["churn"]) == (200, False, [], None)


async def test_a_customer_of_another_team_is_not_told_of(hub: Hub):
    _, queue = await add_team(hub, "outros")
    stranger = await add_person(hub)
    made = await add_conversation(hub, queue, "segredo")
    assert (await call(hub, "GET", f"/api/v1/customers/{made['customer']}/insights", stranger.headers))[0] == 404

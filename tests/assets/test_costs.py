"""gold, cost: what messages cost, against the same sums made in Python from the events."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from assets.checks import _agree
from assets.warehouse import load_sql
from hub_api.events import MessagePriced, MessageQueued, MessageStateChanged
from hub_api.platform.clickhouse import apply_schema
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from tests.assets.conftest import Given, at, named

DAYS = ("2026-03-10", "2026-03-11", "2026-03-12")
PRICES = [
    ("utility", "regular", 6_800, "USD"),
    ("marketing", "regular", 62_500, "USD"),
    ("marketing", "regular", 310_000, "BRL"),
    ("service", "free_customer_service", 0, "USD"),
    ("utility", "free_entry_point", 0, "USD"),
    ("utility", "regular", None, None),  # a market that the card does not have
]
WAYS = [["accepted", "sent", "delivered"], ["accepted", "delivered", "read"], ["accepted", "sent"], ["accepted", "failed"],
        ["accepted", "delivered", "read", "played"], [], ["cancelled"], ["accepted", "failed", "delivered"]]  # fmt: skip
SHOWN = """
SELECT toString(day) AS day, toString(number_id) AS number, category, currency, sum(messages) AS messages,
    sum(delivered) AS delivered, sum(charged) AS charged, sum(untold) AS untold, sum(cost_micros) AS cost_micros
FROM gold.message_costs_daily GROUP BY day, number, category, currency
"""


def a_message(chance: Random, name: str, day: str) -> tuple[list[Event], dict[str, Any]]:
    """The events of one message, and what is owed for it."""
    about = {
        "aggregate_id": named(name),
        "conversation_id": named(f"talk {chance.randint(0, 5)}"),
        "customer_id": named("ana"),
    }
    number, category = named(f"number {chance.randint(0, 2)}"), chance.choice(["service", "utility", "marketing"])
    events: list[Event] = [MessageQueued(
        **about, aggregate_version=1, occurred_at=at(f"{day} 15:00"), message_type="text", content="olá", author="agent",
        category=category, shard=0, number_id=number,
    )]  # fmt: skip
    way, state = chance.choice(WAYS), "queued"
    for version, word in enumerate(way, start=2):
        told = chance.choice(PRICES) if word in ("sent", "delivered", "read") and chance.random() < 0.7 else None
        priced = dict(
            zip(("pricing_category", "pricing_type", "cost_micros", "cost_currency"), told or (None,) * 4, strict=True)
        )
        occurred_at = at(f"{chance.choice(DAYS)} 16:{version:02}")
        if told and chance.random() < 0.3:  # told apart, then the step without it
            events.append(MessagePriced(**about, aggregate_version=100 + version, occurred_at=occurred_at, **priced))
        else:
            events.append(MessageStateChanged(
                **about, aggregate_version=version, occurred_at=occurred_at, from_state=state, to_state=word, **priced
            ))  # fmt: skip
            state = word
    tellings = [e for e in events if getattr(e, "cost_micros", None) is not None]
    price = max(tellings, key=lambda e: e.aggregate_version, default=None)
    micros = getattr(price, "cost_micros", None)
    owed = {"day": day, "number": str(number), "category": category, "currency": getattr(price, "cost_currency", None) or "",
            "state": state, "micros": micros}  # fmt: skip
    return events, owed


def summed(owed: list[dict[str, Any]]) -> dict[tuple[str, ...], dict[str, int]]:
    """The table's rows by day, number, category and currency."""
    sums: dict[tuple[str, ...], Counter[str]] = {}
    for one in owed:
        row = sums.setdefault((one["day"], one["number"], one["category"], one["currency"]), Counter())
        arrived = one["state"] in ("delivered", "read", "played")
        row["messages"] += one["state"] not in ("failed", "cancelled")
        row["delivered"] += arrived
        row["charged"] += arrived and (one["micros"] or 0) > 0
        row["untold"] += arrived and one["micros"] is None
        row["cost_micros"] += arrived and (one["micros"] or 0)
    names = ("messages", "delivered", "charged", "untold", "cost_micros")
    return {key: {name: int(row[name]) for name in names} for key, row in sums.items()}


@pytest.mark.parametrize("seed", range(3))
def test_costs_are_the_last_prices_of_what_was_delivered(given: Given, seed: int) -> None:
    chance = Random(seed)
    made = [a_message(chance, f"m{number}", chance.choice(DAYS)) for number in range(150)]
    events = [event for of_one, _ in made for event in of_one]
    chance.shuffle(events)
    ids = [uuid7() for _ in events]
    given(*events[:200], ids=ids)
    given(*events[200:], *events[:30], ids=[*ids[200:], *ids[:30]])  # some are relayed again
    given.build(*DAYS)
    shown = {
        (row.pop("day"), row.pop("number"), row.pop("category"), row.pop("currency")): row for row in given.rows(SHOWN)
    }
    assert shown == summed([owed for _, owed in made])
    checked = given.warehouse.rows(load_sql("assets.gold.cost", "message_costs_daily.check.sql"), list(DAYS))
    assert len(checked) == 5 and all(_agree(ours, theirs) for _, ours, theirs in checked), checked
    given.warehouse.client.command(
        "ALTER TABLE gold.message_costs_daily UPDATE cost_micros = cost_micros + 1 WHERE charged > 0 SETTINGS mutations_sync = 1"
    )
    checked = given.warehouse.rows(load_sql("assets.gold.cost", "message_costs_daily.check.sql"), list(DAYS))
    assert not all(_agree(ours, theirs) for _, ours, theirs in checked), "the check sees nothing"


def test_a_warehouse_from_before_the_costs_gets_their_columns(given: Given, warehouse_settings: Settings) -> None:
    for table in ("bronze.events", "silver.messages"):
        given.warehouse.client.command(f"ALTER TABLE {table} DROP COLUMN cost_micros, DROP COLUMN cost_currency")
    assert apply_schema(warehouse_settings) == ["bronze.events", "silver.messages"]
    events, owed = a_message(Random(8), "m", DAYS[0])
    given(*events)
    given.build(*DAYS)
    assert given.row("SELECT sum(messages) AS n FROM gold.message_costs_daily")["n"] == (
        owed["state"] not in ("failed", "cancelled")
    )

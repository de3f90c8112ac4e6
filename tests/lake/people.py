"""Customers for notebooks that are about them: seven weeks of Sundays and the newest days, in three kinds that differ."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from assets.gold.value.learn import build_value
from assets.warehouse import Warehouse
from tests.assets.conftest import named

CUSTOMERS, SUNDAYS, NEWEST = 420, 7, 8
TABLES = ("gold.customer_features", "gold.customer_actions_daily", "gold.customer_value")
MICROS = 1_000_000


def add_people(warehouse: Warehouse, last: date) -> None:
    """Features of everybody on the days that are kept up to `last`, ends of contracts, and what the customers are worth."""
    rng = np.random.default_rng(11)
    sundays = [day for n in range(NEWEST, 7 * SUNDAYS) if (day := last - timedelta(days=n)).weekday() == 6]
    days = sorted([*sundays, *(last - timedelta(days=n) for n in range(NEWEST))])
    rows: list[dict[str, Any]] = []
    ended: list[list[Any]] = []
    for number in range(CUSTOMERS):
        who, gone_on = named(f"notebook {number}"), None
        for day in days:
            if gone_on and day >= gone_on:
                break
            row = _features(rng, number % 3, day)
            rows.append({"day": day, "customer_id": who, **row})
            hazard = 0.05 if row["technical_contacts_90d"] else 0.004
            if rng.random() < hazard:
                gone_on = day + timedelta(days=int(rng.integers(1, 7)))
                ended.append([gone_on, who, "contract_ended", row["plan_id"], 1, 0.0])
    names = list(rows[0])
    client = warehouse.client
    client.insert("gold.customer_features", [[row[name] for name in names] for row in rows], column_names=names)
    client.insert(
        "gold.customer_actions_daily", [row for row in ended if row[0] <= last],
        column_names=["day", "customer_id", "action", "detail", "actions", "value"],
    )  # fmt: skip
    build_value(warehouse)


def remove_people(warehouse: Warehouse) -> None:
    """The tables as they were: without rows."""
    for table in TABLES:
        warehouse.client.command(f"TRUNCATE TABLE {table}")


def _features(rng: np.random.Generator, kind: int, day: date) -> dict[str, Any]:
    """Somebody loyal who pays in time, somebody in trouble, or somebody new who pays late."""
    monthly = (149.9, 119.9, 79.9)[kind] + float(rng.choice([0, 20]))
    technical = int(rng.random() < (0.03, 0.7, 0.05)[kind]) * int(rng.integers(1, 5))
    late = int(rng.random() < (0.01, 0.1, 0.5)[kind])
    invoices, paid_late = 12 if kind < 2 else 4, (0, 1, 3)[kind]
    return {
        "status": "active", "contracts": 1, "contracts_active": 1, "contract_status": "active", "state_code": "SP",
        "plan_id": ("fibra-500", "fibra-300", "movel-20")[kind], "monthly_micros": int(monthly * MICROS),
        "tenure_days": int((1500, 700, 90)[kind] * rng.uniform(0.7, 1.3)), "speed_mbps": (500, 300, 0)[kind],
        "consent_marketing": bool(rng.random() < 0.6), "contacts_90d": technical + int(rng.poisson((0.3, 3, 1)[kind])),
        "technical_contacts_90d": technical, "technical_contacts_30d": technical // 2,
        "tickets_90d": int(rng.poisson((0.05, 1.5, 0.1)[kind])), "campaigns_read_90d": int(rng.poisson((3, 1, 0.2)[kind])),
        "invoices_365d": invoices, "invoices_paid_late_365d": paid_late, "invoices_late": late,
        "late_micros": late * int(monthly * MICROS), "late_days": late * 12,
        "billed_micros_365d": int(invoices * monthly * MICROS), "paid_micros_365d": int((invoices - late) * monthly * MICROS),
        "last_payment_at": datetime.combine(day - timedelta(days=int(rng.integers(1, 28))), time(12), UTC),
    }  # fmt: skip

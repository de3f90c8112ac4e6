"""Random customers with a random past, in the warehouse and in Python."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from clickhouse_connect.driver.client import Client

from models_ml.segmentation import catalogue
from tests.models_ml.segmentation.evaluator import Act, Customer
from tests.models_ml.segmentation.strategies import WORDS

AS_OF = date(2026, 3, 10)
IDS = [UUID(int=(0x019A << 112) + number * 7919) for number in range(1, 121)]
ACTIONS = [*catalogue.DETAILS, *(f"message_{label}" for label in catalogue.SENTIMENTS)]


def somebody(chance: Random, customer_id: UUID) -> Customer:
    """A customer with a random past; what is counted in the features is counted from it."""
    acts = []
    for _ in range(chance.randint(0, 14)):
        day = AS_OF - timedelta(days=chance.choice((0, 0, 1, 2, 3, 6, 7, 8, 29, 30, 31, 89, 90, 95)))
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
            hours=chance.randint(3, 23), minutes=chance.randint(0, 59)
        )
        acts.append(Act(day, chance.choice(ACTIONS), at, chance.choice(WORDS), float(chance.randint(1, 5))))
    who = Customer(customer_id, {}, acts)
    for name, kind in catalogue.ATTRIBUTES.items():
        value: Any = (
            chance.choice(WORDS) if kind == "text" else chance.randint(0, 3) * (1_000_000 if kind == "money" else 1)
        )
        who.features[name] = None if name in catalogue.NULLABLE and chance.random() < 0.3 else value
    who.features |= {name: chance.choice(WORDS) for name in catalogue.PLACES}
    who.features |= {name: chance.choice((True, False, None)) for name in catalogue.CONSENTS.values()}
    who.features |= {
        column: len(who.did(action, AS_OF, window)) for (action, window), column in catalogue.READY.items()
    }
    who.features["tags"] = sorted(chance.sample(WORDS, chance.randint(0, 4)))
    return who


@dataclass
class World:
    """The customers, in the warehouse and here."""

    client: Client
    customers: list[Customer]

    def ids(self, sql: str, parameters: dict[str, Any]) -> set[UUID]:
        return {row[0] for row in self.client.query(sql, parameters=parameters).result_rows}


def make_world(client: Client) -> World:
    """The customers of IDS, written into the (empty) warehouse."""
    chance = Random(7)
    made = World(client, [somebody(chance, one) for one in IDS])
    names = list(made.customers[0].features)
    client.insert(
        catalogue.FEATURES,
        [[AS_OF, who.id, *(who.features[name] for name in names)] for who in made.customers],
        column_names=["day", "customer_id", *names],
    )
    rows = []
    for who in made.customers:
        groups = defaultdict(list)
        for act in who.acts:
            groups[act.day, act.action, act.detail].append(act)
        for (day, action, detail), acts in groups.items():
            times = [act.at for act in acts]
            rows.append(
                [day, who.id, action, detail, len(acts), sum(act.value for act in acts), min(times), max(times)]
            )
    client.insert(
        catalogue.ACTIONS, rows,
        column_names=["day", "customer_id", "action", "detail", "actions", "value", "first_at", "last_at"],
    )  # fmt: skip
    return made

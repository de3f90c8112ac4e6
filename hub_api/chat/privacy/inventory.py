"""Where personal data lies (inventory/), and the register of processing made from it (LGPD art. 37).

Each file of the folder is a domain: its tables of PostgreSQL and of the warehouse with every column, as personal or as other.
A test compares them with the real schemas, so that nothing is added without a decision. A personal column reads
`kind treatment`:

- kind: identifier (names or finds a person), contact (how or where to reach him), text (his or our words, raw payloads),
  behaviour (what he did, or a reference to him).
- treatment at the erasure of a customer: delete (the row goes), null (the value goes, the row stays as a figure),
  pseudonymise (stays, and leads to nobody once the identifiers are gone), keep (law or another person's data; the activity
  says why).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

import yaml

Store = Literal["postgresql", "warehouse"]
Kind = Literal["identifier", "contact", "text", "behaviour"]
Treatment = Literal["delete", "null", "pseudonymise", "keep"]

STORES: tuple[Store, ...] = get_args(Store)


@dataclass(frozen=True, slots=True)
class Activity:
    """A processing operation as the register names it; texts are in Portuguese, for whoever answers to the ANPD."""

    name: str
    subjects: str
    purpose: str
    legal_basis: str
    retention: str
    recipients: str


@dataclass(frozen=True, slots=True)
class Personal:
    """What a column says of a person, and what becomes of it when he is erased."""

    kind: Kind
    treatment: Treatment


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a store: its activity (None: nothing personal), its personal columns, and the others."""

    store: Store
    name: str
    activity: str | None
    personal: Mapping[str, Personal]
    other: frozenset[str]

    @property
    def columns(self) -> frozenset[str]:
        """All columns that the inventory knows."""
        return self.other | self.personal.keys()


@dataclass(frozen=True, slots=True)
class Inventory:
    """All activities and tables."""

    activities: Mapping[str, Activity]
    tables: tuple[Table, ...]

    def of(self, store: Store) -> dict[str, Table]:
        """The tables of one store by name."""
        return {table.name: table for table in self.tables if table.store == store}


@cache
def inventory() -> Inventory:
    """The inventory in force. Raises ValueError naming the table and column of a line that means nothing, and a table that is
    listed twice."""
    files = sorted(resources.files(__package__).joinpath("inventory").iterdir(), key=lambda file: file.name)
    domains = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files if file.name.endswith(".yaml")]
    activities = {key: Activity(**text) for domain in domains for key, text in domain.get("activities", {}).items()}
    listed = [
        (store, name, spec) for store in STORES for domain in domains for name, spec in domain.get(store, {}).items()
    ]
    if twice := [name for (_, name), count in Counter((store, name) for store, name, _ in listed).items() if count > 1]:
        raise ValueError(f"inventory: {sorted(twice)} stand in more than one file")
    return Inventory(activities, tuple(_table(*one, activities) for one in listed))


def _table(store: Store, name: str, spec: Mapping[str, Any], activities: Mapping[str, Activity]) -> Table:
    personal = {column: _personal(f"{name}.{column}", text) for column, text in spec.get("personal", {}).items()}
    other = frozenset(spec.get("other", ()))
    if personal and spec.get("activity") not in activities:
        raise ValueError(f"inventory: {name} has personal columns and no activity")
    if both := other & personal.keys():
        raise ValueError(f"inventory: {name} lists {sorted(both)} twice")
    return Table(store, name, spec.get("activity"), personal, other)


def _personal(where: str, text: str) -> Personal:
    kind, _, treatment = text.partition(" ")
    if kind not in get_args(Kind) or treatment not in get_args(Treatment):
        raise ValueError(f"inventory: {where}: {text!r} is no `kind treatment`")
    return Personal(kind, treatment)  # type: ignore[arg-type]  # both were just looked up


def register() -> Iterator[dict[str, Any]]:
    """The register of processing: each activity with where its data lies."""
    known = inventory()
    for key, activity in known.activities.items():
        yield {
            "key": key,
            **{field: getattr(activity, field) for field in Activity.__slots__},
            "data": [
                {
                    "store": table.store,
                    "table": table.name,
                    "column": column,
                    "kind": personal.kind,
                    "at_erasure": personal.treatment,
                }
                for table in known.tables
                if table.activity == key
                for column, personal in table.personal.items()
            ],
        }

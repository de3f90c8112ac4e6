"""How the catalogue of key figures (`assets/gold/kpi/catalogue.yaml`) becomes SELECTs: one row per case, in one shape for all.

The views `gold.kpi_<key>` and `gold.funnel_<key>` are these SELECTs with every column (`assets/gold/kpi/render.py`). A question
of the API takes only the columns that it needs: the engine plans those much sooner than it unfolds a view.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Catalogue = Mapping[str, Any]

# The columns that every case has; a figure's have `numerator` and `denominator` besides, a funnel's one for each step.
PLACES = (
    *("day", "hour", "at", "conversation_id", "customer_id", "queue", "agent_id", "number_id", "channel"),
    *("state_code", "region", "plan", "currency"),
)


@dataclass(frozen=True)
class Select:
    """Cases of one table: the columns by name as expressions, which rows count, and whether a conversation has one at most."""

    table: str
    columns: Mapping[str, str]
    where: str | None
    is_once: bool

    def sql(self, names: Collection[str]) -> str:
        """The statement with the columns among `names`, in the order of the shape."""
        listed = [name if said == name else f"{said} AS {name}" for name, said in self.columns.items() if name in names]
        condition = f"\nWHERE {self.where}" if self.where else ""
        return f"SELECT\n    {f',{chr(10)}    '.join(listed)}\nFROM {self.table}{condition}"

    def reaching(self, step: str) -> "Select":
        """Of a funnel's cases those that came as far as a step: one each, as numerator and denominator."""
        conditions = [f"({one})" for one in (self.where, f"{self.columns[step]} = 1") if one]
        places = {name: self.columns[name] for name in PLACES}
        counted = {"numerator": "toInt64(1)", "denominator": "toInt64(1)"}
        return Select(self.table, {**places, **counted}, " AND ".join(conditions), self.is_once)


def of_figure(catalogue: Catalogue, figure: Mapping[str, Any]) -> tuple[Select, ...]:
    """The parts of a key figure, whose rows together are its cases."""
    return tuple(_part(catalogue, {**figure, **part}) for part in figure.get("parts", [{}]))


def of_funnel(catalogue: Catalogue, funnel: Mapping[str, Any]) -> tuple[Select, ...]:
    """A funnel's cases. Each step asks for all before it too: a later step can never have more cases than an earlier one."""
    conditions, steps = [], {}
    for name, step in funnel["steps"].items():
        conditions.append(f"({step['when']})")
        steps[name] = f"toUInt8({' AND '.join(conditions)})"
    return (_select(catalogue, funnel, steps),)


def _part(catalogue: Catalogue, part: Mapping[str, Any]) -> Select:
    given = {name: f"toInt64({part[name]})" for name in ("numerator", "denominator")}
    return _select(catalogue, part, given)


def _select(catalogue: Catalogue, part: Mapping[str, Any], more: Mapping[str, str]) -> Select:
    source = catalogue["sources"][part["source"]]
    given = {"currency": "''", **{name: said for name, said in source.items() if name in PLACES}}
    places = {name: given.get(name, name) for name in PLACES}
    return Select(source["table"], {**places, **more}, part.get("where"), bool(source.get("once")))

"""What a demo's board is filled with beside its history: benefits, costs, a rate and segments, all marked as examples, and
baselines by a rule that anybody can repeat."""

from datetime import date, timedelta
from typing import Any

from hub_api import roles
from hub_api.analytics import ask, baselines
from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.filters import Filter
from hub_api.analytics.returns import keep as returns
from hub_api.analytics.returns.schemas import NewEntry, NewRate
from hub_api.analytics.schemas import NewBaseline
from hub_api.analytics.segments import keep as segments
from hub_api.auth.permissions import ALL
from hub_api.auth.principal import Principal
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import Reader
from hub_api.settings import Settings

MICROS = 1_000_000
SOURCE = "exemplo da demonstração: ninguém mediu"
# name, kind, when, reais per customer
ENTRIES = (
    ("Integração e treinamento", "cost", "once", 6.00),
    ("Licenças, nuvem e sustentação", "cost", "month", 0.60),
    ("Ligações a menos na central", "benefit", "month", 1.60),
    ("Cobrança recuperada por lembretes", "benefit", "month", 0.90),
)
BRL_A_DOLLAR = 5.40
SEGMENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Fatura em atraso", {"type": "attribute", "field": "invoices_late", "op": "ge", "value": 1}),
    ("Problema técnico no mês", {"type": "behaviour", "action": "technical_contact", "op": "ge", "count": 1, "window_days": 30}),
    ("Reclamaram no mês", {"type": "sentiment", "label": "negative", "op": "ge", "count": 1, "window_days": 30}),
    ("Sem escrever há 30 dias", {"type": "inactivity", "days": 30}),
)  # fmt: skip
BASELINES = ("csat", "first_answer_time", "resolution_rate", "agent_efficiency")
MOST_BASELINE_DAYS = 30
COST_BEFORE = 0.40  # dollars; a simulated history cannot tell it: what its people write costs nothing


async def write_examples(settings: Settings, first_day: date, customers: int) -> None:
    """Benefits and costs in proportion to the customers, a dollar's rate, segments; all from the first day of history."""
    who = demo_caller()
    async with roles.services(settings, "demo") as services, services.transaction() as tx:
        for name, kind, every, reais in ENTRIES:
            entry = NewEntry.model_validate(
                {
                    "name": name, "kind": kind, "every": every, "amount_micros": round(reais * customers) * MICROS,
                    "valid_from": first_day, "source": SOURCE, "is_example": True,
                }
            )  # fmt: skip
            await returns.create(tx, who, entry)
        rate = NewRate(brl_micros=round(BRL_A_DOLLAR * MICROS), source=SOURCE)
        await returns.set_rate(tx, who, "USD", first_day, rate)
        for name, definition in SEGMENTS:
            await segments.create(tx, who, name, SOURCE, definition)


async def store_baselines(settings: Settings, first_day: date, days: int) -> list[str]:
    """Baselines as the first third of the history had the figures, at most thirty days; of the cost per resolved conversation
    an example. Those that are stored already stay. Returns the figures stored."""
    last = first_day + timedelta(days=min(MOST_BASELINE_DAYS, max(1, days // 3)) - 1)
    note = f"demonstração: os dias de {first_day:%d/%m/%Y} a {last:%d/%m/%Y} da história simulada"
    found: dict[str, NewBaseline] = {"cost_per_resolved": NewBaseline(value=COST_BEFORE, note=SOURCE)}
    reader = Reader(settings)
    try:
        for key in BASELINES:
            figure = await ask.figure(reader, catalogue().kpi(key), Filter(first_day, last))
            if figure["value"] is not None:
                found[key] = NewBaseline(
                    value=figure["value"], measured_from=first_day, measured_to=last, note=note
                )  # fmt: skip
    finally:
        await reader.close()
    who = demo_caller()
    async with roles.services(settings, "demo") as services, services.transaction() as tx:
        known = {row["kpi"] for row in await tx.db.fetch("SELECT kpi FROM kpi_baseline")}
        stored = [key for key in found if key not in known]
        for key in stored:
            await baselines.store(tx, who, key, found[key])
    return stored


def demo_caller() -> Principal:
    """Who makes what the demo begins with, as the audit log names him."""
    return Principal("key", uuid7(), "demo", frozenset({ALL}), None, None)

"""The numbers' table against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.number.assets import number_health_hourly
from assets.warehouse import load_sql

health_expectations = expectations(
    number_health_hourly,
    "gold.number_health_hourly",
    "SELECT uniqExact(tuple(hour, number_id, category, cost_currency)) FROM gold.message_facts WHERE day IN {days:Array(Date)}",
)
health_recomputed = recomputation(
    number_health_hourly,
    "recomputed_from_events",
    load_sql("assets.gold.number", "number_health_hourly.check.sql"),
    "Messages and what became of them, from the events by windows and pairs",
)

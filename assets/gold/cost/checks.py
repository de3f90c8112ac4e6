"""The cost table against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.cost.assets import cost_daily, message_costs_daily
from assets.warehouse import load_sql

costs_expectations = expectations(
    message_costs_daily,
    "gold.message_costs_daily",
    "SELECT uniqExact(tuple(day, number_id, category, pricing_category, pricing_type, cost_currency)) FROM silver.messages "
    "WHERE day IN {days:Array(Date)} AND direction = 'out' AND state != 'echoed'",
)
costs_recomputed = recomputation(
    message_costs_daily,
    "recomputed_from_events",
    load_sql(__package__, "message_costs_daily.check.sql"),
    "Messages, deliveries and prices, from the events by windows",
)
cost_daily_expectations = expectations(
    cost_daily,
    "gold.cost_daily",
    "SELECT uniqExact(tuple(day, number_id, queue, cost_currency)) FROM gold.conversation_facts WHERE day IN {days:Array(Date)}",
)
cost_daily_recomputed = recomputation(
    cost_daily,
    "recomputed_from_messages",
    load_sql(__package__, "cost_daily.check.sql"),
    "Conversations, messages and prices, message by message",
)

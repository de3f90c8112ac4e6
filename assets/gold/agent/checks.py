"""The agents' tables against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.agent.assets import SQL, agent_days, agent_kpi_hourly, agent_work_hourly
from assets.warehouse import load_sql

_COUNT = "SELECT uniqExact(day, agent_id) FROM gold.agent_days WHERE day IN {days:Array(Date)}"

days_expectations = expectations(agent_days, "gold.agent_days", _COUNT)
work_expectations = expectations(
    agent_work_hourly,
    "gold.agent_work_hourly",
    "SELECT uniqExact(hour, agent_id, conversation_id) FROM gold.agent_work_hourly WHERE day IN {days:Array(Date)}",
)
kpi_expectations = expectations(
    agent_kpi_hourly,
    "gold.agent_kpi_hourly",
    "SELECT uniqExact(hour, agent_id) FROM gold.agent_work_hourly WHERE day IN {days:Array(Date)}",
)
days_recomputed = recomputation(
    agent_days,
    "recomputed_from_events",
    load_sql(SQL, "agent_days.check.sql"),
    "Agents, their acts and the time between the first and the last, from the events",
)
work_recomputed = recomputation(
    agent_work_hourly,
    "recomputed_from_days",
    load_sql(SQL, "agent_work_hourly.check.sql"),
    "Attended time, messages and conversations taken, without hours",
)
kpi_recomputed = recomputation(
    agent_kpi_hourly,
    "recomputed_from_events",
    load_sql(SQL, "agent_kpi_hourly.check.sql"),
    "Busy, handling and attended time, messages and resolutions, from the events by lengths of unions",
)

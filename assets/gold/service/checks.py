"""The service tables against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.service.assets import conversation_facts, service_kpi_hourly
from assets.warehouse import load_sql

facts_expectations = expectations(
    conversation_facts,
    "gold.conversation_facts",
    "SELECT count() FROM silver.conversations WHERE day IN {days:Array(Date)}",
)
facts_recomputed = recomputation(
    conversation_facts,
    "recomputed_from_events",
    load_sql(__package__, "conversation_facts.check.sql"),
    "Conversations, first responses, messages and resolutions, from the events by joins",
)
kpi_expectations = expectations(
    service_kpi_hourly,
    "gold.service_kpi_hourly",
    "SELECT uniqExact(hour, queue) FROM gold.service_kpi_hourly WHERE day IN {days:Array(Date)}",
)
kpi_recomputed = recomputation(
    service_kpi_hourly,
    "recomputed_from_events",
    load_sql(__package__, "service_kpi_hourly.check.sql"),
    "Volumes, cohorts and the last backlog, from the events and facts without running sums",
)

"""The service tables against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.service.assets import (
    backlog_changes,
    conversation_facts,
    message_facts,
    opt_outs,
    service_kpi_hourly,
    sla_daily,
)
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
message_facts_expectations = expectations(
    message_facts,
    "gold.message_facts",
    "SELECT count() FROM silver.messages WHERE day IN {days:Array(Date)}",
)
message_facts_recomputed = recomputation(
    message_facts,
    "recomputed_from_messages",
    load_sql(__package__, "message_facts.check.sql"),
    "Messages, their queue and their price, by plain joins",
)
opt_outs_expectations = expectations(
    opt_outs,
    "gold.opt_outs",
    "SELECT count() FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'consent.changed' AND granted = false",
)
opt_outs_recomputed = recomputation(
    opt_outs,
    "recomputed_from_pairs",
    load_sql(__package__, "opt_outs.check.sql"),
    "Opt-outs, and those after a message of ours, from the events and all pairs",
)
backlog_expectations = expectations(
    backlog_changes,
    "gold.backlog_changes",
    "SELECT uniqExact(tuple(conversation_id, version, change)) FROM gold.backlog_changes WHERE day IN {days:Array(Date)}",
)
backlog_recomputed = recomputation(
    backlog_changes,
    "recomputed_from_events",
    load_sql(__package__, "backlog_changes.check.sql"),
    "Conversations open at the end of the last day, from their newest steps",
)
sla_expectations = expectations(
    sla_daily,
    "gold.sla_daily",
    "SELECT 2 * uniqExact(day, toString(queue), priority) FROM gold.conversation_facts WHERE day IN {days:Array(Date)} AND messages_in > 0",
)
sla_recomputed = recomputation(
    sla_daily,
    "recomputed_from_facts",
    load_sql(__package__, "sla_daily.check.sql"),
    "Promises kept, business time as the overlap of each wait with each day's opening hours",
)

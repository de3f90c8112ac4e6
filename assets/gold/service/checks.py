"""The service tables against expectations, and against the same figures computed another way."""

from collections.abc import Sequence

import dagster as dg

from assets.checks import expectations, recomputation
from assets.daily import days_of
from assets.gold.service.assets import (
    backlog_changes,
    conversation_facts,
    message_facts,
    opt_outs,
    service_kpi_hourly,
    sla_daily,
)
from assets.warehouse import Warehouse, load_sql

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


@dg.asset_check(
    asset=opt_outs,
    name="respected",
    description="Messages that went out after an opt-out was recorded: always none (design §4.5)",
)
def opt_outs_respected(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.AssetCheckResult:
    """Not blocking: the tables are right, the sending was not. Its failure is told as an alert (pipelines/alerts.py)."""
    return judge_opt_outs(warehouse, days_of(context))


def judge_opt_outs(warehouse: Warehouse, days: Sequence[str]) -> dg.AssetCheckResult:
    """What the check says of these days; it names twenty of the messages, of which the lineage tells the rest."""
    violations, messages = warehouse.rows(load_sql(__package__, "opt_outs_respected.sql"), days)[0]
    named = f"{violations} messages after an opt-out, see GET /api/v1/messages/{{id}}/lineage of each: {', '.join(messages)}"
    return dg.AssetCheckResult(
        passed=violations == 0,
        description=named if violations else None,
        metadata={"violations": int(violations), "messages": list(messages)},
    )

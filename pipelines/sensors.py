"""Days that went stale: events came for them, or for conversations they hold, after they were built."""

import json
import time
from datetime import date, datetime, timedelta

import dagster as dg

from assets.gold.assets import stale_days
from assets.silver.board.assets import edits
from assets.warehouse import Warehouse
from pipelines import tables
from pipelines.jobs import TAGS, board, refresh
from pipelines.launching import range_tags, ranges, underway

LOOK_EVERY_S = 60
# Live conversations of yesterday keep yesterday stale: what comes within this time shares one run.
COALESCE_S = 15 * 60
# A day of long ago that got no event of its own, whose conversations only went on (who answers a campaign of last month, say),
# waits so long for others: each such answer would have every day since then built, a quarter of an hour after a quarter of an hour.
PATIENCE_S = 24 * 3600
LONG_AGO = timedelta(days=3)
# A run that failed is tried again for the same events after this time, not at the next look.
AGAIN_S = 3600


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Rebuilds past days whose tables lack events: all of them in one run, at most one start per quarter hour.",
)
def late_events(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SensorResult:
    """Stale days before today, and today with them, as few runs. The cursor counts starts and the looks that were
    saved one by waiting, and knows since when (`patient`) days of long ago wait."""
    known, now = json.loads(context.cursor or "{}"), time.time()
    counts = {name: known.get(name, 0) for name in ("started", "coalesced", "at", "patient")}
    today = datetime.now(warehouse.settings.zone).date().isoformat()
    stale = stale_days(warehouse, looks_back=tables.any_looks_back())
    past = [day for day in stale if day < today]
    recent = (date.fromisoformat(today) - LONG_AGO).isoformat()
    patient = [day for day in past if day < recent and not stale[day].came_late]
    counts["patient"] = (counts["patient"] or now) if patient else 0
    if patient and now < counts["patient"] + PATIENCE_S:
        past = [day for day in past if day not in patient]
    if not past:
        waits = f"; {len(patient)} of long ago wait, whose conversations went on" if patient else ""
        return dg.SensorResult(skip_reason=f"no day before today lacks an event{waits}", cursor=json.dumps(counts))
    wait = counts["at"] + COALESCE_S - now
    run = underway(context.instance)
    if run or wait > 0:
        counts["coalesced"] += 1
        reason = f"run {run} builds tables now" if run else f"the last run was started less than {COALESCE_S} s ago"
        return dg.SensorResult(skip_reason=f"{len(past)} stale days wait: {reason}", cursor=json.dumps(counts))
    newest = max(stale[day].batch for day in {*past, today} & stale.keys())
    requests = [
        dg.RunRequest(
            run_key=f"{first}:{last}:{newest}:{int(now // AGAIN_S)}",
            tags={**range_tags(first, last), "hub/reason": "late events"},
        )
        for first, last in reversed(ranges({*past, today}))  # today first: conversations of old days reach into it
    ]
    counts["started"], counts["at"] = counts["started"] + len(requests), now
    if set(patient) <= set(past):
        counts["patient"] = 0
    context.log.info(f"{len(past)} stale days in {len(requests)} runs; {counts}")
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(counts))


@dg.sensor(
    job=board,
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings to the dashboards what somebody changed: baselines, benefits and costs, exchange rates, names of segments.",
)
def edited(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SensorResult:
    """A run when PostgreSQL has other rows than at the last start; the cursor is what it had."""
    now = edits(warehouse.settings)
    if now == context.cursor:
        return dg.SensorResult(skip_reason="nobody has changed anything")
    if run := underway(context.instance):  # the night's run copies the same tables
        return dg.SensorResult(skip_reason=f"run {run} builds tables now")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=now, tags={"hub/reason": "edited"})], cursor=now)


def conditions() -> dg.AutomationConditionSensorDefinition:
    """Starts what declares its own condition: the lake, and nothing that belongs to a run of days (README, Decisions)."""
    return dg.AutomationConditionSensorDefinition(
        "conditions",
        target=dg.AssetSelection.groups("lake"),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=LOOK_EVERY_S,
        run_tags={**TAGS, "hub/reason": "condition"},
        description="Writes the lake once the night's run has built every table and no blocking check fails.",
    )

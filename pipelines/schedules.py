"""Today's tables every hour, yesterday's once it is complete."""

from datetime import datetime, timedelta

import dagster as dg

from assets.daily import DAILY
from pipelines.jobs import customers, reconcile_and_refresh, refresh, retrain
from pipelines.launching import underway


@dg.schedule(
    job=refresh,
    cron_schedule="5 * * * *",
    execution_timezone=str(DAILY.timezone),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Today's partition, five minutes past each hour, unless a build is already underway.",
)
def hourly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Build today; a start costs seconds of two cores, so a tick during another build is left out."""
    if run := underway(context.instance):
        return dg.SkipReason(f"run {run} builds tables now")
    return _request(context, days_back=0)


@dg.schedule(
    job=reconcile_and_refresh,
    cron_schedule="20 0 * * *",
    execution_timezone=str(DAILY.timezone),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Yesterday's partition at twenty past midnight, compared with PostgreSQL first.",
)
def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Build yesterday, now that it is over. It waits in the queue for whatever is underway, and is never left out."""
    return _request(context, days_back=1)


@dg.schedule(
    job=retrain,
    cron_schedule="40 3 * * 1",
    execution_timezone=str(DAILY.timezone),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="The models of messages with the week's labels of teachers, on Monday at twenty to four; without new labels a glance.",
)
def weekly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Train with what teachers said since; what is promoted reads the messages of the next run."""
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags={"hub/reason": "clock"})


@dg.schedule(
    job=customers,
    cron_schedule="10 1 * * *",
    execution_timezone=str(DAILY.timezone),
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Customers at the end of yesterday, at ten past one, after yesterday's tables.",
)
def customers_daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Build yesterday's features and what segments read; it waits in the queue for the build of yesterday's tables."""
    return _request(context, days_back=1)


def _request(context: dg.ScheduleEvaluationContext, days_back: int) -> dg.RunRequest:
    at: datetime = context.scheduled_execution_time
    day = (at - timedelta(days=days_back)).strftime(DAILY.fmt)
    return dg.RunRequest(run_key=at.isoformat(), partition_key=day, tags={"hub/reason": "clock"})

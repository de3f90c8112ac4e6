"""What runs on a clock. Every tick is idempotent: two schedulers, or a late one, do no harm."""

from redis import Redis
from rq.cron import CronScheduler

from hub_api import campaign_jobs, maintenance
from hub_api.ai import summaries, teaching
from hub_api.analytics.alerts import jobs as alerts
from hub_api.analytics.reports import jobs as reports
from hub_api.analytics.segments import jobs as segments
from hub_api.analytics.wallboard import jobs as wallboard
from hub_api.auth import jobs as auth_jobs
from hub_api.campaigns.goals import jobs as goals
from hub_api.campaigns.results import jobs as results
from hub_api.campaigns.suppressions import jobs as suppressions
from hub_api.chat.privacy import jobs as privacy
from hub_api.chat.routing import jobs as routing
from hub_api.chat.sla import jobs as sla
from hub_api.platform.logging import configure
from hub_api.platform.queue import Job
from hub_api.platform.redis import connect_sync
from hub_api.platform.worker import perform
from hub_api.settings import Settings
from hub_api.whatsapp.codes import jobs as codes
from hub_api.whatsapp.media import jobs as media
from hub_api.whatsapp.pool import jobs as pool
from hub_api.whatsapp.reports import jobs as whatsapp_reports
from hub_api.whatsapp.templates import jobs as templates

EVERY_SECONDS: tuple[tuple[int, Job], ...] = (
    (2, maintenance.sweep),
    (10, maintenance.settle),
    (2, routing.watch),
    (2, campaign_jobs.watch),
    (5, routing.measure),
    (5, sla.look),
    (10, summaries.summarise),
    (5, maintenance.gauges),
    (60, maintenance.end_quiet),
    (60, templates.sync_due),
    (5, pool.rebalance),
    (10, pool.judge_breakers),
    (60, pool.check_numbers),
    (60, pool.judge_speed),
    (3600, maintenance.partitions),
    (3600, maintenance.retention),
    (10, auth_jobs.send_notices),
    (5, codes.send_codes),
    (10, auth_jobs.seal_audit),
    (60, auth_jobs.verify_audit),
    (86_400, auth_jobs.verify_daily),
    (3600, auth_jobs.tidy),
    (3600, media.remove_erased),
    (60, suppressions.match),
    (5, goals.hear),
    (3600, goals.stay),
    (86_400, goals.lay_again),
    (60, results.measure),
    (86_400, results.watch_opt_outs),
    (60, privacy.erase_due),
    (3600, privacy.expire_kept),
    (86_400, privacy.retain),
    (30, reports.send_reports),
    (30, whatsapp_reports.send_reports),
    (86_400, reports.forget_reports),
    (300, alerts.look),
    (30, wallboard.look),
    (300, segments.end_dead_freezes),
    (600, teaching.label),
)


def scheduler(connection: Redis) -> CronScheduler:
    """The clock with all jobs registered, not yet running."""
    cron = CronScheduler(connection=connection, logging_level="WARNING")
    for seconds, job in EVERY_SECONDS:
        cron.register(
            perform,
            job.queue,
            args=(job.name,),
            interval=seconds,
            job_timeout=job.timeout_s + 5,
            result_ttl=0,
            ttl=max(seconds, 10),  # a tick that waited longer than its period has been followed by another
            failure_ttl=3600,
        )
    return cron


def run(settings: Settings) -> None:
    """The command `hub scheduler`: tick until SIGTERM."""
    configure(settings.log_level, process="scheduler")
    with connect_sync(settings.redis_url.get_secret_value()) as connection:
        scheduler(connection).start()  # type: ignore[no-untyped-call]

"""The process roles: what each one opens and runs. `hub_api/cli.py` starts them, tests start them too."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib import import_module

from hub_api.flow import fan_out
from hub_api.platform.logging import configure
from hub_api.platform.services import Services, open_services
from hub_api.platform.worker import work
from hub_api.settings import Settings

JOB_MODULES = (
    "hub_api.auth.jobs",
    "hub_api.chat.privacy.jobs",
    "hub_api.chat.routing.jobs",
    "hub_api.chat.sla.jobs",
    "hub_api.whatsapp.jobs",
    "hub_api.whatsapp.pool.jobs",
    "hub_api.whatsapp.send.jobs",
    "hub_api.whatsapp.templates.jobs",
    "hub_api.whatsapp.media.jobs",
    "hub_api.whatsapp.codes.jobs",
    "hub_api.whatsapp.survey.jobs",
    "hub_api.whatsapp.reports.jobs",
    "hub_api.analytics.reports.jobs",
    "hub_api.analytics.alerts.jobs",
    "hub_api.analytics.segments.jobs",
    "hub_api.analytics.wallboard.jobs",
    "hub_api.campaigns.goals.jobs",
    "hub_api.campaigns.results.jobs",
    "hub_api.campaigns.suppressions.jobs",
    "hub_api.ai.jobs",
    "hub_api.ai.summaries",
    "hub_api.ai.teaching",
    "hub_api.maintenance",
    "hub_api.campaign_jobs",
)
QUEUES = ("outbound", "inbound", "bot", "maintenance")


def load_jobs() -> None:
    """Import every module that declares jobs, so that their names resolve."""
    for module in JOB_MODULES:
        import_module(module)


def services(settings: Settings, name: str) -> AbstractAsyncContextManager[Services]:
    """The services of a process called `name`, with the hub's own fan-out."""
    load_jobs()
    return open_services(settings, fan_out, f"hub-{name}")


def worker(settings: Settings, queues: Sequence[str] = QUEUES) -> None:
    """Run jobs until SIGTERM."""
    configure(settings.log_level, process="worker")
    work(settings, queues, lambda given: services(given, "worker"))

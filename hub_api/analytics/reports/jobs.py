"""Jobs of scheduled reports."""

from hub_api.analytics.reports import deliver
from hub_api.analytics.reports.schedules import queries
from hub_api.platform.queue import job
from hub_api.platform.services import Services


@job("maintenance", timeout_s=300)
async def send_reports(services: Services) -> None:
    """Reports whose time has come are made and mailed."""
    await deliver.make_due(services)
    await deliver.mail_waiting(services)


@job("maintenance", timeout_s=60)
async def forget_reports(services: Services) -> None:
    """Files older than a month and runs older than a year go."""
    await services.db.execute(queries.forget)

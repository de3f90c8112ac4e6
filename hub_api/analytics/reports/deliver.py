"""A report that was begun is made, then handed to each recipient on its own, so that one who fails costs the others nothing."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog

from hub_api.analytics.reports import contents, document, schedules
from hub_api.analytics.reports.schedules import queries
from hub_api.errors import HubError
from hub_api.platform import mail
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 12  # two days of mail servers that are away
# The tables of yesterday are built within the first hours of the day: a report waits for them, not for ever.
WAIT = timedelta(minutes=10)
MOST_WAITS = 36
TYPES = {"pdf": "application/pdf", "csv": "text/csv"}


async def make_due(services: Services) -> int:
    """Begin what is due and make what was begun; returns how many were made."""
    await schedules.begin_due(services)
    made = 0
    while run := await services.db.fetchrow(queries.claim_run):
        made += await _make(services, run)
    return made


async def _make(services: Services, run: Row) -> bool:
    """Make one report; what is not built yet, or a warehouse that is away, puts it off."""
    last_try = run["attempts"] >= MOST_WAITS
    try:
        found = await contents.gather(services, run["name"], run["first_day"], run["last_day"])
        if not last_try and (found.built_through is None or found.built_through < run["last_day"]):
            await services.db.execute(
                queries.put_off, run["id"], WAIT, f"the tables of {run['last_day']} are not built yet"
            )
            return False
        file = await asyncio.to_thread(document.render, found, run["format"])
    except HubError as error:
        log.warning("report_not_made", run_id=str(run["id"]), code=error.code, attempts=run["attempts"])
        if last_try:
            await services.db.execute(queries.give_up, run["id"], error.message)
        else:
            await services.db.execute(queries.put_off, run["id"], WAIT, error.message)
        return False
    async with services.transaction() as tx:
        if await tx.db.fetchval(queries.made, run["id"], file, found.built_through):
            await tx.db.execute(queries.address, run["id"])
    log.info("report_made", run_id=str(run["id"]), bytes=len(file))
    return True


async def mail_waiting(services: Services) -> int:
    """Hand reports that wait to the mail server; returns how many it took. A refusal is tried again later."""
    taken = 0
    while rows := await services.db.fetch(queries.claim_deliveries, "email", 10):
        taken += sum(await asyncio.gather(*(_mail(services, row) for row in rows)))
    return taken


async def _mail(services: Services, row: Row) -> bool:
    period = document.days(row["first_day"], row["last_day"])
    file = mail.Attachment(file_name(dict(row)), TYPES[row["format"]], row["file"])
    text = f"Segue o relatório {row['name']!r}, de {period}.\n\nEnviado pelo hub conforme o agendamento.\n"
    try:
        await mail.send(
            services.settings, row["recipient"], f"{row['name']}: {period}", text, file=file, key=f"report-{row['id']}"
        )
    except (OSError, mail.MailRefused) as error:
        log.warning(
            "report_not_mailed", run_id=str(row["run_id"]), attempts=row["attempts"], error=type(error).__name__
        )
        why = error.message if isinstance(error, HubError) else f"the mail server is away ({type(error).__name__})"
        await services.db.execute(queries.not_delivered, row["id"], why, row["attempts"] >= MOST_ATTEMPTS)
        return False
    await services.db.execute(queries.delivered, row["id"], None)
    return True


def file_name(row: Mapping[str, Any]) -> str:
    """What the file is called where it arrives."""
    return f"relatorio-{row['first_day']}-{row['last_day']}.{row['format']}"

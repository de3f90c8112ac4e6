"""Scheduled reports: made, changed, removed, and begun when their time has come."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.analytics.reports.schemas import NewReport
from hub_api.analytics.reports.when import Rhythm, next_due, period_of
from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

AT_ONCE = 20


async def create(tx: Transaction, services: Services, who: Principal, new: NewReport) -> UUID:
    """Schedule a report; its first one leaves when the rhythm next says so. Returns its id."""
    schedule_id = uuid7()
    await tx.db.execute(queries.insert, schedule_id, *_columns(services, new), who.actor)
    await audit.write(tx, who, "report.scheduled", "report", schedule_id, after=new.model_dump())
    return schedule_id


async def change(tx: Transaction, services: Services, who: Principal, schedule_id: UUID, new: NewReport) -> None:
    """Replace a schedule; what was begun goes on as it was. Raises NotFound."""
    row = await tx.db.fetchrow(queries.lock, schedule_id)
    if row is None:
        raise NotFound(f"there is no report {schedule_id}")
    before = {name: row[name] for name in NewReport.model_fields}
    await tx.db.execute(queries.replace, schedule_id, *_columns(services, new))
    await audit.write(tx, who, "report.changed", "report", schedule_id, before=before, after=new.model_dump())


async def remove(tx: Transaction, who: Principal, schedule_id: UUID) -> None:
    """Remove a schedule with its runs. Raises NotFound."""
    row = await tx.db.fetchrow(queries.lock, schedule_id)
    if row is None:
        raise NotFound(f"there is no report {schedule_id}")
    await tx.db.execute(queries.remove, schedule_id)
    await audit.write(tx, who, "report.removed", "report", schedule_id, before={"name": row["name"]}, after={})


async def find(services: Services, schedule_id: UUID) -> Row:
    """A schedule. Raises NotFound."""
    row = await services.db.fetchrow(queries.find, schedule_id)
    if row is None:
        raise NotFound(f"there is no report {schedule_id}")
    return row


async def begin_due(services: Services) -> int:
    """Begin the reports whose time has come, each once; returns how many. Who slept over several times gets the newest."""
    begun = 0
    async with services.transaction() as tx:
        for row in await tx.db.fetch(queries.due, AT_ONCE):
            begun += await _begin(tx, services, row, row["next_at"]) is not None
            rhythm = Rhythm(row["every"], row["hour"], row["weekday"], row["month_day"])
            await tx.db.execute(queries.advance, row["id"], next_due(rhythm, _now(), services.settings.zone))
    return begun


async def send_now(tx: Transaction, services: Services, who: Principal, schedule_id: UUID) -> UUID:
    """Begin a report out of turn, of the days that one due now would tell; the run's id. Raises NotFound."""
    row = await tx.db.fetchrow(queries.lock, schedule_id)
    if row is None:
        raise NotFound(f"there is no report {schedule_id}")
    run_id = await _begin(tx, services, row, _now())
    assert run_id is not None  # noqa: S101 - no other run has this microsecond while the schedule is locked
    await audit.write(tx, who, "report.begun", "report", schedule_id, detail={"run": str(run_id)})
    return run_id


async def _begin(tx: Transaction, services: Services, row: Row, due_at: datetime) -> UUID | None:
    first, last = period_of(row["every"], due_at, services.settings.zone)
    return await tx.db.fetchval(queries.begin_run, uuid7(), row["id"], due_at, first, last)  # type: ignore[no-any-return]


def _columns(services: Services, new: NewReport) -> tuple[Any, ...]:
    next_at = next_due(new.rhythm, _now(), services.settings.zone)
    return (
        new.name, new.format, new.every, new.weekday, new.month_day, new.hour, new.emails, new.phones, new.template, new.active,
        next_at,
    )  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)

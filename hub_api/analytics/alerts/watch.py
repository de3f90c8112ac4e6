"""Alerts on key figures: made, changed, and looked after. Who is named is told once when a figure goes wrong, and once when it is right again."""

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from hub_api.analytics.alerts.schemas import NewAlert
from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.reports.contents import measure
from hub_api.analytics.reports.document import number
from hub_api.auth import audit, notices
from hub_api.auth.notices import Notice
from hub_api.auth.principal import Principal
from hub_api.errors import HubError, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

LIVES = timedelta(hours=24)  # an alert that could not leave for a day is no news any more
_WORDS = {"above": "acima de", "below": "abaixo de"}


async def create(tx: Transaction, who: Principal, new: NewAlert) -> UUID:
    """Watch a figure from now on; the alert's id. Raises Invalid for a figure that the catalogue does not have."""
    alert_id = uuid7()
    await tx.db.execute(queries.insert, alert_id, *_columns(new), who.actor)
    await audit.write(tx, who, "alert.created", "alert", alert_id, after=new.model_dump())
    return alert_id


async def change(tx: Transaction, who: Principal, alert_id: UUID, new: NewAlert) -> None:
    """Replace an alert; it is quiet until it looks again. Raises NotFound, Invalid."""
    row = await _locked(tx, alert_id)
    await tx.db.execute(queries.replace, alert_id, *_columns(new))
    before = {name: row[name] for name in NewAlert.model_fields}
    await audit.write(tx, who, "alert.changed", "alert", alert_id, before=before, after=new.model_dump())


async def remove(tx: Transaction, who: Principal, alert_id: UUID) -> None:
    """Watch no more. Raises NotFound."""
    row = await _locked(tx, alert_id)
    await tx.db.execute(queries.remove, alert_id)
    await audit.write(
        tx, who, "alert.removed", "alert", alert_id, before={"name": row["name"], "kpi": row["kpi"]}, after={}
    )


async def find(services: Services, alert_id: UUID) -> Row:
    """An alert. Raises NotFound."""
    row = await services.db.fetchrow(queries.find, alert_id)
    if row is None:
        raise NotFound(f"there is no alert {alert_id}")
    return row


async def look(services: Services) -> int:
    """Look at every figure that is watched and tell who is named of each that changed sides; returns how many did.

    A figure that cannot be measured (no case, a warehouse that is away) changes nothing.
    """
    changed = 0
    for row in await services.db.fetch(queries.active):
        today = datetime.now(services.settings.zone).date()
        try:
            value = await measure(services, catalogue().kpi(row["kpi"]), today - timedelta(days=row["days"] - 1), today)
        except HubError as error:
            log.warning("alert_not_looked", alert_id=str(row["id"]), code=error.code)
            continue
        state = row["state"] if value is None else "firing" if _wrong(row, value) else "quiet"
        async with services.transaction() as tx:
            if await tx.db.fetchval(queries.looked, row["id"], value, state, row["state"]) and state != row["state"]:
                changed += 1
                await _tell(services, tx, row, value, state)
    return changed


async def _tell(services: Services, tx: Transaction, row: Row, value: float | None, state: str) -> None:
    kpi = catalogue().kpi(row["kpi"])
    shown, wanted = number(value, kpi.unit), number(row["threshold"], kpi.unit)
    window = "hoje" if row["days"] == 1 else f"nos últimos {row['days']} dias"
    happened = f"está {_WORDS[row['comparison']]} {wanted}" if state == "firing" else "voltou ao normal"
    subject = f"{'Alerta' if state == 'firing' else 'Normalizado'}: {row['name']}"
    text = f"{kpi.name} {happened}: {shown} {window} (limite {wanted}).\n\nAlerta {row['name']!r} do hub.\n"
    log.info("alert_changed", alert_id=str(row["id"]), kpi=row["kpi"], state=state)
    for email in row["emails"]:
        await notices.put(services, tx, Notice("email", email, subject, text), lives=LIVES)


def _wrong(row: Row, value: float) -> bool:
    wrong: bool = value > row["threshold"] if row["comparison"] == "above" else value < row["threshold"]
    return wrong


def _columns(new: NewAlert) -> tuple[object, ...]:
    if new.kpi not in catalogue().kpis:
        message = f"there is no key figure {new.kpi!r}: see /api/v1/analytics/catalogue"
        raise Invalid(message, errors=[{"field": "body.kpi", "message": message}])
    return new.name, new.kpi, new.comparison, new.threshold, new.days, new.emails, new.active


async def _locked(tx: Transaction, alert_id: UUID) -> Row:
    row = await tx.db.fetchrow(queries.lock, alert_id)
    if row is None:
        raise NotFound(f"there is no alert {alert_id}")
    return row

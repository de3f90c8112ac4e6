"""Benefits, costs and exchange rates in PostgreSQL: made, changed, removed, each with its audit row."""

from datetime import date
from uuid import UUID

from hub_api.analytics.returns.schemas import NewEntry, NewRate
from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)


async def create(tx: Transaction, who: Principal, new: NewEntry) -> UUID:
    """A new benefit or cost; its id. Raises Invalid for a period that cannot be."""
    entry_id = uuid7()
    await tx.db.execute(queries.insert, entry_id, *_columns(new), who.actor)
    await audit.write(
        tx, who, "benefit_or_cost.created", "benefit_or_cost", entry_id, after=new.model_dump(mode="json")
    )
    return entry_id


async def change(tx: Transaction, who: Principal, entry_id: UUID, new: NewEntry) -> None:
    """Replace a benefit or cost. Raises NotFound, Invalid."""
    before = _told(await _locked(tx, entry_id))
    await tx.db.execute(queries.replace, entry_id, *_columns(new))
    await audit.write(
        tx, who, "benefit_or_cost.changed", "benefit_or_cost", entry_id, before=before, after=new.model_dump(mode="json")
    )  # fmt: skip


async def remove(tx: Transaction, who: Principal, entry_id: UUID) -> None:
    """A benefit or cost goes, with all it counted in the past; to end one give it a last day. Raises NotFound."""
    before = _told(await _locked(tx, entry_id))
    await tx.db.execute(queries.remove, entry_id)
    await audit.write(tx, who, "benefit_or_cost.removed", "benefit_or_cost", entry_id, before=before, after={})


async def find(services: Services, entry_id: UUID) -> Row:
    """A benefit or cost. Raises NotFound."""
    row = await services.db.fetchrow(queries.find, entry_id)
    if row is None:
        raise _no_entry(entry_id)
    return row


async def set_rate(tx: Transaction, who: Principal, currency: str, valid_from: date, new: NewRate) -> Row | None:
    """What a unit of `currency` is worth from a day on; said again it replaces what was said of that day. Raises Invalid for BRL."""
    if currency == "BRL":
        raise Invalid("amounts are in BRL: it needs no rate")
    before = await tx.db.fetchrow(queries.rate, currency, valid_from)
    row = await tx.db.fetchrow(queries.set_rate, currency, valid_from, new.brl_micros, new.source, who.actor)
    await audit.write(
        tx, who, "exchange_rate.set", "exchange_rate", f"{currency} {valid_from}",
        before={"brl_micros": before["brl_micros"]} if before else None, after={"brl_micros": new.brl_micros},
    )  # fmt: skip
    return row


async def remove_rate(tx: Transaction, who: Principal, currency: str, valid_from: date) -> None:
    """The rate of a day goes; the one before holds on. Raises NotFound."""
    before = await tx.db.fetchrow(queries.rate, currency, valid_from)
    if before is None:
        raise NotFound(f"there is no rate of {currency} from {valid_from} on")
    await tx.db.execute(queries.remove_rate, currency, valid_from)
    await audit.write(
        tx, who, "exchange_rate.removed", "exchange_rate", f"{currency} {valid_from}",
        before={"brl_micros": before["brl_micros"]}, after={},
    )  # fmt: skip


def _columns(new: NewEntry) -> tuple[object, ...]:
    if new.valid_to and new.every == "once":
        raise Invalid("what comes once has no last day", errors=[{"field": "body.valid_to", "message": "must be null"}])
    if new.valid_to and new.valid_to < new.valid_from:
        raise Invalid("`valid_to` is before `valid_from`")
    return (
        new.name, new.kind, new.amount_micros, new.every, new.valid_from, new.valid_to, new.source, new.is_example,
    )  # fmt: skip


def _told(row: Row) -> dict[str, object]:
    return NewEntry.model_validate({name: row[name] for name in NewEntry.model_fields}).model_dump(mode="json")


async def _locked(tx: Transaction, entry_id: UUID) -> Row:
    row = await tx.db.fetchrow(queries.lock, entry_id)
    if row is None:
        raise _no_entry(entry_id)
    return row


def _no_entry(entry_id: UUID) -> NotFound:
    return NotFound(f"there is no benefit or cost {entry_id}")

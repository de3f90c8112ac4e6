"""Batches of business data into their tables: idempotent, the newer row wins, a bad row never costs a good one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.business.tables import BadRow, Kind, KindName, complete, read_row
from hub_api.events import BusinessRecorded
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_BATCH = 1000  # rows of one transaction: the relay's horizon waits for the oldest one


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was not taken. `position` is the caller's: the row's place in a batch, or its line in a file."""

    position: int
    external_id: str | None
    field: str | None
    message: str


@dataclass
class Report:
    """What became of a load. `unchanged` rows were there already, or are older than what is there."""

    received: int = 0
    written: int = 0
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: "Report") -> None:
        """Count `other` in."""
        self.received += other.received
        self.written += other.written
        self.unchanged += other.unchanged
        self.faults += other.faults


async def note_load(tx: Transaction, who: Principal, kind: str, report: Report) -> None:
    """The audit row of a load: how many rows of which kind, in the transaction that wrote them."""
    counts = {"written": report.written, "unchanged": report.unchanged, "rejected": len(report.faults)}
    await audit.write(tx, who, "business.loaded", "business", kind, detail=counts)


def aggregate_id(kind: str, external_id: str) -> UUID:
    """The id under which events speak of a row: UUIDv5 of its kind and external id."""
    return uuid5(NAMESPACE_URL, f"urn:hub:business:{kind}:{external_id}")


async def upsert(
    tx: Transaction, kind: Kind, rows: Sequence[tuple[int, Mapping[str, Any]]], *, partial: bool = False
) -> Report:
    """Write up to MAX_BATCH `rows` (position, values by input name) of one kind in the caller's transaction.

    A row is the whole record: what it leaves out is empty, or with `partial` stays as it is stored. Without an
    `updated_at` a row counts as changed now if it differs from what is stored. Of rows with the same id in one batch
    the newest (else the last) counts. Payments that reach their invoice's amount mark it paid. Emits BusinessRecorded
    for each row written; bad rows are in the report.
    """
    report = Report(received=len(rows))
    positions, read = _read(kind, rows, report)
    found = await tx.db.fetch(getattr(queries, f"stored_{kind.name}"), sorted(read))
    stored: dict[str, Row] = {row["external_id"]: row for row in found}
    orphans = await _orphans(tx, kind, read, stored if partial else {})
    due: list[tuple[Any, ...]] = []
    now = datetime.now(UTC)
    for external_id in sorted(read):
        row, before = read[external_id], stored.get(external_id)
        try:
            if external_id in orphans:
                parent = kind.parent[1] if kind.parent else ""
                raise BadRow(orphans[external_id], f"names a row that {parent} do not have yet: send that one first")
            full = complete(kind, row, dict(before) if before and partial else None)
        except BadRow as bad:
            report.faults.append(Fault(positions[external_id], external_id, bad.field, bad.message))
            continue
        newest = _newer(kind, full, before, row.get("updated_at"), now)
        if newest is None:
            report.unchanged += 1
        else:
            due.append((*full[:-1], newest))
    written = await _write(tx, f"upsert_{kind.name}", list(zip(*due, strict=True))) if due else []
    report.written += len(written)
    report.unchanged += len(due) - len(written)  # another writer was newer
    emit(tx, kind.name, written)
    if kind.name == KindName.PAYMENTS and written:
        at = [one.column for one in kind.fields].index("invoice_id")
        emit(tx, KindName.INVOICES, await _write(tx, "settle_invoices", [[row[at] for row in due]]))
    return report


def emit(tx: Transaction, kind: str, written: Iterable[Row]) -> None:
    """One BusinessRecorded for each row returned by an upsert; its version is the row's time in microseconds."""
    tx.emit(
        *(
            BusinessRecorded(
                aggregate_id=aggregate_id(kind, row["external_id"]),
                aggregate_version=(row["updated_at"] - _EPOCH) // timedelta(microseconds=1),
                occurred_at=row["updated_at"],
                kind=str(kind),
                external_id=row["external_id"],
                status=row["status"],
                customer_id=row["customer_id"],
                plan=row.get("plan"),
            )
            for row in written
        )
    )


def _read(
    kind: Kind, rows: Sequence[tuple[int, Mapping[str, Any]]], report: Report
) -> tuple[dict[str, int], dict[str, dict[str, Any]]]:
    """Positions and read values by external id; a later row of the same id replaces an earlier one unless it is older."""
    positions: dict[str, int] = {}
    read: dict[str, dict[str, Any]] = {}
    for position, raw in rows:
        try:
            row = read_row(kind, raw)
        except BadRow as bad:
            name = raw.get("external_id")
            report.faults.append(Fault(position, name[:100] if isinstance(name, str) else None, bad.field, bad.message))
            continue
        external_id = row["external_id"]
        if external_id in read:
            report.unchanged += 1
            earlier, later = read[external_id].get("updated_at"), row.get("updated_at")
            if earlier and later and later < earlier:
                continue
        positions[external_id], read[external_id] = position, row
    return positions, read


async def _orphans(
    tx: Transaction, kind: Kind, read: Mapping[str, Mapping[str, Any]], stored: Mapping[str, Row]
) -> dict[str, str]:
    """External ids whose parent's row is unknown -> the field that names it; a stored row has a parent already."""
    if kind.parent is None:
        return {}
    column, parent_kind = kind.parent
    wanted = {key: row[column] for key, row in read.items() if column in row}
    known = {
        row["external_id"]
        for row in await tx.db.fetch(getattr(queries, f"known_{parent_kind}"), sorted(set(wanted.values())))
    }
    return {key: column for key, parent in wanted.items() if parent not in known}


def _newer(
    kind: Kind, full: tuple[Any, ...], before: Row | None, given: datetime | None, now: datetime
) -> datetime | None:
    """The time under which `full` replaces `before`; None when it does not."""
    if before is None:
        return given or now
    same = all(value == before[one.column] for value, one in zip(full[:-1], kind.fields[:-1], strict=True))
    if given is None:
        return None if same else max(now, before["updated_at"])
    if given < before["updated_at"] or (same and given == before["updated_at"]):
        return None
    return given


async def _write(tx: Transaction, name: str, columns: Sequence[Sequence[Any]]) -> list[Row]:
    return await tx.db.fetch(getattr(queries, name), *columns)

"""What happened in the operator's systems, one by one: an invoice was issued, an outage ended. Each becomes an upsert."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from hub_api.chat.business.tables import Kind, KindName
from hub_api.chat.business.upsert import Report, upsert
from hub_api.platform.postgres import Transaction


class OccurrenceType(StrEnum):
    """What an operator's system can report."""

    INVOICE_ISSUED = "invoice_issued"
    PAYMENT_RECEIVED = "payment_received"
    OUTAGE_STARTED = "outage_started"
    OUTAGE_ENDED = "outage_ended"
    TICKET_OPENED = "ticket_opened"
    TICKET_CLOSED = "ticket_closed"


@dataclass(frozen=True)
class Meaning:
    """The kind an occurrence changes and what follows from its name unless its data says otherwise."""

    kind: KindName
    implies: Mapping[str, Any]


MEANINGS = {
    OccurrenceType.INVOICE_ISSUED: Meaning(KindName.INVOICES, {"status": "open"}),
    OccurrenceType.PAYMENT_RECEIVED: Meaning(KindName.PAYMENTS, {}),
    OccurrenceType.OUTAGE_STARTED: Meaning(KindName.OUTAGES, {}),
    OccurrenceType.OUTAGE_ENDED: Meaning(KindName.OUTAGES, {}),
    OccurrenceType.TICKET_OPENED: Meaning(KindName.SERVICE_TICKETS, {"status": "open"}),
    OccurrenceType.TICKET_CLOSED: Meaning(KindName.SERVICE_TICKETS, {"status": "done"}),
}


async def record(
    tx: Transaction, kinds: Mapping[KindName, Kind], happened: Sequence[tuple[OccurrenceType, Mapping[str, Any]]]
) -> Report:
    """Apply occurrences in their order, in the caller's transaction: data they leave out stays as it is stored.

    A fault's position is the occurrence's place in `happened`, from 0.
    """
    report = Report()
    placed = [
        (position, MEANINGS[type_].kind, {**MEANINGS[type_].implies, **data})
        for position, (type_, data) in enumerate(happened)
    ]
    for (kind, _), run in groupby(_in_rounds(placed), key=lambda one: one[0]):
        report.add(await upsert(tx, kinds[kind], [one[1] for one in run], partial=True))
    return replace(report, faults=sorted(report.faults, key=lambda fault: fault.position))


def _in_rounds(
    placed: Sequence[tuple[int, KindName, Mapping[str, Any]]],
) -> list[tuple[tuple[KindName, int], tuple[int, Mapping[str, Any]]]]:
    """Mark runs of one kind in which no row comes twice, so that "started" is stored before "ended" is laid over it."""
    marked = []
    current, round_, seen = None, 0, set[Any]()
    for position, kind, data in placed:
        key = str(data.get("external_id"))
        if kind is not current or key in seen:
            current, round_, seen = kind, round_ + 1, set()
        seen.add(key)
        marked.append(((kind, round_), (position, data)))
    return marked

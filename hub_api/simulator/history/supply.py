"""A history's business data, told to the hub as an operator's systems tell it: through the batch upsert, with its events.

Each row carries the time of its last change in the operator's systems, inside the period of the history, so that its
event falls on that day.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

from hub_api.chat.business.tables import KindName, kinds
from hub_api.chat.business.upsert import MAX_BATCH, upsert
from hub_api.errors import HubError
from hub_api.platform.services import Services
from hub_api.simulator.history.operator import MICROS, PLANS, Operator

Row = Mapping[str, Any]


async def supply(services: Services, operator: Operator, begin: datetime, end: datetime) -> dict[KindName, int]:
    """Load everything the operator's systems know at `end`; rows written by kind. Plans that are there already stay.

    Raises HubError when the hub refuses a row: the simulated operator is wrong then.
    """
    known, written = kinds(services.settings), dict.fromkeys(KindName, 0)
    for kind, rows in _rows(operator, begin, end).items():
        numbered = enumerate(rows)
        while batch := list(islice(numbered, MAX_BATCH)):
            async with services.transaction() as tx:
                report = await upsert(tx, known[kind], batch)
            if report.faults:
                raise HubError(f"the simulated operator has a wrong row in {kind}: {report.faults[0]}")
            written[kind] += report.written
    return written


def _rows(operator: Operator, begin: datetime, end: datetime) -> dict[KindName, Iterable[Row]]:
    """What each kind's rows are, parents first."""
    paid_at = {payment[1]: payment[5] for payment in operator.payments}

    def changed(moment: datetime) -> str:
        return min(max(moment, begin), end).isoformat()

    def contracts() -> Iterator[Row]:
        for person in operator.people:
            ended = person.cancelled_on
            yield {
                "external_id": person.contract, "phone": person.phone, "plan_id": person.plan,
                "status": "cancelled" if ended else "active", "city": person.city, "state_code": person.state_code,
                "region_code": person.region, "started_on": person.since.isoformat(),
                "ended_on": ended and ended.isoformat(), "updated_at": changed(_noon(ended) if ended else begin),
            }  # fmt: skip

    def invoices() -> Iterator[Row]:
        for key, contract, month, amount, currency, due, status, barcode, pix in operator.invoices:
            issued = _noon(due + timedelta(days=1) if status == "overdue" else month)
            yield {
                "external_id": key, "contract_id": contract, "reference_month": f"{month:%Y-%m}", "amount_micros": amount,
                "currency": currency, "due_on": due.isoformat(), "status": status, "barcode": barcode, "pix_code": pix,
                "updated_at": changed(paid_at.get(key, issued)),
            }  # fmt: skip

    def payments() -> Iterator[Row]:
        for key, invoice, amount, currency, method, at in operator.payments:
            yield {
                "external_id": key, "invoice_id": invoice, "amount_micros": amount, "currency": currency,
                "method": method, "paid_at": at.isoformat(), "updated_at": changed(at),
            }  # fmt: skip

    def tickets() -> Iterator[Row]:
        for key, contract, kind, status, opened, scheduled, closed, summary in operator.tickets:
            yield {
                "external_id": key, "contract_id": contract, "kind": kind, "status": status, "opened_at": opened.isoformat(),
                "scheduled_for": scheduled.isoformat(), "closed_at": closed and closed.isoformat(), "summary": summary,
                "updated_at": changed(closed or opened),
            }  # fmt: skip

    return {
        KindName.PLANS: (
            {
                "external_id": key, "name": name, "kind": kind, "speed_mbps": speed, "data_gb": gigabytes,
                "price_micros": round(price * MICROS), "updated_at": changed(begin),
            }
            for key, name, kind, speed, gigabytes, price in PLANS
        ),
        KindName.CONTRACTS: contracts(),
        KindName.INVOICES: invoices(),
        KindName.PAYMENTS: payments(),
        KindName.OUTAGES: (
            {
                "external_id": outage.id, "region_code": outage.region, "service": "fiber",
                "started_at": outage.started_at.isoformat(), "expected_end_at": outage.ended_at.isoformat(),
                "ended_at": outage.ended_at.isoformat(), "cause": outage.cause, "updated_at": changed(outage.ended_at),
            }
            for outage in operator.outages
        ),
        KindName.SERVICE_TICKETS: tickets(),
    }  # fmt: skip


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)

"""What the hub knows of a customer's contracts, as plain values for the bot. Nobody else's rows can be reached from it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api.chat.business.tables import KindName
from hub_api.chat.business.upsert import emit
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "answers.sql")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan on offer; `price_micros` a month, `speed_mbps` and `data_gb` where they apply."""

    name: str
    kind: str
    speed_mbps: int | None
    data_gb: int | None
    price_micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice that waits to be paid."""

    contract_id: str
    reference_month: date
    amount_micros: int
    currency: str
    due_on: date
    overdue: bool
    barcode: str | None
    pix_code: str | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A running outage; `service` is fiber, mobile, tv or all."""

    region_code: str
    service: str
    started_at: datetime
    expected_end_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A service ticket still to be done."""

    contract_id: str
    kind: str
    scheduled_for: datetime | None
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that is not cancelled, with what concerns it now."""

    id: str
    status: str
    city: str | None
    state_code: str | None
    region_code: str | None
    plan_name: str
    plan_kind: str
    invoices: tuple[Invoice, ...] = ()
    outages: tuple[Outage, ...] = ()
    tickets: tuple[Ticket, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What is on offer, and each customer's contracts (customers without any are not in it)."""

    plans: tuple[Plan, ...] = ()
    contracts: Mapping[UUID, tuple[Contract, ...]] = field(default_factory=dict)


# The services an outage must concern to concern a plan; "all" concerns every plan.
_SERVICES: Mapping[str, Collection[str]] = {
    "fiber": {"fiber"},
    "tv": {"tv"},
    "mobile_postpaid": {"mobile"},
    "mobile_prepaid": {"mobile"},
    "mobile_control": {"mobile"},
    "combo": {"fiber", "mobile", "tv"},
}


async def link_contracts(tx: Transaction, customer_ids: Collection[UUID]) -> None:
    """Give contracts that were loaded before their holder first wrote to the customer who has their phone.

    Refers to customers' rows, so it comes before any lock on conversations, as in the handling of the inbox.
    """
    emit(tx, KindName.CONTRACTS, await tx.db.fetch(queries.link_contracts, list(customer_ids)))


async def load_known(tx: Transaction, customer_ids: Collection[UUID], now: datetime, zone: ZoneInfo) -> Known:
    """What is known of these customers at `now`, whose day is that of `zone`."""
    contracts = await tx.db.fetch(queries.contracts_of, list(customer_ids))
    ids = [row["external_id"] for row in contracts]
    regions = list({row["region_code"] for row in contracts if row["region_code"]})
    invoices, tickets, outages = defaultdict(list), defaultdict(list), defaultdict(list)
    for row in await tx.db.fetch(queries.unpaid_invoices, ids, now.astimezone(zone).date()) if ids else ():
        invoices[row["contract_id"]].append(Invoice(**row))
    for row in await tx.db.fetch(queries.open_tickets, ids) if ids else ():
        tickets[row["contract_id"]].append(Ticket(**row))
    for row in await tx.db.fetch(queries.running_outages, regions, now) if regions else ():
        outages[row["region_code"]].append(Outage(**row))
    of: dict[UUID, list[Contract]] = defaultdict(list)
    for row in contracts:
        concerned = {"all", *_SERVICES[row["plan_kind"]]}
        of[row["customer_id"]].append(
            Contract(
                id=row["external_id"],
                status=row["status"],
                city=row["city"],
                state_code=row["state_code"],
                region_code=row["region_code"],
                plan_name=row["plan_name"],
                plan_kind=row["plan_kind"],
                invoices=tuple(invoices[row["external_id"]]),
                outages=tuple(one for one in outages[row["region_code"]] if one.service in concerned),
                tickets=tuple(tickets[row["external_id"]]),
            )
        )
    plans = tuple(Plan(**row) for row in await tx.db.fetch(queries.plans_on_offer))
    return Known(plans, {customer: tuple(found) for customer, found in of.items()})

"""The access report of a data subject (LGPD arts. 18, II and V, and 19): all that PostgreSQL knows of a person, and
what of it he takes along to another supplier. The warehouse holds the same texts and figures derived from them, no more."""

from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.privacy.inventory import inventory
from hub_api.errors import NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "report.sql")

FORMAT, PORTABLE = "telecom-hub/access-report/1", "telecom-hub/portable-data/1"
# Activities that are about the hub's own users and not about customers.
_OF_STAFF = ("staff", "security")


async def access_report(tx: Transaction, who: Principal | str, customer_id: UUID) -> dict[str, Any]:
    """Everything of a customer, as one snapshot; that it was taken is in the audit log.

    The id of a merged customer gives the person it became. Raises NotFound.
    """
    report = await _collect(tx, customer_id)
    await audit.write(tx, who, "privacy.report_taken", "customer", report["person"]["id"])
    return report


async def portable_data(tx: Transaction, who: Principal | str, customer_id: UUID) -> dict[str, Any]:
    """What a person takes along to another supplier (LGPD art. 18, V): his own data, without what we concluded from it (summaries,
    tags) and without our reasons. Audited; the id of a merged customer gives the person it became. Raises NotFound.
    """
    report = await _collect(tx, customer_id)
    await audit.write(tx, who, "privacy.data_exported", "customer", report["person"]["id"])
    return {**report, "format": PORTABLE, "phones": [one for one in report["identities"] if one["kind"] == "phone"]}


async def _collect(tx: Transaction, customer_id: UUID) -> dict[str, Any]:
    await tx.db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    now = await tx.db.fetchval("SELECT now()")
    survivor = await tx.db.fetchval("SELECT coalesce(merged_into, id) FROM customers WHERE id = $1", customer_id)
    if survivor is None:
        raise NotFound(f"there is no customer {customer_id}", customer_id=str(customer_id))
    people = await _rows(tx.db, queries.person, survivor)
    ids = [person["id"] for person in people]
    conversations = await _rows(tx.db, queries.conversations, ids)
    by_id: dict[UUID, dict[str, Any]] = {one["id"]: {**one, "messages": [], "notes": []} for one in conversations}
    for message in await _rows(tx.db, queries.messages, list(by_id)):
        by_id[message.pop("conversation_id")]["messages"].append(message)
    for note in await _rows(tx.db, queries.notes, list(by_id)):
        by_id[note.pop("conversation_id")]["notes"].append(note)
    return {
        "format": FORMAT,
        "made_at": now,
        "person": people[0],
        "merged_customers": people[1:],
        "identities": await _rows(tx.db, queries.identities, ids),
        "consents": await _rows(tx.db, queries.consents, ids),
        "suppressions": await _rows(tx.db, queries.suppressions, ids),
        "conversations": list(by_id.values()),
        "contracts": await _rows(tx.db, queries.contracts, ids),
        "invoices": await _rows(tx.db, queries.invoices, ids),
        "payments": await _rows(tx.db, queries.payments, ids),
        "service_tickets": await _rows(tx.db, queries.tickets, ids),
        "processing": [
            {
                "name": activity.name,
                "purpose": activity.purpose,
                "legal_basis": activity.legal_basis,
                "retention": activity.retention,
                "recipients": activity.recipients,
            }
            for key, activity in inventory().activities.items()
            if key not in _OF_STAFF
        ],
    }


async def _rows(db: Connection, query: str, *arguments: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in await db.fetch(query, *arguments)]

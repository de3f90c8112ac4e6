"""Correction of a customer's data (LGPD art. 18, III): what changed is in the audit log, and the warehouse hears of it.

Phones and BSUIDs are told by the channel and follow it (identities.py); contracts and invoices are corrected where they come
from, by the operator's own systems.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound, Stale
from hub_api.events import CustomerCorrected
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "correct.sql")

FIELDS = ("name", "state_code", "language", "tags", "metadata")


async def correct(
    tx: Transaction, who: Principal | str, customer_id: UUID, changes: Mapping[str, Any], *, version: int | None = None
) -> int:
    """Write `changes` (some of FIELDS); the customer's new version, the old one when nothing differs.

    A corrected name or state is not overwritten by what the channel tells later.
    `version` is the one that was edited. A name is in the audit log by its initials only: the log outlives the person.
    Raises NotFound, Conflict for a customer who was merged or erased, Stale when somebody was faster.
    """
    row = await tx.db.fetchrow(queries.lock, customer_id)
    if row is None:
        raise NotFound(f"there is no customer {customer_id}", customer_id=str(customer_id))
    if row["status"] in ("merged", "erased"):
        raise Conflict(f"customer {customer_id} is {row['status']}: there is nothing to correct")
    if version is not None and version != row["version"]:
        raise Stale(f"customer {customer_id} was changed since version {version}", version=row["version"])
    before = {name: row[name] for name in FIELDS}
    changed = sorted(name for name, value in changes.items() if value != before[name])
    if not changed:
        return row["version"]  # type: ignore[no-any-return]
    after = {**before, **changes}
    new: int = await tx.db.fetchval(queries.correct, customer_id, *(after[name] for name in FIELDS), changed)
    await audit.write(
        tx,
        who,
        "customer.corrected",
        "customer",
        customer_id,
        before=_told(before, changed),
        after=_told(after, changed),
    )
    tx.emit(
        CustomerCorrected(
            aggregate_id=customer_id,
            aggregate_version=new,
            occurred_at=await tx.db.fetchval("SELECT now()"),
            fields=tuple(changed),
            state_code=after["state_code"],
        )
    )
    return new


def _told(values: Mapping[str, Any], changed: list[str]) -> dict[str, Any]:
    """The changed values as the audit log may keep them; of free-form metadata the names only."""
    told = {name: values[name] for name in changed}
    if "state_code" in told:
        told["state"] = told.pop("state_code")  # whatever is called a code is a secret to the log
    if told.get("name"):
        told["name"] = " ".join(f"{part[0]}…" for part in told["name"].split())
    if "metadata" in told:
        told["metadata"] = sorted(told["metadata"])
    return told

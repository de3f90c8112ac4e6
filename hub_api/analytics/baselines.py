"""Stored baselines: what a key figure was before the hub, by which targets such as "cost 40 % below" are judged."""

from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.filters import queries
from hub_api.analytics.schemas import NewBaseline
from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Invalid, NotFound
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction


async def store(tx: Transaction, who: Principal, kpi: str, new: NewBaseline) -> Row | None:
    """Store a baseline in place of the one before. Raises NotFound for a figure that the catalogue does not have, Invalid."""
    known = catalogue()
    if kpi not in {**known.kpis, **known.elsewhere}:
        raise NotFound(f"there is no key figure {kpi!r}: see /api/v1/analytics/catalogue")
    if new.measured_from and new.measured_to and new.measured_to < new.measured_from:
        raise Invalid("`measured_to` is before `measured_from`")
    before = await tx.db.fetchrow(queries.baseline, kpi)
    row = await tx.db.fetchrow(
        queries.set_baseline, kpi, new.value, new.measured_from, new.measured_to, new.note, who.user_id
    )
    await audit.write(
        tx, who, "kpi.baseline_set", "kpi", kpi,
        before={"value": before["value"]} if before else None, after={"value": new.value},
    )  # fmt: skip
    return row

"""Goals that the hub sees itself: replies, taps on buttons, payments and cancellations of business data, found among the events in the
relay's order. They count for campaigns that want just that, and for everybody on their lists, who was sent nothing too."""

from hub_api.campaigns.goals.record import MAX_BATCH, Told, queries, record
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

KINDS = ("reply", "button", "payment", "cancellation")
_TAPS = frozenset(("button", "interactive"))


async def record_answers(services: Services) -> int:
    """Record what came since the last look; how many goals it made. Two at a time wait for each other, a dead one loses nothing.

    While no campaign wants an answer, events are passed over unread: a campaign is planned before its first message.
    """
    made, more = 0, True
    while more:
        more, recorded = await _step(services)
        made += recorded
    return made


async def _step(services: Services) -> tuple[bool, int]:
    """A transaction's worth of events: whether there may be more, and how many goals they made."""
    async with services.transaction() as tx:
        cursor = await tx.db.fetchrow(queries.lock_cursor)
        wanted = {row["kind"] for row in await tx.db.fetch(queries.wanted, list(KINDS))}
        if not wanted or cursor is None or cursor["ahead"]:
            await tx.db.execute(queries.skip_to_now)
            return False, 0
        rows = await tx.db.fetch(
            queries.next_events, cursor["xid"], cursor["seq"], MAX_BATCH // 2
        )  # an event is two goals at most
        if not rows:
            return False, 0
        told = [goal for row in rows for goal in _goals(row) if goal.kind in wanted]
        counted = await tx.db.fetch(
            queries.acts_that_count,
            [goal.customer_id for goal in told],
            [goal.kind for goal in told],
            [goal.occurred_at for goal in told],
        )
        counting = [told[row["place"] - 1] for row in counted]
        zone = services.settings.timezone
        report = await record(tx, list(enumerate(counting)), zone=zone, source="events", by="system")
        await tx.db.execute(queries.set_cursor, rows[-1]["xid"], rows[-1]["seq"])
    return len(rows) == MAX_BATCH // 2, report.written


def _goals(row: Row) -> list[Told]:
    """What an event is to a campaign that wants it."""
    if row["customer_id"] is None:
        return []
    if row["type"] == "message.received":
        kinds = ("reply", "button") if row["message_type"] in _TAPS else ("reply",)
        return [_told(row, kind, str(row["aggregate_id"])) for kind in kinds]
    if row["type"] == "business.recorded" and row["kind"] == "payments":
        return [_told(row, "payment", row["external_id"])]
    if row["type"] == "business.recorded" and (row["kind"], row["status"]) == ("contracts", "cancelled"):
        return [_told(row, "cancellation", row["external_id"])]
    return []


def _told(row: Row, kind: str, external_id: str) -> Told:
    value = (row["value_micros"], row["value_currency"])
    return Told(kind, external_id, row["occurred_at"], *value, customer_id=row["customer_id"])

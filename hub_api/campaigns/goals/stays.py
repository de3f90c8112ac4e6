"""The goal `no_churn`: customers of a campaign who are still customers when their window ends.

Business data says who is one: a contract that had begun and had not ended by then, suspended ones too (who does not pay has not
left). It is asked once the window is over, of everybody whose turn came, the control included: whoever stays without a message is
what the message is compared with.
"""

from hub_api.campaigns.goals.record import MAX_BATCH, Told, queries, record
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

KIND = "no_churn"


async def record_stays(services: Services) -> int:
    """Record the goal for windows that ended within three days; how many it made. Harmless to repeat, and a clock that stood
    still for less than that loses nobody."""
    made = 0
    for run in await services.db.fetch(queries.runs_with_stays, KIND):
        last = None
        while rows := await services.db.fetch(
            queries.stays,
            run["campaign_id"],
            run["id"],
            last,
            run["window_days"],
            services.settings.timezone,
            MAX_BATCH,
        ):
            last = rows[-1]["customer_id"]
            stayed = [_told(run, row) for row in rows if row["stayed"]]
            async with services.transaction() as tx:
                zone = services.settings.timezone
                report = await record(tx, list(enumerate(stayed)), zone=zone, source="contracts", by="system")
            made += report.written
    return made


def _told(run: Row, row: Row) -> Told:
    return Told(KIND, f"{run['id']}:{row['customer_id']}", row["ends_at"], customer_id=row["customer_id"])

"""One round of a campaign's work: settle what left the outbox, ask the rules, fill the outbox up to its runway, end what is over.

Every round finds its work by marks in PostgreSQL and may be repeated or cut off anywhere; the clock rings for all that runs.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from hub_api.campaigns.links.variables import make_targets
from hub_api.campaigns.lists.freeze import hours_of_campaign, when_of
from hub_api.campaigns.plans import keep, states
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.sending import decide, journey
from hub_api.campaigns.sending.filling import fill
from hub_api.campaigns.sending.turn import queries, tell_plan
from hub_api.events import MessageStateChanged
from hub_api.platform import metrics
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3
CANCEL_CHUNK = 2_000


async def work(services: Services, channel: Channel, campaign_id: UUID) -> bool:
    """One round of a running campaign; whether more could be done at once."""
    campaign = await services.db.fetchrow(keep.queries.find_campaign, campaign_id)
    if campaign is None or campaign["state"] != "running":
        return False
    runs = await services.db.fetch(queries.runs_at_work, campaign_id)
    for run in [run for run in runs if run["state"] == "frozen"]:
        await _begin(services, campaign, run)
    runs = await services.db.fetch(queries.runs_at_work, campaign_id)
    if campaign["kind"] == "once" and not runs:
        await _fail(services, campaign_id)
    runs = [run for run in runs if run["state"] == "running"]
    await _keep_hours(services, campaign)
    more = False
    for run in runs:
        await settle(services, channel, campaign, run)
        if await _may_look(services, run["id"]):
            await decide.look(services, campaign, run)
        filled = await fill(services, channel, campaign_id, run, runs)
        if filled.known:
            await services.db.execute(queries.set_waits_for, run["id"], filled.waits_for)
        more = filled.more or more
        await _complete(services, campaign, run)
    return more


async def _begin(services: Services, campaign: Row, run: Row) -> None:
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign["id"])
        if row is not None and await tx.db.fetchval(queries.begin_run, run["id"]):
            variants = await tx.db.fetch(queries.variants, campaign["id"])
            await tell_plan(tx, row, run, variants)
            await make_targets(tx, services.settings, campaign["id"], row["name"], variants)


async def _fail(services: Services, campaign_id: UUID) -> None:
    """A campaign whose one list could not be frozen ends with the reason."""
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign_id)
        failure = await tx.db.fetchval(queries.failed_run, campaign_id)
        if row is not None and failure:
            await states.move(tx, row, "failed", reason=failure)


async def settle(services: Services, channel: Channel, campaign: Row, run: Row) -> int:
    """Take over what became of messages that left the outbox; failed ones that may succeed wait for another try, and whoever
    got his waits for the next step of a journey. How many were settled."""
    async with services.transaction() as tx:
        if not await tx.db.fetchval(queries.one_at_a_time, str(campaign["id"])):
            return 0
        rows = await tx.db.fetch(
            queries.settle, run["id"], (run["started_at"] or run["created_at"]) - timedelta(days=1)
        )
        failed = [row for row in rows if row["state"] == "failed"]
        if failed:
            await tx.db.execute(queries.give_back, campaign["id"], len(failed))
        again = [row for row in failed if row["attempt"] < MOST_ATTEMPTS and channel.retryable(row["error_code"])]
        if again:
            now = datetime.now(UTC)
            moments = [now + timedelta(minutes=5 * 4 ** (row["attempt"] - 1)) for row in again]
            keys = [row["customer_id"] for row in again], [row["step"] for row in again]
            await tx.db.execute(queries.try_again, campaign["id"], run["id"], *keys, moments)
        sent = [row for row in rows if row["state"] == "sent"]
        await journey.go_on(tx, campaign, run, sent, services.settings.timezone)
    return len(rows)


async def _complete(services: Services, campaign: Row, run: Row) -> None:
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign["id"])
        if row is None or not await tx.db.fetchval(queries.complete_run, run["id"]):
            return
        if row["kind"] == "once":
            await states.move(tx, row, "completed")


async def _keep_hours(services: Services, campaign: Row) -> None:
    """What waits in the outbox for somebody whose hours are over waits for the next ones."""
    async with services.transaction() as tx:
        await _wait_for_hours(tx, services.settings.timezone, campaign)


async def _wait_for_hours(tx: Transaction, zone: str, campaign: Row) -> None:
    now = datetime.now(UTC)
    when = when_of(campaign, zone, now)
    present = [row["state_code"] for row in await tx.db.fetch(queries.late, campaign["id"])]
    closed = [state for state in present if not hours_of_campaign(when, state).is_open(now)]
    openings = [hours_of_campaign(when, state).next_opening(now) for state in closed]
    if closed:
        states_ = [state or "" for state in closed]
        await tx.db.execute(queries.wait_for_hours, campaign["id"], states_, openings)


async def hold(services: Services, campaign_id: UUID) -> int:
    """Keep what waits in the outbox from leaving; how many messages. What a sender has in hand leaves within a second, or comes
    back and is held by the trigger of migration 0066."""
    return len(await services.db.fetch(queries.hold, campaign_id))


async def let_go(services: Services, campaign_id: UUID) -> int:
    """Let what was held go on, in the hours of each recipient; how many messages. A campaign that stands still again keeps all."""
    async with services.transaction() as tx:
        campaign = await tx.db.fetchrow(queries.lock_working, campaign_id)
        if campaign is None:
            return 0
        rows = await tx.db.fetch(queries.let_go, campaign_id, datetime.now(UTC))
        if rows:
            await _wait_for_hours(tx, services.settings.timezone, campaign)
    return len(rows)


async def end(services: Services, campaign_id: UUID, state: str = "cancelled") -> int:
    """End a campaign that was cancelled or failed: what waits in the outbox is not sent, whoever waits for a turn gets none.

    Portion by portion; messages that a sender has in hand are settled by a later round. How many messages were cancelled.
    """
    cancelled = 0
    while True:
        async with services.transaction() as tx:
            rows = await tx.db.fetch(queries.cancel_messages, campaign_id, CANCEL_CHUNK)
            now = datetime.now(UTC)
            tx.emit(*(
                MessageStateChanged(
                    aggregate_id=row["id"], aggregate_version=row["version"], occurred_at=now, from_state="queued",
                    conversation_id=row["conversation_id"], customer_id=row["customer_id"], to_state="cancelled",
                )
                for row in rows
            ))  # fmt: skip
        cancelled += len(rows)
        if len(rows) < CANCEL_CHUNK:
            break
    metrics.messages_sent.labels("template", "cancelled").inc(cancelled)
    while await services.db.fetchval(queries.cancel_recipients, campaign_id, CANCEL_CHUNK) == CANCEL_CHUNK:
        pass
    for run in await services.db.fetch(queries.runs_at_work, campaign_id):  # what had left before
        await services.db.fetch(queries.settle, run["id"], run["created_at"] - timedelta(days=1))
    await services.db.execute(queries.end_runs, campaign_id, state)
    return cancelled


async def _may_look(services: Services, run_id: UUID) -> bool:
    """Whether the last look at this run was long enough ago; without Redis it always was."""
    try:
        key = f"campaign-look:{run_id}"
        return bool(await services.redis.set(key, b"1", nx=True, ex=decide.LOOK_EVERY_S))
    except RedisError:
        return True

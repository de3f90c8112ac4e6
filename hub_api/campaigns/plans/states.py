"""A campaign's steps: review by a second person, start, pause, resume, cancel, and its ends. The table of steps is SQL's
(migration 0065); here stand the rules about who, and what follows.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.plans import keep
from hub_api.campaigns.plans.keep import queries
from hub_api.errors import Conflict
from hub_api.events import CampaignChanged, CampaignDecided
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction

log = structlog.get_logger(__name__)

# The door's verbs, the states they begin at, and where they lead; starting may also lead to `scheduled`.
VERBS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "submit": (("draft",), "in_review"),
    "reject": (("in_review", "approved"), "draft"),
    "approve": (("in_review",), "approved"),
    "start": (("approved",), "running"),
    "pause": (("running", "scheduled"), "paused"),
    "resume": (("paused",), "running"),
    "cancel": (("draft", "in_review", "approved", "scheduled", "running", "paused"), "cancelled"),
}


# Rules that whoever resumes overrules: else they would stop the campaign again at their next look, and nobody could let it go on.
OVERRULED = frozenset({"smooth_start", "mismatch"})


class WrongState(Conflict):
    """The campaign is not where this step begins."""

    code = "campaign_state"


class SamePerson(Conflict):
    """Whoever made or changed it cannot approve it."""

    code = "needs_second_person"


async def step(
    tx: Transaction, who: Principal, campaign_id: UUID, verb: str, *, reason: str = "", if_version: int | None = None
) -> Row:
    """Take the step that `verb` names; the campaign as it was before. Raises NotFound, Stale, WrongState, SamePerson."""
    row = await keep.locked(tx, who, campaign_id, if_version)
    to = _leads_to(row, verb)
    if verb == "approve":
        _require_another(who, row)
        await tx.db.execute(queries.approve, campaign_id, who.actor)
    elif verb == "submit":
        await tx.db.execute(queries.submit, campaign_id, who.actor)
    next_at = None
    if verb == "start":
        to, next_at = _begins(row)
    await move(
        tx, row, to, who=who, reason=reason or ("by_hand" if verb == "pause" else None), next_at=next_at, verb=verb
    )
    if verb == "reject":
        await tx.db.execute(queries.forget_approval, campaign_id)
    if verb == "resume":
        await _overrule(tx, who, row)
    return row


def _require_another(who: Principal, row: Row) -> None:
    """A key that acts for somebody is that person."""
    mine = {who.actor, *([f"user:{who.user_id}"] if who.user_id else [])}
    if mine & {row["created_by"], row["edited_by"], row["submitted_by"]}:
        raise SamePerson("somebody else has to approve what you made: ask a colleague who may approve campaigns")


async def set_budget(
    tx: Transaction, who: Principal, campaign_id: UUID, budget_micros: int | None, if_version: int | None
) -> None:
    """Let a campaign that is under way spend more, or less; by somebody who could have approved it, since he does.

    Raises NotFound, Stale, WrongState, SamePerson.
    """
    row = await keep.locked(tx, who, campaign_id, if_version)
    if row["state"] not in ("running", "paused"):
        raise WrongState(f"the campaign is {row['state']}: its plan holds the budget", state=row["state"])
    _require_another(who, row)
    version = await tx.db.fetchval(queries.set_budget, campaign_id, budget_micros)
    await audit.write(
        tx, who, "campaign.budget_changed", "campaign", campaign_id,
        before={"budget_micros": row["budget_micros"]}, after={"budget_micros": budget_micros},
    )  # fmt: skip
    tx.emit(CampaignChanged(
        aggregate_id=campaign_id, aggregate_version=version, occurred_at=datetime.now(UTC), from_state=row["state"],
        to_state=row["state"], reason="budget",
    ))  # fmt: skip


async def _overrule(tx: Transaction, who: Principal | str, row: Row) -> None:
    """Whoever resumes what a rule stopped has seen its evidence: it speaks no more of that run."""
    rule = row["block_reason"]
    if rule in OVERRULED:
        run_id = await tx.db.fetchval(queries.stopped_run, row["id"], rule)
        await decide(tx, row["id"], run_id, rule, "go_on", {"why": "resumed by a person"}, who)


async def step_by_operator(tx: Transaction, campaign_id: UUID, verb: str, reason: str) -> None:
    """Pause, resume or cancel from the command line. Raises NotFound, WrongState."""
    row = await keep.locked(tx, None, campaign_id)
    await move(tx, row, _leads_to(row, verb), who=audit.OPERATOR, reason=reason or None, verb=verb)
    if verb == "resume":
        await _overrule(tx, audit.OPERATOR, row)


def _leads_to(row: Row, verb: str) -> str:
    begins, to = VERBS[verb]
    if row["state"] not in begins:
        raise WrongState(f"the campaign is {row['state']}: {verb} begins at {' or '.join(begins)}", state=row["state"])
    return to


def _begins(row: Row) -> tuple[str, datetime | None]:
    """Where starting leads: at once, or scheduled for its time. Recurring and triggered ones run, and begin as they must."""
    given = row["schedule"].get("start_at")
    start_at = datetime.fromisoformat(given) if given else None
    if start_at is not None and start_at > datetime.now(UTC):
        return "scheduled", start_at
    return "running", None


async def move(
    tx: Transaction,
    row: Row,
    to: str,
    *,
    who: Principal | str = audit.SYSTEM,
    reason: str | None = None,
    next_at: datetime | None = None,
    verb: str | None = None,
) -> None:
    """Bring the locked campaign `row` to a state, with audit row and event. `reason` is kept while it stands still, or was
    sent back to whoever made it."""
    kept = reason if to in ("paused", "failed", "cancelled") or verb == "reject" else None
    version = await tx.db.fetchval(queries.step, row["id"], to, kept, next_at)
    await audit.write(
        tx, who, _ACTIONS[verb or to], "campaign", row["id"],
        before={"state": row["state"]}, after={"state": to}, detail={"reason": reason} if reason else None,
    )  # fmt: skip
    tx.emit(CampaignChanged(
        aggregate_id=row["id"], aggregate_version=version, occurred_at=datetime.now(UTC), from_state=row["state"],
        to_state=to, reason=reason or verb or "",
    ))  # fmt: skip
    if who == audit.SYSTEM and to in ("paused", "failed"):
        # Nobody is at the console at night: whoever reads the log finds what a rule stopped.
        log.warning("campaign_stopped", campaign_id=str(row["id"]), state=to, reason=reason, remedy=_STOPPED)


_STOPPED = "GET /api/v1/campaigns/{id}/decisions has the evidence; hub campaigns resume ID goes on"
# By the verb of whoever took the step, or the state to which the campaign came by itself.
_ACTIONS = {
    "submit": "campaign.submitted", "reject": "campaign.rejected", "approve": "campaign.approved", "start": "campaign.started",
    "pause": "campaign.paused", "resume": "campaign.resumed", "cancel": "campaign.cancelled", "running": "campaign.started",
    "paused": "campaign.paused", "completed": "campaign.completed", "failed": "campaign.failed",
}  # fmt: skip


async def decide(
    tx: Transaction,
    campaign_id: UUID,
    run_id: UUID | None,
    rule: str,
    outcome: str,
    evidence: Mapping[str, Any],
    who: Principal | str = audit.SYSTEM,
) -> None:
    """Keep a decision of a rule, or of a person about it, with its evidence, and tell it."""
    decision_id, actor = uuid7(), who if isinstance(who, str) else who.actor
    await tx.db.execute(queries.add_decision, decision_id, campaign_id, run_id, rule, outcome, evidence, actor)
    await audit.write(tx, who, "campaign.decided", "campaign", campaign_id, detail={"rule": rule, "outcome": outcome})
    tx.emit(CampaignDecided(
        aggregate_id=decision_id, aggregate_version=1, occurred_at=datetime.now(UTC), campaign_id=campaign_id, rule=rule,
        outcome=outcome,
    ))  # fmt: skip

"""What is asked of Meta for one template: create or edit it, delete it, end a pause that came from pacing.

Meta's limits are counted before it is asked, so that the answer says when it will be possible. Like a send, a submission
is written down before the call: a crash or a lost answer leaves a version `submitted` without an answer, which the next
sync settles by what Meta lists.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, Unavailable
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import REGISTRY
from hub_api.platform.services import Services
from hub_api.whatsapp.send.errors_table import Retry, rule_for
from hub_api.whatsapp.send.meta import NotAccepted, OutcomeUnknown, RejectedByMeta
from hub_api.whatsapp.templates.access import BudgetSpent, access, refused
from hub_api.whatsapp.templates.drafts import EDITABLE, NotEditable, locked

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__)

CREATIONS_AN_HOUR = 100
EDITS_A_MONTH = 10
DAY, MONTH = timedelta(hours=24), timedelta(days=30)


class TemplateLimit(Conflict):
    """One of Meta's limits on templates is reached; `retry_at` says from when on it is not, if time can tell."""

    code = "template_limit"


class NothingToSubmit(Conflict):
    """There is no draft."""

    code = "nothing_to_submit"


class OutcomeNotKnown(Unavailable):
    """Meta took the call and its answer was lost: the next sync tells."""

    code, status, retryable = "outcome_unknown", 502, False


@dataclass(frozen=True, slots=True)
class _Submission:
    template: Row
    version: Row
    call: str

    @property
    def body(self) -> dict[str, Any]:
        """What Meta is sent."""
        template, version = self.template, self.version
        body: dict[str, Any] = {"components": version["components"], "parameter_format": version["parameter_format"]}
        if self.call == "create":
            body |= {"name": template["name"], "language": template["language"]}
        if self.call != "edit_approved":
            body["category"] = version["category"]
        if version["ttl_s"] is not None:
            body["message_send_ttl_seconds"] = version["ttl_s"]
        return body


async def submit(services: Services, template_id: UUID, *, who: Principal | str = audit.OPERATOR) -> None:
    """Send the waiting draft to Meta's review; the template is PENDING then, unless Meta decides at once.

    Raises NotFound, NothingToSubmit, NotEditable, TemplateLimit (a limit that we count), BudgetSpent, RefusedByMeta,
    NotAccepted (nothing was sent; the draft waits), OutcomeNotKnown.
    """
    async with services.transaction() as tx:
        submission = await _begin(tx, template_id)
        asked = {"version": submission.version["number"], "call": submission.call}
        await audit.write(tx, who, "template.submitted", "template", template_id, detail=asked)
    template, version = submission.template, submission.version
    meta = await access(services, template["account_id"])
    path = f"{meta.waba_id}/message_templates" if submission.call == "create" else str(template["meta_template_id"])
    try:
        answer = await meta.change("POST", path, submission.body)
    except RejectedByMeta as error:
        await _refused(services, version["id"], error)
        raise refused(error, f"take template {template['name']!r}") from error
    except (BudgetSpent, NotAccepted):
        await services.db.execute(queries.take_back_submission, version["id"])
        raise
    except OutcomeUnknown as error:
        await _resync(services, template["account_id"])
        raise OutcomeNotKnown(
            f"Meta's answer about template {template['name']!r} was lost: the sync that now runs tells whether it has it"
        ) from error
    await services.db.execute(
        queries.accept_submission,
        version["id"],
        template_id,
        str(answer["id"]) if answer.get("id") else None,
        str(answer.get("status") or "PENDING"),
        str(answer.get("category") or version["category"]),
        {"accepted": {name: answer[name] for name in ("id", "status", "category") if name in answer}},
    )
    log.info("template_submitted", template=str(template_id), version=version["number"], call=submission.call)


async def delete(services: Services, template_id: UUID, *, who: Principal | str = audit.OPERATOR) -> None:
    """Delete a template at Meta, in this language alone, which blocks its name for 30 days; a draft just goes.

    Raises NotFound, RefusedByMeta, BudgetSpent, NotAccepted; OutcomeNotKnown when the next sync must tell.
    """
    async with services.transaction() as tx:
        template = await locked(tx, template_id)
        # Written before Meta is asked, as the submission is: an answer that is lost must not lose who asked.
        told = {"name": template["name"], "language": template["language"], "status": template["status"]}
        await audit.write(tx, who, "template.deleted", "template", template_id, before=told)
        if template["status"] == "DELETED" or await tx.db.fetchval(queries.delete_draft, template_id):
            return
        if template["meta_template_id"] is None:
            await tx.db.execute(queries.mark_deleted, template_id, "deleted here before Meta had it")
            return
    meta = await access(services, template["account_id"])
    by = {"name": template["name"], "hsm_id": template["meta_template_id"]}
    try:
        await meta.change("DELETE", f"{meta.waba_id}/message_templates", **by)
    except RejectedByMeta as error:
        raise refused(error, f"delete template {template['name']!r}") from error
    except OutcomeUnknown as error:
        await _resync(services, template["account_id"])
        raise OutcomeNotKnown(f"Meta's answer about deleting {template['name']!r} was lost: a sync runs") from error
    async with services.transaction() as tx:
        await tx.db.execute(queries.mark_deleted, template_id, "deleted here")
        await tx.db.execute(queries.block_name, template["account_id"], template["name"])


async def unpause(services: Services, template_id: UUID, *, who: Principal | str = audit.OPERATOR) -> None:
    """End a pause that came from pacing; one for low quality ends by itself, and Meta refuses to end it early.

    Raises NotFound, NotEditable when the template is not paused, RefusedByMeta.
    """
    async with services.transaction() as tx:
        template = await locked(tx, template_id)
        if template["status"] != "PAUSED":
            raise NotEditable(f"template {template['name']!r} is {template['status']}, not PAUSED")
        await audit.write(tx, who, "template.unpaused", "template", template_id)
    meta = await access(services, template["account_id"])
    try:
        answer = await meta.change("POST", f"{template['meta_template_id']}/unpause")
    except RejectedByMeta as error:
        raise refused(error, f"unpause template {template['name']!r}") from error
    if answer.get("success") is False:
        raise NotEditable(f"Meta did not unpause {template['name']!r}: {answer.get('reason') or 'it gave no reason'}")
    await _resync(services, template["account_id"])


async def _begin(tx: Transaction, template_id: UUID) -> _Submission:
    """Count the limits and write down that Meta is being asked."""
    template = await locked(tx, template_id)
    version = await tx.db.fetchrow(queries.draft_version, template_id)
    if version is None:
        raise await _no_draft(tx, template)
    await tx.db.execute(queries.lock_account, template["account_id"])
    if template["meta_template_id"] is None:
        call = "create"
        await _check_room(tx, template)
    else:
        call = "edit_approved" if template["status"] == "APPROVED" else "edit"
        if template["status"] not in EDITABLE:
            raise NotEditable(f"template {template['name']!r} is {template['status']}: Meta edits no such template")
        if call == "edit_approved":
            await _check_edits(tx, template)
    await tx.db.execute(queries.mark_submitted, version["id"], call)
    await tx.db.execute(queries.touch_template, template_id)
    return _Submission(template, version, call)


async def _no_draft(tx: Transaction, template: Row) -> NothingToSubmit:
    lost = await tx.db.fetchrow(queries.unanswered_version, template["id"])
    if lost is not None:
        return NothingToSubmit(
            f"version {lost['number']} of {template['name']!r} was submitted at {lost['submitted_at']:%H:%M} UTC and Meta's "
            "answer was lost: sync the account's templates first"
        )
    return NothingToSubmit(f"template {template['name']!r} has no draft: edit it first")


async def _check_room(tx: Transaction, template: Row) -> None:
    (room,) = await tx.db.fetch(queries.room, template["account_id"], template["name"])
    if room["blocked_until"] is not None:
        raise TemplateLimit(
            f"the name {template['name']!r} was deleted: Meta takes it again from {room['blocked_until']:%d/%m/%Y}",
            retry_at=room["blocked_until"].isoformat(),
        )
    if room["at_meta"] >= room["capacity"]:
        raise TemplateLimit(f"the account has its {room['capacity']} templates: delete one first")
    if room["created"] >= CREATIONS_AN_HOUR:
        again = room["oldest_created"] + timedelta(hours=1)
        raise TemplateLimit(
            f"{CREATIONS_AN_HOUR} templates were created in the last hour: the next one goes from {again:%H:%M} UTC",
            retry_at=again.isoformat(),
        )


async def _check_edits(tx: Transaction, template: Row) -> None:
    (edits,) = await tx.db.fetch(queries.recent_edits, template["id"])
    again = None
    if edits["last_at"] is not None and datetime.now(UTC) - edits["last_at"] < DAY:
        again = edits["last_at"] + DAY
    if edits["month"] >= EDITS_A_MONTH:
        again = edits["month_from"] + MONTH
    if again is not None:
        raise TemplateLimit(
            f"an approved template is edited once in 24 h and {EDITS_A_MONTH} times in 30 days: {template['name']!r} again "
            f"from {again:%d/%m/%Y %H:%M} UTC",
            retry_at=again.isoformat(),
        )


async def _refused(services: Services, version_id: UUID, error: RejectedByMeta) -> None:
    """A refusal of the content ends the version; one that time or a person at Meta lifts leaves it a draft."""
    refusal = error.refusal
    if rule_for(refusal.code, refusal.subcode).retry is not Retry.NEVER:
        await services.db.execute(queries.take_back_submission, version_id)
        return
    said = {"code": refusal.code, "subcode": refusal.subcode, "title": refusal.title, "details": refusal.details}
    await services.db.execute(queries.refuse_submission, version_id, {"refused": said})


async def _resync(services: Services, account_id: UUID) -> None:
    await services.bells.ring([(REGISTRY["whatsapp.send.jobs.resync_templates"], (str(account_id),))])

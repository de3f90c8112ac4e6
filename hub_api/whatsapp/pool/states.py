"""What people do with numbers and accounts: pause, drain, remove, register at Meta; and the history of their states.

The states and transitions stand in migration 0008, enforced there. What Meta stops by refusals and webhooks is done by
`send/reactions.py`. `who` does it: the caller of the API, or a name for who is at the command line.
"""

from datetime import datetime
from uuid import UUID

import structlog

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.platform import crypto, sqlfile
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.whatsapp.send import reactions
from hub_api.whatsapp.send.callers import open_callers
from hub_api.whatsapp.send.errors_table import rule_for
from hub_api.whatsapp.send.meta import RejectedByMeta

log = structlog.get_logger(__name__)

queries = sqlfile.load(__package__, "states.sql")


class NumberState(Conflict):
    """The number's state does not allow this step."""

    code = "number_state"


class StillWorking(Conflict):
    """Messages wait for the number, or are being sent from it: drain it first."""

    code = "number_still_working"


async def find(services: Services, number: str) -> Row:
    """A number by our id or Meta's, with its account and sealed token. Raises NotFound."""
    row = await services.db.fetchrow(queries.find_number, number)
    if row is None:
        raise NotFound(f"there is no WhatsApp number {number}: hub numbers list shows them", number=number)
    return row


async def pause(
    services: Services, who: Principal | str, number_id: UUID, *, reason: str, until: datetime | None = None
) -> None:
    """Stop a number, until `until` or until a person resumes it; what waits for it moves after a while (move.py).

    Raises NotFound, and NumberState when something graver has stopped it already.
    """
    row = await find(services, str(number_id))
    stop = ("paused", reason, until, source_of(who))
    async with services.transaction() as tx:
        if await tx.db.fetchval(reactions.queries.pause_number, number_id, *stop) is None:
            raise NumberState(_unchanged(row, "paused"), number_id=str(number_id), state=row["state"])
        await _note(tx, who, "number.paused", row, reason)


async def pause_account(
    services: Services, who: Principal | str, account_id: UUID, *, reason: str, until: datetime | None = None
) -> None:
    """Stop all numbers of an account. Raises NotFound, and NumberState when something graver has stopped it already."""
    row = await _find_account(services, account_id)
    stop = ("paused", reason, until, source_of(who))
    async with services.transaction() as tx:
        if await tx.db.fetchval(reactions.queries.pause_account, account_id, *stop) is None:
            raise NumberState(
                f"account {account_id} is {row['state']} already ({row['state_reason']}); nothing was changed"
            )
        changed = {"before": {"state": row["state"]}, "after": {"state": "paused"}, "detail": {"reason": reason}}
        await audit.write(tx, who, "account.paused", "account", account_id, **changed)


async def resume_account(services: Services, who: Principal | str, account_id: UUID) -> None:
    """The cause that had stopped an account is repaired. Raises NotFound."""
    async with services.transaction() as tx:
        await reactions.resume_account(tx, account_id, source_of(who))
        await audit.write(tx, who, "account.resumed", "account", account_id)


async def resume(services: Services, who: Principal | str, number_id: UUID) -> None:
    """A person repaired what had stopped a number, or wants it to stop draining. Raises NotFound, and NumberState for
    a removed one."""
    row = await find(services, str(number_id))
    if row["state"] == "removed":
        raise NumberState(_unchanged(row, "resumed; add it again"), number_id=str(number_id), state=row["state"])
    async with services.transaction() as tx:
        if row["state"] == "draining":
            await tx.db.execute(queries.stop_draining, number_id)
        await tx.db.execute(reactions.queries.resume_number, number_id, source_of(who))
        await _note(tx, who, "number.resumed", row)


async def drain(services: Services, who: Principal | str, number_id: UUID, *, reason: str) -> str:
    """Give a number nothing new: waiting templates move to other numbers of the account, replies leave from it.

    Returns its state, which stays what it is while something else stops it. Raises NotFound, NumberState.
    """
    row = await find(services, str(number_id))
    async with services.transaction() as tx:
        state: str | None = await tx.db.fetchval(queries.drain, number_id, reason, source_of(who))
        if state is None:
            raise NumberState(_unchanged(row, "drained"), number_id=str(number_id), state=row["state"])
        await _note(tx, who, "number.drained", row, reason)
    return state


async def remove(services: Services, who: Principal | str, number_id: UUID, *, reason: str) -> None:
    """Take a number out of the pool; its conversations and messages stay. Meta is not told: `deregister` does that.

    Raises NotFound, NumberState when it is removed already, StillWorking.
    """
    row = await find(services, str(number_id))
    if row["state"] == "removed":
        raise NumberState(_unchanged(row, "removed"), number_id=str(number_id), state="removed")
    async with services.transaction() as tx:
        if await tx.db.fetchval(queries.remove, number_id, reason, source_of(who)) is None:
            raise StillWorking(
                f"number {row['phone_number_id']} still has messages waiting or being sent: drain it, and remove it when "
                "its queue is empty",
                number_id=str(number_id),
            )
        await _note(tx, who, "number.removed", row, reason)
    log.info("number_removed", number=str(number_id), source=source_of(who))


async def register(services: Services, who: Principal | str, number_id: UUID, *, pin: str) -> None:
    """Register a number at Meta with its two-step PIN (§4.3: ten times in 72 h, so never in a loop); it may send then.

    Raises NotFound, Conflict with Meta's refusal, NotAccepted or OutcomeUnknown when Meta did not answer.
    """
    row = await _call(services, number_id, "register", {"messaging_product": "whatsapp", "pin": pin})
    async with services.transaction() as tx:
        await tx.db.execute(queries.registered, number_id, True, source_of(who))
        await _note(tx, who, "number.registered", row)


async def deregister(services: Services, who: Principal | str, number_id: UUID) -> None:
    """Take a number off the Cloud API; it goes offline here. Raises as `register`."""
    row = await _call(services, number_id, "deregister", {"messaging_product": "whatsapp"})
    async with services.transaction() as tx:
        await tx.db.execute(queries.registered, number_id, False, source_of(who))
        await _note(tx, who, "number.deregistered", row)


def source_of(who: Principal | str) -> str:
    """How the history of states names who did it."""
    return who if isinstance(who, str) else f"api:{who.name}"


async def _note(tx: Transaction, who: Principal | str, action: str, row: Row, reason: str | None = None) -> None:
    """The audit row of a deed done to the number that was `row` before it."""
    (now,) = await tx.db.fetch(queries.find_number, str(row["id"]))
    before, after = ({name: one[name] for name in ("state", "state_reason")} for one in (row, now))
    detail = {"reason": reason} if reason else None
    await audit.write(tx, who, action, "whatsapp_number", row["id"], before=before, after=after, detail=detail)


async def _call(services: Services, number_id: UUID, edge: str, body: dict[str, str]) -> Row:
    row = await find(services, str(number_id))
    token = crypto.decrypt(services.settings.secret_key.get_secret_value(), row["token_encrypted"])
    client = (await services.shared(open_callers)).client
    try:
        await client.change("POST", f"{row['phone_number_id']}/{edge}", token, body)
    except RejectedByMeta as error:
        refusal = error.refusal
        raise Conflict(
            f"Meta refused to {edge} number {row['phone_number_id']}: {refusal.code} {refusal.title} "
            f"({rule_for(refusal.code, refusal.subcode).meaning})",
            meta_code=refusal.code,
        ) from error
    return row


async def number_history(services: Services, number_id: UUID, *, limit: int = 100, cursor: str | None = None) -> Rows:
    """Changes of a number's state, newest first. Raises NotFound, and Invalid for a foreign cursor."""
    (below,) = read_cursor(cursor, int)
    await find(services, str(number_id))
    return page(await services.db.fetch(queries.number_history, number_id, below, limit + 1), limit, "id")


async def account_history(services: Services, account_id: UUID, *, limit: int = 100, cursor: str | None = None) -> Rows:
    """Changes of an account's state, newest first. Raises NotFound, and Invalid for a foreign cursor."""
    (below,) = read_cursor(cursor, int)
    await _find_account(services, account_id)
    return page(await services.db.fetch(queries.account_history, account_id, below, limit + 1), limit, "id")


async def _find_account(services: Services, account_id: UUID) -> Row:
    row = await services.db.fetchrow(queries.find_account, account_id)
    if row is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
    return row


def _unchanged(row: Row, wanted: str) -> str:
    return f"number {row['phone_number_id']} is {row['state']} ({row['state_reason'] or 'no reason'}), so it was not {wanted}"

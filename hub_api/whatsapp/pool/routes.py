"""The operator's door to the pool: accounts and numbers, their states and history."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header, Query

from hub_api.auth import audit
from hub_api.auth.identify import count_sends
from hub_api.auth.keys import Principal, require
from hub_api.platform.idempotency import once
from hub_api.platform.services import Services
from hub_api.platform.web import get_services
from hub_api.whatsapp import accounts
from hub_api.whatsapp.pool import health, states, view
from hub_api.whatsapp.pool.schemas import (
    Checked,
    Created,
    NewAccount,
    NewNumber,
    Outreach,
    Page,
    Placed,
    Registration,
    State,
    Stop,
    Why,
    shown,
)
from hub_api.whatsapp.pool.write import Recipient, write

router = APIRouter(prefix="/api/v1/whatsapp", tags=["whatsapp"])

Hub = Annotated[Services, Depends(get_services)]
Limit = Annotated[int, Query(ge=1, le=500, description="rows of one page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
Operator = Annotated[Principal, Depends(require("numbers:write"))]
SENDS = Depends(count_sends)
READ, WRITE = Depends(require("numbers:read")), Depends(require("numbers:write"))

ACCOUNT: dict[int | str, dict[str, Any]] = {404: {"description": "no such account"}}
NUMBER: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such number"},
    409: {"description": "`number_state`: its state does not allow it · `number_still_working`: drain it first"},
}
AT_META: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such number"},
    409: {"description": "`conflict`: Meta refused; `meta_code` and the words say why"},
    502: {"description": "`outcome_unknown`: Meta did not answer; look at the number before trying again"},
    503: {"description": "`meta_unreachable`"},
}


NOT_PLACED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no account has the template, or there is no such customer"},
    409: {
        "description": "`template_not_approved` · `phone_required` · `customer_gone` · `no_number` · "
        "`idempotency_key_reused`"
    },
    422: {"description": "`invalid`, or `template_mismatch` with the path of each fault"},
}
IdempotencyKey = Annotated[
    str | None,
    Header(max_length=200, description="the same key and body again: the first answer, and no second message"),
]


@router.get("/pool", dependencies=[READ], summary="The pool at a glance")
async def get_pool(services: Hub, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Numbers with state and reason, speed, breaker, what waits lane by lane and since when, accepted messages a second
    (five minutes), errors of the last hour with what to do (pt-BR), and the portfolio's quota."""
    return shown(await view.pool(services, limit=limit, cursor=cursor))


@router.get("/breakers", dependencies=[READ], summary="Circuit breakers that are not closed")
async def get_breakers(services: Hub) -> Page:
    """Of numbers, accounts and templates: state, why, until when."""
    return Page(items=[dict(row) for row in await view.open_breakers(services)])


@router.get("/accounts", dependencies=[READ], summary="List the accounts")
async def get_accounts(services: Hub) -> Page:
    """Every WhatsApp business account with its state and why it has it."""
    return Page(items=[dict(row) for row in await accounts.list_accounts(services)])


@router.post("/accounts", status_code=201, summary="Register an account or renew its token")
async def post_account(services: Hub, caller: Operator, body: NewAccount) -> Created:
    """Register an account, or renew its token, which also lifts a pause. Repeating it changes nothing more."""
    account_id = await accounts.add_account(
        services,
        waba_id=body.waba_id,
        portfolio_id=body.portfolio_id,
        name=body.name,
        token=body.token.get_secret_value(),
        who=caller,
    )
    return Created(id=account_id)


@router.post(
    "/accounts/{account_id}/pause", status_code=204, responses=ACCOUNT, summary="Stop all numbers of an account"
)
async def pause_account(services: Hub, caller: Operator, account_id: UUID, body: Annotated[Stop, Body()]) -> None:
    """Nothing leaves from the account's numbers until it is resumed, or until the time given."""
    await states.pause_account(services, caller, account_id, reason=body.reason, until=body.until)


@router.post("/accounts/{account_id}/resume", status_code=204, responses=ACCOUNT, summary="Let an account send again")
async def resume_account(services: Hub, caller: Operator, account_id: UUID) -> None:
    """Let an account send again whose cause of pause has been repaired."""
    await states.resume_account(services, caller, account_id)


@router.get(
    "/accounts/{account_id}/history", dependencies=[READ], responses=ACCOUNT, summary="An account's changes of state"
)
async def get_account_history(services: Hub, account_id: UUID, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Every change of state, newest first: from, to, why, by whom."""
    return shown(await states.account_history(services, account_id, limit=limit, cursor=cursor))


@router.get("/numbers", dependencies=[READ], summary="List the numbers")
async def get_numbers(services: Hub, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Numbers with state, quality and limits."""
    return shown(await accounts.list_numbers(services, limit=limit, cursor=cursor))


@router.post("/numbers", status_code=201, responses=ACCOUNT, summary="Add a number")
async def post_number(services: Hub, caller: Operator, body: NewNumber) -> Created:
    """Register a number, or renew what is known of it; a removed one comes back. Repeating it changes nothing more."""
    return Created(id=await accounts.add_number(services, who=caller, **body.model_dump()))


@router.get("/numbers/{number_id}", dependencies=[READ], responses=NUMBER, summary="One number with its history")
async def get_number(services: Hub, number_id: UUID) -> dict[str, Any]:
    """All that `/pool` shows of a number, and the last changes of its state."""
    number = await view.one(services, number_id)
    history = await states.number_history(services, number_id, limit=20)
    return {**number, "history": [dict(row) for row in history.rows]}


@router.post("/numbers/{number_id}/check", dependencies=[WRITE], responses=NUMBER, summary="Read its health now")
async def check_number(services: Hub, number_id: UUID) -> Checked:
    """Ask Meta for status, quality, limits and name, and apply what it says."""
    number = await states.find(services, str(number_id))
    done = await health.check(services, number["id"], number["account_id"], number["phone_number_id"])
    after = await view.one(services, number_id)
    return Checked(done=done, state=after["state"], failure=after["check_failure"])


@router.post("/numbers/{number_id}/pause", status_code=204, responses=NUMBER, summary="Stop a number")
async def pause_number(services: Hub, caller: Operator, number_id: UUID, body: Annotated[Stop, Body()]) -> None:
    """Nothing leaves from it until it is resumed, or until the time given; waiting templates move to other numbers."""
    await states.pause(services, caller, number_id, reason=body.reason, until=body.until)


@router.post("/numbers/{number_id}/resume", status_code=204, responses=NUMBER, summary="Let a number send again")
async def resume_number(services: Hub, caller: Operator, number_id: UUID) -> None:
    """Let a number send again whose cause of pause has been repaired, or end its draining."""
    await states.resume(services, caller, number_id)


@router.post("/numbers/{number_id}/drain", responses=NUMBER, summary="Give a number nothing new")
async def drain_number(services: Hub, caller: Operator, number_id: UUID, body: Annotated[Why, Body()]) -> State:
    """Its templates move to other numbers of the account, its replies still leave; remove it when its queue is empty."""
    return State(state=await states.drain(services, caller, number_id, reason=body.reason))


@router.delete("/numbers/{number_id}", status_code=204, responses=NUMBER, summary="Remove a number")
async def delete_number(services: Hub, caller: Operator, number_id: UUID) -> None:
    """Take it out of the pool; its conversations stay. Refused while something waits for it."""
    await states.remove(services, caller, number_id, reason="removido por uma pessoa")


@router.post("/numbers/{number_id}/register", status_code=204, responses=AT_META, summary="Register a number at Meta")
async def register_number(services: Hub, caller: Operator, number_id: UUID, body: Registration) -> None:
    """Register it for the Cloud API with its two-step PIN. Meta allows ten times in 72 hours."""
    await states.register(services, caller, number_id, pin=body.pin.get_secret_value())


@router.post("/numbers/{number_id}/deregister", status_code=204, responses=AT_META, summary="Deregister a number")
async def deregister_number(services: Hub, caller: Operator, number_id: UUID) -> None:
    """Take it off the Cloud API: it goes offline here and can be registered again."""
    await states.deregister(services, caller, number_id)


@router.get(
    "/numbers/{number_id}/history", dependencies=[READ], responses=NUMBER, summary="A number's changes of state"
)
async def get_number_history(services: Hub, number_id: UUID, limit: Limit = 100, cursor: Cursor = None) -> Page:
    """Every change of state, newest first: from, to, why, by whom."""
    return shown(await states.number_history(services, number_id, limit=limit, cursor=cursor))


@router.post(
    "/messages", dependencies=[SENDS], status_code=202, responses=NOT_PLACED, summary="Send a template to somebody"
)
async def post_message(
    services: Hub,
    caller: Annotated[Principal, Depends(require("messages:write"))],
    body: Annotated[Outreach, Body()],
    idempotency_key: IdempotencyKey = None,
) -> Placed:
    """Queue an approved template outside any conversation; the hub chooses the number. Consent, quiet templates and
    limits are looked at when it leaves. The conversation that it begins is opened by the customer's first message."""
    async with services.transaction() as tx:

        async def place() -> dict[str, Any]:
            to = Recipient(**body.to.model_dump())
            placed = await write(tx, services.settings, to, body.template, waba_id=body.waba_id)
            detail = {"template": body.template.name, **{name: one for name, one in placed.items() if name != "id"}}
            await audit.write(tx, caller, "message.sent", "message", placed["id"], detail=detail)
            return placed

        scope = f"{caller.key_id}:whatsapp-messages"
        return Placed(**await once(tx, scope, idempotency_key, body.model_dump_json().encode(), place))

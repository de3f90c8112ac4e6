"""Macros: several steps on a conversation by one press, all of them or none."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import conversations
from hub_api.chat.desk import canned
from hub_api.chat.desk.label import label
from hub_api.chat.desk.put_off import dispose, queries, snooze
from hub_api.chat.desk.schemas import NewMacro, Steps
from hub_api.chat.outgoing import text
from hub_api.chat.reply import reply
from hub_api.chat.resolve import resolve
from hub_api.chat.transfer import transfer
from hub_api.errors import Conflict, NotFound, Stale
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services


async def list_macros(services: Services, caller: Principal, *, limit: int, cursor: str | None) -> Rows:
    """Those of the caller's teams and everybody's. Raises Invalid for a foreign cursor."""
    rows = await services.db.fetch(queries.list_macros, *caller.scope, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def find_macro(db: Any, caller: Principal, macro_id: UUID) -> Row:
    """One of them. Raises NotFound, also for one of another team."""
    row = await db.fetchrow(queries.find_macro, *caller.scope, macro_id)
    if row is None:
        raise NotFound(f"there is no macro {macro_id}", macro_id=str(macro_id))
    return row  # type: ignore[no-any-return]


async def make_macro(tx: Transaction, who: Principal, new: NewMacro) -> UUID:
    """A macro; its id. Raises Conflict for a taken name, NotFound for a queue of its steps, Forbidden, Invalid."""
    await _check(tx, who, new)
    macro_id = uuid7()
    await _written(tx, new, queries.insert_macro, macro_id)
    await audit.write(tx, who, "macro.created", "macro", macro_id, after=new.model_dump(mode="json"))
    return macro_id


async def change_macro(tx: Transaction, who: Principal, macro_id: UUID, new: NewMacro, *, version: int | None) -> None:
    """Replace one. Raises NotFound, Stale, Conflict, Forbidden, Invalid."""
    before = await find_macro(tx.db, who, macro_id)
    await canned.may_write(tx, who, before["team_id"])
    await _check(tx, who, new)
    if await _written(tx, new, queries.set_macro, macro_id, version) is None:
        raise Stale("the macro has changed since you read it: read it again", version=before["version"])
    was = {"name": before["name"], "steps": before["steps"]}
    await audit.write(tx, who, "macro.changed", "macro", macro_id, before=was, after=new.model_dump(mode="json"))


async def delete_macro(tx: Transaction, who: Principal, macro_id: UUID) -> None:
    """What was done with it stays. Raises NotFound, Forbidden."""
    before = await find_macro(tx.db, who, macro_id)
    await canned.may_write(tx, who, before["team_id"])
    await tx.db.execute(queries.delete_macro, macro_id)
    await audit.write(tx, who, "macro.deleted", "macro", macro_id, before={"name": before["name"]})


async def apply(tx: Transaction, who: Principal, conversation_id: UUID, macro: Row) -> UUID | None:
    """Do a macro's steps in their order: reply, labels, then where the conversation goes. The id of its reply, if it has one.

    All are done in the caller's transaction. Raises what each step raises: NotFound, WindowClosed, ForbiddenMove, …
    """
    steps, message_id = Steps.model_validate(macro["steps"]), None
    before = await conversations.lock(tx, conversation_id)
    if steps.reply is not None:
        words = await canned.filled(tx.db, who, steps.reply, conversation_id)
        message_id = await reply(tx, conversation_id, text(words, author="agent", author_id=who.user_id, priority=0))
    if steps.priority is not None or steps.add_tags:
        tags = [*before["tags"], *steps.add_tags]
        await label(tx, conversation_id, priority=steps.priority, tags=tags)
    if steps.transfer_to is not None:
        await transfer(tx, conversation_id, steps.transfer_to, reason="macro")
    elif steps.snooze_minutes is not None:
        await snooze(tx, conversation_id, datetime.now(UTC) + timedelta(minutes=steps.snooze_minutes))
    elif steps.resolve:
        await resolve(tx, conversation_id, reason="macro")
        await dispose(tx, conversation_id, steps.disposition)
    detail = {"macro": macro["name"], "steps": list(_named(steps))}
    await audit.write(tx, who, "conversation.macro", "conversation", conversation_id, detail=detail)
    return message_id


def _named(steps: Steps) -> Iterator[str]:
    for name, value in steps.model_dump().items():
        if value:
            yield name


async def _check(tx: Transaction, who: Principal, new: NewMacro) -> None:
    """What a macro would stumble over each time is told when it is made."""
    await canned.may_write(tx, who, new.team_id)
    if new.steps.transfer_to is not None:
        await conversations.find_queue(tx, new.steps.transfer_to)


async def _written(tx: Transaction, new: NewMacro, query: str, macro_id: UUID, *more: Any) -> Any:
    try:
        async with tx.db.transaction():
            steps = new.steps.model_dump(mode="json")
            return await tx.db.fetchval(query, macro_id, new.name, new.team_id, steps, *more)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a macro {new.name!r} already", name=new.name) from None

"""Canned replies: texts under a shortcut, with variables that are filled for the conversation at hand."""

import re
from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.auth.teams import find_team
from hub_api.chat.desk.put_off import queries
from hub_api.chat.desk.schemas import NewCanned
from hub_api.errors import Conflict, Forbidden, NotFound, Stale
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services


async def list_canned(services: Services, caller: Principal, prefix: str, *, limit: int, cursor: str | None) -> Rows:
    """Those of the caller's teams and everybody's whose shortcut begins so. Raises Invalid for a foreign cursor."""
    begins = re.sub(r"([\\%_])", r"\\\1", prefix)
    rows = await services.db.fetch(queries.list_canned, *caller.scope, begins, *read_cursor(cursor, UUID), limit + 1)
    return page(rows, limit, "id")


async def find_canned(db: Any, caller: Principal, reply_id: UUID) -> Row:
    """One of them. Raises NotFound, also for one of another team."""
    row = await db.fetchrow(queries.find_canned, *caller.scope, reply_id)
    if row is None:
        raise NotFound(f"there is no canned reply {reply_id}", reply_id=str(reply_id))
    return row  # type: ignore[no-any-return]


async def make_canned(tx: Transaction, who: Principal, new: NewCanned) -> UUID:
    """A canned reply; its id. Raises Conflict for a taken shortcut, Forbidden for a team that is not the caller's."""
    await may_write(tx, who, new.team_id)
    reply_id = uuid7()
    await _written(tx, new, queries.insert_canned, reply_id)
    await audit.write(tx, who, "canned_reply.created", "canned_reply", reply_id, after=_told(new))
    return reply_id


async def change_canned(
    tx: Transaction, who: Principal, reply_id: UUID, new: NewCanned, *, version: int | None
) -> None:
    """Replace one. Raises NotFound, Stale, Conflict, Forbidden."""
    before = await find_canned(tx.db, who, reply_id)
    for team_id in (before["team_id"], new.team_id):
        await may_write(tx, who, team_id)
    if await _written(tx, new, queries.set_canned, reply_id, version) is None:
        raise Stale("the canned reply has changed since you read it: read it again", version=before["version"])
    was = {"shortcut": before["shortcut"], "title": before["title"], "team_id": str(before["team_id"])}
    await audit.write(tx, who, "canned_reply.changed", "canned_reply", reply_id, before=was, after=_told(new))


async def delete_canned(tx: Transaction, who: Principal, reply_id: UUID) -> None:
    """Raises NotFound, Forbidden."""
    before = await find_canned(tx.db, who, reply_id)
    await may_write(tx, who, before["team_id"])
    await tx.db.execute(queries.delete_canned, reply_id)
    was = {"shortcut": before["shortcut"], "title": before["title"]}
    await audit.write(tx, who, "canned_reply.deleted", "canned_reply", reply_id, before=was)


async def filled(db: Any, caller: Principal, text: str, conversation_id: UUID) -> str:
    """A text for a conversation: {cliente} (first name), {protocolo}, {fila}, {atendente} are filled; what is not known is left
    out with the space before it, so that no customer reads a brace of ours."""
    row = await db.fetchrow(queries.words_of, conversation_id, caller.user_id)
    assert row is not None  # noqa: S101 - the caller sees it
    known = {
        "cliente": (row["customer"] or "").split(" ")[0],
        "protocolo": row["protocol"],
        "fila": row["queue"] or "",
        "atendente": (row["agent"] or "").split(" ")[0],
    }
    return fill(text, known)


def fill(text: str, known: dict[str, str]) -> str:
    """The text with its variables filled; other braces stay."""

    def value(found: re.Match[str]) -> str:
        filled = known[found["name"]]
        return f"{found['space']}{filled}" if filled else ""

    return re.sub(rf"(?P<space> ?)\{{(?P<name>{'|'.join(known)})\}}", value, text)


async def _written(tx: Transaction, new: NewCanned, query: str, reply_id: UUID, *more: Any) -> Any:
    try:
        async with tx.db.transaction():
            return await tx.db.fetchval(query, reply_id, new.shortcut, new.title, new.text, new.team_id, *more)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a canned reply {new.shortcut!r} already", shortcut=new.shortcut) from None


async def may_write(tx: Transaction, who: Principal, team_id: UUID | None) -> None:
    """What a team has is written by who sees the team, what everybody has by who sees all. Raises NotFound, Forbidden."""
    if team_id is not None:
        await find_team(tx.db, who, team_id)
    elif who.teams is not None:
        raise Forbidden("you see your own teams only: what is everybody's is made by who sees all")


def _told(new: NewCanned) -> dict[str, Any]:
    return {"shortcut": new.shortcut, "title": new.title, "team_id": str(new.team_id)}

"""Teams: who belongs to them and which queues they serve; that decides whose conversations a person sees."""

from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth import audit, sessions
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Pool, Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "teams.sql")


async def list_teams(db: Pool, caller: Principal) -> list[Row]:
    """The teams that the caller sees, with `members` (user ids) and `queues` (keys), by name."""
    return await db.fetch(queries.list_teams, caller.scope[0])


async def queues_by_team(db: Pool) -> dict[str, list[str]]:
    """Every team's name with the keys of its queues: for what is rendered from teams, not for a caller."""
    return {row["name"]: row["queues"] for row in await db.fetch(queries.list_teams, None)}


async def find_team(db: Any, caller: Principal, team_id: UUID) -> Row:
    """One of them. Raises NotFound, also for one that the caller does not see."""
    row = await db.fetchrow(queries.find_team, caller.scope[0], team_id)
    if row is None:
        raise NotFound(f"there is no team {team_id}", team_id=str(team_id))
    return row  # type: ignore[no-any-return]


async def create_team(tx: Transaction, who: Principal, name: str) -> UUID:
    """A team without members. Raises Conflict for a taken name."""
    team_id = uuid7()
    try:
        async with tx.db.transaction():
            await tx.db.execute(queries.insert_team, team_id, name)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a team {name!r} already") from None
    await audit.write(tx, who, "team.created", "team", team_id, after={"name": name})
    return team_id


async def rename_team(tx: Transaction, who: Principal, team_id: UUID, name: str) -> None:
    """Raises NotFound, Conflict for a taken name."""
    before = await find_team(tx.db, who, team_id)
    try:
        async with tx.db.transaction():
            await tx.db.execute(queries.rename_team, team_id, name)
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a team {name!r} already") from None
    await audit.write(tx, who, "team.changed", "team", team_id, before={"name": before["name"]}, after={"name": name})


async def delete_team(services: Services, tx: Transaction, who: Principal, team_id: UUID) -> None:
    """Its members belong to it no more. Raises NotFound, Conflict while it serves a queue, which everybody would see then."""
    before = await find_team(tx.db, who, team_id)
    if before["queues"]:
        raise Conflict(f"team {before['name']!r} serves queues: give them to another first", queues=before["queues"])
    await sessions.forget(services, tx, before["members"])
    await tx.db.execute(queries.delete_team, team_id)
    await audit.write(tx, who, "team.deleted", "team", team_id, before={"name": before["name"]})


async def set_member(
    services: Services, tx: Transaction, who: Principal, team_id: UUID, user_id: UUID, *, belongs: bool
) -> None:
    """The user belongs to the team, or does not; he sees its conversations at once, or no more. Raises NotFound."""
    await find_team(tx.db, who, team_id)
    if await tx.db.fetchval(queries.user_exists, user_id) is None:
        raise NotFound(f"there is no user {user_id}", user_id=str(user_id))
    await tx.db.execute(queries.add_member if belongs else queries.remove_member, team_id, user_id)
    action = "team.member_added" if belongs else "team.member_removed"
    await audit.write(tx, who, action, "team", team_id, detail={"user_id": str(user_id)})
    await sessions.forget(services, tx, [user_id])


async def set_queue(tx: Transaction, who: Principal, key: str, team_id: UUID | None) -> None:
    """Which team serves the queue; None: everybody. Raises NotFound."""
    if team_id is not None:
        await find_team(tx.db, who, team_id)
    before = await tx.db.fetchrow(queries.lock_queue, key)
    if before is None:
        raise NotFound(f"there is no queue {key!r}", queue=key)
    if before["team_id"] is not None:
        await find_team(tx.db, who, before["team_id"])
    await tx.db.execute(queries.set_queue, key, team_id)
    await audit.write(
        tx, who, "queue.changed", "queue", key,
        before={"team_id": str(before["team_id"])}, after={"team_id": str(team_id)},
    )  # fmt: skip

"""What an agent can take: capacity, skills, languages; and how he is shown."""

from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat.agents.heartbeat import queries
from hub_api.chat.agents.presence import Presence
from hub_api.errors import Conflict, NotFound, Stale
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services


class NotPresent(Conflict):
    """The caller is nobody who could be online: a key that acts for no user."""

    code = "not_present"


async def list_agents(
    services: Services, caller: Principal, *, presence: Presence | None, limit: int, cursor: str | None
) -> Rows:
    """Who serves customers within the caller's teams, with presence and load. Raises Invalid for a foreign cursor."""
    (last,) = read_cursor(cursor, UUID)
    rows = await services.db.fetch(queries.list_agents, *caller.scope, presence, last, limit + 1)
    return page(rows, limit, "user_id")


async def list_colleagues(services: Services, *, limit: int, cursor: str | None) -> Rows:
    """Who can be named in a note or given a conversation: every active user, by id. Raises Invalid for a foreign cursor."""
    (last,) = read_cursor(cursor, UUID)
    return page(await services.db.fetch(queries.list_colleagues, last, limit + 1), limit, "user_id")


async def find_agent(db: Any, caller: Principal, user_id: UUID) -> Row:
    """One of them. Raises NotFound, also for one of another team."""
    row = await db.fetchrow(queries.find_agent, *caller.scope, user_id)
    if row is None:
        raise NotFound(f"there is no agent {user_id}", user_id=str(user_id))
    return row  # type: ignore[no-any-return]


async def set_profile(
    tx: Transaction, who: Principal, user_id: UUID, profile: dict[str, Any], *, version: int | None
) -> None:
    """Replace capacity, skills and languages; what he has already stays his. Raises NotFound, Stale."""
    await find_agent(tx.db, who, user_id)
    await tx.db.fetchval(queries.make_agent, user_id)
    before = await tx.db.fetchrow(queries.lock_agent, user_id)
    assert before is not None  # noqa: S101 - made or found above
    given = (profile["capacity"], profile["skills"], profile["languages"])
    if await tx.db.fetchrow(queries.set_profile, user_id, *given, version) is None:
        raise Stale("the agent has changed since you read him: read him again", version=before["version"])
    was = {name: before[name] for name in profile}
    await audit.write(tx, who, "agent.changed", "agent", user_id, before=was, after=profile)


def user_of(caller: Principal) -> UUID:
    """The user who is present. Raises NotPresent for a program that acts for nobody."""
    if caller.user_id is None:
        raise NotPresent("a program is not present: use a key that acts for a user")
    return caller.user_id

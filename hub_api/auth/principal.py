"""Who calls: one type for people and programs, however they proved who they are."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from hub_api.auth.permissions import ALL

Kind = Literal["user", "key"]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of a request.

    `id` is the user's or the key's. `teams` are those whose objects the caller sees; None: those of all teams.
    `user_id` is who acts: the user himself, or the one a key acts for (None: a program). `missing_second_factor`: the
    role wants one and the user has none yet, so that all he may do is to set it up.
    """

    kind: Kind
    id: UUID
    name: str
    permissions: frozenset[str]
    teams: frozenset[UUID] | None
    user_id: UUID | None
    session_id: UUID | None = None
    missing_second_factor: bool = False

    def may(self, permission: str) -> bool:
        """Whether the caller has this permission or all of them."""
        return permission in self.permissions or ALL in self.permissions

    @property
    def key_id(self) -> UUID:
        """What tells this caller from others, in scopes of Idempotency-Key."""
        return self.id

    @property
    def scope(self) -> tuple[list[UUID] | None, UUID | None]:
        """The first two arguments of `sees(teams, caller, team, agent)`, the rule of team scope in SQL."""
        return (None if self.teams is None else sorted(self.teams)), self.user_id

    @property
    def actor(self) -> str:
        """How the audit log names the caller."""
        return f"{self.kind}:{self.id}"

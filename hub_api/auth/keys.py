"""API keys: how programs, and the first operator, prove who they are."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub_api.errors import Forbidden, Unauthorized
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

queries = sqlfile.load(__package__)

ALL = "*"


@dataclass(frozen=True)
class Principal:
    """Who calls: a key, its scopes, and the user it acts for (None: a program)."""

    key_id: UUID
    name: str
    scopes: frozenset[str]
    user_id: UUID | None

    def may(self, scope: str) -> bool:
        """Whether the key has this scope or all of them."""
        return scope in self.scopes or ALL in self.scopes


bearer = HTTPBearer(auto_error=False, description="API key, shown once by `hub up` or when it was made")


async def principal(
    services: Annotated[Services, Depends(get_services)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Principal:
    """The caller by its bearer key. Raises Unauthorized when there is none, or it is unknown, revoked or expired."""
    if credentials is None:
        raise Unauthorized("send the API key as `Authorization: Bearer <key>`")
    row = await services.db.fetchrow(queries.find_key, fingerprint(credentials.credentials))
    if row is None:
        raise Unauthorized("this API key is unknown, revoked or expired")
    return Principal(row["id"], row["name"], frozenset(row["scopes"]), row["user_id"])


def require(scope: str) -> Callable[[Principal], Awaitable[Principal]]:
    """FastAPI dependency: the caller, if its key has `scope`. Raises Forbidden naming the scope that is missing."""

    async def check(caller: Annotated[Principal, Depends(principal)]) -> Principal:
        if not caller.may(scope):
            raise Forbidden(f"this API key has no scope {scope!r}", scope=scope)
        return caller

    return check


def fingerprint(key: str) -> bytes:
    """What is stored of a key: SHA-256 is enough, since a key is 256 random bits and not a password."""
    return hashlib.sha256(key.encode()).digest()


async def create_key(
    db: Connection, name: str, scopes: Sequence[str], *, user_id: UUID | None = None, key: str | None = None
) -> str:
    """Make a key and return it, the only time it can be seen. A given `key` that exists already is left as it is."""
    plain = key or f"hub_{secrets.token_urlsafe(32)}"
    await db.execute(queries.insert_key, uuid7(), name, fingerprint(plain), list(scopes), user_id)
    return plain

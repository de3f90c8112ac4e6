"""What the hub signs for Superset: who makes this request, what he may do and whose rows he sees.

A JSON Web Token (RFC 7519, HS256) with the secret that both have (HUB_SUPERSET_SECRET). It goes with each request and lives
a minute, so it says what holds now: Superset keeps no session that could outlive the hub's. Unlike a bare header, nobody
else on the machine can write one.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import jwt
from pydantic import SecretStr

from hub_api.auth.permissions import PERMISSIONS
from hub_api.auth.principal import Principal

HEADER = "X-Hub-Assertion"
AUDIENCE, GUEST_AUDIENCE = "superset", "superset:guest"
LIFE_S = 60


def statement(caller: Principal, email: str, queues: Sequence[str] | None) -> dict[str, Any]:
    """The claims of a caller; `queues` are those whose rows he sees, None: every row."""
    return {
        "sub": str(caller.id),
        "sid": session_of(caller),
        "name": caller.name,
        "email": email,
        "permissions": sorted(one for one in PERMISSIONS if caller.may(one)),
        "all_rows": queues is None,
        "queues": list(queues or ()),
    }


def session_of(caller: Principal) -> str:
    """What a guest token is tied to: the session, or the key, by which the caller came."""
    return str(caller.session_id or caller.id)


def sign(secret: SecretStr, claims: Mapping[str, Any], *, audience: str = AUDIENCE, life_s: int = LIFE_S) -> str:
    """The signed token of these claims, from now on for `life_s` seconds."""
    now = int(time.time())
    return jwt.encode({**claims, "aud": audience, "iat": now, "exp": now + life_s}, secret.get_secret_value(), "HS256")

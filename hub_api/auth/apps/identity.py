"""Who uses an app, told to it by headers that nobody else can set.

`X-Hub-User` (e-mail address), `X-Hub-User-Id`, `X-Hub-Name` (percent-encoded UTF-8) and `X-Hub-Role`. An app that signs
people in by such a header (Superset's AUTH_REMOTE_USER, JupyterHub's header authenticators) must be reached by nobody but
the hub; where that cannot be had, the app is a client of the hub's OpenID Connect provider instead.
"""

from urllib.parse import quote

from hub_api.auth.principal import Principal
from hub_api.auth.users import queries
from hub_api.platform.pgtypes import Pool

# What some proxy tells some app about who is there; from a client it is a lie. WSGI reads X_Hub_User as X-Hub-User.
_TOLD = (
    "x-hub-", "remote-", "x-remote-", "x-forwarded-", "x-auth-request-", "x-authenticated-", "x-webauth-",
    "x-real-ip", "x-client-ip", "x-script-name", "x-original-", "x-rewrite-",
)  # fmt: skip


def is_claim(name: str) -> bool:
    """Whether a client's header says who he is or where from, which the hub alone tells an app."""
    return name.lower().replace("_", "-").startswith(_TOLD)


async def headers_of(db: Pool, caller: Principal) -> dict[str, str]:
    """The headers of this caller. A program is named by its key, and has no address and no role."""
    if caller.kind == "key":
        return {"X-Hub-User": caller.actor, "X-Hub-User-Id": str(caller.id), "X-Hub-Name": quote(caller.name)}
    row = await db.fetchrow(queries.find_told, caller.id)
    told = {"X-Hub-User-Id": str(caller.id), "X-Hub-Name": quote(caller.name)}
    return told if row is None else {**told, "X-Hub-User": row["email"], "X-Hub-Role": row["role"]}

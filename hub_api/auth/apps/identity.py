"""Who uses an app, told to it by headers that nobody else can set.

`X-Hub-User` (e-mail address), `X-Hub-User-Id`, `X-Hub-Name` (percent-encoded UTF-8) and `X-Hub-Role`. An app that signs
people in by such a header (JupyterHub's header authenticators) must be reached by nobody but the hub; where that cannot be
had, the app is a client of the hub's OpenID Connect provider instead, or knows the hub's signature: Superset gets
`X-Hub-Assertion` (assertion.py) beside them.
"""

from urllib.parse import quote

from hub_api.auth.apps.assertion import HEADER, sign, statement
from hub_api.auth.apps.listed import SUPERSET, Listed
from hub_api.auth.principal import Principal
from hub_api.auth.users import queries
from hub_api.platform.services import Services

# What some proxy tells some app about who is there; from a client it is a lie. WSGI reads X_Hub_User as X-Hub-User.
_TOLD = (
    "x-hub-", "remote-", "x-remote-", "x-forwarded-", "x-auth-request-", "x-authenticated-", "x-webauth-",
    "x-real-ip", "x-client-ip", "x-script-name", "x-original-", "x-rewrite-",
)  # fmt: skip


def is_claim(name: str) -> bool:
    """Whether a client's header says who he is or where from, which the hub alone tells an app."""
    return name.lower().replace("_", "-").startswith(_TOLD)


async def headers_of(services: Services, caller: Principal, app: Listed) -> dict[str, str]:
    """The headers of this caller. A program is named by its key, and has no address and no role."""
    told = {"X-Hub-User-Id": str(caller.id), "X-Hub-Name": quote(caller.name)}
    person = None if caller.kind == "key" else await services.db.fetchrow(queries.find_told, caller.id)
    if caller.kind == "key":
        told["X-Hub-User"] = caller.actor
    elif person is not None:
        told |= {"X-Hub-User": person["email"], "X-Hub-Role": person["role"]}
    if app.name == SUPERSET and services.settings.superset_secret is not None:
        queues = None if caller.teams is None else await services.db.fetchval(queries.queues_seen, *caller.scope)
        email = f"{caller.id}@program.invalid" if person is None else person["email"]
        told[HEADER] = sign(services.settings.superset_secret, statement(caller, email, queues))
    return told

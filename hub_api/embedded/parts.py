"""The parts of the embedded stack in the order of their start: which program, which probe, after whom."""

import sys
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from urllib.parse import urlsplit

from hub_api.embedded import probes
from hub_api.embedded.dagster_home import prepare_dagster
from hub_api.embedded.engines import engine_parts
from hub_api.embedded.home import Home, State
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.superset import PARTS as SUPERSET
from hub_api.embedded.superset import superset_parts
from hub_api.embedded.supervisor import Part
from hub_api.embedded.values import DAGSTER_PATH, DAGSTER_SCHEMA, URLS, Values, hub_command, part_environment, program
from hub_api.errors import Invalid
from hub_api.platform.prefix import public_path

API_PROCESSES = 2
WORKERS = ("worker-1", "worker-2")
GROUPS = {
    "worker": WORKERS,
    "dagster": ("dagster-code", "dagster-upgrade", "dagster-daemon", "dagster-web", "checker", "models"),
    "superset": SUPERSET,
    "console": ("api",),
}


def make_parts(
    home: Home, values: Values, state: State, *, definitions: str, scene: Collection[str] = ()
) -> list[Part]:
    """Every part that this home runs: those with an outside URL are left out, and the simulator unless `state.demo`.

    `definitions` is Dagster's code location; `scene` the arguments of `hub simulate demo`, which is then a part too.
    """
    env = part_environment(home, values, state.id)
    parts = [*engine_parts(home, values, state, env)]
    parts.append(Part("migrate", lambda: hub_command("migrate"), None, tuple(part.name for part in parts), env))
    if state.demo and "simulator" not in values.outside:
        parts.append(simulator_part(values, env))
    parts += [*role_parts(values, env), *dagster_parts(home, values, state, env, definitions)]
    parts += superset_parts(home, values, env)
    if scene:
        after = tuple(part.name for part in parts if part.name not in ("dagster-web", *SUPERSET))
        command = hub_command("simulate", "demo", *scene)
        # It builds tables in Dagster's home, which is there without Dagster's own parts too.
        prepare = partial(
            prepare_dagster, home.path / "dagster", values.port("dagster-code"), values.env["HUB_DATABASE_URL"]
        )
        parts.append(
            Part("demo", lambda: command, probes.connected(database_port(values)), after, env, prepare=prepare)
        )
    return [replace(part, cwd=part.cwd or home.path, env={**part.env, "HUB_PART": part.name}) for part in parts]


def simulator_part(values: Values, env: dict[str, str]) -> Part:
    """The simulated Meta Cloud API with its customers."""
    port = values.port("simulator")
    url = f"http://{LOOPBACK}:{port}"
    smtp = str(values.port("mail"))
    command = hub_command("simulate", "meta", "--host", LOOPBACK, "--port", str(port), "--smtp-port", smtp)
    return Part("simulator", lambda: command, probes.http(f"{url}/_sim/health"), env=env, port=port, url=url)


def role_parts(values: Values, env: dict[str, str]) -> list[Part]:
    """The hub's own processes. Workers listen nowhere: they are ready when they are connected to what they read."""
    port = values.port("api")
    url = f"http://{LOOPBACK}:{port}"
    serve = hub_command("api", "--host", LOOPBACK, "--port", str(port), "--workers", str(API_PROCESSES))
    after, at_work = ("migrate",), probes.connected(database_port(values))
    ticking = probes.connected(port_of(values.env["HUB_REDIS_URL"], 6379))
    return [
        Part("api", lambda: serve, probes.http(f"{url}/ready"), after, env, port=port, url=f"{url}/docs", grace_s=30.0),
        # Longer than a job may run, so that the job in hand is finished.
        *(Part(name, lambda: hub_command("worker"), at_work, after, env, grace_s=75.0) for name in WORKERS),
        Part("scheduler", lambda: hub_command("scheduler"), ticking, after, env),
        Part("relay", lambda: hub_command("relay"), at_work, after, env),
    ]


def dagster_parts(home: Home, values: Values, state: State, env: dict[str, str], definitions: str) -> list[Part]:
    """Dagster's code server, daemon and web server: processes of their own, so that no run and no page loads the code."""
    folder = home.path / "dagster"
    code, web = values.port("dagster-code"), values.port("dagster-web")
    path = public_path(values.env["HUB_PUBLIC_URL"]) + DAGSTER_PATH
    url, workspace = f"http://{LOOPBACK}:{web}{path}", str(folder / "workspace.yaml")
    grpc = [
        program("dagster"), "api", "grpc", "-m", definitions, "-h", LOOPBACK, "-p", str(code),
        "--use-python-environment-entry-point", "--log-level", "warning", "--log-format", "json",
    ]  # fmt: skip
    daemon = [program("dagster-daemon"), "run", "-w", workspace, "--log-level", "warning", "--log-format", "json"]
    serve = [
        program("dagster-webserver"), "-w", workspace, "-h", LOOPBACK, "-p", str(web), "--path-prefix", path,
        "--dagster-log-level", "warning", "--log-format", "json",
    ]  # fmt: skip
    prepare = partial(prepare_dagster, folder, code, values.env["HUB_DATABASE_URL"])
    beat, page = probes.heartbeat(values.env["HUB_DATABASE_URL"], DAGSTER_SCHEMA), probes.http(f"{url}/server_info")
    first = () if "postgres" in values.outside else ("postgres",)
    slow = partial(Part, env=env, start_timeout_s=300.0, grace_s=30.0)
    # It loads code and touches no table, so it may start beside the migration.
    parts = [slow("dagster-code", lambda: grpc, probes.grpc(code), first, port=code, prepare=prepare)]
    after: tuple[str, ...] = ("migrate", "dagster-code")
    if state.versions.get("dagster", version("dagster")) != version("dagster"):
        upgrade = [program("dagster"), "instance", "migrate"]
        parts.append(slow("dagster-upgrade", lambda: upgrade, None, after))
        after = (*after, "dagster-upgrade")
    parts.append(slow("dagster-daemon", lambda: daemon, beat, after))
    parts.append(slow("dagster-web", lambda: serve, page, after, port=web, url=url))
    # The models of messages, before the first run needs them: a glance when they are there, else half a minute of a core.
    train = [sys.executable, "-m", "models_ml.train"]
    parts.append(slow("models", lambda: train, None, ("dagster-code",)))
    if "checker" not in values.outside:
        # Great Expectations, warm, beside the runs: importing it would cost each of them seconds and 290 MB.
        port = values.port("checker")
        check = [sys.executable, "-m", "assets.checker"]
        parts.append(Part("checker", lambda: check, probes.http(f"http://{LOOPBACK}:{port}"), env=env, port=port))
    return parts


def database_port(values: Values) -> int:
    """The port of PostgreSQL, ours or an outside one."""
    return port_of(values.env["HUB_DATABASE_URL"], 5432)


def port_of(url: str, default: int) -> int:
    """The port in a URL; `default` when it names none (or several, as a sentinel URL does)."""
    try:
        return urlsplit(url).port or default
    except ValueError:
        return default


def select_parts(parts: list[Part], only: Collection[str], without: Collection[str]) -> list[Part]:
    """Keep `only` (with what they need) or all, less `without`; group names stand for their parts. Raises Invalid."""
    by_name = {part.name: part for part in parts}
    known = {*by_name, *URLS, *SUPERSET, "demo", "dagster-upgrade"}  # an engine is absent when an outside URL is set

    def expand(wanted: Collection[str]) -> set[str]:
        names = {name for entry in wanted for name in GROUPS.get(entry, (entry,))}
        if unknown := names - known:
            raise Invalid(f"no part is called {', '.join(sorted(unknown))}; parts are {', '.join([*by_name, *GROUPS])}")
        return names & set(by_name)

    kept = set(by_name)
    if only:
        kept, open_ = set(), list(expand(only))
        while open_:
            name = open_.pop()
            if name not in kept:
                kept.add(name)
                open_ += [needed for needed in by_name[name].after if needed in by_name]
    kept -= expand(set(without) - {"console"})  # the API goes on without it
    if "dagster-code" not in kept:
        kept -= {"dagster-upgrade", "dagster-daemon", "dagster-web"}  # they have no code to run, and no home without it
    chosen = [part for part in parts if part.name in kept]
    if "checker" in by_name and "checker" not in kept:  # runs start one of their own then
        # Only where it is: engines have none of our variables, since an environment is its account's to read.
        chosen = [
            replace(part, env={**part.env, "HUB_CHECKER_URL": ""}) if "HUB_CHECKER_URL" in part.env else part
            for part in chosen
        ]
    return [replace(part, after=tuple(name for name in part.after if name in kept)) for part in chosen]

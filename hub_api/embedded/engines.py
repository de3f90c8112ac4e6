"""The three engines as parts: PostgreSQL, Valkey, and the warehouse."""

import os
import signal
from pathlib import Path

from hub_api.embedded import postgres, probes
from hub_api.embedded.account import unprivileged_account
from hub_api.embedded.home import Home, State
from hub_api.embedded.ports import LOOPBACK
from hub_api.embedded.postgres import Cluster
from hub_api.embedded.supervisor import Part
from hub_api.embedded.valkey import Valkey
from hub_api.embedded.values import Values, bare_environment, hub_command
from hub_api.errors import Invalid

DATABASE = "hub"
ROOT_PLACES = (Path("/var/lib/telecom-hub"), Path("/var/tmp/telecom-hub"))  # noqa: S108 - survives a reboot, unlike /tmp


def engine_parts(home: Home, values: Values, state: State, env: dict[str, str]) -> list[Part]:
    """The engines that no outside URL replaces."""
    parts: list[Part] = []
    if "postgres" not in values.outside:
        parts.append(postgres_part(home, values, state))
    if "valkey" not in values.outside:
        parts.append(valkey_part(home, values, state))
    if "warehouse" not in values.outside:
        parts.append(warehouse_part(home, values, env))
    return parts


def postgres_part(home: Home, values: Values, state: State) -> Part:
    """PostgreSQL; its place is chosen once and remembered, because root's home is closed to its account."""
    account = unprivileged_account()
    if state.postgres_place is None:
        home.save_state(state)  # its id names the folder: fixed before that is made, known after
        state.postgres_place = str(postgres_place(home, state))
        home.save_state(state)
    cluster = Cluster(Path(state.postgres_place), values.port("postgres"), values.env["HUB_POSTGRES_PASSWORD"], account)

    async def ready(pid: int) -> None:
        # initdb makes no database of ours; after a crash between the two the next probe makes it.
        await postgres.ensure_database(cluster.url(), DATABASE)
        await postgres.answers(cluster.url(DATABASE))

    return Part(
        "postgres", cluster.command, ready, env=bare_environment(state.id), prepare=cluster.prepare, account=account, cwd=Path("/"),
        port=cluster.port, url=f"postgresql://{LOOPBACK}:{cluster.port}/{DATABASE}",
        stop_signal=signal.SIGINT,  # fast shutdown: SIGTERM would wait for every client to leave
        start_timeout_s=300.0, grace_s=60.0,  # recovery after a crash, the checkpoint of a stop
    )  # fmt: skip


def postgres_place(home: Home, state: State) -> Path:
    """Where the data goes: in the home; as root, whose home is closed to the engine's account, under /var/lib."""
    if os.geteuid() != 0:
        return home.path / "postgres"
    for base in ROOT_PLACES:
        try:
            if not base.exists():
                base.mkdir(parents=True)
                base.chmod(0o755)  # ours, and the engine's account must pass it whatever our umask is
            place = base / state.id
            place.mkdir(mode=0o700, exist_ok=True)
            place.with_suffix(".home").write_text(f"{home.path}\n")
        except OSError:
            continue
        return place
    raise Invalid("as root PostgreSQL's data goes under /var/lib or /var/tmp and neither can be written; run as a user")


def valkey_part(home: Home, values: Values, state: State) -> Part:
    """Valkey with its append-only file in the home."""
    server = Valkey(home.path / "valkey", values.port("valkey"), values.env["HUB_VALKEY_PASSWORD"])
    return Part(
        "valkey", server.command, probes.ping(server.port, server.password), env=bare_environment(state.id), prepare=server.prepare, cwd=home.path,
        port=server.port, url=f"redis://{LOOPBACK}:{server.port}/0",
    )  # fmt: skip


def warehouse_part(home: Home, values: Values, env: dict[str, str]) -> Part:
    """The ClickHouse engine behind HTTP; its place is in HUB_WAREHOUSE_PATH."""
    port = values.port("warehouse")
    url = f"http://{LOOPBACK}:{port}"
    return Part(
        "warehouse", lambda: hub_command("warehouse"), probes.http(f"{url}/ping"), env=env, cwd=home.path, port=port, url=url,
        start_timeout_s=300.0, grace_s=45.0,
    )  # fmt: skip

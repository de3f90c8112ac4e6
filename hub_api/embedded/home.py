"""HUB_HOME: the folder of one embedded stack, its `hub.env` (mode 600), `state.json`, logs and lock."""

import fcntl
import json
import os
import pwd
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
from dotenv import dotenv_values

from hub_api.embedded.files import write_private
from hub_api.errors import Conflict, Invalid

ENV_HEADER = "# Written by `hub up`; passwords of this stack. Variables of the environment win over this file.\n"


@dataclass
class PartState:
    """What is known of one part. `state`: waiting, starting, ready, done, restarting, failed, stopping or stopped."""

    name: str
    state: str = "waiting"
    pid: int | None = None
    created: float | None = None
    started_at: float | None = None
    ready_s: float | None = None
    restarts: int = 0
    port: int | None = None
    url: str | None = None
    message: str = ""


@dataclass
class State:
    """`state.json`: what lasts (id, versions, where PostgreSQL's data is) and what runs now."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    versions: dict[str, str] = field(default_factory=dict)
    postgres_place: str | None = None
    demo: bool = False
    phase: str = "stopped"
    supervisor_pid: int | None = None
    supervisor_created: float | None = None
    started_at: float | None = None
    parts: list[PartState] = field(default_factory=list)

    def supervisor(self) -> psutil.Process | None:
        """The running supervisor, or None; a process that only inherited the number does not count."""
        return same_process(self.supervisor_pid, self.supervisor_created)


@dataclass(frozen=True)
class Home:
    """One HUB_HOME."""

    path: Path

    @property
    def env_file(self) -> Path:
        """Variables of the stack; `hub_api.settings` reads it."""
        return self.path / "hub.env"

    def log(self, part: str) -> Path:
        """Where a part's output goes."""
        return self.path / "logs" / f"{part}.log"

    def create(self) -> None:
        """Make the folder at mode 700. Raises Invalid when it is another user's or cannot be written."""
        try:
            if not self.path.exists():
                self.path.mkdir(mode=0o700, parents=True)
            for name in ("logs", "run"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Invalid(
                f"HUB_HOME {self.path} cannot be written ({error.strerror}); "
                "choose another with HUB_HOME=/path, or correct its owner and mode"
            ) from error
        owner = self.path.stat().st_uid
        if owner != os.geteuid():
            raise Invalid(
                f"HUB_HOME {self.path} belongs to {user_name(owner)} and you are {user_name(os.geteuid())}; "
                f"run hub as {user_name(owner)}, or choose another folder with HUB_HOME=/path"
            )
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise Invalid(f"HUB_HOME {self.path} is not writable; chmod u+rwx {self.path}, or set HUB_HOME=/path")

    def environment(self) -> dict[str, str]:
        """The variables of `hub.env`; empty before the first start."""
        return {name: value for name, value in dotenv_values(self.env_file, interpolate=False).items() if value}

    def save_environment(self, values: Mapping[str, str]) -> None:
        """Set variables in `hub.env`; other lines and comments stay as they are."""
        lines = self.env_file.read_text().splitlines() if self.env_file.exists() else [ENV_HEADER.rstrip()]
        kept = [line for line in lines if line.split("=", 1)[0].strip() not in values]
        write_private(self.env_file, "\n".join([*kept, *(f"{name}={value}" for name, value in values.items())]) + "\n")

    def state(self) -> State:
        """What `state.json` says; a fresh state when there is none. Raises Invalid when it cannot be read."""
        file = self.path / "state.json"
        try:
            data: dict[str, Any] = json.loads(file.read_text())
            return replace(State(**data), parts=[PartState(**part) for part in data["parts"]])
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Invalid(
                f"{file} cannot be read ({error}); restore it, or remove it after moving {self.path}"
            ) from error

    def save_state(self, state: State) -> None:
        """Replace `state.json`."""
        write_private(self.path / "state.json", json.dumps(asdict(state), indent=1) + "\n", durable=False)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the one supervisor of this home. Raises Conflict naming the one that runs."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(
                    f"a stack already runs on {self.path} (supervisor pid {self.state().supervisor_pid}); see `hub status`, "
                    "stop it with `hub down`, or start a second one with HUB_HOME=/another/folder"
                ) from None
            yield
        finally:
            os.close(descriptor)


def default_home() -> Home:
    """The home of this command: HUB_HOME, else `.hub` in the working folder."""
    return Home(Path(os.environ.get("HUB_HOME", ".hub")).expanduser().absolute())


def load_home_environment() -> None:
    """Put the variables of `hub.env` into our environment where it has none: for parts that read it directly."""
    for name, value in default_home().environment().items():
        os.environ.setdefault(name, value)


def same_process(pid: int | None, created: float | None) -> psutil.Process | None:
    """The process `pid` if it is alive and was started at `created`: numbers are used again."""
    if pid is None or created is None:
        return None
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    except psutil.NoSuchProcess:  # or ZombieProcess, which is one
        pass
    return None


def user_name(uid: int) -> str:
    """Name of a user for messages."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"

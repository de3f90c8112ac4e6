"""Which account runs PostgreSQL, which refuses to run as root.

As an ordinary user the engine runs as that user. As root it runs under an existing unprivileged account: no account is
made and /etc/passwd stays as it is.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hub_api.errors import Invalid

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of the system: its name and numeric ids."""

    name: str
    uid: int
    gid: int

    def owns(self, path: Path) -> None:
        """Give `path`, which must be ours, to this account; nothing when we are not root."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)

    def can_run(self, program: Path) -> bool:
        """Whether this account reaches and runs `program` (it is asked for its version)."""
        try:
            done = self.run([str(program), "--version"], timeout=20)
        except OSError:
            return False
        return done.returncode == 0

    def run(self, command: list[str], *, timeout: float, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run `command` as this account and return its output; raises OSError when it cannot be executed."""
        user, group = (self.uid, self.gid) if os.geteuid() == 0 else (None, None)
        groups: list[int] | None = [] if os.geteuid() == 0 else None
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            cwd=cwd or "/",
            env={"PATH": os.defpath},  # our variables hold secrets, and a process' environment is its account's to read
            user=user,
            group=group,
            extra_groups=groups,
        )


def unprivileged_account() -> Account:
    """The current account, or as root `HUB_POSTGRES_USER` or the first of `CANDIDATES` that exists.

    Raises Invalid when none exists (initdb looks its user up, so a bare number will not do).
    """
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    wanted = os.environ.get("HUB_POSTGRES_USER")
    for name in (wanted,) if wanted else CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Invalid(
        f"PostgreSQL does not run as root and no unprivileged account was found "
        f"(looked for {wanted or ', '.join(CANDIDATES)}); "
        "create one and name it in HUB_POSTGRES_USER, or run hub as an ordinary user"
    )

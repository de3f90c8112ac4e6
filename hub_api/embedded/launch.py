"""Start one part's process: a session of its own, its output in its log, and a signal when we die."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from hub_api.embedded.account import Account

CHILD = Path(__file__).with_name("child.py")


def launch(
    command: list[str],
    *,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    death_signal: int = signal.SIGTERM,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` and return at once.

    `account` is used only by root. With a `death_signal` the part gets it when the calling *thread* ends (that is how
    the kernel defines it), so start parts from the main thread, or pass 0.
    """
    uid, gid = (account.uid, account.gid) if account is not None and os.geteuid() == 0 else (-1, -1)
    prefix = [sys.executable, "-I", "-S", str(CHILD), str(int(death_signal)), str(os.getpid()), str(uid), str(gid)]
    return subprocess.Popen(
        [*prefix, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd or "/",
        start_new_session=True,
    )

"""Started in front of every part: `python -I -S child.py SIGNAL PARENT_PID UID GID program argument...`.

Asks the kernel to signal this process when its supervisor dies (Linux), drops root where told, and becomes the program.
It is a program of its own, not a `preexec_fn`, because code between fork and exec may deadlock in a threaded parent.
Standard library only and no import of the hub: it must start in milliseconds.
"""

import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Arrange the death signal, drop privileges and exec; exits 1 when the parent is already gone."""
    death_signal, parent, uid, gid = (int(value) for value in sys.argv[1:5])
    command = sys.argv[5:]
    libc = None
    if death_signal and sys.platform == "linux":
        import ctypes  # before setuid: the account may not reach our standard library

        libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After setuid: a change of credentials clears the death signal.
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()

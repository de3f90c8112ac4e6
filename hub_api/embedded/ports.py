"""Ports on loopback: is one free, and one for ourselves alone, also before anything listens on it.

Between choosing a port and listening on it lie seconds, in which another stack or a test would choose the same. So whoever
chooses one holds the UDP port of the same number until it ends: nobody else can bind that, the kernel gives it back
whatever happens to the holder, and it counts where the port itself counts (one machine or container, every account).
"""

import random
import socket
from collections.abc import Collection
from pathlib import Path

import psutil

from hub_api.errors import Conflict

LOOPBACK = "127.0.0.1"
# Below what kernels take for outgoing connections (Linux from 32768, macOS and BSD from 49152), unless set otherwise.
LOWEST, HIGHEST = 12_000, 32_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_held: dict[int, socket.socket] = {}


def is_free(port: int) -> bool:
    """Whether nothing listens on `port` of loopback now."""
    with socket.socket() as probe:
        # Without it a port in TIME_WAIT after our own restart would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def reserve(port: int) -> bool:
    """Take `port` for this process until it ends or releases it; False when somebody listens there or has taken it."""
    if port in _held:
        return is_free(port)
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((LOOPBACK, port))
    except OSError:
        mark.close()
        return False
    if not is_free(port):  # asked with the mark in hand: who listens there needs none
        mark.close()
        return False
    _held[port] = mark
    return True


def release(port: int) -> None:
    """Give a port back; nothing when it is not ours."""
    if mark := _held.pop(port, None):
        mark.close()


def free_port(preferred: int = 0, taken: Collection[int] = ()) -> int:
    """`preferred` or one of the ten above it when free and not in `taken`, else any free one; it is reserved.

    Raises Conflict when there is none.
    """
    wanted = list(range(preferred, min(preferred + 11, 65_536))) if preferred else []
    for port in wanted + _any_order():
        if port not in taken and port not in _held and reserve(port):
            return port
    raise Conflict(f"no port between {LOWEST} and {HIGHEST} is free")


def _any_order() -> list[int]:
    """Ports that the kernel does not give to outgoing connections, from anywhere on: few then try the same one first."""
    try:
        first, last = (int(part) for part in _EPHEMERAL.read_text().split())
    except (OSError, ValueError):  # not Linux
        first, last = HIGHEST + 1, HIGHEST + 1
    apart = [port for port in range(LOWEST, HIGHEST + 1) if not first <= port <= last]
    ports = apart or list(range(LOWEST, HIGHEST + 1))  # a kernel that takes all of them: those that are free now
    start = random.randrange(len(ports))
    return ports[start:] + ports[:start]


def owner_of(port: int) -> str:
    """Who listens on `port` or has reserved it, for a message: `pid 123 (nginx)` or, when we may not look, `another program`."""
    try:
        for kind, status in (("tcp", psutil.CONN_LISTEN), ("udp", psutil.CONN_NONE)):
            for connection in psutil.net_connections(kind):
                if (
                    connection.status == status
                    and connection.pid
                    and connection.laddr
                    and connection.laddr.port == port
                ):
                    return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"

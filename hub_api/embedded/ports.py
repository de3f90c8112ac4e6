"""Ports on loopback: is one free, and which one to take."""

import socket
from collections.abc import Collection

import psutil

LOOPBACK = "127.0.0.1"


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


def free_port(preferred: int = 0, taken: Collection[int] = ()) -> int:
    """`preferred` or one of the ten above it when free and not in `taken`, else any free port."""
    for port in range(preferred, preferred + 11) if preferred else ():
        if port not in taken and is_free(port):
            return port
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def owner_of(port: int) -> str:
    """Who listens on `port`, for a message: `pid 123 (nginx)` or, when we may not look, `another program`."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"pid {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"

"""How we serve HTTP: uvicorn's options, and its protocol with a bound on a request's head, which it has none of (a body
is the application's to bound)."""

import asyncio
import resource
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

log = structlog.get_logger(__name__)

HEAD_TIMEOUT_S = 10.0
HEAD_BYTES = 64 * 1024
MOST_FILES = 65_536  # where the machine sets no limit of its own

# For `uvicorn.run(app, **SERVING)`.
SERVING: dict[str, Any] = {
    "loop": "uvloop",
    "http": "hub_api.platform.http_server:GuardedHttp",
    "ws": "websockets-sansio",
    "ws_per_message_deflate": False,
    "ws_max_size": 64 * 1024,
    "backlog": 4096,
    "timeout_keep_alive": 65,  # longer than the idle time of usual load balancers, which then close first
    "timeout_graceful_shutdown": 20,
    "access_log": False,
    "proxy_headers": False,  # HUB_TRUSTED_PROXIES decides; uvicorn would believe everything from loopback
    "server_header": False,
    "log_config": None,  # each process sets up ours: a traceback of uvicorn's own would quote rows
    "log_level": "warning",
}


def raise_file_limit() -> int:
    """Let this process open as many files as it may: each socket is one, and the usual soft limit of 1,024 is none for a
    server (systemd sets it for programs that use select). Returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else hard
    if soft != wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class GuardedHttp(HttpToolsProtocol):
    """Hangs up on a connection that does not bring a request's head in time (slow loris) or brings no end of it."""

    _head_open = False
    _head_bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A new connection owes its first head."""
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._hang_up, "no_request")

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head that this data leaves unfinished is timed and measured."""
        super().data_received(data)
        if self._head_open:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._hang_up("head_too_large")
            elif self._timer is None:
                self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._hang_up, "head_too_slow")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._head_open, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete: from here on the application sets the limits."""
        self._head_open = False
        self._stop_timer()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self, reason: str) -> None:
        if not self.transport.is_closing():
            log.warning("connection_cut", reason=reason)
            self.transport.abort()

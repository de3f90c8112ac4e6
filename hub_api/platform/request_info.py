"""From where the request in hand comes: the trusted address and the request's id, for limits, audit and logs.

`X-Forwarded-For` is a list that anybody may begin; only the entries added by our own proxies are true. So it is read from
the right, and only as long as the one who speaks is a trusted proxy: the first address that is none is the client.
"""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import ASGIApp, Receive, Scope, Send

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """`address` is None outside a request; `user_agent` is cut to what a list of sessions shows."""

    address: str | None = None
    user_agent: str | None = None


NOWHERE = RequestInfo()
current: ContextVar[RequestInfo] = ContextVar("request_info", default=NOWHERE)


def limit_key(address: str | None) -> str:
    """Whom a limit counts: an IPv4 address, or the /64 that one IPv6 customer has to himself."""
    if address is None:
        return "-"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "-"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return str(parsed)


class ClientAddress:
    """ASGI middleware: client and scheme as trusted proxies tell them, as nobody else can."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str] = ()) -> None:
        self.app = app
        self.trusted: list[Network] = [ip_network(one, strict=False) for one in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        client = scope.get("client")
        peer = client[0] if client else None
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:  # a header sent twice is one list (RFC 9110 §5.3)
            headers[name] = headers[name] + b"," + value if name in headers else value
        address = peer
        if peer is not None and self._trusts(peer):
            address = self._client(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1"))
            scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                websocket = scope["type"] == "websocket"
                scope["scheme"] = {"http": "ws", "https": "wss"}[scheme] if websocket else scheme
            scope["client"] = (address, 0)
        agent = headers.get(b"user-agent", b"").decode("latin-1")[:200] or None
        token = current.set(RequestInfo(address, agent))
        try:
            await self.app(scope, receive, send)
        finally:
            current.reset(token)

    def _client(self, peer: str, forwarded: str) -> str:
        """The right-most hop that no trusted proxy is; the left-most when all are; `peer` when the list is no list."""
        address = peer
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            try:
                address = str(ip_address(hop))
            except ValueError:
                return address
            if not self._trusts(address):
                return address
        return address

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self.trusted)

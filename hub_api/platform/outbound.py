"""Calls to addresses that somebody gave us: none of them reaches our own network (SSRF, OWASP A10:2021).

A name is resolved once, by the connection itself, and every address it stands for is judged; the connection then goes to
what was judged. So there is no second look-up that could answer otherwise (DNS rebinding), and whatever way an address is
written (decimal, octal, short, IPv4 within IPv6), it is judged as what the system makes of it.
"""

import re
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import AddressFamily
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from hub_api.errors import Invalid, Unavailable

PORTS = frozenset((443,))
REDIRECTS = 3
MAX_BYTES = 1024 * 1024
_REDIRECTING = frozenset((301, 302, 303, 307, 308))
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)$")
_NAT64 = ip_network("64:ff9b::/96")
_V4_COMPATIBLE = ip_network("::/96")


class AddressRefused(Invalid):
    """The address leads, or may lead, where no call of ours goes."""

    code = "address_refused"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, and no IPv4 address in disguise that is none. Zones are cut."""
    parsed = ip_address(address.partition("%")[0])
    inner = _embedded(parsed) if isinstance(parsed, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved or parsed.is_unspecified)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which a gateway or the kernel would take this one: mapped, 6to4, Teredo, NAT64, compatible."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64 or address in _V4_COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class GuardedResolver(AbstractResolver):
    """For aiohttp's connector, which connects to what this answers and to nothing else. `own` are hosts of the operator's."""

    def __init__(self, own: Collection[str] = (), inner: AbstractResolver | None = None) -> None:
        self._own, self._inner = frozenset(own), inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host. Raises AddressRefused if one of them is not public: half an answer is a trick too."""
        found = await self._inner.resolve(host, port, family)
        if host.rstrip(".").lower() not in self._own and (bad := [a for a in found if not is_public(a["host"])]):
            raise AddressRefused(f"{host} leads into a network of our own ({len(bad)} of {len(found)} addresses)")
        return found

    async def close(self) -> None:
        """Close the resolver behind."""
        await self._inner.close()


class Outbound:
    """A client for addresses given by others. Make it with `open_outbound`."""

    def __init__(self, session: aiohttp.ClientSession, own: Collection[str]) -> None:
        self._session, self._own = session, frozenset(own)

    def check(self, url: str) -> URL:
        """The address if its form is allowed: https, port 443, no password in it, no private literal. Raises AddressRefused.

        Hosts of the operator's own (`host` or `host:port`) may be anything. A name is judged when it is called.
        """
        try:
            parsed = URL(url)
            host, port = (parsed.host or "").rstrip(".").lower(), parsed.port
        except ValueError:
            raise AddressRefused("this is no address") from None
        if parsed.scheme not in ("http", "https") or not host:
            raise AddressRefused("an address begins with https:// and a host")
        if self._trusts(host, port):
            return parsed
        if parsed.scheme != "https" or port not in PORTS or parsed.user is not None or parsed.password is not None:
            raise AddressRefused("an address must be https, on port 443, without a user in it")
        last = host.rpartition(".")[2]
        try:
            public = is_public(host)
        except (
            ValueError
        ):  # a name, judged by what it resolves to; none ends in a number, and localhost needs no look-up
            public = last != "localhost" and not _NUMBER.match(last)
        if not public:
            raise AddressRefused(f"{host} is an address of a network of our own, or of a notation that hides one")
        return parsed

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        redirects: int = REDIRECTS,
        **arguments: Any,
    ) -> tuple[int, bytes]:
        """Status and body, at most MAX_BYTES. Each redirect is judged anew, and headers stay with the first host.

        Only GET and HEAD follow redirects. Raises AddressRefused; Unavailable when nothing usable answers.
        """
        limits = aiohttp.ClientTimeout(total=timeout_s)
        here = first = self.check(url)
        try:
            for _ in range(redirects + 1):
                sent = dict(headers or {}) if here.origin() == first.origin() else {}
                async with self._session.request(
                    method, here, headers=sent, timeout=limits, allow_redirects=False, **arguments
                ) as answer:
                    onward = answer.headers.get("Location")
                    if answer.status not in _REDIRECTING or onward is None or method not in ("GET", "HEAD"):
                        return answer.status, await _read(answer)
                    here = self.check(str(here.join(URL(onward))))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable(f"{first.host} did not answer as it should: {type(error).__name__}") from error
        raise Unavailable(f"{first.host} redirects more than {redirects} times")

    def _trusts(self, host: str, port: int | None) -> bool:
        return host in self._own or f"{host}:{port}" in self._own


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > MAX_BYTES:
            raise Unavailable(f"{answer.url.host} sent more than {MAX_BYTES} bytes")
    return bytes(body)


@asynccontextmanager
async def open_outbound(own: Sequence[str] = (), resolver: AbstractResolver | None = None) -> AsyncIterator[Outbound]:
    """A client with connections of its own. `own` are hosts (`host` or `host:port`) of the operator's; `resolver` looks up."""
    names = {one.lower().rpartition(":")[0] if one.rpartition(":")[2].isdecimal() else one.lower() for one in own}
    guarded = GuardedResolver(names, resolver)
    connector = aiohttp.TCPConnector(resolver=guarded, use_dns_cache=False, limit=32)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    ) as session:
        yield Outbound(session, {one.lower() for one in own})
    await guarded.close()

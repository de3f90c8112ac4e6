"""Scenario 21: no packet leaves to a network of our own, however the address is written, redirected or resolved."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from hub_api.errors import Unavailable
from hub_api.platform.outbound import MAX_BYTES, AddressRefused, is_public, open_outbound

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.9", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1",
]  # fmt: skip
LITERALS = [
    "https://127.0.0.1/", "https://169.254.169.254/latest/meta-data", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/", "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.1/",
    "https://localhost/", "https://localhost./", "https://LOCALHOST/", "https://0/",
]  # fmt: skip
FORMS = [
    "http://example.com/", "https://example.com:8443/", "https://user:word@example.com/", "file:///etc/passwd",
    "gopher://example.com/", "https:///path", "ftp://example.com/", "//example.com/", "",
]  # fmt: skip


class Resolver(AbstractResolver):
    """Answers what the test says, one answer a look-up, the last one for ever; and counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list:
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {"hostname": host, "host": one, "port": port, "proto": 0, "flags": socket.AI_NUMERICHOST,
             "family": socket.AF_INET6 if ":" in one else socket.AF_INET}
            for one in addresses
        ]  # fmt: skip

    async def close(self) -> None: ...


class Inside:
    """A server of our own network that must not be reached: it counts connections."""

    def __init__(self, url: str) -> None:
        self.url, self.reached = url, 0
        self.location = ""


@pytest.fixture
async def inside() -> AsyncIterator[Inside]:
    async def answer(request: web.Request) -> web.Response:
        made.reached += 1
        made.headers = dict(request.headers)
        if request.path == "/away":
            return web.Response(status=302, headers={"Location": made.location})
        return web.Response(body=b"x" * (MAX_BYTES + 1 if request.path == "/large" else 5))

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made = Inside(f"http://127.0.0.1:{runner.addresses[0][1]}")
    yield made
    await runner.cleanup()


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_our_own_are_no_public_ones(address: str):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "200.147.3.157", "2001:4860:4860::8888", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address: str):
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_ipv6_is_judged_as_itself(address):
    assert is_public(f"::ffff:{address}") == is_public(str(address)) == is_public(f"64:ff9b::{address}")


@pytest.mark.parametrize("url", LITERALS)
async def test_every_notation_of_loopback_is_refused(url: str):
    async with open_outbound() as outbound:
        with pytest.raises(AddressRefused):
            await outbound.request("GET", url)


@pytest.mark.parametrize("url", FORMS)
async def test_forms_that_are_not_allowed_are_refused(url: str):
    async with open_outbound() as outbound:
        with pytest.raises(AddressRefused):
            outbound.check(url)


async def test_a_name_that_leads_inside_is_refused_even_with_a_public_address_beside(inside: Inside):
    for answer in (["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:127.0.0.1"], ["fd00::1"]):
        async with open_outbound(resolver=Resolver(answer)) as outbound:
            with pytest.raises(AddressRefused):
                await outbound.request("GET", "https://rebind.example/")
    assert inside.reached == 0


async def test_a_name_is_resolved_once_for_a_connection_so_that_rebinding_finds_no_second_look_up():
    """First a public address, then loopback: the connection goes to the first (TEST-NET-like, unreachable), never on."""
    caught = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    resolver = Resolver(["203.0.114.1"], ["127.0.0.1"])
    async with caught, open_outbound(resolver=resolver) as outbound:
        with pytest.raises(Unavailable):
            await outbound.request("GET", "https://rebind.example/", timeout_s=0.5)
        assert resolver.asked == 1
        with pytest.raises(AddressRefused):
            await outbound.request("GET", "https://rebind.example/", timeout_s=0.5)
    assert resolver.asked == 2


async def test_each_redirect_is_judged(inside: Inside):
    host = inside.url.removeprefix("http://")
    for location in (*LITERALS[:4], inside.url.replace("127.0.0.1", "localhost"), "file:///etc/passwd"):
        inside.location = location
        before = inside.reached
        async with open_outbound([host]) as outbound:
            with pytest.raises(AddressRefused):
                await outbound.request("GET", f"{inside.url}/away")
        assert inside.reached == before + 1


async def test_redirects_end(inside: Inside):
    inside.location = f"{inside.url}/away"
    async with open_outbound([inside.url.removeprefix("http://")]) as outbound:
        with pytest.raises(Unavailable, match="redirects"):
            await outbound.request("GET", f"{inside.url}/away", redirects=2)
    assert inside.reached == 3


async def test_hosts_of_the_operator_are_reached_and_a_flood_is_cut(inside: Inside):
    async with open_outbound([inside.url.removeprefix("http://")]) as outbound:
        assert await outbound.request("GET", f"{inside.url}/page") == (200, b"xxxxx")
        with pytest.raises(Unavailable, match="more than"):
            await outbound.request("GET", f"{inside.url}/large")
    async with open_outbound(["127.0.0.1:1"]) as outbound:
        with pytest.raises(AddressRefused):
            await outbound.request("GET", f"{inside.url}/page")

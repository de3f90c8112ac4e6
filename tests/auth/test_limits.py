"""Guessing, forged headers, and Redis away: what limits hold and whom they must not hurt."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.auth.api_keys import create_key
from hub_api.auth.guard import FREE_FAILURES
from hub_api.platform import ratelimit
from hub_api.platform.ratelimit import Limit
from hub_api.platform.request_info import ClientAddress, limit_key
from hub_api.settings import Settings
from tests.auth.people import AUTH, add_conversation, add_person, bearer, call, clear_limits, login
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.valkey import EmbeddedValkey

PROXIES = ("10.0.0.0/8", "127.0.0.1")


@pytest.fixture
async def proxied(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    """A hub that believes what 127.0.0.1 says of addresses, as if it were its proxy."""
    async with running_hub(make_settings(database_url, redis_url, trusted_proxies=PROXIES)) as hub:
        yield hub


def via(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


async def test_a_forged_header_is_not_believed_from_a_stranger(hub: Hub):
    bia = await add_person(hub, signed_in=False)
    answers = [await login(hub, bia.email, "errada", headers=via(f"203.0.113.{n}")) for n in range(100)]
    assert [status for status, _ in answers].count(401) == 5
    addresses = {row["address"] for row in await hub.fetch("SELECT address FROM audit_log")}
    assert addresses == {"127.0.0.1"}


async def test_values_that_the_client_wrote_before_the_proxys_own_are_not_believed(proxied: Hub):
    for number in range(20):
        forged = via(f"203.0.113.{number}, 10.1.1.{number}, 198.51.100.7, 10.0.0.9")
        await login(proxied, f"user{number}@example.com", "errada", headers=forged)
    addresses = [row["address"] for row in await proxied.fetch("SELECT address FROM audit_log")]
    assert addresses == ["198.51.100.7"] * 6  # five that were wrong, and that he was refused after them


async def test_many_addresses_do_not_make_more_guesses_and_do_not_lock_out_a_known_browser(proxied: Hub):
    bia = await add_person(proxied, signed_in=False)
    async with proxied.session.post(
        f"{proxied.url}{AUTH}/login", json={"email": bia.email, "password": "quatro girafas no telhado"}
    ) as answer:
        device = answer.cookies["hub_device"].value
    await clear_limits(proxied)
    guesses = await asyncio.gather(
        *(login(proxied, bia.email, f"errada{n}", headers=via(f"203.0.113.{n}")) for n in range(60))
    )
    assert [status for status, _ in guesses].count(401) <= 5 and {429, 401} == {status for status, _ in guesses}
    elsewhere = await login(proxied, bia.email, headers=via("198.51.100.1"))
    assert elsewhere[0] == 429 and elsewhere[1]["retry_after_s"] > 0
    at_home = await login(proxied, bia.email, headers={**via("198.51.100.1"), "Cookie": f"hub_device={device}"})
    assert at_home[0] == 200
    other = await add_person(proxied, signed_in=False)
    foreign = await login(
        proxied, other.email, "errada", headers={**via("203.0.113.5"), "Cookie": f"hub_device={device}"}
    )
    assert foreign[0] in (401, 429)  # a device of somebody else's is none


async def test_one_address_does_not_try_many_accounts(hub: Hub):
    answers = [await login(hub, f"user{n}@example.com", "errada") for n in range(12)]
    assert [status for status, _ in answers] == [401] * 5 + [429] * 7


async def test_mistakes_bring_a_pause_that_a_right_password_forgives(hub: Hub):
    bia = await add_person(hub, signed_in=False)
    for _ in range(FREE_FAILURES - 1):
        assert (await login(hub, bia.email, "errada"))[0] == 401
    assert (await login(hub, bia.email))[0] == 200
    assert [key async for key in hub.services.redis.scan_iter("failures:*")] == []


async def test_a_limit_tells_what_is_left_and_when_there_is_more(database_url: str, redis_url: str):
    async with running_hub(
        make_settings(database_url, redis_url, user_rate_per_minute=3, key_rate_per_minute=50)
    ) as hub:
        bia, caio = await add_person(hub), await add_person(hub)
        seen = []
        for _ in range(5):
            async with hub.session.get(f"{hub.url}{AUTH}/me", headers=bia.headers) as answer:
                seen.append((answer.status, answer.headers["RateLimit-Limit"], answer.headers["RateLimit-Remaining"]))
        assert seen == [(200, "3", "2"), (200, "3", "1"), (200, "3", "0"), (429, "3", "0"), (429, "3", "0")]
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert (await call(hub, "GET", f"{AUTH}/me", caio.headers))[0] == 200
        assert (await call(hub, "GET", "/api/v1/roles", hub.auth))[0] == 200


def test_the_limits_are_those_that_were_promised(settings: Settings):
    assert (settings.signin_per_minute, settings.send_per_minute) == (5, 1000)


async def test_each_key_has_a_limit_of_its_own(database_url: str, redis_url: str):
    async with running_hub(make_settings(database_url, redis_url, key_rate_per_minute=3)) as hub:
        mine, other = [bearer(await create_key(hub.services.db, name, ["roles:read"])) for name in ("um", "dois")]
        statuses = [(await call(hub, "GET", "/api/v1/roles", mine))[0] for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        _, tokens = await call(
            hub,
            "POST",
            f"{AUTH}/token",
            data={"grant_type": "client_credentials", "client_secret": mine["Authorization"].removeprefix("Bearer ")},
        )
        by_token = bearer(tokens["access_token"])
        assert (await call(hub, "GET", "/api/v1/roles", by_token))[0] == 429, "a token of the key counts as the key"
        assert (await call(hub, "GET", "/api/v1/roles", other))[0] == 200


async def test_the_limits_go_by_redis_clock_wherever_the_hub_s_stands(hub: Hub, monkeypatch):
    bia = await add_person(hub, signed_in=False)
    assert [(await login(hub, bia.email, "errada"))[0] for _ in range(5)] == [401] * 5
    real = time.time
    for moved_s in (-600, 600):
        monkeypatch.setattr(time, "time", lambda moved_s=moved_s: real() + moved_s)
        status, refusal = await login(hub, bia.email)
        assert status == 429 and 0 < refusal["retry_after_s"] <= 60


async def test_sends_are_limited_by_caller_whatever_he_sends_by(database_url: str, redis_url: str):
    async with running_hub(make_settings(database_url, redis_url, send_per_minute=2)) as hub:
        made = await add_conversation(hub, None, "oi")
        answer = (f"/api/v1/conversations/{made['conversation']}/messages", {"type": "text", "text": "oi"})
        template = {"type": "template", "name": "x"}
        notice = ("/api/v1/whatsapp/messages", {"to": {"phone": "+5511987654321"}, "template": template})
        statuses = [(await call(hub, "POST", path, hub.auth, json=body))[0] for path, body in (answer, notice) * 2]
        assert 429 not in statuses[:2] and statuses[2:] == [429, 429]
        other = bearer(await create_key(hub.services.db, "outra", ["*"]))
        assert (await call(hub, "POST", answer[0], other, json=answer[1]))[0] != 429


async def test_without_redis_nobody_signs_in_and_sessions_are_checked_in_postgresql(database_url: str):
    with EmbeddedValkey(durable=True) as valkey:
        async with running_hub(make_settings(database_url, valkey.url())) as hub:
            bia, caio = await add_person(hub), await add_person(hub)
            assert (await call(hub, "GET", f"{AUTH}/me", bia.headers))[0] == 200
            valkey.kill9()
            assert (await login(hub, bia.email))[0] == 503
            assert (await call(hub, "GET", f"{AUTH}/me", bia.headers))[0] == 200
            await hub.fetch("UPDATE sessions SET revoked_at = now(), revoked_reason = 'x' WHERE user_id = $1", caio.id)
            assert (await call(hub, "GET", f"{AUTH}/me", caio.headers))[0] == 401
            assert (await call(hub, "POST", f"{AUTH}/logout", bia.headers))[0] == 204
            assert (await call(hub, "GET", f"{AUTH}/me", bia.headers))[0] == 401


async def test_the_window_slides(settings: Settings, services):
    window_s, clock = 0.4, asyncio.get_running_loop().time
    limit = Limit("t", 10, window_s)  # exact, as all that guards passwords
    taken: list[tuple[float, float]] = []  # Redis decided at some moment between the two
    async with asyncio.timeout(60):
        while len(taken) < 40:
            asked_at = clock()
            try:
                await ratelimit.take(services.redis, [limit], "full")
                taken.append((asked_at, clock()))
            except ratelimit.TooMany:
                recent = [answered for _, answered in taken if answered > asked_at - window_s - 0.002]
                assert len(recent) >= 10, "it lets through what it should"
            await asyncio.sleep(0.005)
    apart = [later[1] - early[0] for early, later in zip(taken, taken[10:], strict=False)]
    assert min(apart) > window_s - 0.002, "the eleventh waits"  # Redis counts whole milliseconds


async def test_a_large_limit_holds_over_time_and_never_lets_a_period_pass_more(services):
    limit, taken = Limit("large", 200, 0.5), []
    end = asyncio.get_running_loop().time() + 2.5
    while asyncio.get_running_loop().time() < end:
        done = await asyncio.gather(*(_taken(services, limit) for _ in range(20)))
        taken += [at for at in done if at is not None]
    assert 600 < len(taken) <= 200 * 6  # 2.5 s are five windows, and the first may begin anywhere


async def _taken(services, limit: Limit) -> float | None:
    try:
        await ratelimit.take(services.redis, [limit], "full")
    except ratelimit.TooMany:
        return None
    return asyncio.get_running_loop().time()


async def test_a_full_limit_counts_the_request_in_no_other(services):
    small, large = Limit("small", 1), Limit("large", 5)
    await ratelimit.take(services.redis, [large, small], "full")
    for _ in range(9):
        with pytest.raises(ratelimit.TooMany):
            await ratelimit.take(services.redis, [large, small], "full")
    (room,) = await ratelimit.take(services.redis, [large], "full")
    assert room.remaining == 3


@given(
    forged=st.lists(st.one_of(st.ip_addresses().map(str), st.text(max_size=12)), max_size=5),
    hops=st.lists(st.sampled_from(["10.0.0.1", "10.255.0.3"]), max_size=3),
)
def test_what_a_client_writes_never_decides_its_address(forged: list[str], hops: list[str]):
    """Whatever stands left of the address that our proxy saw is ignored."""
    proxies = ClientAddress(None, ("10.0.0.0/8",))  # type: ignore[arg-type]
    header = ",".join([*(text.replace(",", "") for text in forged), "198.51.100.7", *hops])
    assert proxies._client("10.0.0.1", header) == "198.51.100.7"


def test_an_address_of_ipv6_counts_by_the_network_of_one_customer():
    assert limit_key("2001:db8:1:2:3::1") == limit_key("2001:db8:1:2:ffff::9") != limit_key("2001:db8:1:3::1")
    assert limit_key("::ffff:203.0.113.5") == "203.0.113.5"

"""Signing in by a provider that is not ours: the whole way over HTTP, policy, second factor, key rotation."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pyotp
import pytest

from hub_api.auth.single_sign_on import provider as outside
from hub_api.platform.crypto import encrypt
from hub_api.settings import Settings
from tests.auth.people import AUTH, actions, add_person, bearer, call
from tests.support.hub import Hub, running_hub
from tests.support.oidc import (  # fmt: skip
    CLIENT_ID,
    CLIENT_SECRET,
    PUBLIC_URL,
    Browser,
    OutsideProvider,
    browser_session,
    outside_provider,
)

ACCOUNTS: dict[str, dict[str, Any]] = {
    "ana": {"name": "Ana Lima", "email": "ana@example.com", "email_verified": True, "groups": ["staff", "leads"]},
    "rui": {"name": "Rui Reis", "email": "rui@example.com", "email_verified": False, "groups": ["staff"]},
    "leo": {"name": "Leo Paz", "email": "leo@example.com", "email_verified": True, "groups": ["guests"]},
}
ROLES = (("leads", "supervisor"), ("staff", "agent"))


@pytest.fixture(scope="module")
def provider() -> Iterator[OutsideProvider]:
    with outside_provider(ACCOUNTS) as running:
        yield running


@pytest.fixture
def signing_on(settings: Settings, provider: OutsideProvider):
    """A hub that trusts the provider, with policy as given, and a browser at it."""

    @asynccontextmanager
    async def make(**policy: Any) -> AsyncIterator[tuple[Hub, Browser]]:
        values = {
            "oidc_issuer": provider.issuer, "oidc_client_id": CLIENT_ID, "oidc_client_secret": CLIENT_SECRET,
            "public_url": PUBLIC_URL, **policy,
        }  # fmt: skip
        trusting = Settings.model_validate({**settings.model_dump(), **values})
        async with running_hub(trusting) as hub, browser_session() as session:
            yield hub, Browser(hub, session)

    return make


CREATE = {"oidc_create_users": True, "oidc_roles": ROLES}


async def test_who_is_new_gets_a_user_with_the_role_of_the_first_group_that_fits(signing_on):
    async with signing_on(**CREATE) as (hub, browser):
        await browser.sign_in("ana", return_to="/fila/7?x=1")
        assert browser.location == f"{PUBLIC_URL}/fila/7?x=1", browser.body
        status, me = await browser.me()
        assert (status, me["name"]) == (200, "Ana Lima")
        user = dict((await hub.fetch("SELECT email, role, active FROM users WHERE name = 'Ana Lima'"))[0])
        assert user == {"email": "ana@example.com", "role": "supervisor", "active": True}
        assert await hub.fetchval("SELECT factors FROM sessions") == ["oidc"]
        assert [one for one in await actions(hub) if not one.startswith("key")][-3:] == [
            "user.created", "user.linked", "signin.succeeded",
        ]  # fmt: skip


async def test_the_next_time_it_is_the_same_user_with_the_role_of_today(signing_on):
    async with signing_on(**CREATE) as (hub, browser):
        await browser.sign_in("ana")
        await hub.fetch("UPDATE users SET role = 'agent', email = 'other@example.com' WHERE name = 'Ana Lima'")
        await browser.sign_in("ana")
        assert browser.location == f"{PUBLIC_URL}/inicio", browser.body
        rows = await hub.fetch("SELECT role FROM users WHERE name = 'Ana Lima'")
        assert [row["role"] for row in rows] == ["supervisor"]


async def test_the_same_address_is_the_same_user_only_by_policy_and_only_when_verified(signing_on):
    async with signing_on(oidc_link_by_email=True) as (hub, browser):
        for name in ("ana", "rui"):
            await add_person(hub, "agent", signed_in=False, email=f"{name}@example.com", name=name)
        await browser.sign_in("ana")
        assert (await browser.me())[1]["name"] == "ana"
    async with signing_on(oidc_link_by_email=True) as (hub, browser):
        await browser.sign_in("rui")
        assert (browser.status, browser.problem) == (403, "not_admitted")
        assert await hub.fetchval("SELECT count(*) FROM user_identities") == 1


async def test_without_policy_nobody_comes_in_and_nobody_is_made(signing_on):
    for policy in ({}, {"oidc_create_users": True}, {"oidc_roles": ROLES}):
        async with signing_on(**policy) as (hub, browser):
            await browser.sign_in("ana")
            assert (browser.status, browser.problem) == (403, "not_admitted")
            assert (await browser.me())[0] == 401
            assert await hub.fetchval("SELECT count(*) FROM users") == 0
            assert (await actions(hub))[-1] == "signin.failed"


async def test_an_address_that_somebody_has_is_not_taken_over_by_a_new_user(signing_on):
    async with signing_on(**CREATE) as (hub, browser):
        await add_person(hub, "admin", signed_in=False, email="ana@example.com")
        await browser.sign_in("ana")
        assert (browser.status, browser.problem) == (403, "not_admitted")


async def test_who_has_no_group_that_fits_stays_out_even_when_linked(signing_on):
    async with signing_on(oidc_link_by_email=True, oidc_roles=ROLES) as (hub, browser):
        await add_person(hub, "agent", signed_in=False, email="leo@example.com")
        await browser.sign_in("leo")
        assert (browser.status, browser.problem) == (403, "not_admitted")


async def test_an_inactive_user_stays_out(signing_on):
    async with signing_on(oidc_link_by_email=True) as (hub, browser):
        await add_person(hub, "agent", signed_in=False, email="ana@example.com", active=False)
        await browser.sign_in("ana")
        assert (browser.status, browser.problem) == (403, "not_admitted")
        assert await hub.fetchval("SELECT count(*) FROM sessions") == 0


async def test_an_answer_opens_nothing_in_another_browser_nor_twice(signing_on):
    async with signing_on(**CREATE) as (hub, browser), browser_session() as other:
        await browser.sign_in("ana", stop=f"{PUBLIC_URL}/api/v1/auth/oidc/callback")
        answer = browser.location
        victim = Browser(hub, other)
        await victim.step(answer)
        assert (victim.status, victim.problem) == (401, "single_sign_on_failed")
        # The victim has begun one himself: the state is still not his.
        await victim.step(f"{PUBLIC_URL}/api/v1/auth/oidc/login")
        await victim.step(answer)
        assert (victim.status, victim.problem) == (401, "single_sign_on_failed")
        await browser.step(answer)
        assert browser.status == 303
        await browser.step(answer)
        assert (browser.status, browser.problem) == (401, "single_sign_on_failed")


async def test_a_refusal_at_the_provider_ends_the_sign_in(signing_on):
    async with signing_on(**CREATE) as (_, browser):
        await browser.sign_in("")
        assert (browser.status, browser.problem) == (401, "single_sign_on_failed")


async def test_ones_own_second_factor_is_asked_for_unless_the_provider_has_asked(signing_on):
    async with signing_on(oidc_link_by_email=True) as (hub, browser), browser_session() as session:
        person = await add_person(hub, "agent", signed_in=False, email="ana@example.com")
        secret = pyotp.random_base32()
        sealed = encrypt(hub.services.settings.secret_key.get_secret_value(), secret)
        await hub.fetch(
            "UPDATE users SET totp_encrypted = $2, second_factor_at = now() WHERE id = $1", person.id, sealed
        )
        await browser.sign_in("ana", amr="pwd")
        assert browser.location.startswith(f"{PUBLIC_URL}/segundo-fator#challenge=")
        assert (await browser.me())[0] == 401
        challenge = browser.location.partition("challenge=")[2].partition("&")[0]
        body = {"challenge": challenge, "method": "totp", "code": pyotp.TOTP(secret).now()}
        status, tokens = await call(hub, "POST", f"{AUTH}/second-factor", json=body)
        assert status == 200
        assert await hub.fetchval("SELECT factors FROM sessions") == ["oidc", "totp"]
        twice = Browser(hub, session)
        await twice.sign_in("ana", amr="pwd mfa")
        assert (await twice.me())[0] == 200, tokens


async def test_a_role_that_wants_a_second_factor_is_content_with_the_providers(signing_on):
    async with signing_on(oidc_link_by_email=True) as (hub, browser), browser_session() as session:
        await add_person(hub, "supervisor", signed_in=False, email="ana@example.com")
        await hub.fetch("UPDATE roles SET second_factor = true WHERE name = 'supervisor'")
        await browser.sign_in("ana", amr="pwd")
        assert (await browser.me())[1]["second_factor_required"]
        twice = Browser(hub, session)
        await twice.sign_in("ana", amr="mfa")
        _, me = await twice.me()
        assert not me["second_factor_required"] and "conversations:read" in me["permissions"]


async def test_a_new_key_of_the_provider_is_found(signing_on, provider, monkeypatch):
    monkeypatch.setattr(outside, "UNKNOWN_KEY_PAUSE_S", 0)
    async with signing_on(**CREATE) as (hub, browser), browser_session() as session:
        await browser.sign_in("ana")
        provider.restart()
        later = Browser(hub, session)
        await later.sign_in("ana")
        assert later.location == f"{PUBLIC_URL}/inicio", later.body


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a%0d%0aSet-Cookie:x=1"])  # fmt: skip
async def test_the_way_back_is_a_path_of_ours(signing_on, path: str):
    async with signing_on() as (_, browser):
        await browser.step(f"{PUBLIC_URL}/api/v1/auth/oidc/login?return_to={path}")
        assert browser.status == 422


async def test_without_a_provider_there_is_no_such_way_in(hub: Hub):
    assert (await call(hub, "GET", f"{AUTH}/oidc/login", bearer("x")))[0] == 404

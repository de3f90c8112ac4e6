"""Clients that are not ours sign people in by the hub: npm's openid-client and Python's authlib."""

import asyncio
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from hub_api.settings import Settings
from tests.auth.openid_people import LOGOUT, REDIRECT, provider, query_of, register, userinfo, visitor
from tests.auth.people import actions, add_team
from tests.support.openid_client import node_client

PLAIN = "https://notebooks.example.com/hub/oauth_callback"  # this library knows no address with a query of its own
SCOPE = "openid profile email roles groups offline_access"


@pytest.mark.parametrize("method", ["basic", "post", "none"])
async def test_openid_client_of_npm_signs_somebody_in(settings: Settings, method: str):
    async with provider(settings) as hub, visitor(hub) as ana:
        team, _ = await add_team(hub, "admin")  # a team of that name gives no role
        await hub.fetch("INSERT INTO team_members (team_id, user_id) VALUES ($1, $2)", team, ana.person.id)
        fields = {"public": method == "none", "permission": "analytics:read", "redirect_uris": [PLAIN]}
        secret = await register(hub, **fields)
        async with node_client(hub.url, "superset", secret, method) as client:
            assert client.metadata["issuer"] == hub.url
            begun = await client.call("begin", redirect_uri=PLAIN, scope=SCOPE, max_age=600)
            status, back = await ana.visit(begun.pop("url"))
            assert status == 303, back
            tokens = await client.call("finish", url=back, max_age=600, **begun)
            claims = tokens["claims"]
            expected = {
                "sub": str(ana.person.id), "email": ana.person.email, "email_verified": True, "name": "Analyst Souza",
                "preferred_username": ana.person.email, "roles": ["analyst"], "groups": ["role:analyst", "team:admin"],
            }  # fmt: skip
            assert {name: claims[name] for name in expected} == expected and claims["amr"] == ["pwd"]
            told = await client.call("userinfo", token=tokens["access_token"], sub=claims["sub"])
            assert {name: told[name] for name in expected} == expected
            again = await client.call("refresh", token=tokens["refresh_token"])
            assert again["claims"]["sub"] == claims["sub"] and again["claims"]["auth_time"] == claims["auth_time"]
            assert (await client.call("finish", url=back, max_age=600, **begun))["error"] == "invalid_grant"
            assert (await userinfo(hub, again["access_token"]))[0] == 401  # its code was used twice
            begun = await client.call("begin", redirect_uri=PLAIN, scope=SCOPE)
            tokens = await client.call("finish", url=(await ana.visit(begun.pop("url")))[1], **begun)
            assert await client.call("revoke", token=tokens["refresh_token"]) == {}
            assert (await userinfo(hub, tokens["access_token"]))[0] == 401
            wish = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": LOGOUT, "state": "s"}
            status, onward = await ana.visit((await client.call("logout", **wish))["url"])
            assert (status, onward) == (303, f"{LOGOUT}?state=s")
            status, page = await ana.visit((await client.call("begin", redirect_uri=PLAIN, scope=SCOPE))["url"])
            assert status == 303 and page.startswith(f"{hub.url}/entrar?to=")
        seen = await actions(hub)
        assert seen.count("openid.signed_in") == 2 and {"openid.revoked", "session.revoked"} < set(seen)


async def test_authlib_signs_somebody_in_and_checks_the_token_by_the_published_keys(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        told: dict[str, Any] = await (await hub.get("/.well-known/openid-configuration")).json()
        client = OAuth2Session(
            "superset", secret, scope="openid email", redirect_uri=REDIRECT, code_challenge_method="S256"
        )
        verifier = "v" * 64
        url, state = client.create_authorization_url(
            told["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
        )
        status, back = await ana.visit(url)
        assert status == 303 and query_of(back)["state"] == state
        arguments = {"authorization_response": back, "code_verifier": verifier}
        token = await asyncio.to_thread(client.fetch_token, told["token_endpoint"], **arguments)
        keys = KeySet.import_key_set(await (await hub.get("/openid/jwks")).json())
        decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": hub.url}, aud={"essential": True, "value": "superset"},
            nonce={"essential": True, "value": "n-1"}, exp={"essential": True}, iat={"essential": True},
        )  # fmt: skip
        registry.validate(decoded.claims)
        assert decoded.claims["sub"] == str(ana.person.id) and "name" not in decoded.claims
        answer = await asyncio.to_thread(client.get, told["userinfo_endpoint"])
        assert answer.json()["email"] == ana.person.email
        assert "refresh_token" not in token  # not asked for
        client.close()

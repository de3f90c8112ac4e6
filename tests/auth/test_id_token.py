"""A provider that lies, or somebody who plays it: each wrong answer is refused, and the right one is the control."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from yarl import URL

from hub_api.settings import Settings
from tests.support.hub import Hub, running_hub
from tests.support.oidc import PUBLIC_URL, Browser, browser_session

KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
PUBLIC = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "one", "use": "sig", "alg": "RS256"}
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
HMAC = b"a secret that everybody can read"
PERSON = {"sub": "ana", "email": "ana@example.com", "email_verified": True, "name": "Ana", "groups": ["staff"]}


class Forger:
    """Says what the test wants: `token(claims)` makes the ID token, the rest are parts of its answers."""

    def __init__(self) -> None:
        self.issuer, self.token = "", signed
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.nonce, self.asked = "", []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self.discovery)
        app.router.add_get("/keys", self.keys)
        app.router.add_post("/token", self.answer)
        app.router.add_get("/me", self.me)
        return app

    async def discovery(self, _: web.Request) -> web.Response:
        ends = {name: f"{self.issuer}/{path}" for name, path in
                (("authorization_endpoint", "authorize"), ("token_endpoint", "token"), ("jwks_uri", "keys"))}  # fmt: skip
        more = {"userinfo_endpoint": f"{self.issuer}/me"} if self.userinfo else {}
        return web.json_response({"issuer": self.issuer, **ends, **more, **self.metadata})

    async def keys(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "keys": [
                    PUBLIC,
                    {
                        "kty": "oct",
                        "kid": "hmac",
                        "k": base64.urlsafe_b64encode(HMAC).decode().rstrip("="),
                        "alg": "HS256",
                    },
                ]
            }
        )

    async def me(self, _: web.Request) -> web.Response:
        return web.json_response(self.userinfo)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(await request.post()))
        now = int(time.time())
        claims = {**PERSON, "iss": self.issuer, "aud": "hub", "iat": now, "exp": now + 300, "nonce": self.nonce}
        return web.json_response({"access_token": "at", "token_type": "Bearer", "id_token": self.token(claims)})


def signed(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, KEY, "RS256", headers={"kid": "one"})


def changed(**values: Any) -> Callable[[dict[str, Any]], str]:
    """A well signed token with other claims; None leaves a claim out."""
    return lambda claims: signed({name: v for name, v in {**claims, **values}.items() if v is not None})


def shifted(**seconds: int) -> Callable[[dict[str, Any]], str]:
    """A well signed token with times so far from those it was made at."""
    return lambda claims: signed({**claims, **{name: claims["iat"] + by for name, by in seconds.items()}})


def unsigned(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, "none", headers={"kid": "one"})


def with_the_public_key_as_secret(claims: dict[str, Any]) -> str:
    # By hand: pyjwt refuses to make it.
    parts = [json.dumps({"alg": "HS256", "typ": "JWT", "kid": "one"}).encode(), json.dumps(claims).encode()]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (text + b"." + base64.urlsafe_b64encode(hmac.digest(PEM, text, "sha256")).rstrip(b"=")).decode()


def with_a_published_hmac_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, HMAC, "HS256", headers={"kid": "hmac"})


def by_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": "one"})


def by_an_unknown_key(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": "two"})


def with_its_own_key_inside(claims: dict[str, Any]) -> str:
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))
    return jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": "one", "jwk": own})


LIES: dict[str, Callable[[dict[str, Any]], str]] = {
    "no token": lambda _: "",
    "no signature": unsigned,
    "the public key as HMAC secret": with_the_public_key_as_secret,
    "an HMAC key of the published set": with_a_published_hmac_key,
    "another key": by_another_key,
    "an unknown key": by_an_unknown_key,
    "its own key in its header": with_its_own_key_inside,
    "another issuer": changed(iss="https://evil.example"),
    "no issuer": changed(iss=None),
    "another audience": changed(aud="other"),
    "several audiences without our name as party": changed(aud=["hub", "other"]),
    "made for another party": changed(azp="other"),
    "another nonce": changed(nonce="other"),
    "no nonce": changed(nonce=None),
    "expired": shifted(exp=-120),
    "no end": changed(exp=None),
    "made long ago": shifted(iat=-3600),
    "of the future": shifted(iat=3600, exp=7200),
    "no subject": changed(sub=None),
    "the access token of another answer": changed(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
}


@pytest.fixture
async def forger() -> AsyncIterator[Forger]:
    made = Forger()
    runner = web.AppRunner(made.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def at(settings: Settings, forger: Forger) -> AsyncIterator[Hub]:
    values = {
        "oidc_issuer": forger.issuer, "oidc_client_id": "hub", "public_url": PUBLIC_URL, "oidc_create_users": True,
        "oidc_roles": (("staff", "agent"),),
    }  # fmt: skip
    async with running_hub(Settings.model_validate({**settings.model_dump(), **values})) as hub:
        yield hub


async def sign_in(hub: Hub, forger: Forger, issuer: str | None = None) -> Browser:
    """A browser that went to the provider and came back with a code."""
    async with browser_session() as session:
        browser = Browser(hub, session)
        await browser.step(f"{PUBLIC_URL}/api/v1/auth/oidc/login")
        if browser.status != 303:
            return browser
        asked = URL(browser.location).query
        forger.nonce = asked["nonce"]
        back = {"state": asked["state"], "code": "c", **({"iss": issuer} if issuer else {})}
        await browser.step(str(URL(f"{PUBLIC_URL}/api/v1/auth/oidc/callback").with_query(back)))
        return browser


async def test_the_right_answer_is_taken_and_every_lie_is_refused(at: Hub, forger: Forger):
    taken = []
    for what, lie in LIES.items():
        forger.token = lie
        browser = await sign_in(at, forger)
        if (browser.status, "single_sign_on_failed" in browser.body) != (401, True):
            taken.append(f"{what}: {browser.status} {browser.body}")
    assert not taken, "\n".join(taken)
    assert await at.fetchval("SELECT count(*) FROM users") == 0
    forger.token = signed
    assert (await sign_in(at, forger, forger.issuer)).location == f"{PUBLIC_URL}/"
    assert await at.fetchval("SELECT count(*) FROM sessions") == 1
    assert len(forger.asked[-1]["code_verifier"]) >= 43  # RFC 7636 §4.1


async def test_an_answer_in_the_name_of_another_provider_is_refused_before_the_code_is_sent(at: Hub, forger: Forger):
    assert (await sign_in(at, forger, "https://evil.example")).status == 401
    assert forger.asked == []


async def test_userinfo_of_somebody_else_is_refused(at: Hub, forger: Forger):
    forger.userinfo = {"sub": "eva", "email": "eva@example.com"}
    assert (await sign_in(at, forger)).status == 401


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"issuer": "https://evil.example"}, 503),
        ({"jwks_uri": "http://169.254.169.254/keys"}, 422),
        ({"token_endpoint": "https://127.0.0.1/token"}, 422),
        ({"token_endpoint": "http://localhost:1/token"}, 422),
        ({"jwks_uri": None}, 422),
    ],
)
async def test_a_discovery_document_leads_to_no_other_issuer_and_not_inside(at: Hub, forger: Forger, told, status):
    forger.metadata = told
    assert (await sign_in(at, forger)).status == status
    assert forger.asked == []

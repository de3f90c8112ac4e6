"""Signing in: passwords, sessions, refresh tokens, and what ends them at once."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from hub_api.auth import tokens
from hub_api.auth.api_keys import make_key
from hub_api.auth.identify import open_door
from hub_api.auth.tokens import Keyring
from tests.auth.people import AUTH, PASSWORD, actions, add_person, bearer, call, clear_limits, login, sign_in
from tests.support.hub import Hub

ME = f"{AUTH}/me"


async def test_a_password_opens_a_session_that_may_do_what_the_role_may(hub: Hub):
    bia = await add_person(hub, "agent")
    status, me = await call(hub, "GET", ME, bia.headers)
    assert status == 200 and me["kind"] == "user" and "conversations:write" in me["permissions"]
    assert "users:write" not in me["permissions"] and me["teams"] == []
    assert (await call(hub, "GET", "/api/v1/users", bia.headers))[0] == 403
    assert await actions(hub) == ["signin.succeeded"]


async def test_an_unknown_address_and_a_wrong_password_are_told_alike_and_audited(hub: Hub):
    bia = await add_person(hub, "agent", signed_in=False)
    gone = await add_person(hub, "agent", signed_in=False, active=False)
    answers = [
        await login(hub, bia.email, "errada"),
        await login(hub, "x@example.com", "errada"),
        await login(hub, gone.email),
    ]
    assert {(status, body["code"], body["detail"]) for status, body in answers} == {
        (401, "wrong_credentials", "e-mail address or password is wrong")
    }
    assert await actions(hub) == ["signin.failed"] * 3
    row = (await hub.fetch("SELECT * FROM audit_log ORDER BY id LIMIT 1"))[0]
    assert (row["actor"], row["address"]) == (f"user:{bia.id}", "127.0.0.1") and row["trace_id"]


async def test_an_unknown_address_costs_the_same_time_as_a_wrong_password(hub: Hub):
    bia = await add_person(hub, "agent", signed_in=False)
    taken: dict[str, list[float]] = {bia.email: [], "nobody@example.com": []}
    for round_ in range(40):  # until the machine is quiet: only the shortest times tell what the work costs
        for email, times in taken.items():
            await clear_limits(hub)
            began = time.perf_counter()
            await login(hub, email, "errada")
            times.append(time.perf_counter() - began)
        known, unknown = (min(times) for times in taken.values())
        if round_ >= 6 and 0.6 < known / unknown < 1.7:
            break
    assert 0.6 < known / unknown < 1.7  # without the dummy hash an unknown address answers ten times faster


async def test_a_refresh_token_is_used_once_and_its_second_use_ends_the_whole_session(hub: Hub):
    bia = await add_person(hub)
    first = bia.tokens["refresh_token"]
    status, second = await call(hub, "POST", f"{AUTH}/refresh", json={"refresh_token": first})
    assert status == 200 and second["refresh_token"] != first
    assert (await call(hub, "GET", ME, bearer(second["access_token"])))[0] == 200
    assert (await call(hub, "POST", f"{AUTH}/refresh", json={"refresh_token": first}))[0] == 401
    for token in (bia.tokens["access_token"], second["access_token"]):
        assert (await call(hub, "GET", ME, bearer(token)))[0] == 401
    assert (await call(hub, "POST", f"{AUTH}/refresh", json={"refresh_token": second["refresh_token"]}))[0] == 401
    row = await hub.fetchval("SELECT detail FROM audit_log WHERE action = 'session.revoked'")
    assert row["reason"] == "refresh_reused"


async def test_of_many_refreshes_with_one_token_at_most_one_is_served(hub: Hub):
    bia = await add_person(hub)
    body = {"refresh_token": bia.tokens["refresh_token"]}
    answers = await asyncio.gather(*(call(hub, "POST", f"{AUTH}/refresh", json=body) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [200] + [401] * 7
    assert (await call(hub, "GET", ME, bia.headers))[0] == 401


async def test_signing_out_ends_the_access_token_at_once(hub: Hub):
    bia = await add_person(hub)
    assert (await call(hub, "GET", ME, bia.headers))[0] == 200  # cached now
    assert (await call(hub, "POST", f"{AUTH}/logout", bia.headers))[0] == 204
    assert (await call(hub, "GET", ME, bia.headers))[0] == 401


async def test_a_changed_password_ends_all_other_sessions_at_once(hub: Hub):
    bia = await add_person(hub)
    other = bearer((await sign_in(hub, bia))["access_token"])
    here = bearer((await sign_in(hub, bia))["access_token"])
    for headers in (other, here):
        assert (await call(hub, "GET", ME, headers))[0] == 200
    new = "sete baleias na varanda azul"
    wrong = await call(hub, "POST", f"{AUTH}/password", here, json={"current": "errada", "new": new})
    assert wrong[0] == 401
    weak = await call(hub, "POST", f"{AUTH}/password", here, json={"current": PASSWORD, "new": "flamengo123"})
    assert (weak[0], weak[1]["code"]) == (422, "weak_password")
    assert (await call(hub, "POST", f"{AUTH}/password", here, json={"current": PASSWORD, "new": new}))[0] == 204
    assert [(await call(hub, "GET", ME, headers))[0] for headers in (other, here)] == [401, 200]
    await clear_limits(hub)
    assert (await login(hub, bia.email))[0] == 401 and (await login(hub, bia.email, new))[0] == 200


@pytest.mark.parametrize("change", [{"role": "analyst"}, {"active": False}])
async def test_a_changed_role_and_a_deactivation_hold_at_once(hub: Hub, change: dict[str, Any]):
    admin, bia = await add_person(hub, "admin"), await add_person(hub, "agent")
    assert (await call(hub, "GET", "/api/v1/conversations", bia.headers))[0] == 200
    assert (await call(hub, "PATCH", f"/api/v1/users/{bia.id}", admin.headers, json=change))[0] == 200
    assert (await call(hub, "GET", "/api/v1/conversations", bia.headers))[0] in (401, 403)
    assert (await call(hub, "GET", ME, bia.headers))[0] == (200 if "role" in change else 401)
    row = (await hub.fetch("SELECT before, after, actor FROM audit_log WHERE action = 'user.changed'"))[0]
    assert row["after"] == change and list(row["before"]) == list(change) and row["actor"] == f"user:{admin.id}"


async def test_sessions_are_listed_and_ended_by_user_and_admin(hub: Hub):
    admin, bia = await add_person(hub, "admin"), await add_person(hub)
    second = bearer((await sign_in(hub, bia))["access_token"])
    _, listed = await call(hub, "GET", f"{AUTH}/sessions", second)
    assert [one["current"] for one in listed["items"]] == [True, False]
    foreign = listed["items"][0]["id"]
    assert (await call(hub, "DELETE", f"{AUTH}/sessions/{foreign}", admin.headers))[0] == 404
    first = listed["items"][1]["id"]
    assert (await call(hub, "DELETE", f"{AUTH}/sessions/{first}", second))[0] == 204
    _, seen = await call(hub, "GET", f"/api/v1/users/{bia.id}/sessions", admin.headers)
    assert [one["id"] for one in seen["items"]] == [foreign]
    assert (await call(hub, "DELETE", f"/api/v1/users/{bia.id}/sessions", admin.headers))[0] == 204
    assert (await call(hub, "GET", ME, second))[0] == 401


def forged(token: str, header: dict[str, Any], **claims: Any) -> str:
    """The token with another header and other claims, its signature left as it is."""
    parts = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    encode = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return ".".join((encode(header), encode({**body, **claims}), parts[2]))


async def test_forged_expired_and_future_tokens_are_refused(hub: Hub):
    bia, admin = await add_person(hub), await add_person(hub, "admin")
    token = bia.tokens["access_token"]
    header, claims = jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})
    door = await hub.services.shared(open_door)
    await door.keyring.verify("access", token)
    key = door.keyring._keys[header["kid"]]
    now = datetime.now(UTC)

    def sign(key: str | bytes = key, alg: str = "HS256", kid: str = header["kid"], **more: Any) -> str:
        return jwt.encode({**claims, **more}, key, alg, headers={"kid": kid})

    bad = {
        "none": forged(token, {"alg": "none", "typ": "JWT", "kid": header["kid"]}),
        "None": forged(token, {"alg": "None", "typ": "JWT", "kid": header["kid"]}),
        "no signature": forged(token, {"alg": "none"}).rpartition(".")[0] + ".",
        "changed subject": forged(token, header, sub=str(admin.id)),
        "HS512 with our key": sign(alg="HS512"),
        "unknown kid": sign(kid="other"),
        "another key": sign(key="x" * 32),
        "no kid": jwt.encode(claims, key, "HS256"),
        "claims to be RS256": forged(token, {"alg": "RS256", "kid": header["kid"]}),
        "expired": sign(exp=now - timedelta(seconds=61), iat=now - timedelta(hours=1)),
        "of the future": sign(iat=now + timedelta(seconds=61)),
        "for another use": sign(aud="hub:challenge"),
        "no expiry": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, "HS256", headers={"kid": header["kid"]}),
        "another issuer": sign(iss="evil"),
    }  # fmt: skip
    for name, forgery in bad.items():
        assert (await call(hub, "GET", ME, bearer(forgery)))[0] == 401, name
    assert (await call(hub, "GET", ME, bearer(sign(iat=now + timedelta(seconds=20)))))[
        0
    ] == 200  # clocks differ a little
    assert (await call(hub, "GET", ME, bia.headers))[0] == 200


@pytest.mark.parametrize(("ahead_s", "status"), [(0, 200), (20, 200), (-300, 200), (61, 401), (300, 401), (600, 401)])
async def test_a_token_of_a_process_whose_clock_is_off(hub: Hub, monkeypatch, ahead_s: int, status: int):
    """One that is late signs tokens that end early; one that is ahead by more than a minute signs none of use."""
    bia = await add_person(hub)
    claims = jwt.decode(bia.tokens["access_token"], options={"verify_signature": False})

    class Off(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=ahead_s)

    other = Keyring(hub.services.db, hub.services.settings.secret_key.get_secret_value())
    monkeypatch.setattr(tokens, "datetime", Off)
    token = await other.sign("access", {"sub": claims["sub"], "sid": claims["sid"]}, lives_s=tokens.ACCESS_S)
    monkeypatch.undo()
    assert (await call(hub, "GET", ME, bearer(token)))[0] == status


async def test_a_challenge_is_no_access_token(hub: Hub):
    door = await hub.services.shared(open_door)
    bia = await add_person(hub)
    claims = jwt.decode(bia.tokens["access_token"], options={"verify_signature": False})
    challenge = await door.keyring.sign("challenge", {"sub": claims["sub"], "sid": claims["sid"]}, lives_s=60)
    assert (await call(hub, "GET", ME, bearer(challenge)))[0] == 401


async def test_a_rotated_signing_key_signs_and_the_old_one_still_verifies(hub: Hub):
    from hub_api.auth.tokens import Keyring, rotate

    bia = await add_person(hub)
    secret_key = hub.services.settings.secret_key.get_secret_value()
    kid = await rotate(hub.services.db, secret_key)
    fresh = Keyring(hub.services.db, secret_key)
    token = await fresh.sign("access", {"sub": str(bia.id)}, lives_s=60)
    assert jwt.get_unverified_header(token)["kid"] == kid
    await fresh.verify("access", bia.tokens["access_token"])
    claims = jwt.decode(bia.tokens["access_token"], options={"verify_signature": False})
    late = await fresh.sign("access", {"sub": claims["sub"], "sid": claims["sid"]}, lives_s=60)
    await asyncio.sleep(1.0)  # the application looks for an unknown key once a second
    assert (await call(hub, "GET", ME, bearer(late)))[0] == 200


async def test_programs_sign_in_by_oauth(hub: Hub):
    bia = await add_person(hub, "admin", signed_in=False)
    form = {"grant_type": "password", "username": bia.email, "password": PASSWORD}
    status, tokens = await call(hub, "POST", f"{AUTH}/token", data=form)
    assert status == 200 and tokens["token_type"] == "Bearer"
    status, made = await call(
        hub,
        "POST",
        "/api/v1/keys",
        bearer(tokens["access_token"]),
        json={"name": "ERP", "scopes": ["business:read", "business:write"]},
    )
    assert status == 201
    client = {
        "grant_type": "client_credentials",
        "client_id": made["id"],
        "client_secret": made["key"],
        "scope": "business:read",
    }
    status, token = await call(hub, "POST", f"{AUTH}/token", data=client)
    assert (status, token["scope"]) == (200, "business:read") and None not in token.values()
    assert "refresh_token" not in token
    headers = bearer(token["access_token"])
    assert (await call(hub, "GET", "/api/v1/business/plans", headers))[0] == 200
    assert (await call(hub, "POST", "/api/v1/business/plans", headers, json={"rows": []}))[0] == 403
    status, told = await call(hub, "POST", f"{AUTH}/token", data={**client, "scope": "users:write"})
    assert (status, told["error"]) == (400, "invalid_scope")
    assert (await call(hub, "DELETE", f"/api/v1/keys/{made['id']}", bearer(tokens["access_token"])))[0] == 204
    assert (await call(hub, "GET", "/api/v1/business/plans", headers))[0] == 401
    status, told = await call(hub, "POST", f"{AUTH}/token", data=client)
    assert (status, told["error"]) == (401, "invalid_client")


async def test_a_library_of_others_gets_tokens_and_reads_refusals(hub: Hub):
    """Authlib shows a client by HTTP Basic, as RFC 6749 wants it from those that can, and reads `error`."""
    bia = await add_person(hub, signed_in=False)
    made = await make_key(hub.services.db, "ERP: 50%", ["business:read"])
    url, key = f"{hub.url}{AUTH}/token", str(made.id)
    program, stranger = OAuth2Session(key, made.key), OAuth2Session(key, made.key + "x")
    token = await asyncio.to_thread(program.fetch_token, url, grant_type="client_credentials")
    assert (await call(hub, "GET", "/api/v1/business/plans", bearer(token["access_token"])))[0] == 200
    with pytest.raises(OAuthError, match="invalid_client"):
        await asyncio.to_thread(stranger.fetch_token, url, grant_type="client_credentials")
    person = OAuth2Session("any", token_endpoint_auth_method="none")
    with pytest.raises(OAuthError, match="invalid_grant"):
        await asyncio.to_thread(person.fetch_token, url, username=bia.email, password="wrong")
    first = await asyncio.to_thread(person.fetch_token, url, username=bia.email, password=PASSWORD)
    second = await asyncio.to_thread(person.refresh_token, url, refresh_token=first["refresh_token"])
    assert (await call(hub, "GET", ME, bearer(second["access_token"])))[0] == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        await asyncio.to_thread(person.refresh_token, url, refresh_token=first["refresh_token"])
    assert (await call(hub, "GET", ME, bearer(second["access_token"])))[0] == 401

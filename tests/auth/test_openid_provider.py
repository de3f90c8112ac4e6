"""The hub as OpenID Connect provider, asked by hand: what is refused, what ends what, and whose keys sign."""

import base64
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import pytest

from hub_api.auth import jobs
from hub_api.auth.openid import keys
from hub_api.settings import Settings
from tests.auth.openid_people import (
    CLIENTS,
    LOGOUT,
    REDIRECT,
    Request,
    provider,
    query_of,
    register,
    token_call,
    userinfo,
    visitor,
)
from tests.auth.people import actions, add_person, call
from tests.support.hub import Hub

BROKEN: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"scope": "profile"}, "invalid_scope"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "a" * 43 + "\n"}, "invalid_request"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "dance"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"request": "eyJ"}, "request_not_supported"),
    ({"request_uri": "https://evil.example/"}, "request_uri_not_supported"),
    ({"nonce": "n" * 501}, "invalid_request"),
]


async def test_a_request_that_is_wrong_goes_back_to_the_client_without_a_code(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        await register(hub)
        for changes, error in BROKEN:
            status, back = await ana.visit(Request(hub, **changes).url)
            told = query_of(back)
            assert (status, told["error"]) == (303, error), changes
            assert back.startswith(REDIRECT + "&") and told["state"] == "the state" and "code" not in told
            assert told["iss"] == hub.url


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT.replace("%20", "+")},
        {"redirect_uri": REDIRECT.replace("superset.example.com", "Superset.example.com")},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": "superset\x00"},
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_registered(settings: Settings, changes: dict[str, Any]):
    async with provider(settings) as hub, visitor(hub) as ana:
        await register(hub)
        status, body = await ana.visit(Request(hub, **changes).url)
        assert status in (400, 422) and "evil" not in body and "http" not in body
        status, body = await ana.visit(f"{Request(hub).url}&redirect_uri={quote('https://evil.example/')}")
        assert (status, json.loads(body)["error"]) == (400, "invalid_request")


async def test_who_is_not_signed_in_goes_to_the_page_and_comes_back_to_the_same_request(settings: Settings):
    async with provider(settings) as hub, visitor(hub, signed_in=False) as ana:
        await register(hub)
        begun = Request(hub)
        status, page = await ana.visit(begun.url)
        assert status == 303 and page.startswith(f"{hub.url}/entrar?to=")
        assert query_of((await ana.visit(Request(hub, prompt="none").url))[1])["error"] == "login_required"
        form = urlencode(begun.values)
        status, there = await ana.visit(
            f"{hub.url}/openid/authorize",
            "POST",
            data=form,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (status, there) == (303, begun.url)
        await ana.sign_in()
        status, back = await ana.visit(hub.url + query_of(page)["to"])
        assert status == 303 and "code" in query_of(back)
        assert "code" in query_of((await ana.visit(Request(hub, prompt="none").url))[1])


async def test_a_client_can_want_a_new_sign_in_and_gets_one_not_an_endless_row(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        for wish in ({"prompt": "login"}, {"max_age": "60"}, {"prompt": "select_account"}):
            await hub.fetch("UPDATE sessions SET created_at = now() - interval '1 hour'")
            begun = Request(hub, **wish)
            status, page = await ana.visit(begun.url)
            assert status == 303 and page.startswith(f"{hub.url}/entrar?") and query_of(page)["again"] == "1"
            again = hub.url + query_of(page)["to"]
            assert (await ana.visit(again))[1].startswith(f"{hub.url}/entrar?"), "the old sign-in will not do"
            if "max_age" in wish:
                refused = query_of((await ana.visit(Request(hub, prompt="none", max_age="60").url))[1])
                assert refused["error"] == "login_required"
            await ana.sign_in()
            back = (await ana.visit(again))[1]
            status, tokens = await begun.redeem(query_of(back)["code"], secret)
            assert status == 200 and _claims(tokens)["auth_time"] > time.time() - 60


async def test_a_hint_of_somebody_else_asks_for_him(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana, visitor(hub) as rui:
        secret = await register(hub)
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        for hint, who, fits in (
            (tokens["id_token"], ana, True),
            (tokens["id_token"], rui, False),
            ("ey.no.ne", ana, False),
        ):
            told = query_of((await who.visit(Request(hub, prompt="none", id_token_hint=hint).url))[1])
            assert told.get("error") == (None if fits else "login_required")


async def test_only_who_has_the_permission_and_his_second_factor_gets_in(settings: Settings):
    async with provider(settings) as hub, visitor(hub, "agent") as agent, visitor(hub, "analyst") as analyst:
        secret = await register(hub, permission="analytics:read")
        assert query_of((await agent.visit(Request(hub).url))[1])["error"] == "access_denied"
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(analyst), secret)
        assert (await userinfo(hub, tokens["access_token"]))[0] == 200
        admin = await add_person(hub, "admin")
        change = {"json": {"second_factor": True}}
        assert (await call(hub, "PATCH", "/api/v1/roles/analyst", admin.headers, **change))[0] == 200
        assert query_of((await analyst.visit(Request(hub).url))[1])["error"] == "access_denied"
        assert (await userinfo(hub, tokens["access_token"]))[0] == 401
        assert (await begun.refresh(tokens["refresh_token"], secret))[1]["error"] == "invalid_grant"


async def test_a_code_is_of_use_once_in_time_at_its_client_with_its_verifier(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret, other = await register(hub), await register(hub, "grafana")
        begun = Request(hub)
        code = await begun.code(ana)
        wrong = [
            ({"code_verifier": "w" * 64}, "invalid_grant"),
            ({"code_verifier": None}, "invalid_grant"),
            ({"redirect_uri": LOGOUT}, "invalid_grant"),
            ({"code": "x" * 43}, "invalid_grant"),
            ({"client_id": "grafana", "client_secret": other}, "invalid_grant"),
            ({"client_id": "grafana"}, "invalid_client"),
            ({"client_secret": "wrong"}, "invalid_client"),
            ({"client_secret": None}, "invalid_client"),
            ({"grant_type": "password"}, "unsupported_grant_type"),
        ]
        for changes, error in wrong:
            status, told = await begun.redeem(code, secret, **changes)
            assert (told["error"], status) == (error, 401 if error == "invalid_client" else 400), changes
        status, tokens = await begun.redeem(code, secret)
        assert status == 200 and _claims(tokens)["nonce"] == "the nonce"
        assert (await userinfo(hub, tokens["access_token"]))[0] == 200
        assert (await begun.redeem(code, secret))[1]["error"] == "invalid_grant"
        assert (await userinfo(hub, tokens["access_token"]))[0] == 401
        assert (await begun.refresh(tokens["refresh_token"], secret))[1]["error"] == "invalid_grant"
        late = Request(hub)
        code = await late.code(ana)
        await hub.fetch("UPDATE openid_grants SET code_expires_at = now() - interval '1 second'")
        assert (await late.redeem(code, secret))[1]["error"] == "invalid_grant"
        assert "openid.revoked" in await actions(hub)


async def test_a_refresh_token_is_used_once_and_gives_no_more_than_before(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        begun = Request(hub)
        _, first = await begun.redeem(await begun.code(ana), secret)
        assert (await begun.refresh(first["refresh_token"], secret, scope="openid email"))[1][
            "error"
        ] == "invalid_scope"
        assert (await begun.refresh(first["access_token"], secret))[1]["error"] == "invalid_grant"
        status, second = await begun.refresh(first["refresh_token"], secret)
        assert status == 200 and "nonce" not in _claims(second)
        assert (await begun.refresh(first["refresh_token"], secret))[1]["error"] == "invalid_grant"
        assert (await begun.refresh(second["refresh_token"], secret))[1]["error"] == "invalid_grant"
        for token in (first["access_token"], second["access_token"]):
            assert (await userinfo(hub, token))[0] == 401


async def test_what_a_client_holds_ends_with_the_session_of_the_hub(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        begun, waiting = Request(hub), Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        code = await waiting.code(ana)
        await ana.sign_out()
        assert (await userinfo(hub, tokens["access_token"]))[0] == 401
        assert (await begun.refresh(tokens["refresh_token"], secret))[1]["error"] == "invalid_grant"
        assert (await waiting.redeem(code, secret))[1]["error"] == "invalid_grant"


async def test_tokens_of_one_door_open_no_other(settings: Settings):
    async with provider(settings) as hub, visitor(hub, "admin") as ana:
        secret = await register(hub)
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        mark = next(cookie.value for cookie in ana.session.cookie_jar if cookie.key == "hub_openid")
        apps = next(cookie.value for cookie in ana.session.cookie_jar if cookie.key == "hub_apps")
        for token in (tokens["access_token"], tokens["id_token"], tokens["refresh_token"], mark, apps):
            assert (await call(hub, "GET", "/api/v1/auth/me", {"Authorization": f"Bearer {token}"}))[0] == 401
            assert (await call(hub, "GET", "/api/v1/auth/me", {"Cookie": f"hub_session={token}"}))[0] == 401
        person = await add_person(hub, "admin")
        for token in (tokens["id_token"], tokens["refresh_token"], person.tokens["access_token"]):
            assert (await userinfo(hub, token))[0] == 401
        for planted in (apps, mark[:-1] + ("0" if mark[-1] != "0" else "1"), "a-b-c-d", "é"):
            header = {"Cookie": f"hub_openid={planted}"}
            status, where = await _visit(hub, Request(hub).url, header)
            assert status == 303 and where.startswith(f"{hub.url}/entrar?"), planted
        assert "code" in query_of((await _visit(hub, Request(hub).url, {"Cookie": f"hub_openid={mark}"}))[1])


async def test_a_mark_of_a_browser_does_not_last_forever(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        await register(hub)
        mark = next(cookie.value for cookie in ana.session.cookie_jar if cookie.key == "hub_openid")
        header = {"Cookie": f"hub_openid={mark}"}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hub_api.auth.identify.time.time", lambda: time_of(mark) + 15 * 24 * 3600)
            assert (await _visit(hub, Request(hub).url, header))[1].startswith(f"{hub.url}/entrar?")


async def test_a_new_key_is_published_before_it_signs_and_the_old_one_after(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret_key = settings.secret_key.get_secret_value()
        await keys.make_first(hub.services.db, secret_key)
        first = await _signers(hub)
        fresh = keys.Signer(hub.services.db, secret_key)
        async with hub.services.transaction() as tx:
            second = await keys.rotate(tx.db, secret_key)
        assert {one["kid"] for one in (await fresh.published())["keys"]} == {*first, second}
        assert jwt.get_unverified_header(await fresh.sign({"a": 1}))["kid"] == first[0]
        await hub.fetch("UPDATE openid_keys SET signs_from = signs_from - interval '11 minutes'")
        later = keys.Signer(hub.services.db, secret_key)
        assert jwt.get_unverified_header(await later.sign({"a": 1}))["kid"] == second
        assert {one["kid"] for one in (await later.published())["keys"]} == {*first, second}
        assert all(set(one) == {"kty", "n", "e", "use", "alg", "kid"} for one in (await later.published())["keys"])
        await hub.fetch("UPDATE openid_keys SET signs_from = signs_from - interval '2 hours'")
        assert [one["kid"] for one in (await keys.Signer(hub.services.db, secret_key).published())["keys"]] == [second]
        await hub.fetch("UPDATE openid_keys SET signs_from = signs_from - interval '92 days'")
        await jobs.tidy.function(hub.services)
        assert await _signers(hub) == [second]
        assert ana.person.role == "analyst"


async def test_a_sign_out_by_a_client_leads_where_it_is_registered_and_nowhere_else(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        await register(hub, "grafana")
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        forged = jwt.encode({**_claims(tokens)}, "x" * 32, "HS256")
        bad = [
            {"client_id": "superset", "post_logout_redirect_uri": "https://evil.example/"},
            {"post_logout_redirect_uri": LOGOUT},
            {"id_token_hint": forged, "post_logout_redirect_uri": LOGOUT},
            {"id_token_hint": tokens["id_token"], "client_id": "grafana"},
        ]
        for wish in bad:
            status, told = await ana.visit(f"{hub.url}/openid/logout?{urlencode(wish)}")
            assert (status, json.loads(told)["error"]) == (400, "invalid_request"), wish
        # A link anywhere asks first, and no page elsewhere can answer for the person.
        wish = {"client_id": "superset", "post_logout_redirect_uri": LOGOUT, "state": '"><script>'}
        status, page = await ana.visit(f"{hub.url}/openid/logout?{urlencode(wish)}")
        assert status == 200 and "<form" in page and "<script>" not in page
        form = {**wish, "confirm": "yes"}
        assert (await ana.visit(f"{hub.url}/openid/logout", "POST", data=form))[0] == 403
        headers = {"Origin": "https://evil.example"}
        assert (await ana.visit(f"{hub.url}/openid/logout", "POST", data=form, headers=headers))[0] == 403
        assert (await userinfo(hub, tokens["access_token"]))[0] == 200
        status, where = await ana.visit(f"{hub.url}/openid/logout", "POST", data=form, headers={"Origin": hub.url})
        assert (status, where) == (303, f"{LOGOUT}?{urlencode({'state': wish['state']})}")
        assert (await userinfo(hub, tokens["access_token"]))[0] == 401
        assert not [cookie.key for cookie in ana.session.cookie_jar if cookie.key == "hub_openid"]


async def test_an_old_id_token_signs_out_the_same_person_who_came_back(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana, visitor(hub) as rui:
        secret = await register(hub)
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        await ana.sign_out()
        await ana.sign_in()
        hint = f"{hub.url}/openid/logout?{urlencode({'id_token_hint': tokens['id_token']})}"
        await rui.visit(hint)
        assert "code" in query_of((await rui.visit(Request(hub).url))[1]), (
            "somebody else's token ends no session of his"
        )
        await ana.visit(hint)
        assert (await ana.visit(Request(hub).url))[1].startswith(f"{hub.url}/entrar?")


async def test_clients_are_registered_by_administrators_with_exact_addresses(hub: Hub):
    admin, agent = await add_person(hub, "admin"), await add_person(hub, "supervisor")
    body = {"id": "superset", "name": "Superset", "redirect_uris": [REDIRECT], "permission": "analytics:read"}
    assert (await call(hub, "POST", CLIENTS, agent.headers, json=body))[0] == 403
    bad = ["http://superset.example.com/", "https://*.example.com/", "https://a.example/#f", "https://u@a.example/",
           "javascript:alert(1)", "https://a.example/ b", "//a.example/", "https:///x", "https://a.example:x/",
           "https://a.example/\n"]  # fmt: skip
    for uri in bad:
        status, told = await call(hub, "POST", CLIENTS, admin.headers, json={**body, "redirect_uris": [uri]})
        assert (status, told["errors"][0]["field"]) == (422, "body.redirect_uris.0"), uri
    assert (await call(hub, "POST", CLIENTS, admin.headers, json={**body, "permission": "no:such"}))[0] == 422
    status, made = await call(hub, "POST", CLIENTS, admin.headers, json=body)
    assert status == 201 and len(made["secret"]) >= 43
    assert (await call(hub, "POST", CLIENTS, admin.headers, json=body))[0] == 409
    _, shown = await call(hub, "GET", f"{CLIENTS}/superset", admin.headers)
    assert made["secret"] not in json.dumps(shown) and shown["version"] == 1
    stale = {**admin.headers, "If-Match": '"7"'}
    assert (await call(hub, "PATCH", f"{CLIENTS}/superset", stale, json={"name": "X"}))[0] == 412
    status, changed = await call(hub, "PATCH", f"{CLIENTS}/superset", admin.headers, json={"name": "Painéis"})
    assert (status, changed["name"], changed["redirect_uris"]) == (200, "Painéis", [REDIRECT])
    status, renewed = await call(hub, "POST", f"{CLIENTS}/superset/secret", admin.headers)
    assert status == 200 and renewed["secret"] != made["secret"]
    for secret, expected in ((made["secret"], "invalid_client"), (renewed["secret"], "invalid_grant")):
        form = {"grant_type": "authorization_code", "code": "x", "client_id": "superset", "client_secret": secret}
        assert (await token_call(hub, form))[1]["error"] == expected
    assert len((await call(hub, "GET", CLIENTS, admin.headers))[1]["items"]) == 1
    assert (await call(hub, "DELETE", f"{CLIENTS}/superset", admin.headers))[0] == 204
    assert (await call(hub, "GET", f"{CLIENTS}/superset", admin.headers))[0] == 404
    done = [one for one in await actions(hub) if one.startswith("openid_client.")]
    assert done == [f"openid_client.{deed}" for deed in ("created", "changed", "secret_renewed", "deleted")]
    logged = await hub.fetchval("SELECT string_agg(t::text, '') FROM audit_log t")
    assert made["secret"] not in logged and renewed["secret"] not in logged


async def test_a_deleted_client_holds_nothing(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        begun = Request(hub)
        _, tokens = await begun.redeem(await begun.code(ana), secret)
        assert (await call(hub, "DELETE", f"{CLIENTS}/superset", hub.auth))[0] == 204
        assert (await userinfo(hub, tokens["access_token"]))[0] == 401
        assert (await begun.refresh(tokens["refresh_token"], secret))[1]["error"] == "invalid_client"


async def test_what_has_expired_goes_and_a_used_code_is_known_a_day_longer(settings: Settings):
    async with provider(settings) as hub, visitor(hub) as ana:
        secret = await register(hub)
        begun = Request(hub)
        code = await begun.code(ana)
        await begun.redeem(code, secret)
        await hub.fetch("UPDATE openid_tokens SET expires_at = now() - interval '1 second'")
        await jobs.tidy.function(hub.services)
        assert await hub.fetchval("SELECT count(*) FROM openid_tokens") == 0
        assert (await begun.redeem(code, secret))[1]["error"] == "invalid_grant"
        await hub.fetch("UPDATE openid_grants SET created_at = now() - $1::interval", timedelta(days=2))
        await jobs.tidy.function(hub.services)
        assert await hub.fetchval("SELECT count(*) FROM openid_grants") == 0


def _claims(tokens: dict[str, Any]) -> dict[str, Any]:
    part = tokens["id_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def time_of(mark: str) -> int:
    """When a mark was made."""
    return int(mark.split("-")[2])


async def _signers(hub: Hub) -> list[str]:
    return [row["kid"] for row in await hub.fetch("SELECT kid FROM openid_keys ORDER BY signs_from DESC")]


async def _visit(hub: Hub, url: str, headers: dict[str, str]) -> tuple[int, str]:
    async with hub.session.get(url, headers=headers, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location") or await answer.text()

"""Users, roles, teams, keys: who may make whom what, invitations and forgotten passwords by e-mail, codes by SMS."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api.auth import jobs
from hub_api.auth.api_keys import create_key, entry_of
from hub_api.simulator.server import Simulator
from tests.auth.people import (
    AUTH,
    PASSWORD,
    Person,
    actions,
    add_conversation,
    add_person,
    add_team,
    bearer,
    call,
    clear_limits,
    login,
)
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.valkey import EmbeddedValkey
from tests.support.waiting import eventually

USERS, NEW = "/api/v1/users", "sete baleias na varanda azul"


@pytest.fixture
async def post() -> AsyncIterator[Simulator]:
    """A simulator that takes mail and SMS."""
    async with Simulator(smtp_port=0) as simulator:
        yield simulator


@pytest.fixture
async def mailing(database_url: str, redis_url: str, post: Simulator) -> AsyncIterator[Hub]:
    """A hub whose mail and SMS go there."""
    options = {"smtp_url": f"smtp://127.0.0.1:{post.core.post.smtp_port}", "sms_url": f"{post.url}/_sim/sms"}
    async with running_hub(make_settings(database_url, redis_url, **options)) as hub:
        yield hub


async def newest(hub: Hub, post: Simulator, to: str) -> Any:
    """The newest mail or SMS to somebody, as the page of the sink has it."""
    await jobs.send_notices.function(hub.services)
    async with hub.session.get(f"{post.url}/_sim/post.json", params={"to": to}) as answer:
        items = await answer.json(content_type=None)
    return items[0] if items else None


async def test_an_invited_user_sets_a_password_once_and_signs_in(mailing: Hub, post: Simulator):
    admin = await add_person(mailing, "admin")
    body = {"email": "Bia@Example.com", "name": "Bia Lima", "role": "agent"}
    status, bia = await call(mailing, "POST", USERS, admin.headers, json=body)
    assert status == 201 and bia["active"] and bia["version"] == 1
    assert (await call(mailing, "POST", USERS, admin.headers, json={**body, "email": "bia@example.com"}))[0] == 409
    mail = await newest(mailing, post, "Bia@Example.com")
    assert mail["subject"] == "Seu acesso ao Telecom Chat" and "Bia Lima" in mail["text"]
    assert await mailing.fetchval("SELECT count(*) FROM notices") == 0
    token = re.search(r"/convite#(\S+)", mail["text"])[1]
    assert (await login(mailing, "bia@example.com", NEW))[0] == 401
    weak = await call(mailing, "POST", f"{AUTH}/password/set", json={"token": token, "password": "bialima2026"})
    assert (weak[0], weak[1]["code"]) == (422, "weak_password")
    chosen = {"token": token, "password": NEW}
    assert (await call(mailing, "POST", f"{AUTH}/password/set", json=chosen))[0] == 204
    assert (await call(mailing, "POST", f"{AUTH}/password/set", json=chosen))[0] == 422
    assert (await login(mailing, "bia@example.com", NEW))[0] == 200
    async with mailing.session.get(f"{post.url}/_sim/post") as page:
        assert "Bia Lima" in await page.text()


async def test_a_forgotten_password_is_set_by_link_and_silence_covers_who_is_unknown(mailing: Hub, post: Simulator):
    bia = await add_person(mailing)
    for email in (bia.email, "nobody@example.com"):
        assert (await call(mailing, "POST", f"{AUTH}/password/forgot", json={"email": email}))[0] == 202
    await eventually(lambda: mailing.fetchval("SELECT count(*) FROM notices"))
    mail = await newest(mailing, post, bia.email)
    assert await newest(mailing, post, "nobody@example.com") is None
    token = re.search(r"/senha#(\S+)", mail["text"])[1]
    assert (await call(mailing, "POST", f"{AUTH}/password/set", json={"token": token, "password": NEW}))[0] == 204
    assert (await call(mailing, "GET", f"{AUTH}/me", bia.headers))[0] == 401
    await clear_limits(mailing)
    assert (await login(mailing, bia.email))[0] == 401 and (await login(mailing, bia.email, NEW))[0] == 200


async def test_mail_that_cannot_leave_waits(mailing: Hub, post: Simulator):
    bia = await add_person(mailing)
    await post.core.post.stop()
    await call(mailing, "POST", f"{AUTH}/password/forgot", json={"email": bia.email})
    await eventually(lambda: mailing.fetchval("SELECT count(*) FROM notices"))
    assert await newest(mailing, post, bia.email) is None
    assert await mailing.fetchval("SELECT attempts FROM notices") == 1
    assert bia.email.encode() not in await mailing.fetchval("SELECT sealed FROM notices")
    await post.core.post.start("127.0.0.1", post.core.post.smtp_port)
    await mailing.fetch("UPDATE notices SET not_before = now()")
    assert (await newest(mailing, post, bia.email))["channel"] == "email"


@pytest.mark.parametrize("provider", ["generic", "twilio"])
async def test_a_code_by_sms_is_the_second_factor_once(
    database_url: str, redis_url: str, post: Simulator, provider: str
):
    host = post.url.removeprefix("http://")
    url = {"generic": f"{post.url}/_sim/sms", "twilio": f"twilio+http://AC1:secret@{host}?from=+15005550006"}[provider]
    async with running_hub(make_settings(database_url, redis_url, sms_url=url)) as hub:
        from tests.auth.test_second_factor import answer, set_up

        bia = await add_person(hub, phone="+5511987654321")
        await set_up(hub, bia)
        await clear_limits(hub)
        _, asked = await login(hub, bia.email)
        assert asked["methods"] == ["totp", "recovery", "message"]
        path, body = f"{AUTH}/second-factor/message", {"challenge": asked["challenge"]}
        assert (await call(hub, "POST", path, json=body))[0] == 202
        old = re.match(r"\d{6}", (await newest(hub, post, "+5511987654321"))["text"])[0]
        assert (await call(hub, "POST", path, json=body))[0] == 202
        sms = await newest(hub, post, "+5511987654321")
        assert sms["sender"] == ("+15005550006" if provider == "twilio" else "")
        code = re.match(r"\d{6}", sms["text"])[0]
        if old != code:
            assert (await answer(hub, asked["challenge"], old, "message"))[0] == 401
        assert (await answer(hub, asked["challenge"], code, "message"))[0] == 200
        assert (await answer(hub, asked["challenge"], code, "message"))[0] == 401
        factors = await hub.fetchval("SELECT factors FROM sessions ORDER BY created_at DESC LIMIT 1")
        assert factors == ["password", "sms"]


async def test_a_code_by_sms_is_gone_after_five_wrong_ones(mailing: Hub, post: Simulator):
    from tests.auth.test_second_factor import answer, set_up

    bia = await add_person(mailing, phone="+5511987654321")
    await set_up(mailing, bia)
    await clear_limits(mailing)
    _, asked = await login(mailing, bia.email)
    await call(mailing, "POST", f"{AUTH}/second-factor/message", json={"challenge": asked["challenge"]})
    code = re.match(r"\d{6}", (await newest(mailing, post, "+5511987654321"))["text"])[0]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(5):
        await clear_limits(mailing)
        assert (await answer(mailing, asked["challenge"], wrong, "message"))[0] == 401
    await clear_limits(mailing)
    assert (await answer(mailing, asked["challenge"], code, "message"))[0] == 401


async def test_the_last_administrator_stays_and_a_stale_change_is_refused(hub: Hub):
    admin = await add_person(hub, "admin")
    path = f"{USERS}/{admin.id}"
    for change in ({"role": "agent"}, {"active": False}):
        assert (await call(hub, "PATCH", path, admin.headers, json=change))[0] == 409
    status, changed = await call(hub, "PATCH", path, {**admin.headers, "If-Match": '"1"'}, json={"name": "Ana"})
    assert (status, changed["name"], changed["version"]) == (200, "Ana", 2)
    stale = await call(hub, "PATCH", path, {**admin.headers, "If-Match": '"1"'}, json={"name": "Eva"})
    assert (stale[0], stale[1]["code"]) == (412, "stale")


async def test_nobody_gives_what_he_has_not(hub: Hub):
    """A custom role that may change users makes nobody more than itself, itself included."""
    admin = await add_person(hub, "admin")
    role = {
        "name": "gestor",
        "title": "Gestor",
        "permissions": ["users:read", "users:write", "keys:write", "roles:write"],
        "all_teams": True,
    }
    assert (await call(hub, "POST", "/api/v1/roles", admin.headers, json=role))[0] == 201
    gestor = await add_person(hub, "gestor")
    mine = gestor.headers
    raised = {"name": "x1", "title": "X", "permissions": ["audit:read"]}
    attempts = [
        ("POST", USERS, {"email": "x@example.com", "name": "X", "role": "admin"}),
        ("PATCH", f"{USERS}/{gestor.id}", {"role": "admin"}),
        ("PATCH", f"{USERS}/{admin.id}", {"email": "mine@example.com"}),  # and then a forgotten password
        ("POST", f"{USERS}/{admin.id}/invite", None),
        ("POST", f"{USERS}/{admin.id}/second-factor/reset", None),
        ("POST", "/api/v1/keys", {"name": "x", "scopes": ["*"]}),
        ("POST", "/api/v1/keys", {"name": "x", "scopes": ["audit:read"]}),
        ("POST", "/api/v1/roles", raised),
        ("PATCH", "/api/v1/roles/gestor", {"permissions": ["audit:read"]}),
        ("PATCH", "/api/v1/roles/admin", {"second_factor": True}),
    ]
    for method, path, body in attempts:
        status, answer = await call(hub, method, path, mine, **({"json": body} if body else {}))
        assert (status, answer["code"]) == (403, "forbidden"), (method, path, body)
    assert (await call(hub, "POST", USERS, mine, json={"email": "y@example.com", "name": "Y", "role": "gestor"}))[
        0
    ] == 201


async def test_a_custom_role_holds_at_once_and_goes_when_nobody_has_it(hub: Hub):
    admin = await add_person(hub, "admin")
    role = {"name": "qualidade", "title": "Qualidade", "permissions": ["conversations:read"]}
    assert (await call(hub, "POST", "/api/v1/roles", admin.headers, json=role))[0] == 201
    assert (
        await call(hub, "POST", "/api/v1/roles", admin.headers, json={**role, "name": "b2", "permissions": ["x:y"]})
    )[0] == 422
    caio = await add_person(hub, "qualidade")
    assert (await call(hub, "GET", "/api/v1/conversations", caio.headers))[0] == 200
    path = "/api/v1/roles/qualidade"
    assert (await call(hub, "PATCH", path, admin.headers, json={"permissions": ["customers:read"]}))[0] == 200
    assert (await call(hub, "GET", "/api/v1/conversations", caio.headers))[0] == 403
    assert (await call(hub, "DELETE", path, admin.headers))[0] == 409
    assert (await call(hub, "PATCH", f"{USERS}/{caio.id}", admin.headers, json={"role": "agent"}))[0] == 200
    assert (await call(hub, "DELETE", path, admin.headers))[0] == 204
    assert (await call(hub, "PATCH", "/api/v1/roles/agent", admin.headers, json={"permissions": []}))[0] == 409
    assert {"role.created", "role.changed", "role.deleted", "user.changed"} <= set(await actions(hub))


async def test_a_team_and_its_queue_decide_whose_conversations_are_seen(hub: Hub):
    admin, bia = await add_person(hub, "admin"), await add_person(hub, "agent")
    team, queue = await add_team(hub, "retencao")
    await hub.fetch("INSERT INTO queues (id, key, name) VALUES (gen_random_uuid(), 'geral', 'Geral')")
    theirs, open_to_all = await add_conversation(hub, queue, "deles"), await add_conversation(hub, "geral", "de todos")
    mine = await add_conversation(hub, queue, "minha", bia.id)

    async def seen() -> set[str]:
        _, page = await call(hub, "GET", "/api/v1/conversations", bia.headers)
        return {one["id"] for one in page["items"]}

    assert await seen() == {str(open_to_all["conversation"]), str(mine["conversation"])}
    assert (await call(hub, "GET", f"/api/v1/customers/{theirs['customer']}", bia.headers))[0] == 404
    member = f"/api/v1/teams/{team}/members/{bia.id}"
    assert (await call(hub, "PUT", member, admin.headers))[0] == 204
    assert str(theirs["conversation"]) in await seen()
    assert (await call(hub, "GET", f"/api/v1/customers/{theirs['customer']}", bia.headers))[0] == 200
    assert (await call(hub, "DELETE", member, admin.headers))[0] == 204
    assert str(theirs["conversation"]) not in await seen()
    assert (await call(hub, "PUT", "/api/v1/queues/geral/team", admin.headers, json={"team_id": str(team)}))[0] == 204
    assert await seen() == {str(mine["conversation"])}
    assert (await call(hub, "DELETE", f"/api/v1/teams/{team}", admin.headers))[0] == 409


async def test_an_agent_writes_in_his_own_name(hub: Hub):
    bia, caio = await add_person(hub), await add_person(hub)
    made = await add_conversation(hub, None, "oi")
    body = {"type": "text", "text": "Olá", "agent_id": str(caio.id)}
    path = f"/api/v1/conversations/{made['conversation']}/messages"
    assert (await call(hub, "POST", path, bia.headers, json=body))[0] == 403
    assert (await call(hub, "POST", path, hub.auth, json=body))[0] == 202


async def make_key(hub: Hub, admin: Person, **more: Any) -> dict[str, Any]:
    """A key that may read roles, made through the API."""
    body = {"name": "ERP", "scopes": ["roles:read"], **more}
    status, made = await call(hub, "POST", "/api/v1/keys", admin.headers, json=body)
    assert status == 201 and made["key"].startswith("hub_")
    return made


async def reads_roles(hub: Hub, key: str) -> bool:
    """Whether the API lets the key read roles, which it either does or says 401."""
    status, _ = await call(hub, "GET", "/api/v1/roles", bearer(key))
    assert status in (200, 401)
    return status == 200


async def test_a_key_tells_when_it_was_used_and_is_shown_once(hub: Hub):
    admin = await add_person(hub, "admin")
    made = await make_key(hub, admin)
    assert await reads_roles(hub, made["key"])
    _, page = await call(hub, "GET", "/api/v1/keys", admin.headers)
    shown = next(one for one in page["items"] if one["id"] == made["id"])
    assert shown["last_used_at"] and made["key"] not in str(page) and shown["created_by"] == str(admin.id)
    past = {"name": "x", "scopes": ["roles:read"], "expires_at": "2020-01-01T00:00:00Z"}
    assert (await call(hub, "POST", "/api/v1/keys", admin.headers, json=past))[0] == 422


async def test_a_key_in_use_ends_with_its_time(hub: Hub):
    admin = await add_person(hub, "admin")
    made = await make_key(hub, admin, expires_at=(datetime.now(UTC) + timedelta(seconds=3)).isoformat())
    past = "SELECT clock_timestamp() - expires_at FROM api_keys WHERE id = $1"
    asked, answers = [], [True]
    while answers[-1]:
        asked.append(await hub.fetchval(past, UUID(made["id"])))
        answers.append(await reads_roles(hub, made["key"]))
        await asyncio.sleep(0.05)
    assert len(asked) > 1 and asked[-2] < timedelta(seconds=1), "what was asked a second after its end was refused"


@pytest.mark.parametrize("end", ["revoked", "its user deactivated"])
async def test_a_key_in_use_ends_at_once(hub: Hub, end: str):
    admin, bia = await add_person(hub, "admin"), await add_person(hub)
    made = await make_key(hub, admin)
    await hub.fetch("UPDATE api_keys SET user_id = $2 WHERE id = $1", UUID(made["id"]), bia.id)
    assert [await reads_roles(hub, made["key"]) for _ in range(3)] == [True] * 3
    assert await hub.services.redis.pttl(entry_of(UUID(made["id"]))) > 1000, (
        "it is kept, so that PostgreSQL is not asked"
    )
    if end == "revoked":
        assert (await call(hub, "DELETE", f"/api/v1/keys/{made['id']}", admin.headers))[0] == 204
    else:
        assert (await call(hub, "PATCH", f"{USERS}/{bia.id}", admin.headers, json={"active": False}))[0] == 200
    assert not await reads_roles(hub, made["key"])


async def test_what_a_key_may_do_is_read_from_postgresql_while_redis_is_away(database_url: str):
    with EmbeddedValkey(durable=True) as valkey:
        async with running_hub(make_settings(database_url, valkey.url())) as hub:
            key = await create_key(hub.services.db, "ERP", ["roles:read"])
            assert await reads_roles(hub, key) and await reads_roles(hub, key)
            valkey.kill9()
            assert await reads_roles(hub, key)
            await hub.fetch("UPDATE api_keys SET revoked_at = now()")
            assert not await reads_roles(hub, key)


async def test_what_has_expired_is_tidied_away(hub: Hub):
    bia = await add_person(hub)
    await hub.fetch("UPDATE sessions SET expires_at = now() - interval '31 days'")
    await hub.fetch("UPDATE known_devices SET expires_at = now() - interval '1 day'")
    await jobs.tidy.function(hub.services)
    for table in ("sessions", "refresh_tokens", "known_devices"):
        assert await hub.fetchval(f"SELECT count(*) FROM {table}") == 0
    await clear_limits(hub)
    assert (await login(hub, bia.email, PASSWORD))[0] == 200


async def test_the_audit_log_keeps_no_secret_and_no_address_in_full(hub: Hub):
    admin = await add_person(hub, "admin")
    body = {"email": "bia.lima@example.com", "name": "Bia Lima", "role": "agent", "phone": "+5511987654321"}
    await call(hub, "POST", USERS, admin.headers, json=body)
    status, page = await call(hub, "GET", "/api/v1/audit", admin.headers, params={"action": "user.created"})
    assert status == 200 and page["items"][0]["after"] == {
        "email": "b…@example.com", "name": "Bia Lima", "role": "agent", "phone": "…4321", "active": True,
    }  # fmt: skip
    everything = str([tuple(row) for row in await hub.fetch("SELECT * FROM audit_log")])
    for secret in ("bia.lima", "987654321", PASSWORD, admin.tokens["access_token"], admin.tokens["refresh_token"]):
        assert secret not in everything


async def test_the_first_administrator_is_made_once(hub: Hub):
    from hub_api.auth.first_admin import make_first_admin

    async with hub.services.db.acquire() as db:
        assert await make_first_admin(db, "a first password") is True
        assert await make_first_admin(db, "another one") is False
    assert (await login(hub, "admin@hub.local", "another one"))[0] == 401
    status, tokens = await login(hub, "admin@hub.local", "a first password")
    assert status == 200
    assert (await call(hub, "GET", "/api/v1/users", bearer(tokens["access_token"])))[0] == 200
    stored = await hub.fetchval("SELECT password_hash FROM users")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")

"""Another HUB_SECRET_KEY, without losing a secret: both keys read, `hub keys rotate` renews, the old one is forgotten."""

import base64
import os
import subprocess
import sys
from datetime import timedelta

import pyotp
import pytest
from pydantic import SecretStr

from hub_api.auth import audit_chain
from hub_api.auth.notices import Notice, put
from hub_api.auth.second_factor import renew_recovery_codes
from hub_api.key_rotation import SEALED
from hub_api.platform.crypto import BadKey, decrypt, encrypt, keyed_hash
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from tests.auth.people import AUTH, add_person, call, login
from tests.auth.test_browser import Browser
from tests.support.hub import running_hub

NEW = base64.b64encode(b"n" * 32).decode()


def with_keys(settings: Settings, key: str, previous: str | None, hashes: str) -> Settings:
    keys = {"secret_key": key, "secret_key_previous": previous, "hash_key": hashes}
    return Settings.model_validate(
        {**settings.model_dump(), **{name: value and SecretStr(value) for name, value in keys.items()}}
    )


async def test_every_encrypted_column_is_rotated(hub):
    """A column is found by its type and name; whoever adds one adds it to key_rotation.py, with its two queries."""
    rows = await hub.fetch(
        "SELECT c.relname || '.' || a.attname AS column FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '(encrypted|sealed|ciphertext|secret)' "
        "AND a.atttypid = 'bytea'::regtype"
    )
    assert {row["column"] for row in rows} == set(SEALED.values())


async def test_a_key_is_changed_without_losing_a_secret(settings: Settings, tmp_path):
    old = settings.secret_key.get_secret_value()
    secret = pyotp.random_base32()
    async with running_hub(settings) as hub:
        person = await add_person(hub, "agent")
        await _seal_an_erasure(hub, old)
        await hub.fetch(
            "UPDATE users SET totp_encrypted = $2, second_factor_at = now() WHERE id = $1",
            person.id,
            encrypt(old, secret),
        )
        await hub.fetch(
            "UPDATE users SET totp_pending_encrypted = $2 WHERE id = $1", person.id, encrypt(old, "pending")
        )
        account = await hub.post(
            "/api/v1/whatsapp/accounts", headers=hub.auth,
            json={"waba_id": "1234567890", "portfolio_id": "987654321", "name": "Conta", "token": "EAAG-secret-token"},
        )  # fmt: skip
        assert account.status in (200, 201), await account.text()
        assert (await hub.post("/api/v1/conversion-keys", headers=hub.auth, json={"name": "Loja"})).status == 201
        site = await hub.post(
            "/api/v1/sites", headers=hub.auth, json={"name": "Loja", "origins": ["https://www.example.com"]}
        )
        path = f"/api/v1/sites/{(await site.json())['id']}/identity-secret"
        assert (await hub.post(path, headers=hub.auth)).status == 201
        async with hub.services.transaction() as tx:
            await put(hub.services, tx, Notice("email", "a@example.com", "s", "t"), lives=timedelta(days=1))
            recovery = await renew_recovery_codes(hub.services, tx, person.id)
        assert (await hub.get("/openid/jwks")).status == 200  # makes the first key of ID tokens
        visitor = Browser(hub)
        other = await add_person(hub, "agent", signed_in=False)
        assert await visitor.sign_in(other.email) == 200

    both = with_keys(settings, NEW, old, old)
    async with running_hub(both) as hub:
        # A session and its CSRF token of before go on, and so does the second factor.
        visitor.hub = hub
        assert await visitor.send("POST", f"{AUTH}/logout", csrf=visitor.csrf) == 204
        await _signs_in(hub, person, "totp", pyotp.TOTP(secret).now())
        await _signs_in(hub, person, "recovery", recovery[0])
        unnamed = _rotate(both, NEW, old, tmp_path, HUB_HASH_KEY="")
        assert unnamed.returncode == 1 and "HUB_HASH_KEY" in unnamed.stderr + unnamed.stdout
        done = _rotate(both, NEW, old, tmp_path)
        assert done.returncode == 0, done.stderr
        rows = [int(line.split()[1]) for line in done.stdout.splitlines() if line.endswith("encrypted anew")]
        assert len(rows) == len(SEALED) and all(rows), done.stdout
        again = _rotate(both, NEW, old, tmp_path)
        assert [line.split()[1] for line in again.stdout.splitlines() if line.endswith("anew")] == ["0"] * len(SEALED)

    async with running_hub(with_keys(settings, NEW, None, old)) as hub:
        await hub.fetch("UPDATE users SET totp_last_step = NULL")
        await _signs_in(hub, person, "totp", pyotp.TOTP(secret).now())
        await _signs_in(hub, person, "recovery", recovery[1])
        sealed = await hub.fetchval("SELECT token_encrypted FROM whatsapp_accounts")
        assert decrypt(NEW, sealed) == "EAAG-secret-token"
        with pytest.raises(BadKey):
            decrypt(old, sealed)
        assert await hub.fetchval("SELECT count(*) FROM audit_log WHERE action = 'keys.rotated'") == 2
        assert (await audit_chain.verify(hub.services.db, NEW)).faults == []


async def _seal_an_erasure(hub, key: str) -> None:
    erasure = uuid7()
    await hub.fetch(
        "INSERT INTO erasures (id, customer_id, reason, requested_by, erased_at, sealed) VALUES ($1, $1, 'request', 'x', now(), $2)",
        erasure, encrypt(key, "marks"),
    )  # fmt: skip
    await hub.fetch(
        "INSERT INTO kept_records (id, erasure_id, conversation_id, legal_basis, sealed, keep_until) "
        "VALUES ($1, $1, $1, 'x', $2, now() + interval '1 day')",
        erasure, encrypt(key, "kept"),
    )  # fmt: skip


async def _signs_in(hub, person, method: str, code: str) -> None:
    status, body = await login(hub, person.email)
    assert status == 200 and body["challenge"], body
    answer = {"challenge": body["challenge"], "method": method, "code": code}
    assert (await call(hub, "POST", f"{AUTH}/second-factor", json=answer))[0] == 200


def _rotate(settings: Settings, key: str, previous: str, home, **more: str) -> subprocess.CompletedProcess[str]:
    """The command, as an operator runs it."""
    env = {
        **os.environ,
        "HUB_HOME": str(home),
        "HUB_DATABASE_URL": settings.database_url.get_secret_value(),
        "HUB_REDIS_URL": settings.redis_url.get_secret_value(),
        "HUB_CLICKHOUSE_URL": settings.clickhouse_url.get_secret_value(),
        "HUB_META_APP_SECRET": "x",
        "HUB_META_VERIFY_TOKEN": "x",
        "HUB_SECRET_KEY": key,
        "HUB_SECRET_KEY_PREVIOUS": previous,
        "HUB_HASH_KEY": previous,
        **more,
    }
    env = {name: value for name, value in env.items() if value}
    command = [sys.executable, "-m", "hub_api", "keys", "rotate"]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)


def test_keys_are_given_as_one(settings: Settings):
    old = settings.secret_key.get_secret_value()
    both = with_keys(settings, NEW, old, old)
    key = both.secret_key.get_secret_value()
    assert key.split() == [NEW, old, old]
    assert Settings.model_validate(both.model_dump()).secret_key == both.secret_key
    assert decrypt(key, encrypt(old, "x")) == decrypt(NEW, encrypt(key, "x")) == "x"


def test_a_hash_outlives_every_change_of_the_key(settings: Settings):
    old = settings.secret_key.get_secret_value()
    first, newest = keyed_hash(old, "123"), base64.b64encode(b"z" * 32).decode()
    for key, previous in ((NEW, old), (NEW, None), (newest, NEW), (newest, None), (old, NEW)):
        assert keyed_hash(with_keys(settings, key, previous, old).secret_key.get_secret_value(), "123") == first

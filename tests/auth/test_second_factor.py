"""The second factor: set up, asked for, never taken twice, enforced by role."""

import asyncio
import time
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.auth.second_factor import STEP_S, matching_step
from tests.auth.people import (
    AUTH,
    PASSWORD,
    Person,
    actions,
    add_person,
    bearer,
    call,
    clear_limits,
    earlier_code,
    login,
)
from tests.support.hub import Hub

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


async def set_up(hub: Hub, person: Person) -> tuple[pyotp.TOTP, list[str]]:
    """A second factor in force: the app and the recovery codes. The code that confirmed it is of the step before."""
    status, pending = await call(hub, "POST", f"{AUTH}/totp", person.headers)
    assert status == 200, pending
    app = pyotp.TOTP(pending["secret"])
    status, body = await call(
        hub, "POST", f"{AUTH}/totp/confirm", person.headers, json={"code": await earlier_code(app)}
    )
    assert status == 200, body
    return app, body["codes"]


async def challenge(hub: Hub, person: Person) -> str:
    await clear_limits(hub)
    status, body = await login(hub, person.email)
    assert status == 200 and body["access_token"] is None and body["challenge"]
    return body["challenge"]


async def answer(hub: Hub, token: str, code: str, method: str = "totp") -> tuple[int, dict[str, Any]]:
    return await call(hub, "POST", f"{AUTH}/second-factor", json={"challenge": token, "code": code, "method": method})


async def test_a_secret_is_in_force_once_a_code_of_it_is_confirmed(hub: Hub):
    bia = await add_person(hub)
    _, first = await call(hub, "POST", f"{AUTH}/totp", bia.headers)
    _, pending = await call(hub, "POST", f"{AUTH}/totp", bia.headers)
    assert pending["secret"] != first["secret"] and pending["qr_svg"].startswith("<svg")
    assert pending["uri"].startswith("otpauth://totp/Telecom%20Chat:") and "issuer=Telecom%20Chat" in pending["uri"]
    assert (await login(hub, bia.email))[1]["access_token"]  # nothing confirmed yet
    wrong = await call(
        hub, "POST", f"{AUTH}/totp/confirm", bia.headers, json={"code": pyotp.TOTP(first["secret"]).now()}
    )
    assert (wrong[0], wrong[1]["code"]) == (422, "wrong_code")
    right = pyotp.TOTP(pending["secret"]).now()
    status, body = await call(hub, "POST", f"{AUTH}/totp/confirm", bia.headers, json={"code": right})
    assert status == 200 and len(set(body["codes"])) == 10
    assert (await call(hub, "POST", f"{AUTH}/totp", bia.headers))[0] == 409
    stored = await hub.fetchval("SELECT totp_encrypted FROM users WHERE id = $1", bia.id)
    assert pending["secret"].encode() not in stored
    assert body["codes"][0].replace("-", "").encode() not in b"".join(
        row[0] for row in await hub.fetch("SELECT code_sha256 FROM recovery_codes")
    )


async def test_a_code_is_taken_once(hub: Hub):
    bia = await add_person(hub)
    app, _ = await set_up(hub, bia)
    token = await challenge(hub, bia)
    code = app.now()
    answers = await asyncio.gather(*(answer(hub, token, code) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]
    tokens = next(body for status, body in answers if status == 200)
    assert (await call(hub, "GET", f"{AUTH}/me", bearer(tokens["access_token"])))[0] == 200
    assert (await answer(hub, await challenge(hub, bia), code))[0] == 401
    earlier = app.at(time.time() - STEP_S)
    assert (await answer(hub, await challenge(hub, bia), earlier))[0] == 401  # older than the newest one taken
    assert (await answer(hub, await challenge(hub, bia), app.at(time.time() + STEP_S)))[0] == 200  # one step of drift
    assert "signin.failed" in await actions(hub)


async def test_ten_wrong_codes_lock_the_account_at_that_address_for_a_while(hub: Hub):
    bia = await add_person(hub)
    app, _ = await set_up(hub, bia)
    token = await challenge(hub, bia)
    wrong = f"{(int(app.now()) + 1) % 1_000_000:06d}"
    statuses = []
    for _ in range(10):
        status, body = await answer(hub, token, wrong)
        statuses.append(status)
    assert statuses == [401] * 5 + [429] * 5 and body["retry_after_s"] > 20
    assert (await answer(hub, token, app.now()))[0] == 429  # the right one too
    pauses = []
    for _ in range(3):  # a minute later the limit has room again, and the pause has doubled with each mistake
        for key in [key async for key in hub.services.redis.scan_iter("limit:*")]:
            await hub.services.redis.delete(key)
        (key,) = [key async for key in hub.services.redis.scan_iter("pause:*")]
        pauses.append(await hub.services.redis.ttl(key))
        await hub.services.redis.delete(key)
        assert (await answer(hub, token, wrong))[0] == 401
    assert pauses[1] > 1.5 * pauses[0] and pauses[2] > 1.5 * pauses[1]


async def test_a_recovery_code_opens_once(hub: Hub):
    bia = await add_person(hub)
    _, codes = await set_up(hub, bia)
    assert (await answer(hub, await challenge(hub, bia), codes[0].upper(), "recovery"))[0] == 200
    assert (await answer(hub, await challenge(hub, bia), codes[0], "recovery"))[0] == 401
    assert (await answer(hub, await challenge(hub, bia), codes[1].replace("-", ""), "recovery"))[0] == 200
    status, renewed = await call(hub, "POST", f"{AUTH}/totp/recovery-codes", bia.headers, json={"password": PASSWORD})
    assert status == 200 and not set(renewed["codes"]) & set(codes)
    assert (await answer(hub, await challenge(hub, bia), codes[2], "recovery"))[0] == 401


async def test_a_role_that_wants_a_second_factor_opens_nothing_before_it(hub: Hub):
    admin, bia = await add_person(hub, "admin"), await add_person(hub, "agent")
    assert (await call(hub, "GET", "/api/v1/conversations", bia.headers))[0] == 200
    changed = await call(hub, "PATCH", "/api/v1/roles/agent", admin.headers, json={"second_factor": True})
    assert changed[0] == 200
    status, body = await call(hub, "GET", "/api/v1/conversations", bia.headers)
    assert (status, body["code"]) == (403, "second_factor_required")
    assert (await call(hub, "GET", f"{AUTH}/me", bia.headers))[1]["second_factor_required"] is True
    await set_up(hub, bia)
    assert (await call(hub, "GET", "/api/v1/conversations", bia.headers))[0] == 200
    gone = await call(hub, "POST", f"/api/v1/users/{bia.id}/second-factor/reset", admin.headers)
    assert gone[0] == 204 and (await call(hub, "GET", f"{AUTH}/me", bia.headers))[0] == 401


async def test_a_challenge_of_an_earlier_password_is_of_no_use(hub: Hub):
    bia = await add_person(hub)
    app, _ = await set_up(hub, bia)
    token = await challenge(hub, bia)
    await hub.fetch("UPDATE users SET password_changed_at = now() WHERE id = $1", bia.id)
    assert (await answer(hub, token, app.now()))[0] == 401


async def test_the_password_grant_wants_the_code_too(hub: Hub):
    bia = await add_person(hub)
    app, _ = await set_up(hub, bia)
    await clear_limits(hub)
    form = {"grant_type": "password", "username": bia.email, "password": PASSWORD}
    status, told = await call(hub, "POST", f"{AUTH}/token", data=form)
    assert (status, told["error"]) == (400, "invalid_grant")
    assert (await call(hub, "POST", f"{AUTH}/token", data={**form, "otp": app.now()}))[0] == 200


@given(at=st.integers(min_value=10**9, max_value=4 * 10**9), drift=st.integers(min_value=-4, max_value=4))
def test_a_code_fits_in_its_step_and_one_beside_it_only(at: int, drift: int):
    code = pyotp.TOTP(SECRET).at(at + drift * STEP_S)
    near = {pyotp.TOTP(SECRET).at(at + step * STEP_S): at // STEP_S + step for step in (-1, 0, 1)}
    assert matching_step(SECRET, code, at) == near.get(code)


@pytest.mark.parametrize("code", ["", "abc", "١٢٣٤٥٦", "1234567", "12345"])
def test_what_is_no_code_fits_never(code: str):
    assert matching_step(SECRET, code) is None

"""The audit log's verification by API: asked for, done by a job, shown with what is wrong; and the settings in force."""

from hub_api.auth.jobs import seal_audit, verify_audit, verify_daily
from tests.auth.people import add_person, call
from tests.support.hub import Hub

PATH = "/api/v1/audit/verification"


async def test_a_verification_is_asked_for_done_and_shown(hub: Hub):
    boss = await add_person(hub, "admin")
    assert (await call(hub, "GET", PATH, boss.headers))[1] == {"verification": None}
    status, asked = await call(hub, "POST", PATH, boss.headers)
    assert status == 202 and asked["verification"]["requested_by"] == str(boss.id)
    status, again = await call(hub, "POST", PATH, boss.headers)
    assert again["verification"]["id"] == asked["verification"]["id"], "one at a time"
    await verify_audit.function(hub.services)
    done = (await call(hub, "GET", PATH, boss.headers))[1]["verification"]
    assert done["finished_at"] and done["faults"] == [] and done["requested_by_name"] == "Admin Souza"
    assert done["unsealed"] > 0 and done["links"] == 0, "what was written a moment ago waits for the sealer"


async def test_what_was_changed_past_the_log_is_told(hub: Hub):
    boss = await add_person(hub, "admin")
    await call(hub, "POST", PATH, boss.headers)
    await verify_audit.function(hub.services)
    await seal_audit.function(hub.services)
    await hub.fetch("ALTER TABLE audit_log DISABLE TRIGGER USER")
    await hub.fetch("UPDATE audit_log SET action = 'nothing.happened' WHERE action = 'audit.verification_asked'")
    await verify_daily.function(hub.services)
    done = (await call(hub, "GET", PATH, boss.headers))[1]["verification"]
    assert done["requested_by"] is None and done["links"] > 0
    assert any("was changed" in fault for fault in done["faults"])
    bia = await add_person(hub)
    assert (await call(hub, "POST", PATH, bia.headers))[0] == 403


async def test_settings_in_force_are_shown_without_a_secret(hub: Hub):
    boss = await add_person(hub, "admin")
    status, told = await call(hub, "GET", "/api/v1/settings", boss.headers)
    by_name = {one["name"]: one for one in told["items"]}
    assert status == 200 and by_name["HUB_REOPEN_HOURS"]["value"] == str(hub.services.settings.reopen_hours)
    assert by_name["HUB_LLM_KEY"]["value"] == "" and by_name["HUB_BUSINESS_HOURS"]["description"]
    secrets = [
        hub.services.settings.secret_key.get_secret_value(),
        hub.services.settings.meta_app_secret.get_secret_value(),
    ]
    assert not any(secret in str(told) for secret in secrets)
    assert (await call(hub, "GET", "/api/v1/settings", (await add_person(hub)).headers))[0] == 403

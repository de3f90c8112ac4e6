"""A correction holds against what the channel tells later, is audited without the name, and reaches the warehouse."""

from datetime import UTC, datetime

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from tests.auth.people import add_conversation, add_person, add_team, call
from tests.privacy.conftest import People
from tests.support.hub import Hub, running_hub
from tests.whatsapp.door import text


async def test_a_corrected_name_stays_when_the_person_writes_again(people: People) -> None:
    person, path = people.gone, f"/api/v1/customers/{people.gone.id}"
    async with running_hub(people.settings) as hub:
        admin = await add_person(hub, "admin")
        status, body = await call(
            hub,
            "PATCH",
            path,
            admin.headers,
            json={"name": "Quitéria da Silva Zumbi", "state_code": "RJ", "tags": ["vip"]},
        )
        assert status == 200, body
        assert (body["name"], body["state_code"], body["tags"]) == ("Quitéria da Silva Zumbi", "RJ", ["vip"])
        (row,) = await hub.fetch("SELECT actor, before, after FROM audit_log WHERE action = 'customer.corrected'")
    assert row["actor"] == f"user:{admin.id}"
    assert row["before"] == {"name": "Q… Z…", "state": "SP", "tags": []}
    assert row["after"] == {"name": "Q… d… S… Z…", "state": "RJ", "tags": ["vip"]}
    who = {"wa_id": person.wa_id, "user_id": person.bsuid, "name": "Outro Nome"}
    await people.door.deliver(text("oi", wamid="wamid.after", at=int(datetime.now(UTC).timestamp()), **who))
    stored = await people.door.one("SELECT name, state_code FROM customers WHERE id = $1", person.id)
    assert tuple(stored) == ("Quitéria da Silva Zumbi", "RJ")
    await relay_until_empty(people.settings)
    client = connect(people.settings.clickhouse_url)
    (told,) = client.query("SELECT payload FROM raw.events WHERE type = 'customer.corrected'").result_columns[0]
    client.close()
    assert '"RJ"' in told and "Zumbi" not in told


async def test_who_may_correct_whom_and_which_version(hub: Hub) -> None:
    team, queue = await add_team(hub, "norte")
    made = await add_conversation(hub, queue, "palavras")
    path = f"/api/v1/customers/{made['customer']}"
    agent, boss = await add_person(hub, "agent", team), await add_person(hub, "supervisor", team)
    stranger = await add_person(hub, "supervisor", (await add_team(hub, "sul"))[0])
    body = {"name": "Nome Certo"}
    assert (await call(hub, "PATCH", path, agent.headers, json=body))[0] == 403
    assert (await call(hub, "PATCH", path, stranger.headers, json=body))[0] == 404
    assert (await call(hub, "PATCH", path, {**boss.headers, "If-Match": '"1"'}, json=body))[0] == 200
    status, problem = await call(hub, "PATCH", path, {**boss.headers, "If-Match": '"1"'}, json={"name": "Tarde Demais"})
    assert (status, problem["code"]) == (412, "stale")
    assert (await call(hub, "PATCH", path, boss.headers, json={"phone": "+5511999990000"}))[0] == 422
    assert (await call(hub, "PATCH", path, {**boss.headers, "If-Match": '"2"'}, json=body))[0] == 200, (
        "no change, no version"
    )
    assert await hub.fetchval("SELECT version FROM customers WHERE id = $1", made["customer"]) == 2
    await hub.fetch("UPDATE customers SET status = 'erased' WHERE id = $1", made["customer"])
    assert (await call(hub, "PATCH", path, boss.headers, json={"name": "Outra"}))[0] == 409

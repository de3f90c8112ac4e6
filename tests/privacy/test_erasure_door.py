"""Erasures by the API and by the command: who may ask, what is seen of the progress, and files of messages."""

import json
import os
import subprocess
import sys
from uuid import uuid4

from hub_api.chat.privacy import erase
from hub_api.chat.privacy.jobs import TURN
from hub_api.platform.queue import REGISTRY
from hub_api.settings import Settings
from tests.auth.people import add_person, call
from tests.privacy.conftest import People
from tests.support.hub import running_hub


async def test_the_api_erases_in_the_background_and_shows_how_far_it_is(people: People) -> None:
    path = "/api/v1/privacy/erasures"
    async with running_hub(people.settings) as hub:
        admin, agent = await add_person(hub, "admin"), await add_person(hub, "agent")
        body = {"customer_id": str(people.gone.id)}
        assert (await call(hub, "POST", path, agent.headers, json=body))[0] == 403
        assert (await call(hub, "POST", path, admin.headers, json={"customer_id": str(uuid4())}))[0] == 404
        status, asked = await call(hub, "POST", path, admin.headers, json=body)
        assert (status, asked["state"], asked["receipt"]) == (202, "queued", None)
        assert asked["requested_by"] == f"user:{admin.id}"
        status, again = await call(hub, "POST", path, admin.headers, json=body)
        assert status == 409 and again["erasure_id"] == asked["id"]

        await REGISTRY["chat.privacy.jobs.erase_due"].function(people.door.services)
        status, done = await call(hub, "GET", f"{path}/{asked['id']}", admin.headers)
        assert (status, done["state"], done["survivors"]) == (200, "done", {})
        assert done["receipt"]["content"]["customer_id"] == str(people.gone.id)
        status, listed = await call(hub, "GET", path, admin.headers)
        assert [one["id"] for one in listed["items"]] == [asked["id"]]
        assert (await call(hub, "POST", path, admin.headers, json=body))[0] == 409


async def test_a_message_in_the_senders_hand_is_waited_for(people: People) -> None:
    door, gone = people.door, people.gone
    await door.db.execute("UPDATE messages SET state = 'claimed' WHERE customer_id = $1 AND state = 'queued'", gone.id)
    erasure_id = await erase.request(door.services, "system", gone.id, "request")
    assert not await erase.work_on(door.services, erasure_id)
    row = await erase.find_erasure(door.services, erasure_id)
    assert (row["state"], row["survivors"]) == ("running", {"postgresql:messages being sent": 1})
    # Meta's answer comes: the sender writes the wamid of a message whose person is gone.
    await door.db.execute(
        "UPDATE messages SET state = 'accepted', wamid = 'wamid.accepted.late' WHERE customer_id = $1 AND state = 'claimed'",
        gone.id,
    )
    await door.db.execute("UPDATE erasures SET next_at = now()")
    assert await erase.work_on(door.services, erasure_id)
    assert await door.value("SELECT count(*) FROM messages WHERE customer_id = $1 AND wamid IS NOT NULL", gone.id) == 0
    assert await door.value("SELECT count(*) FROM kept_records") == 1


async def test_people_are_erased_together_and_only_who_must_be_waited_for_waits(people: People) -> None:
    """The stores are gone through once for both; what is left of one is not held against the other."""
    door, erase_due = people.door, REGISTRY["chat.privacy.jobs.erase_due"].function
    ids = [await erase.request(door.services, "system", one.id, "purpose_ended") for one in (people.gone, people.stays)]
    await door.db.execute(
        "UPDATE messages SET state = 'claimed' WHERE customer_id = $1 AND state = 'queued'", people.gone.id
    )
    # A copy that no erasure knows of, with a name that is not in ASCII, and as bytes.
    await door.db.execute("CREATE TABLE forgotten (note bytea, of text)")
    await door.db.execute("INSERT INTO forgotten VALUES ($1, NULL)", f"liga {people.stays.wa_id}!".encode())
    await erase_due(door.services)
    gone, stays = [await erase.find_erasure(door.services, one) for one in ids]
    assert (gone["state"], gone["survivors"]) == ("running", {"postgresql:messages being sent": 1})
    assert (stays["state"], stays["survivors"]) == ("running", {"postgresql:forgotten": 1})
    await door.db.execute("UPDATE forgotten SET note = NULL, of = $1", people.stays.name)
    await door.db.execute("UPDATE messages SET state = 'sent' WHERE state = 'claimed'")
    await door.db.execute("UPDATE erasures SET next_at = now()")
    await erase_due(door.services)
    gone, stays = [await erase.find_erasure(door.services, one) for one in ids]
    assert [gone["state"], stays["state"]] == ["done", "done"]
    assert gone["receipt"]["content"]["rows_with_the_same_name"] == 0
    assert stays["receipt"]["content"]["rows_with_the_same_name"] == 1
    assert stays["receipt"]["content"]["erased"]["warehouse (2 people together)"]["raw.events"] > 0


async def test_one_worker_at_a_time_erases_what_is_due(people: People) -> None:
    """A pass outlasts the clock's minute: the next ticks must not take every worker from the customers."""
    door, erase_due = people.door, REGISTRY["chat.privacy.jobs.erase_due"].function
    erasure_id = await erase.request(door.services, "system", people.gone.id, "request")
    await door.services.redis.set(TURN, b"1")
    await erase_due(door.services)
    assert (await erase.find_erasure(door.services, erasure_id))["attempts"] == 0
    await door.services.redis.delete(TURN)
    await erase_due(door.services)
    assert (await erase.find_erasure(door.services, erasure_id))["state"] == "done"
    assert not await door.services.redis.exists(TURN), "the turn is given back when it is over"


async def test_one_that_fails_holds_up_the_others_for_a_few_attempts_only(people: People) -> None:
    door, erase_due = people.door, REGISTRY["chat.privacy.jobs.erase_due"].function
    ids = [await erase.request(door.services, "system", one.id, "purpose_ended") for one in (people.gone, people.stays)]
    # A row that refuses: the person's transaction fails each time.
    await door.db.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$"
    )
    await door.db.execute(
        "CREATE TRIGGER refuse BEFORE UPDATE ON customers FOR EACH ROW "
        f"WHEN (OLD.id = '{people.gone.id}') EXECUTE FUNCTION refuse()"
    )
    for _ in range(4):
        await erase_due(door.services)
        await door.db.execute("UPDATE erasures SET next_at = now() WHERE state <> 'done'")
    gone, stays = [await erase.find_erasure(door.services, one) for one in ids]
    assert [gone["state"], stays["state"]] == ["queued", "done"]


def test_the_command_prints_the_receipt_as_json(people: People) -> None:
    done = hub_command(people.settings, "erase", "--customer", str(people.gone.id), "--json")
    assert done.returncode == 0, done.stderr
    receipt = json.loads(done.stdout)
    assert receipt["content"]["survivors"] == {}
    again = hub_command(people.settings, "erase", "--customer", str(people.gone.id))
    assert again.returncode == 1 and "erased already" in again.stderr
    assert hub_command(people.settings, "erase", "--reapply").stdout == "0 erasures repeated\n"
    assert hub_command(people.settings, "erase").returncode == 2


def hub_command(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`hub …` as a process with these settings."""
    names = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    given = {f"HUB_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    given |= {"HUB_HOME": str(settings.home), "HUB_MEDIA_DIR": str(settings.media_dir)}
    command = [sys.executable, "-m", "hub_api", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **given})

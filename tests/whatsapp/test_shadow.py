"""Stored webhooks handled a second time beside the live tables: the same, until somebody changes something."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from hub_api.whatsapp.shadow.compare import Comparison, compare
from hub_api.whatsapp.shadow.database import shadow_database
from hub_api.whatsapp.shadow.replay import Range, replay
from tests.whatsapp import test_handle_storm as storm
from tests.whatsapp.door import Door, now

BEGINNING = timedelta(minutes=5)


@pytest.fixture
async def lived(door: Door) -> Door:
    """A hub that handled what ten people did in half an hour, an album, a dead letter and news of the channel."""
    start = now() - 1500
    await storm.begin(door, start)
    await door.db.execute(
        "UPDATE messages m SET wamid = k.wamid, accepted_at = now() FROM message_key k "
        "WHERE k.message_id = m.id AND m.direction = 'out'"
    )
    await door.deliver(*storm.script(random.Random(7), start))
    await door.deliver("batch_album", "template_status_paused", "user_preferences_stop", "smb_message_echo_text", b"{")
    return door


async def shadowed(door: Door, given: Range | None = None) -> dict[str, Comparison]:
    given = given or Range(datetime.now(UTC) - BEGINNING, datetime.now(UTC))
    async with shadow_database(door.services) as (_, pool):
        await replay(door.db, pool, door.services.settings, given, lambda done, total: None)
        assert await pool.fetchval("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 0
        return {one.name: one for one in await compare(door.db, pool, given)}


async def test_a_shadow_is_equal_and_leaves_nothing_behind(lived: Door):
    events = await lived.value("SELECT count(*) FROM events")
    found = await shadowed(lived)
    assert {name: one.differences for name, one in found.items() if one.differing} == {}
    assert found["messages"].equal >= 4 * storm.PEOPLE
    assert found["statuses"].equal == storm.PEOPLE
    for name in ("people", "files", "consents", "preferences", "channel updates", "dead letters"):
        assert found[name].equal > 0, name
    assert await lived.value("SELECT count(*) FROM events") == events
    assert await lived.value("SELECT count(*) FROM pg_database WHERE datname LIKE 'hub\\_shadow\\_%'") == 0


async def test_what_differs_is_named_by_its_live_record(lived: Door):
    changed = await lived.value("SELECT id FROM messages WHERE wamid = 'wamid.3.0'")
    moved = await lived.value("SELECT id FROM messages WHERE wamid = 'wamid.4.1'")
    lost = await lived.value("SELECT wamid FROM messages WHERE wamid = 'wamid.5.0'")
    await lived.db.execute("UPDATE messages SET content = 'outra coisa' WHERE id = $1", changed)
    await lived.db.execute(
        "UPDATE messages SET customer_id = (SELECT customer_id FROM messages WHERE wamid = 'wamid.6.0') WHERE id = $1",
        moved,
    )
    await lived.db.execute("DELETE FROM messages WHERE wamid = $1", lost)
    found = await shadowed(lived)
    told = {(one.how, one.record) for one in found["messages"].differences}
    assert ("differs", str(changed)) in told
    assert [how for how, record in told if record.startswith("sha256:")] == ["missing in live"]
    assert len(told) == 2
    assert str(moved) in {one.record for one in found["people"].differences}


async def test_files_are_compared_by_the_digest_of_their_bytes(lived: Door):
    files = await lived.all(
        "SELECT id, declared_sha256, meta_id FROM media WHERE declared_sha256 IS NOT NULL ORDER BY id"
    )
    fetched, other, erased = (row["id"] for row in files[:3])
    stored = "UPDATE media SET state = 'stored', size_bytes = 9, next_at = NULL, sha256 = $2 WHERE id = $1"
    await lived.db.execute(stored, fetched, files[0]["declared_sha256"])
    await lived.db.execute(stored, other, b"\x01" * 32)
    await lived.db.execute(
        "UPDATE media SET state = 'erased', declared_sha256 = NULL, meta_id = NULL, filename = NULL, next_at = NULL WHERE id = $1",
        erased,
    )
    found = (await shadowed(lived))["files"]
    of_other = await lived.value("SELECT message_id::text FROM message_media WHERE media_id = $1", other)
    assert [(one.how, one.record) for one in found.differences] == [("differs", of_other)]
    assert found.compared == len(await lived.all("SELECT DISTINCT message_id FROM message_media")) - 1
    await lived.db.execute("DELETE FROM message_media WHERE media_id = $1", fetched)
    found = (await shadowed(lived))["files"]
    assert {one.how for one in found.differences} == {"differs", "missing in live"}


async def test_a_change_after_the_range_says_nothing(lived: Door):
    until = datetime.now(UTC)
    await lived.db.execute(
        "UPDATE messages SET content = 'editada depois', updated_at = now() WHERE wamid = 'wamid.3.0'"
    )
    found = await shadowed(lived, Range(until - BEGINNING, until))
    assert found["messages"].differing == 0
    assert found["messages"].changed_later == 1


async def test_the_command_says_it_in_json_and_by_its_exit_code(lived: Door):
    settings = lived.services.settings
    names = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    env = {f"HUB_{name.upper()}": getattr(settings, name).get_secret_value() for name in names}
    since = (datetime.now(UTC) - BEGINNING).isoformat()

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub_api", "webhooks", "shadow", "--since", since, "--json"]
        return subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, timeout=120)

    equal = run()
    assert equal.returncode == 0, equal.stderr
    assert json.loads(equal.stdout)["webhooks"] > storm.PEOPLE
    await lived.db.execute("UPDATE messages SET content = 'x', updated_at = now() WHERE wamid = 'wamid.3.0'")
    different = run()
    assert different.returncode == 1
    (messages,) = [one for one in json.loads(different.stdout)["comparisons"] if one["name"] == "messages"]
    assert messages["differing"] == 1

"""Items in, the lane's job run: rows, states and events behind."""

from tests.support.hub import FIXTURES
from tests.whatsapp.door import Door, text


async def test_every_fixture_is_handled_without_a_dead_letter(door: Door):
    names = sorted(path.name for path in FIXTURES.glob("*.json"))
    for name in names:
        await door.store(name)
    await door.handle()
    dead = await door.all(
        "SELECT kind, reason, detail FROM dead_letter WHERE reason NOT IN ('foreign_number', 'group')"
    )
    assert [dict(row) for row in dead] == []
    assert await door.value("SELECT count(*) FROM inbox_item") == 0
    assert len(names) > 100

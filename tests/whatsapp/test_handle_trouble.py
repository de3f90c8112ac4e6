"""What handling meets: poisoned items, dying and racing workers, foreign numbers, deadlocks; nothing is lost."""

import asyncio
import os
import random
import sys
import time

from pydantic import SecretStr

from hub_api.platform.ids import uuid7
from hub_api.whatsapp.handle import drain
from tests.whatsapp.door import PORTFOLIO, Door, now, text, together, value_of, webhook


async def test_one_poisoned_item_among_five_hundred_is_put_aside_and_the_rest_is_handled_in_order(door: Door):
    await door.db.execute("ALTER TABLE messages ADD CONSTRAINT taste CHECK (content <> 'veneno')")
    people = [f"55119{80000000 + n}" for n in range(50)]
    bodies = [text(f"{n:03}", wa_id=people[n % 50], wamid=f"wamid.{n:03}") for n in range(500)]
    bodies[137] = text("veneno", wa_id=people[137 % 50], wamid="wamid.137")
    bodies[300] = webhook(
        {
            "messages": [
                {
                    "id": "wamid.300",
                    "from": people[0],
                    "timestamp": str(now()),
                    "type": "text",
                    "text": {"body": "nulo \x00"},
                }
            ]
        }
    )
    await door.store(together(*bodies))
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages") == 498
    dead = await door.all("SELECT source, reason FROM dead_letter ORDER BY reason")
    assert [tuple(row) for row in dead] == [("handle", "database_23514"), ("handle", "nul_character")]
    for row in await door.all(
        "SELECT array_agg(content ORDER BY created_at, id) AS said FROM messages GROUP BY conversation_id"
    ):
        assert row["said"] == sorted(row["said"])
    await door.db.execute("ALTER TABLE messages DROP CONSTRAINT taste")
    from hub_api.whatsapp import deadletters

    assert await deadletters.replay(door.services) == 2
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages WHERE content = 'veneno'") == 1
    assert await deadletters.replay(door.services, [uuid7()]) == 0
    ((again,), _) = await deadletters.list_dead(door.services)
    assert again["reason"] == "nul_character"


async def test_a_foreign_number_is_parked_and_comes_back_when_the_number_is_added(door: Door):
    from hub_api.whatsapp import deadletters

    await door.deliver("text_foreign_number.json")
    ((parked,), _) = await deadletters.list_dead(door.services)
    assert (parked["source"], parked["reason"]) == ("parked", "foreign_number")
    await door.add_number(parked["waba_id"], PORTFOLIO, parked["phone_number_id"])
    assert await deadletters.replay(door.services, [parked["id"]]) == 1
    assert await deadletters.replay(door.services, [parked["id"]]) == 0, "a letter goes back once"
    await door.handle()
    assert await door.value("SELECT count(*) FROM messages") == 1


async def test_a_replay_of_all_ends_although_its_letters_fail_again_meanwhile(door: Door):
    from hub_api.whatsapp import deadletters

    await door.db.execute(
        "INSERT INTO dead_letter (id, source, kind, reason, payload, received_at) "
        "SELECT gen_random_uuid(), 'handle', 'message', 'made', '{}', now() FROM generate_series(1, 500)"
    )
    await door.db.execute(  # a worker that is quicker than the replay: what comes back is put aside at once
        "CREATE FUNCTION aside() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO dead_letter (id, source, kind, reason, payload, received_at, created_at) "
        "VALUES (gen_random_uuid(), 'handle', NEW.kind, 'again', NEW.payload, NEW.received_at, clock_timestamp()); "
        "RETURN NULL; END $$"
    )
    await door.db.execute("CREATE TRIGGER aside BEFORE INSERT ON inbox_item FOR EACH ROW EXECUTE FUNCTION aside()")
    assert await asyncio.wait_for(deadletters.replay(door.services), 20) == 500
    assert await door.value("SELECT count(*) FROM dead_letter WHERE replayed_at IS NULL") == 500


async def test_a_migration_under_a_running_worker_puts_no_message_aside(door: Door):
    """Prepared statements outlive the tables they were made for; that says nothing of the message in hand."""
    await door.deliver(text("oi", at=now()))
    await door.db.execute("ALTER TABLE conversations ADD COLUMN added_meanwhile text")
    await door.deliver(text("ainda está aí?", at=now()))
    assert await door.all("SELECT reason FROM dead_letter") == []
    assert await door.value("SELECT count(*) FROM messages") == 2


async def test_what_cannot_be_split_goes_back_as_a_webhook(door: Door):
    from hub_api.whatsapp import deadletters

    broken = text("oi")
    value_of(broken)["messages"].append("isto não é uma mensagem")
    await door.deliver(broken)
    assert await door.value("SELECT count(*) FROM messages") == 1
    assert await deadletters.replay(door.services) == 1
    assert await door.value("SELECT count(*) FROM webhook_event WHERE split_at IS NULL") == 1
    await door.split()
    assert len((await deadletters.list_dead(door.services)).rows) == 1


DYING_WORKER = """
import asyncio, os, sys, time
from hub_api import roles
from hub_api.settings import load_settings
from hub_api.whatsapp import handle, handle_batch

parse = handle_batch.parse

def parse_and_die(item):
    if b"veneno" in item.payload:
        os._exit(9)
    return parse(item)

handle_batch.parse = parse_and_die

async def work():
    async with roles.services(load_settings(), "test") as services:
        while await handle.drain(services, int(sys.argv[1]), time.monotonic() + 30):
            pass

deaths = 0
while deaths < 10:
    child = os.fork()
    if not child:
        asyncio.run(work())
        os._exit(0)
    if not os.waitpid(child, 0)[1]:
        break
    deaths += 1
print(deaths)
"""


async def test_an_item_that_ends_its_worker_is_put_aside_and_its_neighbours_are_handled(door: Door):
    await door.store(*[text("veneno" if n == 7 else f"mensagem {n}", at=now(), wamid=f"wamid.{n}") for n in range(20)])
    (lane,) = {row["lane"] for row in await door.all("SELECT lane FROM inbox_item")}
    settings = {
        f"HUB_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in door.services.settings
        if name in door.services.settings.model_fields_set
    }
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", DYING_WORKER, str(lane)), env={**os.environ, **settings}, stdout=asyncio.subprocess.PIPE
    )
    assert int((await worker.communicate())[0].split()[-1]) == 4
    dead = await door.one("SELECT reason, payload FROM dead_letter")
    assert dead["reason"] == "worker_died" and b"veneno" in dead["payload"]
    assert await door.value("SELECT count(*) FROM messages") == 19
    assert await door.value("SELECT count(*) FROM inbox_item") == 0


async def test_a_lane_that_another_worker_has_is_left_to_it(door: Door):
    await door.store(text("oi"))
    lane = await door.value("SELECT lane FROM inbox_item")
    async with door.db.acquire() as db, db.transaction():
        await db.execute("SELECT pg_advisory_xact_lock(7215003, $1)", lane)
        assert await drain(door.services, lane, time.monotonic() + 60) is False
        assert await door.value("SELECT count(*) FROM messages") == 0
    assert await drain(door.services, lane, time.monotonic() + 60) is False
    assert await door.value("SELECT count(*) FROM messages") == 1


async def test_two_workers_meet_the_same_people_under_different_identities_and_make_each_once(door: Door):
    bodies = []
    for person in range(40):
        phone, bsuid = f"55119{80000000 + person}", f"BR.{person:06}"
        bodies += [
            text("a", wa_id=phone, user_id=bsuid),
            text("b", wa_id=phone),
            text("c", wa_id=None, user_id=bsuid),
            text("d", wa_id=phone.replace("119", "11", 1), user_id=bsuid),
        ]
    random.Random(3).shuffle(bodies)
    await door.store(together(*bodies))
    assert await door.value("SELECT count(DISTINCT lane) FROM inbox_item") == door.services.settings.inbox_lanes
    await door.handle()
    assert await door.value("SELECT count(*) FROM customers WHERE status <> 'merged'") == 40
    assert await door.value("SELECT count(*) FROM messages") == 160
    spread = await door.value("SELECT count(DISTINCT customer_id) FROM messages")
    assert spread == 40, "every message belongs to the customer that is left"
    open_now = await door.value("SELECT count(*) FROM conversations WHERE state NOT IN ('resolved', 'closed')")
    assert open_now == 40
    assert await door.value("SELECT count(*) FROM dead_letter") == 0


async def test_a_deadlock_is_tried_again(door: Door):
    """A transaction that locks two customers in the other order: one of the two gives way and comes back."""
    await door.deliver(text("oi", wa_id="5511981111111"), text("oi", wa_id="5511982222222"))
    ids = sorted(row["id"] for row in await door.all("SELECT id FROM customers"))
    await door.db.execute("UPDATE inbox_item SET lane = 0")
    await door.store(together(text("a", wa_id="5511981111111"), text("b", wa_id="5511982222222")))
    await door.db.execute("UPDATE inbox_item SET lane = 0")
    async with door.db.acquire() as db:
        transaction = db.transaction()
        await transaction.start()
        await db.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", ids[1])
        handling = asyncio.create_task(drain(door.services, 0, time.monotonic() + 20))
        while not await door.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
            await asyncio.sleep(0.01)
        try:
            await db.execute("SELECT FROM customers WHERE id = $1 FOR UPDATE", ids[0])
            await transaction.commit()
        except Exception:
            await transaction.rollback()
        await handling
    assert await door.value("SELECT count(*) FROM messages") == 4
    assert await door.value("SELECT count(*) FROM dead_letter") == 0

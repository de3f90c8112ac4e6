"""A pool of numbers under load, as real processes, with all of Meta's limits: everything goes out once, nothing twice,
whatever fails meanwhile. Small in `make test`, 100 numbers and 200,000 messages in `make soak`."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import redis

from hub_api.platform import migrate
from hub_api.settings import Settings
from hub_api.whatsapp.send.pace import pace_of
from tests.benchmarks.stack import Engines
from tests.campaigns.engine.stage import awake
from tests.faults.campaigning import accepted_by_recipient, begin_campaign, recipients
from tests.support.balancer import Balancer
from tests.support.outbox import ASTRAY
from tests.support.pool import HANDLER, Account, Pool, Size, running_pool
from tests.support.pool_measures import Replies, quantile, used_share
from tests.support.postgres import Databases, EmbeddedPostgres
from tests.support.process import free_port
from tests.support.valkey import EmbeddedValkey
from tests.support.waiting import eventually

NUMBERS = int(os.environ.get("HUB_TEST_POOL_NUMBERS", "10"))
LEVEL = int(os.environ.get("HUB_TEST_POOL_LEVEL", "20"))
MESSAGES = int(os.environ.get("HUB_TEST_POOL_MESSAGES", "800"))
SENDERS = int(os.environ.get("HUB_TEST_POOL_SENDERS", "2"))
REPLIES_PER_S = float(os.environ.get("HUB_TEST_POOL_REPLIES_PER_S", "5"))
# Which statuses Meta tells: handling all of them beside a full pool needs more than two cores.
STATUSES = tuple(os.environ.get("HUB_TEST_POOL_STATUSES", "sent,delivered,read,played,failed").split(","))
# Speed is asserted only where the machine is the run's own (make soak); shared with others it is printed.
BARS = os.environ.get("HUB_TEST_POOL_BARS") == "1"
TALKS = 1_000
ENDED_WELL = (0, -signal.SIGTERM)  # uvicorn raises the signal again once it has drained
# Nobody waits so long: a tenth of the pool's speed, and the minute after which a dead sender's claims are in doubt.
PATIENCE_S = 120 + 10 * MESSAGES / (NUMBERS * LEVEL)

# One loop for all: the pool's connections live as long as its processes.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180 + PATIENCE_S)]


@pytest.fixture(scope="module")
def valkey() -> Any:
    """A Valkey of these tests' own, which they kill; it forgets everything with its process."""
    with EmbeddedValkey() as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool(valkey: EmbeddedValkey) -> AsyncIterator[Pool]:
    """The pool that these tests share: each leaves it healthy and its outbox empty."""
    with EmbeddedPostgres(durable=True) as postgres:
        engines = Engines(Databases(postgres.url()).create(), valkey.url())
        size = Size(
            numbers=NUMBERS,
            levels=(LEVEL,),
            accounts=max(2, NUMBERS // 5),
            portfolios=2,
            senders=SENDERS,
            statuses=STATUSES,
        )
        async with running_pool(engines, size) as running:
            running.people = await running.talking(TALKS)
            running.start_senders()
            await running.queue(NUMBERS)
            await running.until_sent(PATIENCE_S)  # nobody waits for a process that still starts
            yield running


async def proved(pool: Pool) -> Account:
    """What has to be true after every fault: once each, by both accounts."""
    account = await pool.account()
    assert account.twice == {}, "sent twice"
    assert await pool.db.fetchval(ASTRAY) == 0, "the outbox and the messages disagree"
    assert account.not_sent == [], "counted as sent and never accepted"
    assert account.sent_unseen == [], "accepted and still to be sent"
    assert (await pool.tally())["over_portfolio_limit"] == 0
    return account


def too_fast(before: dict[str, Any], after: dict[str, Any], but: tuple[str, ...] = ()) -> float:
    """Share of calls since `before` that Meta refused as too fast, leaving out the numbers `but`."""
    refused = accepted = 0
    for number, now in after["numbers"].items():
        then = before["numbers"].get(number, {"refused": {}, "accepted": 0})
        if number not in but:
            accepted += now["accepted"] - then["accepted"]
            for code in ("130429", "131056"):
                refused += now["refused"].get(code, 0) - then["refused"].get(code, 0)
    return refused / max(1, refused + accepted)


async def test_a_campaign_and_live_replies_share_the_pool(pool: Pool) -> None:
    before = await pool.tally()
    await pool.queue(MESSAGES)
    replies = Replies(pool, REPLIES_PER_S)
    async with replies.running(pool.people):
        share = await used_in_the_middle(pool, before["accepted"], MESSAGES)
        await pool.until_sent(PATIENCE_S, types=("template",))
    await pool.until_sent(PATIENCE_S)
    account, waits = await proved(pool), await replies.waits_s()
    p50, p95 = quantile(waits, 0.5), quantile(waits, 0.95)
    print(
        f"{NUMBERS} numbers at {LEVEL}/s: {share:.1%} of (limit - headroom - inbound) used; {len(waits)} replies waited "
        f"p50 {p50:.2f} s, p95 {p95:.2f} s, of it in the outbox p95 {quantile(await replies.queued_s(), 0.95):.2f} s; refused {account.refusals}; load {os.getloadavg()[0]:.1f}"
    )
    assert not account.states.keys() & {"failed", "unknown", "cancelled"}
    assert too_fast(before, await pool.tally()) <= 0.001
    assert waits and not replies.refused
    if BARS:
        assert share >= 0.9
        assert p95 < 1


async def used_in_the_middle(pool: Pool, start: int, messages: int) -> float:
    """How much of (limit - headroom - inbound) a campaign of so many uses, between a tenth and four fifths of it.
    `start`: what was accepted before it; a large one is being sent while it is still queued."""
    kept = 1 - pace_of(LEVEL, Settings.model_fields["reply_headroom"].default).main / LEVEL
    await pool.until_accepted(start + messages // 10, PATIENCE_S)
    began, before = time.monotonic(), await pool.tally()
    await pool.until_accepted(start + messages * 4 // 5, PATIENCE_S)
    return used_share(before, await pool.tally(), time.monotonic() - began, kept, pool.phone_number_ids)


async def test_numbers_paused_throttled_and_banned_in_mid_run_cost_nothing(pool: Pool) -> None:
    before = await pool.tally()
    paused, throttled, banned = pool.phone_number_ids[1:4]
    await pool.queue(MESSAGES)
    await pool.until_accepted(before["accepted"] + MESSAGES // 5, PATIENCE_S)
    await pool.api("POST", f"whatsapp/numbers/{pool.number_ids[paused]}/pause", {"reason": "teste"})
    await pool.simulator("POST", "numbers", {"number_id": throttled, "mps": max(1, LEVEL // 4)})
    await pool.simulator("POST", "numbers", {"number_id": banned, "status": "BANNED"})
    of_banned = "SELECT account_id FROM whatsapp_numbers WHERE phone_number_id = $1"
    account_id = await pool.db.fetchval(of_banned, banned)
    stopped = await pool.db.fetch("SELECT phone_number_id FROM whatsapp_numbers WHERE account_id = $1", account_id)
    healthy = set(pool.phone_number_ids) - {paused, throttled, *(row["phone_number_id"] for row in stopped)}
    await asyncio.sleep(2)  # what was claimed before the pause has left within a second
    at_pause = (await pool.tally())["numbers"][paused]["accepted"]
    await pool.until_sent(PATIENCE_S, sorted(healthy))
    assert (await pool.tally())["numbers"][paused]["accepted"] == at_pause, "sent from a paused number"

    # It heals: Meta gives back what it took, and the operator resumes what was stopped.
    await pool.simulator("POST", "numbers", {"number_id": banned, "status": "CONNECTED"})
    await pool.simulator("POST", "numbers", {"number_id": throttled, "mps": LEVEL})
    await pool.api("POST", f"whatsapp/numbers/{pool.number_ids[paused]}/resume")
    await pool.api("POST", f"whatsapp/accounts/{account_id}/resume")
    for number in await pool.db.fetch("SELECT id FROM whatsapp_numbers WHERE state NOT IN ('connected', 'limited')"):
        await pool.api("POST", f"whatsapp/numbers/{number['id']}/resume")
    await pool.until_sent(PATIENCE_S)
    account, after = await proved(pool), await pool.tally()
    assert too_fast(before, after, but=(throttled,)) <= 0.001
    # Only what was being called when the ban came is lost to it: Meta says that such a call is not to be repeated.
    assert account.states["failed"] <= SENDERS * LEVEL
    assert not account.states.keys() & {"unknown", "cancelled"}
    print(f"{account.states}; {account.refusals}")


async def test_a_sender_killed_in_mid_run_leaves_no_doubt_behind(pool: Pool) -> None:
    before = await pool.tally()
    await pool.queue(MESSAGES)
    for share in (0.2, 0.4):
        await pool.until_accepted(before["accepted"] + int(MESSAGES * share), PATIENCE_S)
        pool.kill_sender()
    await asyncio.sleep(3)  # older claims than any call in flight: those of the dead
    aged = await pool.age_claims()
    await pool.until_sent(PATIENCE_S)
    await pool.until_doubts_are_settled(PATIENCE_S)
    account = await proved(pool)
    assert too_fast(before, await pool.tally()) <= 0.001
    print(
        f"claims of the dead: {aged}; still unknown: {account.states['unknown']}, never accepted: {len(account.unknown_unsent)}"
    )
    # Statuses resolve what was accepted; what never reached Meta stays listed for a person, and is never sent by itself.
    assert account.states["unknown"] == len(account.unknown_unsent)


async def test_a_killed_and_flushed_valkey_neither_stops_nor_hurries_the_pool(
    pool: Pool, valkey: EmbeddedValkey
) -> None:
    before = await pool.tally()
    await pool.queue(MESSAGES)
    await pool.until_accepted(before["accepted"] + MESSAGES // 5, PATIENCE_S)
    await asyncio.to_thread(valkey.kill9)
    await asyncio.sleep(1)
    await asyncio.to_thread(valkey.start)
    await pool.until_accepted(before["accepted"] + MESSAGES // 2, PATIENCE_S)
    with redis.Redis.from_url(valkey.url()) as client:
        client.flushall()
    await pool.until_sent(PATIENCE_S)
    account = await proved(pool)
    assert too_fast(before, await pool.tally()) <= 0.001
    print(f"{account.states}; {account.refusals}")


async def test_shuffled_statuses_silence_and_opt_outs_in_one_campaign(pool: Pool) -> None:
    shuffle = {"reorder": 0.5, "reorder_s": 3.0, "duplicate": 0.2}
    await pool.simulator("POST", "webhooks", shuffle)
    since = await pool.db.fetchval("SELECT clock_timestamp()")
    await pool.queue(MESSAGES)
    await pool.simulator("POST", "faults", {"kind": "drop_after", "share": 0.02, "times": 20})
    await pool.queue(20)  # behind the others, so that the opt-outs meet them in the queue
    last = "SELECT c.phone FROM messages m JOIN customers c ON c.id = m.customer_id WHERE m.state = 'queued' ORDER BY m.id DESC LIMIT 20"
    leavers = [row["phone"] for row in await pool.db.fetch(last)]
    for phone in leavers:
        await pool.simulator("POST", "inbound", {"from": phone, "text": "SAIR"})
    heard: dict[Any, Any] = {}  # customer -> when their opt-out was seen to be committed

    async def all_heard() -> bool:
        for row in await pool.db.fetch(
            "SELECT customer_id, clock_timestamp() AS seen_at FROM suppressions WHERE scope = 'marketing'"
        ):
            heard.setdefault(row["customer_id"], row["seen_at"])
        return len(heard) == len(leavers)

    await eventually(all_heard, PATIENCE_S)
    await pool.until_sent(PATIENCE_S)
    await pool.simulator("DELETE", "faults")
    await pool.until_doubts_are_settled(PATIENCE_S)
    await pool.simulator("POST", "webhooks", {"reorder": 0.0, "duplicate": 0.0})

    async def all_read() -> bool:
        left = await pool.db.fetch(
            "SELECT state, count(*) FROM messages WHERE direction = 'out' AND type = 'template' "
            "AND state NOT IN ('read', 'cancelled') AND created_at >= $1 GROUP BY state",
            since,
        )
        assert not left, left
        return True

    await eventually(all_read, PATIENCE_S, every_s=0.5)
    account = await proved(pool)
    claimed = await pool.db.fetch(
        "SELECT customer_id, claimed_at FROM messages WHERE customer_id = ANY($1) AND category = 'marketing' "
        "AND state <> 'cancelled'",
        list(heard),
    )
    assert all(row["claimed_at"] <= heard[row["customer_id"]] for row in claimed), "claimed after the opt-out's commit"
    assert not await pool.db.fetchval("SELECT count(*) FROM parked_status"), "a status found no message"
    print(f"opted out in mid-campaign: {len(heard)}; of them not sent: {account.states['cancelled']}")


async def test_a_campaign_survives_a_flush_a_pause_and_killed_workers(pool: Pool, valkey: EmbeddedValkey) -> None:
    """Scenario 4 and kill -9 on a campaign: everybody once, or listed as unknown; a pause ends it within a second."""
    people = max(200, MESSAGES // 2)
    campaign_id = await begin_campaign(pool, people, awake())
    of = "SELECT count(*) FROM messages m JOIN campaign_recipients r ON r.message_id = m.id WHERE r.campaign_id = $1 AND m.state NOT IN ('queued', 'claimed')"

    async def left(share: float) -> bool:
        count = await pool.db.fetchval(of, campaign_id)
        assert count >= people * share, f"{count} of {people} left: {await recipients(pool, campaign_id)}"
        return True

    await eventually(lambda: left(0.2), PATIENCE_S, every_s=0.1)
    with redis.Redis.from_url(valkey.url()) as client:
        client.flushall()
    pool.kill_sender()
    next(part for part in pool.parts if part.command == HANDLER).process.kill()
    await eventually(lambda: left(0.5), PATIENCE_S, every_s=0.1)
    await pool.api("POST", f"campaigns/{campaign_id}/pause", {"reason": "teste"})
    await asyncio.sleep(1.5)
    claims = "SELECT max(m.claimed_at) FROM messages m JOIN campaign_recipients r ON r.message_id = m.id WHERE r.campaign_id = $1"
    last = await pool.db.fetchval(claims, campaign_id)
    await asyncio.sleep(2)
    assert await pool.db.fetchval(claims, campaign_id) == last, "claimed while it was paused"
    await pool.api("POST", f"campaigns/{campaign_id}/resume")

    async def over() -> bool:
        await pool.age_claims()
        states = await recipients(pool, campaign_id)
        assert not states.keys() & {"pending", "queued"}, states
        return True

    await eventually(over, PATIENCE_S, every_s=0.5)
    states, counts = await recipients(pool, campaign_id), await accepted_by_recipient(pool, campaign_id)
    assert sum(states.values()) == people and states.keys() <= {"sent", "unknown"}
    assert len(counts) == people and sum(counts.values()) >= states["sent"]
    await proved(pool)
    print(f"campaign of {people}: {states}")


async def test_a_rolling_restart_with_a_migration_loses_nothing_and_answers_no_error(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = [
        migrate.Migration("9998_pre_add.sql", "SET lock_timeout = '5s'; ALTER TABLE messages ADD COLUMN rolled text;"),
        migrate.Migration(
            "9999_pre_index.sql",
            "-- transaction: none\nCREATE INDEX CONCURRENTLY IF NOT EXISTS rolled_talks ON conversations (customer_id, opened_at)",
        ),
    ]
    known = migrate.all_migrations()
    monkeypatch.setattr(migrate, "all_migrations", lambda: [*known, *news])
    states_before = Counter((await pool.account()).states)
    old_api = next(part for part in pool.parts if "api" in part.command)
    talk = Replies(pool, REPLIES_PER_S)
    async with Balancer(pool.api_port) as balancer:
        await pool.simulator("POST", "webhooks", {"url": f"{balancer.url}/webhooks/whatsapp"})
        pool.api_url = balancer.url
        told = Counter((await pool.simulator("GET", "webhooks"))["answers"])
        await pool.queue(MESSAGES)
        async with talk.running(pool.people):
            assert await migrate.migrate(pool.engines.database_url) == [one.name for one in news]
            port = free_port()
            pool.start_api(port)
            await eventually(lambda: ready(pool, port), PATIENCE_S, every_s=0.2)
            balancer.backends[:] = [port]
            assert await pool.stop(old_api) in ENDED_WELL
            for old in [part for part in pool.parts if "worker" in part.command or "scheduler" in part.command]:
                pool.start(*old.command)
                assert await pool.stop(old, within_s=60) in ENDED_WELL, "it drains and goes"
            await pool.until_sent(PATIENCE_S)
        await pool.until_sent(PATIENCE_S)
        await eventually(lambda: handled(pool, talk.wrote), PATIENCE_S, every_s=0.5)
        answers = Counter((await pool.simulator("GET", "webhooks"))["answers"]) - told
        pool.api_url = f"http://127.0.0.1:{port}"
        await pool.simulator("POST", "webhooks", {"url": f"{pool.api_url}/webhooks/whatsapp"})
    account = await proved(pool)
    assert account.states["unknown"] == states_before["unknown"], "a sender that drains leaves no doubt"
    assert not talk.refused, "an error other than 503 with Retry-After"
    assert not [answer for answer in answers if answer.isdigit() and answer not in ("200", "503")]
    print(f"webhooks answered {dict(answers)}; agents pressed again: {dict(talk.again)}; {len(talk.posted)} replies")


async def ready(pool: Pool, port: int) -> bool:
    """Whether an API process takes traffic."""
    async with pool.http.get(f"http://127.0.0.1:{port}/ready") as answer:
        return answer.status == 200


async def handled(pool: Pool, wamids: list[str]) -> bool:
    """Every one of these inbound messages is here, once."""
    rows = await pool.db.fetch("SELECT wamid, count(*) AS n FROM messages WHERE wamid = ANY($1) GROUP BY wamid", wamids)
    assert {row["n"] for row in rows} <= {1}, "handled twice"
    assert len(rows) == len(wamids), f"{len(wamids) - len(rows)} messages of customers are not here"
    return True

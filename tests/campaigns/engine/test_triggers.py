"""Whatever happens to customers, and however often a clock dies or rings twice: each event starts one message a customer, none is lost."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from hub_api.campaigns.sending import crossings
from hub_api.chat.privacy import erase
from hub_api.chat.privacy.jobs import retain
from hub_api.platform.clickhouse import connect
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import ask
from hub_api.settings import Settings
from tests.campaigns.engine.stage import ALWAYS, Stage, variant
from tests.support.sending import Person as Customer

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

REGIONS = ("SP-01", "RJ-07")
PEOPLE = 4
LEVEL = 0.5
EVERY = timedelta(days=9)  # between days of scores
TRIGGERS: tuple[dict[str, Any], ...] = (
    {"event": "invoice_issued"},
    {"event": "outage_started", "region_code": REGIONS[0]},
    {"event": "churn_risk", "level": LEVEL},
)
who, place = st.integers(0, PEOPLE - 1), st.sampled_from(REGIONS)
Key = tuple[UUID, str, UUID]
# What happens: to whom, where, how likely each is to leave, after how many milliseconds the clock's process dies.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("issue"), who),
        st.tuples(st.just("pay"), who),
        st.tuples(st.just("break"), place),
        st.tuples(st.just("mend"), place),
        st.tuples(st.just("told again"), st.none()),
        st.tuples(st.just("score"), st.lists(st.sampled_from([0.2, 0.5, 0.8]), min_size=PEOPLE, max_size=PEOPLE)),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(st.just("two ticks"), st.none()),
        st.tuples(st.just("dies"), st.integers(0, 60)),
    ),
    min_size=4,
    max_size=14,
)


@pytest.fixture
def settings(with_warehouse: Settings) -> Settings:
    """With a warehouse, where the scores are."""
    return with_warehouse


async def warehouse(stage: Stage, act: Callable[["Client"], Any]) -> None:
    """Do something to the warehouse as whoever fills it."""
    client = await asyncio.to_thread(connect, stage.hub.services.settings.clickhouse_url)
    try:
        await asyncio.to_thread(act, client)
    finally:
        await asyncio.to_thread(client.close)


async def scored(stage: Stage, day: date, likely: Mapping[UUID, float]) -> None:
    """The scores of a day: how likely each customer is to leave."""
    rows = [[day, one, p, "high", 90, "t"] for one, p in likely.items()]
    names = ["day", "customer_id", "probability", "band", "horizon_days", "model_version"]
    await warehouse(stage, lambda client: client.insert("gold.churn_risk", rows, column_names=names))


async def minutes_pass(stage: Stage) -> None:
    """Scores are looked at again at the next tick, as they are every few minutes."""
    async for key in stage.hub.services.redis.scan_iter("campaign-scores:*"):
        await stage.hub.services.redis.delete(key)


class Story:
    """Three campaigns for what happens to four customers, two in each region; and what must have set them off by now (`must`), and
    what may have, since a clock that died may have seen it (`may`)."""

    def __init__(self, stage: Stage, people: list[UUID], newest: date) -> None:
        self.stage, self.people, self.day = stage, people, newest
        self.open: dict[int, str] = {}
        self.broken: dict[str, str] = {}
        self.scores: list[list[float]] = []
        self.must: set[Key] = set()
        self.may: set[Key] = set()
        self.campaigns: list[UUID] = []

    async def begin(self, customers: Any) -> None:
        for trigger in TRIGGERS:
            made = await self.stage.begun(
                customers, kind="triggered", lane="utility", variants=[variant("a", template="boas_vindas")],
                schedule={**ALWAYS, "trigger": trigger}, pacing={"cap": None, "runway": 1000},
            )  # fmt: skip
            self.campaigns.append(made)
        await self.score([0.2] * PEOPLE)
        await self.score([0.2] * PEOPLE)

    def happened(self) -> set[Key]:
        """What a clock that rings now must see."""
        invoice, outage, churn = self.campaigns
        keys = {(invoice, f"invoice:{one}", self.people[n]) for n, one in self.open.items()}
        if name := self.broken.get(REGIONS[0]):
            keys |= {(outage, f"outage:{name}", one) for one in self.people[: PEOPLE // 2]}
        for number, (before, now) in enumerate(pairwise(self.scores), 2 - len(self.scores)):
            day = self.day + EVERY * number  # every day since the start, whether a clock rang in between or not
            crossed = [n for n in range(PEOPLE) if before[n] < LEVEL <= now[n]]
            keys |= {(churn, f"churn:{day:%Y-%m}", self.people[n]) for n in crossed}
        return keys

    async def do(self, act: str, what: Any) -> None:
        hub = self.stage.hub
        match act:
            case "issue" if what not in self.open:
                self.open[what] = uuid7().hex
                await hub.fetch(
                    "INSERT INTO invoices (external_id, contract_id, reference_month, amount_micros, due_on, status) "
                    "VALUES ($1, $2, $3, 89900000, $3, 'open')",
                    self.open[what], self.people[what].hex, datetime.now(hub.services.settings.zone).date() + timedelta(days=1),
                )  # fmt: skip
            case "pay" if what in self.open:
                await hub.fetch("UPDATE invoices SET status = 'paid' WHERE external_id = $1", self.open.pop(what))
            case "break" if what not in self.broken:
                self.broken[what] = uuid7().hex
                await hub.fetch(
                    "INSERT INTO outages (external_id, region_code, service, started_at) VALUES ($1, $2, 'fiber', now())",
                    self.broken[what], what,
                )  # fmt: skip
            case "mend" if what in self.broken:
                await hub.fetch("UPDATE outages SET ended_at = now() WHERE external_id = $1", self.broken.pop(what))
            case "told again":
                await hub.fetch(
                    "UPDATE invoices SET updated_at = now() WHERE external_id = ANY($1)", [*self.open.values()]
                )
                await hub.fetch(
                    "UPDATE outages SET updated_at = now() WHERE external_id = ANY($1)", [*self.broken.values()]
                )
            case "score":
                await self.score(what)
            case "dies":
                await self.dies(what / 1000)
            case "two ticks":
                await self.rings(self.stage.tick(), self.stage.tick())
            case "tick":
                await self.tick()

    async def score(self, likely: list[float]) -> None:
        """The scores of the next day but some, so that months end within stories too."""
        self.day += EVERY
        self.scores.append(likely)
        await scored(self.stage, self.day, dict(zip(self.people, likely, strict=True)))

    async def rings(self, *ticks: Coroutine[Any, Any, None]) -> None:
        """Clocks that ring now; one that is in another's way gives up, as a job does that is rung again."""
        self.may |= self.happened()
        await minutes_pass(self.stage)
        for found in await asyncio.gather(*ticks, return_exceptions=True):
            if isinstance(found, BaseException) and not isinstance(found, (*RETRYABLE, asyncio.CancelledError)):
                raise found

    async def dies(self, after_s: float) -> None:
        """A clock whose process dies in the middle."""

        async def cut() -> None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stage.tick(), after_s)

        await self.rings(cut())

    async def tick(self) -> None:
        """A minute later all is done that had happened."""
        self.must |= self.happened()
        await self.stage.hub.fetch(
            "UPDATE campaign_runs SET last_turn_at = now() - interval '2 minutes' WHERE state = 'freezing'"
        )
        await self.rings(self.stage.tick(3))
        await self.holds()

    async def holds(self) -> None:
        """Each event of `must` has a message of its run; no message is without one, and nobody got two of a run."""
        fetch = self.stage.hub.fetch
        keys = await fetch(
            "SELECT campaign_id, key, customer_id, run_id FROM campaign_trigger_keys WHERE campaign_id = ANY($1)",
            self.campaigns,
        )
        seen = {(row["campaign_id"], row["key"], row["customer_id"]) for row in keys}
        assert self.must <= seen <= self.may
        recipients = await fetch(
            "SELECT run_id, customer_id, state, message_id FROM campaign_recipients WHERE campaign_id = ANY($1)",
            self.campaigns,
        )
        assert {(row["run_id"], row["customer_id"]) for row in recipients} == {
            (row["run_id"], row["customer_id"]) for row in keys
        }
        assert {row["state"] for row in recipients} <= {"queued"}
        messages = await fetch(
            "SELECT m.id FROM messages m JOIN conversations v ON v.id = m.conversation_id "
            "WHERE m.author = 'campaign' AND v.customer_id = ANY($1)", self.people
        )  # fmt: skip
        assert sorted(row["id"] for row in messages) == sorted(row["message_id"] for row in recipients)


async def test_each_event_starts_one_message_a_customer_whatever_dies(stage: Stage) -> None:
    loop, stories = asyncio.get_running_loop(), iter(range(1_000))

    async def tell(steps: list[tuple[str, Any]]) -> None:
        number = next(stories)
        customers = await stage.people(PEOPLE, first=number * PEOPLE)
        people = [one.id for one in customers]
        for place, some in zip(REGIONS, (people[: PEOPLE // 2], people[PEOPLE // 2 :]), strict=True):
            await stage.contracts(some, place)
        await warehouse(stage, lambda client: client.command("TRUNCATE TABLE gold.churn_risk"))
        # The second scores are those of the day before the start; all others come while the campaign runs.
        today = datetime.now(stage.hub.services.settings.zone).date()
        story = Story(stage, people, today - timedelta(days=1) - 2 * EVERY)
        await story.begin(customers)
        for act, what in steps:
            await story.do(act, what)
        await story.tick()
        for campaign_id in story.campaigns:
            await stage.step(campaign_id, "cancel")
        await stage.hub.fetch("UPDATE outages SET ended_at = now() WHERE ended_at IS NULL")
        await stage.hub.fetch("DELETE FROM invoices")
        await stage.hub.fetch("DELETE FROM contracts")

    @how(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(STEPS)
    def whatever(steps: list[tuple[str, Any]]) -> None:
        asyncio.run_coroutine_threadsafe(tell(steps), loop).result()

    await asyncio.to_thread(whatever)


async def begun_by_churn(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, count: int
) -> tuple[UUID, list[Customer], date]:
    """A campaign that a crossing sets off, three people a portion: its id, that many people, the day it began."""
    monkeypatch.setattr(crossings, "MOST_AT_ONCE", 3)
    customers = await stage.people(count)
    campaign_id = await stage.begun(
        customers, kind="triggered", lane="utility", variants=[variant("a", template="boas_vindas")],
        schedule={**ALWAYS, "trigger": TRIGGERS[2]}, pacing={"cap": None, "runway": 1000},
    )  # fmt: skip
    return campaign_id, customers, datetime.now(stage.hub.services.settings.zone).date()


async def test_no_crossing_is_lost_however_many_and_however_late_one_looks(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    churn, customers, started = await begun_by_churn(stage, monkeypatch, 10)
    people = [one.id for one in customers]
    # Nine cross on the first of these days, and are back below before a clock has rung; one crosses on the last.
    for after, high in enumerate(([], people[:9], [], people[9:])):
        likely = {one: 0.8 if one in high else 0.2 for one in people}
        await scored(stage, started + timedelta(days=after - 1), likely)
    await stage.tick()
    keys = "SELECT customer_id, run_id FROM campaign_trigger_keys WHERE campaign_id = $1"
    found = await stage.hub.fetch(keys, churn)
    assert sorted(row["customer_id"] for row in found) == sorted(people)
    assert len({row["run_id"] for row in found}) >= 4, "three a run at most"
    await stage.tick(3)
    sent = "SELECT customer_id, state FROM campaign_recipients WHERE campaign_id = $1"
    assert {(row["customer_id"], row["state"]) for row in await stage.hub.fetch(sent, churn)} == {
        (one, "queued") for one in people
    }
    await minutes_pass(stage)
    await stage.tick()
    assert len(await stage.hub.fetch(keys, churn)) == len(people), "the newest day read again is no news"


async def test_a_paused_campaign_forgets_who_is_erased_and_misses_and_doubles_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = stage.hub.services
    churn, customers, started = await begun_by_churn(stage, monkeypatch, 7)
    people = [one.id for one in customers]
    await scored(stage, started - timedelta(days=1), dict.fromkeys(people, 0.2))
    await scored(stage, started, dict.fromkeys(people, 0.8))

    async def asked(services: Any, sql: str, parameters: Any = None) -> Any:
        """Paused between two portions."""
        if parameters and parameters["after"] != crossings.FIRST:
            await stage.step(churn, "pause")
        return await ask(services, sql, parameters)

    monkeypatch.setattr(crossings, "ask", asked)
    await stage.tick()
    mark = "SELECT after FROM campaign_score_marks WHERE campaign_id = $1"
    gone = await stage.hub.fetchval(mark, churn)
    assert gone in people
    keys = "SELECT customer_id FROM campaign_trigger_keys WHERE campaign_id = $1"
    assert len(await stage.hub.fetch(keys, churn)) == 3
    monkeypatch.setattr(crossings, "ask", ask)

    await erase.work_on(services, await erase.request(services, "system", gone, "request"))
    assert await stage.hub.fetchval(mark, churn) is None
    # A look whose scores were read before the erasure brings his id back neither as a mark nor as a key.
    await stage.hub.fetch(crossings.queries.set_score_mark, churn, started, gone)
    assert await stage.hub.fetchval(mark, churn) is None
    await scored(stage, started, {gone: 0.8})
    await scored(stage, started - timedelta(days=1), {gone: 0.2})

    await minutes_pass(stage)
    await stage.step(churn, "resume")
    await stage.tick(3)
    others = sorted(set(people) - {gone})
    assert sorted(row["customer_id"] for row in await stage.hub.fetch(keys, churn)) == others
    sent = "SELECT v.customer_id FROM messages m JOIN conversations v ON v.id = m.conversation_id WHERE m.author = 'campaign'"
    assert sorted(row["customer_id"] for row in await stage.hub.fetch(sent)) == others


async def test_what_set_a_campaign_off_is_kept_while_it_could_again_and_ends_with_the_campaign(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    churn, customers, started = await begun_by_churn(stage, monkeypatch, 5)
    people = [one.id for one in customers]
    await scored(stage, started - timedelta(days=1), dict.fromkeys(people, 0.2))
    await scored(stage, started, dict.fromkeys(people, 0.8))
    outage = await stage.begun(
        customers[:2], kind="triggered", lane="utility", variants=[variant("a", template="boas_vindas")],
        schedule={**ALWAYS, "trigger": TRIGGERS[1]}, pacing={"cap": None},
    )  # fmt: skip
    await stage.contracts(people[:2], REGIONS[0])
    await stage.hub.fetch(
        "INSERT INTO outages (external_id, region_code, service, started_at) VALUES ('Q1', $1, 'fiber', now())",
        REGIONS[0],
    )
    await stage.run()
    keys = "SELECT count(*) FROM campaign_trigger_keys WHERE campaign_id = $1"
    assert [await stage.hub.fetchval(keys, one) for one in (churn, outage)] == [5, 2]
    await stage.step(churn, "pause")
    # A year passes. The scores before the mark's month are no news any more, those of the mark's day would be read again.
    await stage.hub.fetch("UPDATE campaign_runs SET created_at = created_at - interval '400 days'")
    await stage.hub.fetch("UPDATE campaign_trigger_keys SET key = 'churn:2024-01' WHERE customer_id = $1", people[4])
    gone = f"ALTER TABLE gold.churn_risk DELETE WHERE customer_id = '{people[4]}' SETTINGS mutations_sync = 2"
    await warehouse(stage, lambda client: client.command(gone))
    await retain.function(stage.hub.services)
    assert [await stage.hub.fetchval(keys, one) for one in (churn, outage)] == [4, 2]
    assert await stage.states() == {}, "who they were ends in its time, whatever sets the campaign off"

    calls = "SELECT count(*) FROM messages WHERE author = 'campaign'"
    sent = await stage.hub.fetchval(calls)
    await minutes_pass(stage)
    await stage.step(churn, "resume")
    await scored(stage, started, dict.fromkeys(people[:4], 0.8))
    await stage.run()
    assert await stage.hub.fetchval(calls) == sent

    await stage.step(churn, "cancel")
    await stage.hub.fetch("UPDATE outages SET ended_at = now()")
    await stage.hub.fetch("UPDATE campaign_runs SET created_at = created_at - interval '400 days'")
    await retain.function(stage.hub.services)
    assert [await stage.hub.fetchval(keys, one) for one in (churn, outage)] == [0, 0]
    detail = await stage.hub.fetchval(
        "SELECT detail FROM audit_log WHERE action = 'privacy.retention_applied' ORDER BY id DESC LIMIT 1"
    )
    assert detail["campaign_lists"] >= 6

"""A campaign's live results against gold.campaign_funnel: the same SQL over newer events, so equal once the table is built."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hub_api.campaigns.results import live
from hub_api.events import LinkClicked, MessageQueued, MessageStateChanged
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import Reader
from hub_api.settings import Settings
from tests.assets.conftest import Given, named
from tests.assets.test_experiments import CAMPAIGN, DAYS, build, campaign, planned
from tests.support.chance import drawn_seed

Sums = dict[tuple[str, str, UUID], Counter[str]]
SINCE = planned().occurred_at.date()


class OlderReader(Reader):
    """Asks a ClickHouse that keeps no subquery in memory."""

    async def rows(self, sql: str, *more: Any, **named: Any) -> list[dict[str, Any]]:
        found = await super().rows(sql, *more, **named)
        return [{"can": 0}] if sql == live.questions.can_keep else found


async def cells(settings: Settings, *, kept: bool = True) -> Sums:
    """The live cells summed by day, variant and number."""
    reader = Reader(settings) if kept else OlderReader(settings)
    try:
        found = await live.read(reader, settings, CAMPAIGN, SINCE)
    finally:
        await reader.close()
    sums: Sums = {}
    for cell in found.cells:
        day = cell["hour"].astimezone(settings.zone).date().isoformat()
        sums.setdefault((day, cell["variant"], cell["number_id"]), Counter()).update(
            {name: cell[name] for name in live.COUNTS}
        )
    return sums


def table(given: Given) -> Sums:
    columns = ", ".join(live.COUNTS)
    rows = given.rows(
        f"SELECT toString(day) AS on, variant, number_id, {columns} FROM gold.campaign_funnel WHERE campaign_id = '{CAMPAIGN}'"
    )
    return {
        (row["on"], row["variant"], row["number_id"]): Counter({one: row[one] for one in live.COUNTS}) for row in rows
    }


def crossed(who_is: Mapping[UUID, tuple[str, datetime]]) -> list[Event]:
    """Another campaign writes to every third person within the day; every fourth's message is read and opened under an id that he was
    merged into since."""
    events: list[Event] = []
    for number, (who, (variant, when)) in enumerate(who_is.items()):
        talk, merged = named(f"talk {who}"), named(f"merged {who}")
        if number % 3 == 0:
            events.append(MessageQueued(
                aggregate_id=named(f"rival to {who}"), aggregate_version=1, occurred_at=when + timedelta(hours=20), conversation_id=talk,
                customer_id=who, message_type="template", content="outra", author="campaign", category="marketing", shard=0,
                number_id=None, campaign_id=named("rival"), variant="a",
            ))  # fmt: skip
        if variant == "a" and number % 4 == 0:
            events.append(MessageStateChanged(
                aggregate_id=named(f"to {who}"), aggregate_version=9, occurred_at=when + timedelta(hours=70), conversation_id=talk,
                customer_id=merged, from_state="delivered", to_state="read",
            ))  # fmt: skip
            events.append(LinkClicked(
                aggregate_id=named(f"link of {merged}"), aggregate_version=1, occurred_at=when + timedelta(hours=71),
                customer_id=merged, target_id=named("link"), campaign_id=CAMPAIGN, variant="a", message_id=named(f"to {who}"),
            ))  # fmt: skip
    return events


async def test_live_results_are_those_of_the_table_before_while_and_after_it_is_built(
    given: Given, warehouse_settings: Settings
) -> None:
    seed = drawn_seed()
    events, who_is = campaign(160, seed)
    events += crossed(who_is)
    Random(seed).shuffle(events)
    given(*events[: len(events) // 2])
    given.build(*DAYS[:6], upto="bronze.events")
    given.warehouse.client.command(
        "INSERT INTO bronze.built_days (day, batch) SELECT arrayJoin({days:Array(Date)}), {batch:UInt64}",
        parameters=given.warehouse.parameters(DAYS[:6], batch=given.batch),
    )
    later = events[len(events) // 2 :]  # late ones of built days among them
    ids = [uuid7() for _ in later]
    given(*later, ids=ids)
    given(*later[::2], ids=ids[::2])  # relayed again: copies
    before = await cells(warehouse_settings)
    assert await cells(warehouse_settings, kept=False) == before, "an older ClickHouse says the same"
    spread = [f"2026-03-{day:02}" for day in range(10, 32)]
    build(given, *spread)
    built = {key: sums for key, sums in table(given).items() if sums.total()}
    assert before == built, f"seed {seed}"
    assert sum(sums["sent"] for sums in built.values()) > 50 and sum(sums["converted"] for sums in built.values()) > 5
    assert sum(sums["clicks"] for sums in built.values()) > sum(sums["clicked"] for sums in built.values()) > 10
    given.warehouse.client.command(
        "INSERT INTO bronze.built_days (day, batch) SELECT arrayJoin({days:Array(Date)}), {batch:UInt64}",
        parameters=given.warehouse.parameters(spread, batch=given.batch),
    )
    assert await cells(warehouse_settings) == built, f"seed {seed}: nothing is read twice once it is built"


async def test_a_campaign_that_wrote_to_nobody_has_no_cells(given: Given, warehouse_settings: Settings) -> None:
    given(planned())
    assert await cells(warehouse_settings) == {}


def test_the_engine_resolves_the_events_a_few_times_only(given: Given) -> None:
    """Each use of a named subquery is a copy of its tree; with fifteen of the events, planning took a second for any campaign."""
    days = given.warehouse.parameters(DAYS)
    asked = {**days, "campaign": CAMPAIGN, "batch": 1, "built_days": days["days"], "built_batches": [0] * len(DAYS)}
    told = given.warehouse.client.query(
        f"EXPLAIN QUERY TREE {live.steps_sql(kept=True)} {live.questions.figures}",
        parameters={**asked, "segments": True},
        settings=dict(live.KEEP),
    )
    assert 0 < sum("table_name: bronze.events" in row[0] for row in told.result_rows) <= 4

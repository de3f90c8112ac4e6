"""Random worlds through the whole engine: whoever consent, lists, talks, caps and the holdout allow is sent one message, nobody else."""

from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from hub_api.simulator.server import Simulator
from models_ml.experiments.assignment import in_holdout
from tests.campaigns.engine.stage import Stage, now, variant

PEOPLE = 120


@pytest.mark.parametrize("seed", range(2))
async def test_exactly_those_who_may_get_it_get_it_once(stage: Stage, sim: Simulator, seed: int) -> None:
    chance, people = Random(seed), await stage.people(PEOPLE, consent=False)
    allowed: set[UUID] = set()
    recent = await stage.begun(await stage.people(1, first=500), name="Antes")
    await stage.run()
    earlier = sim.core.ledger.accepted_calls
    for one in people:
        may = [
            await _consents(stage, one.id, chance), await _unlisted(stage, one.id, chance), await _free(stage, one.id, chance),
            await _below_cap(stage, one.id, recent, chance), not in_holdout("holdout", one.id, 0.2),
            await _reachable(stage, one.id, chance),
        ]  # fmt: skip
        if all(may):
            allowed.add(one.id)
    await stage.begun(
        people, variants=[variant("a", 0.5), variant("b", 0.5)], experiment={"holdout": 0.2},
        pacing={"cap": {"messages": 2, "days": 7}, "runway": chance.choice([7, 50, 500])},
    )  # fmt: skip
    await stage.run()
    rows = await stage.hub.fetch("SELECT customer_id, count(*) AS n FROM messages WHERE author = 'campaign' GROUP BY 1")
    got = {row["customer_id"]: row["n"] for row in rows}
    assert {one.id for one in people} & got.keys() == allowed and set(got.values()) == {1}, f"seed {seed}"
    assert sim.core.ledger.accepted_calls - earlier == len(allowed) > 5


async def _consents(stage: Stage, who: UUID, chance: Random) -> bool:
    """Some decisions at random times; the last one that speaks of marketing counts."""
    last = False
    for days in sorted(chance.sample(range(1, 300), chance.choice([0, 1, 1, 1, 1, 2, 3])), reverse=True):
        scope, granted = chance.choice(["marketing", "marketing", "all", "utility"]), chance.random() < 0.85
        await stage.hub.fetch(
            "INSERT INTO consent_ledger (id, customer_id, scope, granted, source, occurred_at) VALUES (gen_random_uuid(), $1, $2, $3, 'import', $4)",
            who, scope, granted, now() - timedelta(days=days),
        )  # fmt: skip
        last = granted if scope in ("marketing", "all") else last
    return last


async def _unlisted(stage: Stage, who: UUID, chance: Random) -> bool:
    """On a list for a scope, for ever or until a moment that is past or to come."""
    if chance.random() > 0.25:
        return True
    scope, days = chance.choice(["marketing", "utility", "all"]), chance.choice([None, -2, 5])
    until = None if days is None else now() + timedelta(days=days)
    await stage.hub.fetch(
        "INSERT INTO suppressions (customer_id, scope, reason, until) VALUES ($1, $2, 'customer', $3)",
        who,
        scope,
        until,
    )
    return scope == "utility" or days == -2


async def _free(stage: Stage, who: UUID, chance: Random) -> bool:
    """In a talk with a person, or not."""
    state = chance.choice(["resolved", "resolved", "resolved", "queued"])
    await stage.hub.fetch("UPDATE conversations SET state = $2 WHERE customer_id = $1", who, state)
    return state == "resolved"


async def _below_cap(stage: Stage, who: UUID, campaign_id: UUID, chance: Random) -> bool:
    """Messages of another campaign in the last days: two within a week are enough."""
    counted = 0
    for step in range(chance.choice([0, 0, 0, 1, 2, 3])):
        days, state = chance.uniform(0.1, 12), chance.choice(["sent", "sent", "unknown", "failed"])
        await stage.hub.fetch(
            "INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, step, variant, position, state, queued_at, message_id) "
            "SELECT $1, id, $2, $3, 'a', 0, $4, $5, gen_random_uuid() FROM campaign_runs WHERE campaign_id = $1",
            campaign_id, who, step, state, now() - timedelta(days=days),
        )  # fmt: skip
        counted += state != "failed" and days < 7
    return counted < 2


async def _reachable(stage: Stage, who: UUID, chance: Random) -> bool:
    """Blocked people get nothing."""
    if chance.random() > 0.05:
        return True
    await stage.hub.fetch("UPDATE customers SET status = 'blocked' WHERE id = $1", who)
    return False

"""What a demo's board is filled with: by doors that people use, marked, and by a rule that anybody can repeat."""

from datetime import date
from random import Random
from typing import Any

from hub_api.chat.desk.canned import fill
from hub_api.simulator import furniture
from hub_api.simulator.agents import OUTCOMES, USUAL_OUTCOME
from hub_api.simulator.examples import BASELINES, ENTRIES, SEGMENTS, store_baselines, write_examples
from hub_api.simulator.history.run import AGENTS, QUEUE
from hub_api.simulator.history.script import AGENT_LINES
from tests.analytics.test_kpi_api import DAYS, built, get, hub, reader
from tests.assets.test_kpi_tables import random_events
from tests.auth.people import actions, call
from tests.support.hub import Hub

__all__ = ["hub", "reader"]
FIRST = date.fromisoformat(DAYS[0])


async def test_baselines_are_the_first_third_of_the_history_as_the_api_tells_it(hub: Hub) -> None:
    settings = hub.services.settings
    await built(settings, *random_events(Random(6), 60))
    stored = await store_baselines(settings, FIRST, 9)
    assert set(stored) <= {"cost_per_resolved", *BASELINES} and {"csat", "resolution_rate"} <= set(stored)
    for key in set(stored) - {"cost_per_resolved"}:
        figure = await get(hub, f"kpis/{key}")
        assert figure["kpi"]["baseline"] == figure["value"], key
    rows = await hub.fetch("SELECT * FROM kpi_baseline WHERE kpi = 'csat'")
    assert (rows[0]["measured_from"], rows[0]["measured_to"]) == (FIRST, date.fromisoformat(DAYS[-1]))
    await hub.fetch("DELETE FROM kpi_baseline WHERE kpi = 'csat'")
    assert await store_baselines(settings, FIRST, 3) == ["csat"], "what is stored stays"


async def test_examples_say_that_they_are_and_leave_audit_rows(hub: Hub) -> None:
    await write_examples(hub.services.settings, FIRST, 400)
    _, page = await call(hub, "GET", "/api/v1/analytics/benefits-and-costs", hub.auth)
    assert len(page["items"]) == len(ENTRIES) and all(one["is_example"] for one in page["items"])
    assert {one["amount_micros"] for one in page["items"]} == {round(reais * 400) * 10**6 for *_, reais in ENTRIES}
    _, page = await call(hub, "GET", "/api/v1/segments", hub.auth)
    assert {one["name"] for one in page["items"]} == {name for name, _ in SEGMENTS}
    told = await actions(hub)
    assert told.count("benefit_or_cost.created") == len(ENTRIES) and told.count("segment.created") == len(SEGMENTS)


async def test_a_demo_is_furnished_once_and_what_people_change_stays(hub: Hub) -> None:
    settings = hub.services.settings
    await hub.fetch("INSERT INTO queues (id, key, name) VALUES (gen_random_uuid(), $1, $2)", *QUEUE)
    assert await furniture.furnish(settings) != []
    sizes = {
        "teams": len(furniture.TEAMS), "queues": len(furniture.TEAMS) + 1, "sla/policies": len(furniture.PROMISES),
        "canned-replies": len(furniture.REPLIES), "dispositions": len(furniture.OUTCOMES), "macros": len(furniture.MACROS),
        "suppressions": len(furniture.STOPPED), "analytics/alerts": 1, "analytics/reports": 1,
    }  # fmt: skip

    async def shown(path: str) -> list[dict[str, Any]]:
        status, page = await call(hub, "GET", f"/api/v1/{path}", hub.auth)
        assert status == 200, page
        items: list[dict[str, Any]] = page["items"]
        return items

    assert {path: len(await shown(path)) for path in sizes} == sizes
    assert sum(len(team["members"]) for team in await shown("teams")) == len(AGENTS)
    everybodys = next(one for one in await shown("queues") if one["key"] == QUEUE[0])
    assert (
        everybodys["team_id"] is None
        and everybodys["name"] == QUEUE[1]
        and everybodys["business_hours"] == furniture.ALWAYS["business_hours"]
    )

    gone = (await shown("canned-replies"))[0]["id"]
    assert (await call(hub, "DELETE", f"/api/v1/canned-replies/{gone}", hub.auth))[0] == 204
    assert await furniture.furnish(settings) == []
    assert {path: len(await shown(path)) for path in sizes} == sizes | {"canned-replies": len(furniture.REPLIES) - 1}


def test_what_virtual_agents_end_with_is_an_outcome_and_replies_read_well_without_a_name() -> None:
    assert {*OUTCOMES.values(), USUAL_OUTCOME} <= {key for key, _ in furniture.OUTCOMES} and OUTCOMES.keys() <= set(
        AGENT_LINES
    )
    assert {one.steps.disposition for one in furniture.MACROS} - {None} <= {key for key, _ in furniture.OUTCOMES}
    texts = [*(one.text for one in furniture.REPLIES), *(one.steps.reply or "" for one in furniture.MACROS)]
    for text in texts:
        bare = fill(text, dict.fromkeys(("cliente", "protocolo", "fila", "atendente"), ""))
        assert not {" ,", " !", " :", "  ", "{"} & {bare[at : at + 2] for at in range(len(bare))} and "{" not in bare, (
            bare
        )

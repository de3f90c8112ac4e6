"""What a demo's board is filled with: by doors that people use, marked, and by a rule that anybody can repeat."""

from datetime import date
from random import Random

from hub_api.simulator.examples import BASELINES, ENTRIES, SEGMENTS, store_baselines, write_examples
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

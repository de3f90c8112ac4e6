"""The key figures: one catalogue, from which views and README come; and what the views say of given events."""

import pytest

from assets.gold.kpi import render
from assets.warehouse import load_sql
from hub_api.platform.clickhouse import apply_schema
from hub_api.settings import Settings
from tests.assets.conftest import Given
from tests.assets.story import Talk

CATALOGUE = render.load_catalogue()
ASKED_FOR = {
    *(
        "first_response_time",
        "handling_time",
        "wait_time",
        "resolution_rate",
        "first_contact_resolution",
        "reopen_rate",
    ),
    *("abandonment_rate", "csat", "nps", "sla_first_response", "bot_containment", "backlog", "occupancy"),
    *(
        "messages_per_resolved",
        "cost_per_resolved",
        "delivery_rate",
        "read_rate",
        "reply_rate",
        "block_rate",
        "opt_out_rate",
    ),
    *("first_response_business_time", "handling_business_time", "wait_business_time", "agent_efficiency"),
}


def test_views_and_readme_are_what_the_catalogue_says() -> None:
    written = {file.name: file.read_text("utf-8") for file in (render.PLACE / "sql").glob("*.view.sql")}
    assert written == dict(render.views(CATALOGUE)), "run: python -m assets.gold.kpi.render"
    assert render.table(CATALOGUE) in (render.PLACE / "README.md").read_text("utf-8")
    assert set(CATALOGUE["kpis"]) >= ASKED_FOR


@pytest.mark.parametrize("key", CATALOGUE["kpis"])
def test_each_figure_says_what_it_is(key: str) -> None:
    kpi = CATALOGUE["kpis"][key]
    assert kpi["name"] and kpi["formula"] and kpi["unit"] in render.UNITS and kpi["better"] in render.BETTER
    assert kpi.get("kind", "ratio") in ("ratio", "sum", "level")
    assert set(kpi.get("target", {})) <= {"value", "change_of_baseline"}


def test_targets_are_those_of_the_product() -> None:
    targets = {
        key: kpi["target"]
        for key, kpi in [*CATALOGUE["kpis"].items(), *CATALOGUE["measured_elsewhere"].items()]
        if "target" in kpi
    }
    assert targets["csat"] == {"value": 4.5} and targets["first_response_time"] == {"value": 120}
    assert targets["resolution_rate"] == {"value": 0.95} and targets["agent_efficiency"] == {"change_of_baseline": 3.0}
    assert targets["cost_per_resolved"] == {"change_of_baseline": -0.4}
    assert targets["uptime"] == {"value": 0.999} and targets["api_p95"] == {"value": 0.2}


def figures(given: Given, where: str = "1") -> dict[str, float | None]:
    """Every figure by the one formula, of all cases or of some."""
    found = given.rows(
        "SELECT kpi, any(scale) * sum(numerator) AS total, if(sum(denominator) = 0, NULL, total / sum(denominator)) AS ratio "
        f"FROM gold.kpis_cases WHERE {where} GROUP BY kpi"
    )
    kinds = {key: kpi.get("kind", "ratio") for key, kpi in CATALOGUE["kpis"].items()}
    return {row["kpi"]: row["ratio"] if kinds[row["kpi"]] == "ratio" else row["total"] for row in found}


def test_what_the_figures_say_of_three_conversations(given: Given) -> None:
    good = Talk("good", "2026-03-10 14:00", person="ana")
    good.customer("2026-03-10 14:00:00")
    good.moves("2026-03-10 14:01", "queued", "suporte")
    good.moves("2026-03-10 14:02", "assigned", agent="bia")
    good.we("2026-03-10 14:03", by="bia", becomes=(("accepted", "2026-03-10 14:03:01"), ("delivered", "2026-03-10 14:03:02"), ("read", "2026-03-10 14:03:03")))  # fmt: skip
    good.moves("2026-03-10 14:12", "resolved", agent="bia")
    good.rated("2026-03-10 14:13", 5)
    good.recommends("2026-03-10 14:14", 9)
    left = Talk("left", "2026-03-10 15:00", person="bruno")
    left.customer("2026-03-10 15:00")
    left.moves("2026-03-10 15:01", "queued", "suporte")
    left.moves("2026-03-10 15:21", "closed")
    bot = Talk("bot", "2026-03-11 14:00", person="ana", previous="good")
    bot.customer("2026-03-11 14:00")
    bot.we("2026-03-11 14:00:02", "bot", category="utility", becomes=(("failed", "2026-03-11 14:00:03"),))
    bot.rated("2026-03-11 14:10", 2)
    bot.recommends("2026-03-11 14:11", 7)
    given(*good.events, *left.events, *bot.events)
    given.build("2026-03-10", "2026-03-11")
    all_days = figures(given)
    expected = {
        "conversations": 3, "first_response_time": 180, "wait_time": (60 + 1200) / 2, "handling_time": 600, "resolution_rate": 1 / 3,
        "first_contact_resolution": 0.0, "reopen_rate": 0.0, "abandonment_rate": 0.5, "csat": 3.5, "nps": 50.0, "sla_first_response": 0.0,
        "bot_containment": 0.0, "backlog": 1, "messages_per_resolved": 2, "delivery_rate": 1.0, "read_rate": 1.0, "block_rate": 0.0,
        "occupancy": 1.0, "agent_efficiency": 6.0, "messages": 4,
    }  # fmt: skip
    assert {key: all_days[key] for key in expected} == pytest.approx(expected)
    first_day = figures(given, "day = '2026-03-10' AND queue = 'suporte'")
    assert (
        first_day["resolution_rate"] == 0.5
        and first_day["abandonment_rate"] == 0.5
        and first_day["first_response_time"] == 180
    )
    assert figures(given, "day = '2026-03-10'")["backlog"] == 0
    steps = given.row(
        "SELECT sum(queued) AS q, sum(answered_by_person) AS a, sum(resolved) AS r, sum(rated) AS n FROM gold.funnel_person"
    )
    assert steps == {"q": 2, "a": 1, "r": 1, "n": 1}


def test_nps_takes_nine_and_ten_for_promoters_and_up_to_six_for_detractors_by_the_last_word(given: Given) -> None:
    talks = [Talk(f"talk {score}", f"2026-03-10 14:{score:02}") for score in range(11)]
    for score, talk in enumerate(talks):
        talk.recommends("2026-03-10 15:00", 10 - score)
        talk.recommends("2026-03-10 15:01", score)
    graded = Talk("graded", "2026-03-10 16:00")
    graded.rated("2026-03-10 16:05", 5)
    given(*(event for talk in [*talks, graded] for event in talk.events))
    given.build("2026-03-10")
    cases = given.rows(
        "SELECT facts.nps AS score, kpi.numerator AS counts FROM gold.kpi_nps AS kpi "
        "INNER JOIN gold.conversation_facts AS facts ON facts.conversation_id = kpi.conversation_id ORDER BY score"
    )
    assert [row["score"] for row in cases] == list(range(11)), "who only graded is no case"
    assert [row["counts"] for row in cases] == [-100] * 7 + [0, 0] + [100, 100]
    assert figures(given)["nps"] == pytest.approx(100 * (2 - 7) / 11)
    checked = given.warehouse.rows(load_sql("assets.gold.service", "conversation_facts.check.sql"), ["2026-03-10"])
    assert ("recommendations, from 0 to 10", 55, 55) in {tuple(row) for row in checked}


def test_a_warehouse_from_before_the_recommendations_gets_their_columns(
    given: Given, warehouse_settings: Settings
) -> None:
    for table, columns in (
        ("gold.conversation_facts", "DROP COLUMN nps"),
        ("silver.conversations", "DROP COLUMN nps, DROP COLUMN recommended_at"),
        ("bronze.events", "DROP COLUMN score"),
    ):
        given.warehouse.client.command(f"ALTER TABLE {table} {columns}")
    assert {"bronze.events", "silver.conversations", "gold.conversation_facts"} <= set(apply_schema(warehouse_settings))
    talk = Talk("ana", "2026-03-10 14:00")
    talk.recommends("2026-03-10 14:10", 10)
    given(*talk.events)
    given.build("2026-03-10")
    assert figures(given)["nps"] == 100


def test_every_view_answers_a_reader_of_gold(given: Given, warehouse_server) -> None:
    from hub_api.platform.clickhouse import connect

    client = connect(warehouse_server.url("gold"))
    try:
        for file, _ in render.views(CATALOGUE):
            assert client.query(f"SELECT count() FROM gold.{file.removesuffix('.view.sql')}").result_rows == [(0,)], (
                file
            )
    finally:
        client.close()

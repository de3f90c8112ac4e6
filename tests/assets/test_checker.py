"""The checker as a process of its own: it answers at once, finds what is wrong, and says which column."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

from assets import checker
from assets.checker import SUITES
from hub_api.errors import Unavailable
from hub_api.settings import Settings
from tests.assets.conftest import Given
from tests.assets.story import Talk
from tests.support.process import free_port
from tests.support.waiting import wait_until
from tests.support.warehouse import EmbeddedWarehouse

# A process that draws samples above ten rows, so that small tables show it.
SMALL = "import assets.checker as c; c.MAX_ROWS = 10; c.serve(c.CheckerSettings(), with_parent=False)"
DAY = "2026-03-10"


@pytest.fixture(scope="module")
def checker_url(warehouse_server: EmbeddedWarehouse) -> Iterator[str]:
    url = f"http://127.0.0.1:{free_port()}"
    environment = {**os.environ, "HUB_CLICKHOUSE_URL": warehouse_server.url(), "HUB_CHECKER_URL": url}
    process = subprocess.Popen([sys.executable, "-c", SMALL], env=environment)
    try:
        started = time.monotonic()
        wait_until(lambda: urllib.request.urlopen(url, timeout=2).status == 200, 60)
        assert time.monotonic() - started < 30  # it does not wait for its imports
        yield url
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def settings(warehouse_settings: Settings, checker_url: str) -> Settings:
    return warehouse_settings.model_copy(update={"checker_url": checker_url})


def conversations(given: Given, count: int) -> None:
    talks = [Talk(f"talk {number}", f"{DAY} 14:{number:02}") for number in range(count)]
    given(*(event for talk in talks for event in talk.events))
    given.build(DAY)


def failed(settings: Settings, table: str, rows: int) -> list[tuple[str, str]]:
    outcomes = checker.validate(settings, table, [DAY], rows)
    assert outcomes[0]["expectation"] == "expect_table_row_count_to_equal"
    return [(outcome["expectation"], outcome["column"]) for outcome in outcomes if not outcome["success"]]


def test_good_rows_pass_whole_or_as_a_sample(given: Given, settings: Settings) -> None:
    conversations(given, 5)
    assert failed(settings, "gold.conversation_facts", 5) == []
    conversations(given, 40)  # the first five again: their copies count once
    assert failed(settings, "gold.conversation_facts", 40) == []


@pytest.mark.parametrize("rows", [4, 6])
def test_a_row_too_many_or_too_few_fails_first(given: Given, settings: Settings, rows: int) -> None:
    conversations(given, 5)
    assert failed(settings, "gold.conversation_facts", rows) == [("expect_table_row_count_to_equal", "")]


def test_an_empty_table_fails_by_its_row_count_alone(given: Given, settings: Settings) -> None:
    assert failed(settings, "gold.service_kpi_hourly", 3) == [("expect_table_row_count_to_equal", "")]
    assert failed(settings, "gold.service_kpi_hourly", 0) == []


def test_values_out_of_range_and_contradictions_are_named(given: Given, settings: Settings) -> None:
    conversations(given, 3)
    given.warehouse.client.command(
        "INSERT INTO gold.conversation_facts (day, conversation_id, state, priority, satisfaction, nps, first_response_seconds, first_answer_seconds) "
        f"VALUES ('{DAY}', generateUUIDv4(), 'lost', 1, 9, 11, 5, 8)"
    )
    assert failed(settings, "gold.conversation_facts", 4) == [
        ("expect_column_values_to_be_in_set", "state"),
        ("expect_column_pair_values_a_to_be_greater_than_b", "first_response_seconds, first_answer_seconds"),
        ("expect_column_values_to_be_between", "satisfaction"),
        ("expect_column_values_to_be_between", "nps"),
    ]


def test_an_absent_checker_and_an_unknown_table_say_what_to_do(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="KeyError"):
        checker.validate(settings, "gold.nothing", [DAY], 1)
    nobody = settings.model_copy(update={"checker_url": "http://127.0.0.1:9"})
    with pytest.raises(Unavailable, match=r"start `python -m assets\.checker`"):
        checker.validate(nobody, "gold.conversation_facts", [DAY], 1)


def test_every_suite_names_columns_that_its_table_has(given: Given) -> None:
    for suite in SUITES.values():
        given.rows(f"SELECT {', '.join(suite.columns)} FROM {suite.table}")

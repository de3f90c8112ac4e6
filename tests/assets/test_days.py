"""Days are replaced whole: a rerun changes nothing, late events make exactly the right days stale."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from assets.bronze.assets import _RECORD
from assets.gold.assets import stale_days
from assets.warehouse import Warehouse, WrongDay, load_sql
from hub_api.events import ConsentChanged, MessageLabelled
from hub_api.platform.clickhouse import connect
from tests.assets.conftest import TABLES, Given, at
from tests.assets.story import Talk
from tests.support.data import table_hash

DAYS = ["2026-03-10", "2026-03-11", "2026-03-12"]


def three_days(given: Given) -> list[Talk]:
    talks = []
    for day in (10, 11, 12):
        for number in range(3):
            talk = Talk(f"{day} {number}", f"2026-03-{day} 14:0{number}")
            said = talk.customer(f"2026-03-{day} 14:0{number}")
            talk.moves(f"2026-03-{day} 14:10", "queued", "suporte")
            talk.moves(f"2026-03-{day} 14:15", "assigned", agent="bia")
            talk.we(f"2026-03-{day} 14:2{number}", "agent", by="bia")
            talk.moves(f"2026-03-{day} 15:00", "resolved")
            no = ConsentChanged(aggregate_id=talk.customer_id, aggregate_version=2, occurred_at=at(f"2026-03-{day} 16:00"),
                                scope="marketing", granted=False, source="keyword")  # fmt: skip
            label = MessageLabelled(aggregate_id=said, aggregate_version=1, occurred_at=at(f"2026-03-{day} 17:00"),
                                    customer_id=talk.customer_id, teacher="gpt", sentiment="neutral")  # fmt: skip
            given(*talk.events, no, label)
            talks.append(talk)
    return talks


def test_a_rerun_of_all_days_or_of_one_gives_the_same_rows(given: Given) -> None:
    three_days(given)
    given.build(*DAYS)
    before = {table: table_hash(given.warehouse.client, table) for table, _, _ in TABLES}
    assert all(rows > 0 for rows, _ in before.values())
    given.build(*DAYS)
    given.build("2026-03-11")
    assert {table: table_hash(given.warehouse.client, table) for table, _, _ in TABLES} == before


def test_days_with_more_events_than_fit_are_built_in_portions_with_the_same_rows(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_days(given)
    given.build(*DAYS)
    before = {table: table_hash(given.warehouse.client, table) for table, _, _ in TABLES}
    monkeypatch.setattr("assets.warehouse.EVENTS_A_SELECT", 20)
    assert given.warehouse._portions(DAYS) == [[day] for day in DAYS]
    given.build(*DAYS)
    assert {table: table_hash(given.warehouse.client, table) for table, _, _ in TABLES} == before


def test_a_day_that_has_become_empty_is_dropped_and_others_stay(given: Given) -> None:
    given.warehouse.client.command(
        "CREATE TABLE gold.few (day Date, n UInt8) ENGINE = MergeTree PARTITION BY day ORDER BY n"
    )
    try:
        rows = "SELECT toDate('2026-03-10') + number AS day, 1 AS n FROM numbers(3) WHERE day IN {days:Array(Date)}"
        assert given.warehouse.replace_days("gold.few", rows, DAYS) == dict.fromkeys(DAYS, 1)
        replaced = given.warehouse.replace_days("gold.few", f"{rows} AND number != 1", DAYS[:2])
        assert replaced == {"2026-03-10": 1, "2026-03-11": 0}
        assert given.rows("SELECT toString(day) AS day FROM gold.few ORDER BY day") == [
            {"day": DAYS[0]},
            {"day": DAYS[2]},
        ]
    finally:
        given.warehouse.client.command("DROP TABLE gold.few")


WEEK = [f"2026-03-{day:02}" for day in range(9, 16)]  # a Monday to its Sunday
NUMBERED = """
SELECT toDate('2026-03-02') + intDiv(number, 5) AS day, toUInt32({version:UInt32}) AS version, number % 5 AS n
FROM numbers(105) WHERE day IN {days:Array(Date)}
"""  # five rows a day of three weeks


@pytest.fixture
def weekly(given: Given) -> Iterator[str]:
    """A table whose partitions are weeks, with a version of each row."""
    given.warehouse.client.command(
        "CREATE TABLE gold.weekly (day Date, version UInt32, n UInt64) ENGINE = MergeTree PARTITION BY toMonday(day) ORDER BY (day, n)"
    )
    yield "gold.weekly"
    given.warehouse.client.command("DROP TABLE gold.weekly SYNC")


def versions(given: Given) -> dict[str, tuple[int, int]]:
    """Rows and version of each day; a day of two versions would be half replaced."""
    rows = given.warehouse.rows(
        "SELECT day, count(), groupUniqArray(version) FROM gold.weekly GROUP BY day ORDER BY day"
    )
    assert all(len(found) == 1 for _, _, found in rows), rows
    return {day.isoformat(): (count, found[0]) for day, count, found in rows}


def test_a_day_of_a_table_by_weeks_is_replaced_and_the_days_around_it_stay(given: Given, weekly: str) -> None:
    warehouse = given.warehouse
    assert warehouse.replace_days(weekly, NUMBERED, WEEK, version=1) == dict.fromkeys(WEEK, 5)
    around = ["2026-03-08", "2026-03-16"]  # of the weeks before and after
    warehouse.replace_days(weekly, NUMBERED, around, version=1)
    before = table_hash(warehouse.client, weekly)
    warehouse.replace_days(weekly, NUMBERED, [*around, *WEEK[2:4]], version=1)
    assert table_hash(warehouse.client, weekly) == before, "a rerun changes nothing"
    warehouse.replace_days(weekly, NUMBERED, [WEEK[1], around[0]], version=2)
    changed = dict.fromkeys([WEEK[1], around[0]], (5, 2))
    assert versions(given) == dict.fromkeys([*WEEK, *around], (5, 1)) | changed
    gone = warehouse.replace_days(
        weekly, f"SELECT * FROM ({NUMBERED}) WHERE version = 0", [WEEK[1], *around], version=2
    )
    assert set(gone.values()) == {0}
    assert versions(given) == dict.fromkeys([WEEK[0], *WEEK[2:]], (5, 1)), "empty weeks are gone, the empty day is too"


def test_runs_of_days_of_one_week_at_once_lose_nothing_and_a_reader_sees_whole_days(given: Given, weekly: str) -> None:
    given.warehouse.replace_days(weekly, NUMBERED, WEEK, version=0)
    done = threading.Event()

    def build(days: list[str]) -> None:
        own = Warehouse(given.warehouse.settings)
        for version in range(1, 6):
            own.replace_days(weekly, NUMBERED, days, version=version)
        own.close()

    def read() -> int:
        own, looks = connect(given.warehouse.settings.clickhouse_url), 0
        while not done.is_set():
            rows = own.query(f"SELECT day, count(), uniq(version) FROM {weekly} GROUP BY day").result_rows
            assert [(count, kinds) for _, count, kinds in rows] == [(5, 1)] * 7
            looks += 1
        own.close()
        return looks

    with ThreadPoolExecutor(4) as pool:
        reader = pool.submit(read)
        for one in [pool.submit(build, days) for days in (WEEK[:2], WEEK[2:4], WEEK[4:])]:
            one.result()
        done.set()
        assert reader.result() > 0
    assert versions(given) == dict.fromkeys(WEEK, (5, 5))


def test_a_percent_sign_in_a_text_without_parameters_is_no_place_of_one(given: Given) -> None:
    warehouse = given.warehouse
    assert warehouse.rows("SELECT 7 % 4, '100 %', 'a' LIKE '%a%'") == [(3, "100 %", 1)]
    assert warehouse.rows("SELECT 7 % {by:UInt8}, toString({first:Date}) LIKE '2026%'", DAYS, by=4) == [(3, 1)]


def test_rows_of_another_day_change_nothing_and_leave_nothing_behind(given: Given) -> None:
    three_days(given)
    given.build(*DAYS)
    before = table_hash(given.warehouse.client, "silver.messages")
    with pytest.raises(WrongDay, match="gave rows of"):
        given.warehouse.replace_days("silver.messages", "SELECT * FROM silver.messages", ["2026-03-10"])
    assert table_hash(given.warehouse.client, "silver.messages") == before
    left = given.rows("SELECT name FROM system.tables WHERE name LIKE '%building%'")
    assert left == []


def test_a_failing_select_leaves_the_day_as_it_was(given: Given) -> None:
    three_days(given)
    given.build(*DAYS)
    before = table_hash(given.warehouse.client, "silver.messages")
    with pytest.raises(Exception, match="throwIf"):
        given.warehouse.replace_days(
            "silver.messages", "SELECT * FROM silver.messages WHERE NOT throwIf(day = '2026-03-11')", DAYS
        )
    assert table_hash(given.warehouse.client, "silver.messages") == before


def record(given: Given, *days: str) -> None:
    """As the assets record what they have built."""
    given.warehouse.client.command(_RECORD, parameters=given.warehouse.parameters(days, batch=given.batch))
    parameters = given.warehouse.parameters(days, start=at("2016-01-01").date(), today=at("2026-03-12").date())
    given.warehouse.client.command(
        f"INSERT INTO gold.built_days (day, batch) {load_sql('assets.gold', 'built_days.sql')}",
        parameters=parameters,
    )


def test_built_days_are_not_stale_until_something_comes(given: Given) -> None:
    three_days(given)
    assert list(stale_days(given.warehouse)) == DAYS
    record(given, *DAYS)
    assert stale_days(given.warehouse) == {}


def test_a_late_message_makes_its_day_and_the_conversation_s_other_days_stale(given: Given) -> None:
    talk = three_days(given)[3]  # of the 11th
    record(given, *DAYS)
    late = Talk(talk.name, "2026-03-11 14:00")
    late.said = talk.said
    late.customer("2026-03-12 09:00")
    given(late.events[-1])
    stale = stale_days(given.warehouse)
    assert {day: lack.came_late for day, lack in stale.items()} == {"2026-03-11": False, "2026-03-12": True}


def test_a_late_step_also_makes_every_built_day_since_stale(given: Given) -> None:
    talk = three_days(given)[0]  # of the 10th
    record(given, *DAYS)
    talk.moves("2026-03-10 23:00", "queued")
    given(talk.events[-1])
    assert list(stale_days(given.warehouse)) == DAYS  # the backlog of all three
    record(given, "2026-03-10")
    assert list(stale_days(given.warehouse)) == ["2026-03-11", "2026-03-12"]


def test_a_late_message_makes_every_built_day_since_stale_when_a_table_looks_back(given: Given) -> None:
    talk = three_days(given)[0]  # of the 10th
    record(given, *DAYS)
    late = Talk(talk.name, "2026-03-10 14:00")
    late.said = talk.said
    late.customer("2026-03-10 20:00")
    given(late.events[-1])
    assert list(stale_days(given.warehouse)) == ["2026-03-10"]
    assert list(stale_days(given.warehouse, looks_back=True)) == DAYS
    record(given, "2026-03-10")
    assert list(stale_days(given.warehouse, looks_back=True)) == ["2026-03-11", "2026-03-12"]
    record(given, *DAYS)
    assert stale_days(given.warehouse, looks_back=True) == {}


def test_a_day_is_only_as_complete_as_the_bronze_that_its_conversations_reach_into(given: Given) -> None:
    talks = three_days(given)
    record(given, *DAYS)
    talks[0].customer("2026-03-12 20:00")
    given(talks[0].events[-1])  # of a conversation of the 10th, on the 12th
    record(given, "2026-03-10")  # bronze of the 12th was not rebuilt, so the 10th cannot have it
    assert list(stale_days(given.warehouse)) == ["2026-03-10", "2026-03-12"]
    record(given, "2026-03-10", "2026-03-12")
    assert stale_days(given.warehouse) == {}


@pytest.mark.parametrize("looks_back", [True, False])
def test_days_built_before_an_older_one_stay_stale_until_they_are_built_after_it(
    given: Given, looks_back: bool
) -> None:
    three_days(given)
    record(given, *DAYS[1:])
    assert list(stale_days(given.warehouse, looks_back=looks_back)) == DAYS, (
        "bronze of the 10th is not there to look back on"
    )
    record(given, DAYS[0])
    assert list(stale_days(given.warehouse, looks_back=looks_back)) == DAYS[1:]
    record(given, *DAYS[1:])
    assert stale_days(given.warehouse, looks_back=looks_back) == {}

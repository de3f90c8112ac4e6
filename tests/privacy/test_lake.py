"""Erasure and retention reach the files of the lake: none holds a word of the person, all else in them stays."""

from pathlib import Path

import duckdb
import pytest

from hub_api.chat.privacy import lake, retention
from hub_api.chat.privacy.marks import Marks
from hub_api.chat.privacy.survivors import Sought, count_survivors
from hub_api.platform.clickhouse import connect
from hub_api.platform.lake.restore import damaged
from hub_api.platform.lake.write import bring_up_to_date, differences, read_manifests
from hub_api.settings import Settings
from tests.privacy.conftest import People
from tests.privacy.test_erasure import erased
from tests.privacy.test_retention import age


def words_of(settings: Settings, *texts: str) -> int:
    """Rows of the lake's files in which one of the texts stands, read by DuckDB."""
    found = 0
    for file in (settings.home / "lake").rglob("*.parquet"):
        lines = duckdb.sql(f"SELECT t::VARCHAR FROM read_parquet('{file}', hive_partitioning = false) AS t").fetchall()
        found += sum(any(text in line for text in texts) for (line,) in lines)
    return found


async def written(people: People) -> None:
    """The lake with events of both people, and a table of gold that somebody will add: it names them and their words."""
    client = connect(people.settings.clickhouse_url)
    client.command(
        "CREATE TABLE gold.some_later_table (day Date, customer_id UUID, said String) ENGINE = MergeTree PARTITION BY day ORDER BY customer_id"
    )
    client.command(
        "INSERT INTO gold.some_later_table SELECT day - 1, assumeNotNull(customer_id), ifNull(content, '') FROM bronze.events WHERE content IS NOT NULL"
    )
    client.close()
    await bring_up_to_date(people.settings)


@pytest.fixture(autouse=True)
def later_table(people: People):
    yield
    client = connect(people.settings.clickhouse_url)
    client.command("DROP TABLE IF EXISTS gold.some_later_table SYNC")
    client.close()


async def test_no_file_holds_an_erased_person_s_words_and_the_other_s_stay(people: People) -> None:
    await bring_up_to_date(people.settings)
    assert (people.settings.home / "lake").stat().st_mode & 0o077 == 0, "for its owner's eyes only"
    gone, stays = people.gone.words, people.stays.words
    before = words_of(people.settings, stays)
    assert words_of(people.settings, gone) > 0 and before > 0
    rows = {table: {day: one.rows for day, one in found.days.items()} for table, found in read_manifests(people.settings).items()}  # fmt: skip
    row = await erased(people)
    assert row["survivors"] == {} and row["counts"]["lake"]["raw.events"] >= 1
    assert words_of(people.settings, *people.gone.secrets()) == 0
    assert words_of(people.settings, stays) == before
    after = {table: {day: one.rows for day, one in found.days.items()} for table, found in read_manifests(people.settings).items()}  # fmt: skip
    assert after == rows, "the rows stay as figures, as in the warehouse"
    assert list(damaged(people.settings)) == []
    assert [file for file in Path(people.settings.home).rglob("*") if ".incoming" in str(file) and file.is_file()] == []


async def test_a_table_that_nobody_has_told_the_erasure_of_keeps_it_from_being_done(people: People) -> None:
    await written(people)
    ids = [people.gone.id]
    assert await lake.survivors(people.settings) == {}
    client = connect(people.settings.clickhouse_url)
    client.command("ALTER TABLE gold.some_later_table UPDATE said = '' WHERE 1", settings={"mutations_sync": 2})
    client.close()
    assert await lake.survivors(people.settings) == {"gold.some_later_table": 1}
    (found,) = await count_survivors(people.door.services, [Sought(Marks(), ids)])
    assert found["lake:gold.some_later_table"] == 1
    assert words_of(people.settings, people.gone.words) > 0
    assert (await lake.follow(people.settings))["gold.some_later_table"] == 1
    assert await lake.survivors(people.settings) == {}


async def test_conversations_whose_time_is_over_lose_their_words_in_the_lake_too(people: People) -> None:
    await bring_up_to_date(people.settings)
    await age(people, people.gone, 1827)
    before = words_of(people.settings, people.stays.words)
    assert (await retention.apply(people.door.services))["conversations"] == 1
    assert words_of(people.settings, people.gone.words) == 0
    assert words_of(people.settings, people.stays.words) == before
    assert await differences(people.settings) == {}


async def test_a_hub_without_a_lake_gets_none_by_an_erasure(people: People) -> None:
    row = await erased(people)
    assert row["survivors"] == {} and row["counts"].get("lake", {}) == {}
    assert not (people.settings.home / "lake").exists()

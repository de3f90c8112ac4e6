"""Building a day again changes nothing, in any table there is: whoever adds one is covered without a line here."""

import asyncio

import pytest

from hub_api.platform.lake.write import differences
from pipelines import tables
from pipelines.materialize import materialize
from tests.lake.conftest import Built

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


def test_building_one_of_the_days_again_leaves_every_row_as_it_was(history: Built, lake) -> None:
    before = history.hashes()
    named = {f"{key.path[0]}.{key.path[-1]}" for key in tables.daily_keys()} - {"gold.built_days"}
    client = history.client()
    held = {table for table in named if client.command(f"SELECT count() FROM {table}")}
    client.close()
    assert held == {table for table, _ in before} & named, "every table with rows is compared"
    assert {"bronze.events", "silver.messages", "gold.conversation_facts", "gold.service_kpi_hourly"} <= held
    materialize(history.settings, history.days[-9:-8])  # all days together are built again by test_rebuild.py
    after = history.hashes()
    unlike = {
        table for table, day in before.keys() | after.keys() if before.get((table, day)) != after.get((table, day))
    }
    assert unlike == set(), "these tables are not the same after a rerun"
    assert asyncio.run(differences(history.settings)) == {}

"""Tables asked for at a running Dagster: what is refused before anything runs. A build that does run: tests/e2e/test_campaign_story.py."""

from datetime import date

import dagster as dg
import pytest

from hub_api.errors import Invalid, Unavailable
from hub_api.settings import Settings
from pipelines.definitions import build
from pipelines.submit import submit, work
from tests.support.process import free_port

DAY = date(2026, 11, 20)


def test_nothing_is_asked_of_a_dagster_that_is_not_there(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="HUB_DAGSTER_URL"):
        submit(settings.model_copy(update={"dagster_url": None}), DAY, DAY)
    nobody = settings.model_copy(update={"dagster_url": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(Unavailable, match="could not be asked"):
        submit(nobody, DAY, DAY, ["gold/campaign_funnel"])


def test_a_table_that_there_is_not_is_named_before_anything_is_built(settings: Settings) -> None:
    somewhere = settings.model_copy(update={"dagster_url": "http://127.0.0.1:1"})
    with pytest.raises(Invalid, match="gold/nothing"):
        submit(somewhere, DAY, DAY, ["gold/campaign_funnel", "gold/nothing"])


def test_named_tables_come_with_all_that_they_are_made_of_in_one_run_and_all_of_them_in_two(settings: Settings) -> None:
    definitions = build(settings)
    ((_, keys),) = work(definitions, ["gold/campaign_funnel", "gold/customer_features"])
    names = {key.to_user_string() for key in keys}
    assert {"bronze/events", "silver/messages", "silver/customers", "gold/customer_features"} <= names
    assert "gold/service_kpi_hourly" not in names and "raw/events" not in names, "no more than that"
    (_, events), (_, customers) = work(definitions, [])
    assert names <= {key.to_user_string() for key in (*events, *customers)} and not set(events) & set(customers)
    assert dg.AssetKey(["gold", "customer_features"]) in customers

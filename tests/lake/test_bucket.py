"""The lake in an S3-compatible bucket: the same files and manifests, and back from there."""

import asyncio
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from hub_api.errors import Unavailable
from hub_api.platform.lake.restore import damaged, restore
from hub_api.platform.lake.write import bring_up_to_date, differences, read_manifests
from hub_api.settings import Settings
from tests.lake.conftest import Built
from tests.support.process import free_port

pytestmark = pytest.mark.timeout(900)  # the history is made and built in the first test's setup


@pytest.fixture
def bucket(history: Built) -> Iterator[Settings]:
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server._port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")  # fmt: skip
    client.create_bucket(Bucket="lake")
    url = SecretStr(f"s3://k:s@lake/hub?endpoint={endpoint}")
    yield history.settings.model_copy(update={"lake_url": url})
    server.stop()


def test_a_bucket_holds_the_same_files_and_a_day_comes_back_from_it(history: Built, lake, bucket: Settings) -> None:
    only = ["gold.service_kpi_hourly", "gold.message_costs_daily"]
    asyncio.run(bring_up_to_date(bucket, only))
    folder, there = read_manifests(history.settings), read_manifests(bucket)
    assert set(there) == set(only)
    for table in only:
        mine = {day: (one.rows, one.hash, one.file) for day, one in there[table].days.items()}
        assert mine == {day: (one.rows, one.hash, one.file) for day, one in folder[table].days.items()}
    assert list(damaged(bucket)) == []
    assert asyncio.run(bring_up_to_date(bucket, only)) == {}
    client, day = history.client(), max(there[only[0]].days)
    client.command(f"DELETE FROM {only[0]} WHERE day = '{day}'")
    client.close()
    assert asyncio.run(restore(bucket, only)) == {only[0]: 1}
    assert asyncio.run(differences(bucket)) == {}


def test_a_bucket_that_is_away_is_told_without_its_address(history: Built) -> None:
    away = history.settings.model_copy(
        update={"lake_url": SecretStr("s3://key:geheim@lake?endpoint=http://127.0.0.1:1")}
    )
    with pytest.raises(Unavailable) as told:
        read_manifests(away)
    assert "geheim" not in told.value.message

"""A log of real support conversations: first response times in gold equal those computed straight from the file."""

import asyncio
from pathlib import Path

import pandas as pd
import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.platform.clickhouse import connect
from hub_api.platform.services import open_services
from hub_api.simulator.history.support_log import import_log
from pipelines.materialize import materialize
from tests.support.hub import make_settings
from tests.support.tables import made_of

PLACES = [folder / "shared" / "data" / "twcs_sample" / "tweets.csv.gz" for folder in Path(__file__).parents]
LOG = next(filter(Path.exists, PLACES), PLACES[0])
ZONE = "America/Sao_Paulo"

pytestmark = [
    pytest.mark.skipif(
        not LOG.exists(), reason="the data set is not part of the project: its licence forbids to ship it"
    ),
    pytest.mark.timeout(300),
]


def first_responses() -> pd.DataFrame:
    """Straight from the file: per thread and customer the seconds from the customer's first message to the first answer."""
    log = pd.read_csv(LOG, dtype={"tweet_id": "int64", "in_response_to_tweet_id": "Int64"}).set_index("tweet_id")
    log["at"] = pd.to_datetime(log.created_at, format="%a %b %d %H:%M:%S %z %Y")
    parent = {tweet: int(up) for tweet, up in log.in_response_to_tweet_id.items() if pd.notna(up) and up in log.index}
    opened_by = (
        log[log.inbound & log.in_response_to_tweet_id.notna()]
        .sort_values("at")
        .groupby("in_response_to_tweet_id")
        .author_id.first()
    )

    def root(tweet: int) -> int:
        while tweet in parent:
            tweet = parent[tweet]
        return tweet

    def customer(tweet: int) -> str | None:
        found = tweet
        while not log.at[found, "inbound"]:
            if found not in parent:
                return opened_by.get(tweet)
            found = parent[found]
        return log.at[found, "author_id"]

    log["root"] = [root(tweet) for tweet in log.index]
    log["customer"] = [customer(tweet) for tweet in log.index]
    rows = []
    for _, thread in log.dropna(subset="customer").groupby(["root", "customer"]):
        asked = thread[thread.inbound]["at"].min()
        answered = thread[~thread.inbound & (thread["at"] >= asked)]["at"].min()
        rows.append({"opened": thread["at"].min(), "seconds": (answered - asked).total_seconds()})
    return pd.DataFrame(rows)


async def test_first_responses_in_gold_equal_the_file(
    database_url, redis_url, warehouse_server, data_settings, tmp_path
):
    expected = first_responses()
    url = warehouse_server.url()
    settings = make_settings(database_url, redis_url, clickhouse_url=url)
    async with open_services(settings, lambda events: (), "test") as services:
        counts = await import_log(services, LOG, tmp_path / "report.csv")
    assert counts["lines"] == 5_000 and counts["imported"] > 4_950
    await relay_until_empty(settings)
    # All but two conversations are of these months: days of 2011 and 2016 would be two more runs, with tests of their own.
    days = sorted({day for day in expected.opened.dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d") if day >= "2017-08"})
    assert len(days) > 40
    await asyncio.to_thread(materialize, settings, days, only=made_of("gold/service_kpi_hourly"))
    inside = expected[expected.opened.dt.tz_convert(ZONE).dt.strftime("%Y-%m-%d").isin(days)]
    seconds = inside.seconds.dropna()
    client = connect(url)
    facts = client.query(
        "SELECT count(), count(first_response_seconds), quantileExactInclusive(0.5)(first_response_seconds), "
        "quantileExactInclusive(0.9)(first_response_seconds) FROM gold.conversation_facts"
    ).result_rows[0]
    hourly = client.query(
        "SELECT sum(conversations_opened), sum(first_response_count), sum(first_response_seconds_sum) FROM gold.service_kpi_hourly"
    ).result_rows[0]
    client.close()
    print(f"conversations {facts[0]}, answered {facts[1]}, median {facts[2]} s, p90 {facts[3]} s")
    assert facts == (len(inside), len(seconds), pytest.approx(seconds.median()), pytest.approx(seconds.quantile(0.9)))
    assert hourly == (len(inside), len(seconds), pytest.approx(seconds.sum()))

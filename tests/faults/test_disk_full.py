"""The disk is full: webhooks get 503, nothing that was acknowledged is lost, and everything goes on by itself when there
is space again."""

import asyncio
import time

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from hub_api.platform.clickhouse import INSERT, connect
from tests.faults.conftest import DEADLINE_S, FaultStack, own_ports
from tests.support.disk import small_disk
from tests.support.waiting import wait_until
from tests.support.warehouse import start_warehouse

pytestmark = pytest.mark.timeout(300)

MESSAGES = 150
FULL_S = 5.0


def test_a_full_disk_under_the_whole_stack_is_survived_without_a_hand() -> None:
    with (
        small_disk(600) as disk,
        FaultStack(ordinary_user=True, place=disk.path, HUB_MIN_FREE_MB="100", **own_ports()) as stack,
    ):
        stack.begin()
        meta, before, while_full = stack.meta(), stack.people(MESSAGES), stack.people(MESSAGES)

        async def full() -> None:
            delivering = asyncio.create_task(meta.deliver(while_full))
            until = time.monotonic() + FULL_S
            while time.monotonic() < until:  # whatever is given back meanwhile is taken too
                await asyncio.to_thread(disk.fill)
                await asyncio.sleep(0.05)
            assert meta.answers[503] > 0, "the full disk was felt"
            disk.empty()
            await delivering

        asyncio.run(meta.deliver(before))  # the workers are busy with these when the space ends
        disk.fill()
        asyncio.run(full())
        after = stack.people(50)
        freed = time.monotonic()
        asyncio.run(meta.deliver(after))
        assert time.monotonic() - freed < 10
        print(f"full for {FULL_S} s: {dict(meta.answers)}; restarts {stack.restarts()}")
        assert len(meta.acknowledged) == 2 * MESSAGES + 50
        wait_until(stack.all_ready, DEADLINE_S)
        stack.prove(meta.acknowledged)
        stack.stop()


def test_an_insert_into_the_warehouse_on_a_full_disk_fails_and_its_retry_writes_it_once() -> None:
    with small_disk(150) as disk:
        server, url = start_warehouse(disk.path)
        client = connect(url, INSERT)
        try:
            client.command(
                "CREATE TABLE raw.kept (batch UInt32, id UInt32) ENGINE = MergeTree ORDER BY id "
                "SETTINGS non_replicated_deduplication_window = 100"
            )
            client.command(
                "CREATE TABLE raw.counted (batch UInt32) ENGINE = MergeTree ORDER BY batch "
                "SETTINGS non_replicated_deduplication_window = 100"
            )
            client.command("CREATE MATERIALIZED VIEW raw.view TO raw.counted AS SELECT batch FROM raw.kept")

            def insert(batch: int) -> None:
                rows, token = [[batch, number] for number in range(100)], f"batch-{batch}"
                client.insert("raw.kept", rows, ["batch", "id"], settings={"insert_deduplication_token": token})

            for batch in range(5):
                disk.fill()
                with pytest.raises(ClickHouseError):
                    insert(batch)
                disk.empty()
                insert(batch)
                insert(batch)
            counts = client.query("SELECT (SELECT count() FROM raw.kept), (SELECT count() FROM raw.counted)").first_row
            assert counts == (500, 500)
        finally:
            client.close()
            server.kill9()

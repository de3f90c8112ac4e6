"""The warehouse is killed, stopped, started twice and started on what a kill left behind."""

import contextlib
import datetime as dt
import itertools
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import urllib3
from clickhouse_connect.driver.exceptions import ClickHouseError

from hub_api.embedded.warehouse.folder import forget_unwritten_part
from hub_api.platform.clickhouse import INSERT, connect
from tests.support.waiting import wait_until
from tests.support.warehouse import PASSWORDS, EmbeddedWarehouse, start_warehouse

TABLE = (
    "CREATE TABLE IF NOT EXISTS raw.kept (batch UInt32, id UInt32, day Date) ENGINE = MergeTree PARTITION BY day "
    "ORDER BY (batch, id) SETTINGS non_replicated_deduplication_window = 10000"
)
TARGET = (
    "CREATE TABLE IF NOT EXISTS raw.counted (day Date, rows UInt64) ENGINE = SummingMergeTree ORDER BY day "
    "SETTINGS non_replicated_deduplication_window = 10000"
)
VIEW = (
    "CREATE MATERIALIZED VIEW IF NOT EXISTS raw.counted_mv TO raw.counted AS "
    "SELECT day, count() AS rows FROM raw.kept GROUP BY day"
)
ROWS = 300


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedWarehouse]:
    """A warehouse of this test's own, running, with a table and a view on it."""
    server, url = start_warehouse(tmp_path)
    client = connect(url)
    for statement in (TABLE, TARGET, VIEW):
        client.command(statement)
    client.close()
    yield server
    server.destroy()


def insert_batches(url: str, batches: Iterable[int]) -> Iterator[int]:
    """Insert each batch's fixed rows over three days, marked so that a repetition changes nothing; yields when done."""
    client = connect(url, INSERT)
    types = ["UInt32", "UInt32", "Date"]
    try:
        for batch in batches:
            rows = [[batch, number, dt.date(2026, 1, 1 + number % 3)] for number in range(ROWS)]
            token = {"insert_deduplication_token": f"batch-{batch}"}
            client.insert("raw.kept", rows, ["batch", "id", "day"], column_type_names=types, settings=token)
            yield batch
    finally:
        client.close()


def counts(url: str) -> tuple[int, int, int, int]:
    """Rows, distinct rows, whole batches, rows that the view counted."""
    client = connect(url)
    try:
        rows, distinct = client.query("SELECT count(), uniqExact(batch, id) FROM raw.kept").first_row
        whole = client.query(
            f"SELECT countIf(n = {ROWS}) FROM (SELECT batch, count() AS n FROM raw.kept GROUP BY batch)"
        )
        counted = client.query("SELECT sum(rows) FROM raw.counted").first_row[0]
        return rows, distinct, whole.first_row[0], counted
    finally:
        client.close()


def test_kill_9_at_any_moment_loses_no_acknowledged_insert_and_repeats_none(own: EmbeddedWarehouse) -> None:
    acknowledged: set[int] = set()
    for _ in range(3):
        sent = itertools.count(len(acknowledged))

        def write(sent: Iterator[int] = sent) -> None:
            with contextlib.suppress(ClickHouseError, urllib3.exceptions.HTTPError, OSError):
                acknowledged.update(insert_batches(own.url(), sent))

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(random.uniform(0.1, 0.3))  # the moment of the kill: any will do
        own.kill9()
        writer.join()
        own.start()
        rows, distinct, whole, _ = counts(own.url())
        assert rows == distinct
        assert whole >= len(acknowledged)
        begun = next(sent)  # the batch that the kill interrupted is the one before
        acknowledged.update(insert_batches(own.url(), range(begun)))
        assert counts(own.url()) == (begun * ROWS, begun * ROWS, begun, begun * ROWS)


def test_a_deduplication_record_without_its_rows_is_forgotten_at_start(own: EmbeddedWarehouse) -> None:
    client = connect(own.url(), INSERT)
    client.command(
        "CREATE TABLE raw.plain (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100"
    )
    for token in ("first", "second"):
        client.insert("raw.plain", [[1], [2]], column_names=["id"], settings={"insert_deduplication_token": token})
    (path,) = client.query(
        "SELECT data_paths[1] FROM system.tables WHERE database = 'raw' AND name = 'plain'"
    ).first_row
    (part,) = client.query("SELECT max(name) FROM system.parts WHERE table = 'plain' AND active").first_row
    client.close()
    own.kill9()
    shutil.rmtree(Path(path) / part)  # as if the kill had come between the record and the rename of the part
    own.start()
    client = connect(own.url(), INSERT)
    for token, expected in (("first", 2), ("second", 4), ("second", 4)):
        client.insert("raw.plain", [[1], [2]], column_names=["id"], settings={"insert_deduplication_token": token})
        assert client.query("SELECT count() FROM raw.plain").first_row == (expected,)
    client.close()


def test_only_a_last_record_without_its_part_is_taken_back(tmp_path: Path) -> None:
    logs = tmp_path / "deduplication_logs"
    logs.mkdir()
    (tmp_path / "20260101_1_3_1").mkdir()
    log = logs / "deduplication_log_2.txt"
    (logs / "deduplication_log_1.txt").write_text("1\t20260101_9_9_0\ta\n")
    kept = "1\t20260101_1_1_0\ta\n1\t20260101_2_2_0\tb\n"
    log.write_text(kept)
    assert not forget_unwritten_part(logs)  # its rows were merged into 1..3
    log.write_text(kept + "1\t20260102_4_4_0\tc\n")
    assert forget_unwritten_part(logs)
    assert log.read_text() == kept
    log.write_text(kept + "1\t20260101_5_")
    assert not forget_unwritten_part(logs)
    assert log.read_text() == kept  # half a record is none
    log.write_text(kept + "2\t20260101_7_7_0\tb\n")
    assert not forget_unwritten_part(logs)  # a dropped part is meant to be away


def test_a_clean_stop_keeps_everything_and_ends_what_runs(own: EmbeddedWarehouse) -> None:
    assert list(insert_batches(own.url(), [1])) == [1]
    answers: list[int] = []

    def ask() -> None:
        headers = urllib3.make_headers(basic_auth=f"admin:{PASSWORDS['admin']}")
        sql = "SELECT sleepEachRow(0.1) AS draining FROM numbers(10) FORMAT Null"
        address = f"http://127.0.0.1:{own.port}/"
        answers.append(urllib3.request("POST", address, body=sql, headers=headers, timeout=30).status)

    asking = threading.Thread(target=ask)
    asking.start()
    client = connect(own.url())
    wait_until(
        lambda: client.query("SELECT count() FROM system.processes WHERE query LIKE '%AS draining%'").first_row[0] > 1
    )
    client.close()
    assert own.process is not None
    process = own.process
    process.send_signal(signal.SIGTERM)
    asking.join()
    assert answers == [200]
    assert process.wait(20) == 0
    own.process = None
    own.start()
    assert counts(own.url()) == (ROWS, ROWS, 1, ROWS)


def second(own: EmbeddedWarehouse, **changed: str) -> subprocess.CompletedProcess[str]:
    command = own.command()
    environment = dict(item.split("=", 1) for item in command if item.startswith("HUB_WAREHOUSE_")) | changed
    return subprocess.run(
        command[-3:], env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_second_process_is_told_who_holds_the_folder_or_the_port(own: EmbeddedWarehouse, tmp_path: Path) -> None:
    assert own.process is not None
    same_folder = second(own, HUB_WAREHOUSE_PORT="1")
    assert same_folder.returncode == 1
    assert f"is held by process {own.process.pid}" in same_folder.stderr
    same_port = second(own, HUB_WAREHOUSE_PATH=str(tmp_path / "other"))
    assert same_port.returncode == 1
    assert f"cannot listen on 127.0.0.1:{own.port}" in same_port.stderr
    unset = second(own, HUB_WAREHOUSE_GOLD_PASSWORD="", HUB_WAREHOUSE_PATH="")
    assert unset.returncode == 1
    assert "set HUB_WAREHOUSE_PATH, HUB_WAREHOUSE_GOLD_PASSWORD" in unset.stderr
    no_number = second(own, HUB_WAREHOUSE_PORT="eight")
    assert "HUB_WAREHOUSE_PORT must be a whole number" in no_number.stderr
    for failed in (same_folder, same_port, unset, no_number):
        assert "Traceback" not in failed.stderr
    assert counts(own.url()) == (0, 0, 0, 0)

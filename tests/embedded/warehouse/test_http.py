"""The HTTP interface as curl and other plain clients use it, on the embedded warehouse and on a real server alike."""

import asyncio
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import lz4.frame
import pytest
import urllib3
import zstandard
from clickhouse_connect.driver.client import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.platform.clickhouse import connect_async
from tests.support.waiting import eventually, wait_until
from tests.support.warehouse import PASSWORDS, EmbeddedWarehouse


class Door:
    """Plain requests to a server, as its admin unless said otherwise."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 8123
        self.user, self.password = unquote(parts.username or "default"), unquote(parts.password or "")
        self.pool = urllib3.PoolManager()

    def send(
        self, body: bytes | str = b"", *, method: str = "POST", headers: dict[str, str] | None = None, **query: Any
    ) -> urllib3.BaseHTTPResponse:
        own = {"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password}
        return self.pool.request(
            method,
            f"http://{self.host}:{self.port}/?{urlencode(query)}",
            body=body.encode() if isinstance(body, str) else body,
            headers=own if headers is None else headers,
            decode_content=False,
            retries=False,
            timeout=60,
        )

    def text(self, body: bytes | str = b"", **query: Any) -> str:
        answer = self.send(body, **query)
        assert answer.status == 200, answer.data
        return answer.data.decode()


@pytest.fixture(scope="module")
def door(server_url: str) -> Door:
    """The server under test."""
    return Door(server_url)


@pytest.fixture
def embedded(warehouse: EmbeddedWarehouse) -> Door:
    """The embedded warehouse, for what only it promises."""
    return Door(warehouse.url())


def code(answer: urllib3.BaseHTTPResponse) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


def test_it_answers_to_ping_and_to_an_empty_get(door: Door) -> None:
    ping = urllib3.request("GET", f"http://{door.host}:{door.port}/ping")
    assert (ping.status, ping.data) == (200, b"Ok.\n")
    assert door.send(method="GET").data == b"Ok.\n"


def test_a_statement_may_stand_in_the_address_the_body_or_both(door: Door) -> None:
    assert door.text(query="SELECT 1", method="GET") == "1\n"
    assert door.text("SELECT 2") == "2\n"
    assert door.text("number FROM numbers(2)", query="SELECT") == "0\n1\n"
    assert door.text("SELECT 3;") == "3\n"


def test_the_result_has_the_format_asked_for(door: Door) -> None:
    assert door.text("SELECT 1 AS a, 'x' AS b FORMAT JSONEachRow") == '{"a":1,"b":"x"}\n'
    assert door.text("SELECT 1 AS a", default_format="CSVWithNames") == '"a"\n1\n'
    assert json.loads(door.text("SELECT 1 AS a FORMAT JSON SETTINGS max_threads = 1"))["data"] == [{"a": 1}]
    answer = door.send("SELECT 1 AS format FORMAT JSONCompact -- the end")
    assert answer.headers["X-ClickHouse-Format"] == "JSONCompact"
    assert answer.headers["Content-Type"].startswith("application/json")
    assert code(door.send("SELECT 1 FORMAT NoSuchFormat")) in (62, 73)
    assert door.text("SELECT 'FORMAT JSON' AS x ORDER BY x DESC") == "FORMAT JSON\n"


def test_an_answer_is_headed_as_clickhouse_does(door: Door) -> None:
    answer = door.send("SELECT number FROM numbers(10)", query_id="my-id-1", wait_end_of_query=1)
    assert answer.headers["X-ClickHouse-Query-Id"] == "my-id-1"
    assert answer.headers["X-ClickHouse-Timezone"]
    assert answer.headers["X-ClickHouse-Server-Display-Name"]
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"] == "10"
    zoned = door.send("SELECT 1", session_timezone="America/Sao_Paulo")
    assert zoned.headers["X-ClickHouse-Timezone"] == "America/Sao_Paulo"


def test_errors_have_the_code_in_head_and_body_and_a_fitting_status(door: Door) -> None:
    for sql, expected, status in (
        ("SELECT no_such", 47, 404),
        ("SELECT * FROM no_such", 60, 404),
        ("SELEC 1", 62, 400),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT * FROM no_such_db.t", 81, 404),
    ):
        answer = door.send(sql)
        assert (code(answer), answer.status) == (expected, status), answer.data
        assert answer.data.startswith(f"Code: {expected}. DB::Exception: ".encode())
        assert answer.data.endswith(b"\n")
        assert b"(version " in answer.data


def test_an_error_whose_text_is_cut_within_a_letter_is_told(door: Door) -> None:
    """The engine cuts what it could not read after ten bytes, here in the middle of an é."""
    answer = door.send("SELECT * FROM format(CSV, 'a UInt8, b Date', '1,xéééééééé')")
    assert (code(answer), answer.status) == (38, 400)
    assert "Cannot parse date here: xéééé" in answer.data.decode(errors="replace")
    assert code(door.send(r"SELECT throwIf(1, '\xC3')")) == 395


def test_values_of_parameters_are_values_and_nothing_else(door: Door) -> None:
    sql = "SELECT {text:String}, {number:UInt8}, {list:Array(String)}"
    answer = door.text(sql, param_text="a\\tb", param_number="7", param_list="['x','y']")
    assert answer == "a\\tb\t7\t['x','y']\n"
    assert code(door.send("SELECT {number:UInt8}", param_number="1); DROP TABLE x")) == 457


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives_as_a_parameter_and_as_inserted_data(door: Door, text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    answer = door.send("SELECT {text:String} AS t FORMAT JSONEachRow", param_text=escaped)
    assert json.loads(answer.data)["t"] == text, answer.data


def test_a_get_changes_nothing(door: Door, database: str) -> None:
    answer = door.send(method="GET", query=f"CREATE TABLE {database}.t (a UInt8) ENGINE = Memory")
    assert code(answer) == 164
    assert door.text(f"EXISTS TABLE {database}.t") == "0\n"


def test_rows_are_inserted_from_address_and_body(door: Door, table: str) -> None:
    door.text(f"INSERT INTO {table} (id, text) VALUES (1, 'in the body'), (2, 'with FORMAT; inside')")
    door.text("(3, 'data apart')", query=f"INSERT INTO {table} (id, text) VALUES")
    door.text("4,csv\n5,more\n", query=f"INSERT INTO {table} (id, text) FORMAT CSV")
    door.text(f'INSERT INTO {table} (id, text) FORMAT JSONEachRow {{"id": 6, "text": "same line"}}')
    door.text(f"INSERT INTO {table} (id, text) SETTINGS max_insert_block_size = 10 FORMAT TSV\n7\ttab\n")
    door.text(f"INSERT INTO {table} (id, text) SELECT number, 'selected' FROM numbers(8, 2)")
    door.text(f"/* why */ insert into {table} (id, text) -- FORMAT CSV\nformat CSV\n10,ten\n")
    assert door.text(f"SELECT groupArray(id) FROM (SELECT id FROM {table} ORDER BY id)") == "[1,2,3,4,5,6,7,8,9,10]\n"


def test_binary_data_are_inserted_as_they_are(door: Door, table: str) -> None:
    made = "SELECT toUInt64(number) AS id, char(number, 0, 255, 10, 13) AS text FROM numbers({}, 300) FORMAT Native"
    first, second = (door.send(made.format(start)).data for start in (0, 300))
    door.text(f"INSERT INTO {table} (id, text) FORMAT Native\n".encode() + first)
    door.text(second, query=f"INSERT INTO {table} (id, text) FORMAT Native")
    sql = f"SELECT count(), uniqExact(id), min(text = char(id, 0, 255, 10, 13)) FROM {table}"
    assert door.text(sql) == "600\t600\t1\n"


def test_an_insert_that_fails_at_its_commit_is_told_as_failed(door: Door, database: str) -> None:
    """Nothing is wrong with these data until their block is written: the engine must not call that a success."""
    door.text(f"CREATE TABLE {database}.few (id UInt64, CONSTRAINT small CHECK id < 10) ENGINE = MergeTree ORDER BY id")
    door.text(f"CREATE TABLE {database}.days (id UInt64) ENGINE = MergeTree PARTITION BY id ORDER BY id")
    door.text(f"CREATE TABLE {database}.seen (id UInt64) ENGINE = MergeTree ORDER BY id")
    door.text(
        f"CREATE MATERIALIZED VIEW {database}.view TO {database}.seen AS SELECT throwIf(id = 7) + id AS id FROM {database}.few"
    )
    insert, settings = f"INSERT INTO {database}.", "SETTINGS max_partitions_per_insert_block = 2"
    assert code(door.send(insert + "few FORMAT TSV\n1\n20\n")) == 469  # VIOLATED_CONSTRAINT
    assert code(door.send(insert + "few FORMAT TSV\n7\n")) == 395  # FUNCTION_THROW_IF_VALUE_IS_NON_ZERO
    assert code(door.send(insert + f"days {settings} FORMAT TSV\n1\n2\n3\n")) == 252  # TOO_MANY_PARTS
    assert door.text(f"SELECT (SELECT count() FROM {database}.days), (SELECT count() FROM {database}.seen)") == "0\t0\n"


@pytest.mark.parametrize(
    ("encoding", "press"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda data: gzip.compress(data[:999]) + gzip.compress(data[999:])),
        ("deflate", zlib.compress),
        ("lz4", lz4.frame.compress),
        ("lz4", lambda data: lz4.frame.compress(data[:999]) + lz4.frame.compress(data[999:])),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("zstd", lambda data: zstandard.compress(data[:999]) + zstandard.compress(data[999:])),
    ],
    ids=["gzip", "gzip members", "deflate", "lz4", "lz4 frames", "zstd", "zstd frames"],
)
def test_a_compressed_body_is_read(door: Door, table: str, encoding: str, press: Any) -> None:
    rows = "".join(f"{number},row {number}\n" for number in range(20_000))
    body = press(f"INSERT INTO {table} (id, text) FORMAT CSV\n{rows}".encode())
    own = {"X-ClickHouse-User": door.user, "X-ClickHouse-Key": door.password, "Content-Encoding": encoding}
    assert door.send(body, headers=own).status == 200
    assert door.text(f"SELECT count(), sum(id) FROM {table}") == f"20000\t{19999 * 10000}\n"


@pytest.mark.parametrize(
    ("encoding", "unpress"),
    [
        ("gzip", gzip.decompress),
        ("deflate", zlib.decompress),
        ("lz4", lz4.frame.decompress),
        ("zstd", lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
    ],
)
@pytest.mark.parametrize("rows", [3, 300_000])
def test_an_answer_is_compressed_when_asked_for(door: Door, encoding: str, unpress: Any, rows: int) -> None:
    own = {"X-ClickHouse-User": door.user, "X-ClickHouse-Key": door.password, "Accept-Encoding": encoding}
    sql = f"SELECT number FROM numbers({rows})"
    answer = door.send(sql, headers=own, enable_http_compression=1)
    assert answer.headers["Content-Encoding"] == encoding
    assert unpress(answer.data) == "".join(f"{number}\n" for number in range(rows)).encode()
    assert "Content-Encoding" not in door.send(sql, headers=own).headers


def test_a_body_that_is_not_what_it_says_is_refused(embedded: Door, own_table: str, watcher: Client) -> None:
    own = {"X-ClickHouse-User": embedded.user, "X-ClickHouse-Key": embedded.password}
    for encoding in ("gzip", "deflate", "lz4", "zstd"):
        answer = embedded.send(b"SELECT 1", headers=own | {"Content-Encoding": encoding})
        assert code(answer) == 271, (encoding, answer.data)
    assert embedded.send(b"SELECT 1", headers=own | {"Content-Encoding": "br"}).status == 415
    whole = gzip.compress(f"INSERT INTO {own_table} (id, text) FORMAT CSV\n1,a\n2,b\n".encode())
    assert code(embedded.send(whole[:-9], headers=own | {"Content-Encoding": "gzip"})) == 271
    assert watcher.query(f"SELECT count() FROM {own_table}").first_row == (0,)


@pytest.mark.parametrize("way", ["basic", "headers", "parameters"])
def test_a_password_is_checked_in_each_way_it_may_come(embedded: Door, way: str) -> None:
    def ask(user: str, password: str) -> urllib3.BaseHTTPResponse:
        if way == "basic":
            return embedded.send("SELECT 1", headers=urllib3.make_headers(basic_auth=f"{user}:{password}"))
        if way == "headers":
            return embedded.send("SELECT 1", headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": password})
        return embedded.send("SELECT 1", headers={}, user=user, password=password)

    assert ask("admin", PASSWORDS["admin"]).status == 200
    assert ask("gold", PASSWORDS["gold"]).status == 200
    texts = set()
    for user, password in (("admin", "wrong"), ("admin", ""), ("gold", PASSWORDS["admin"]), ("nobody", ""), ("", "")):
        answer = ask(user, password)
        assert (answer.status, code(answer)) == (403, 516)
        texts.add(answer.data.split(b": Authentication", 1)[1])
    assert len(texts) == 1
    assert embedded.send("SELECT 1", headers={}).status == 403
    assert embedded.send("SELECT 1", headers={"Authorization": "Basic ???"}).status == 403


@pytest.mark.parametrize(
    "sql",
    [
        "SET max_threads = 1",
        "USE default",
        "CREATE TEMPORARY TABLE t (a UInt8)",
        "create or replace temporary table t (a Int8)",
    ],
)
def test_what_needs_a_session_is_refused_with_the_remedy(embedded: Door, sql: str) -> None:
    answer = embedded.send(sql, session_id="s1")
    assert (answer.status, code(answer)) == (501, 48)
    assert b"There are no sessions here" in answer.data
    assert embedded.text("SELECT 1", session_id="s1", session_timeout=60) == "1\n"


def test_several_statements_at_once_are_refused(door: Door, database: str) -> None:
    answer = door.send(f"SELECT 1; CREATE DATABASE {database}_more")
    assert code(answer) == 62
    assert door.text(f"EXISTS DATABASE {database}_more") == "0\n"


def test_nonsense_gets_an_error_and_no_crash(embedded: Door) -> None:
    for body in (
        b"",
        b";",
        b"\xff\xfe",
        b"INSERT INTO",
        b"INSERT INTO x FORMAT",
        b"/* open",
        b"SELECT '",
        b"\0",
        b"(" * 5000,
    ):
        answer = embedded.send(body)
        assert 400 <= answer.status <= 500, (body[:20], answer.status)
        assert code(answer) not in (0, 49), (body[:20], answer.data)
    assert code(embedded.send("SELECT 1", **{"max_threads=1, readonly": "x"})) == 36
    assert code(embedded.send("SELECT 1", decompress=1)) == 48
    assert embedded.text("SELECT 1") == "1\n"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))))
def test_no_body_whatever_makes_a_defect(embedded: Door, body: bytes) -> None:
    assert code(embedded.send(body)) != 49


def test_a_short_question_is_answered_beside_long_ones(
    embedded: Door, warehouse: EmbeddedWarehouse, watcher: Client
) -> None:
    with ask_and_leave(warehouse, "reader", "long_one"), ask_and_leave(warehouse, "admin", "long_one"):
        wait_until(lambda: running(watcher, "long_one") == 2)
        times = []
        for number in range(15):
            started = time.monotonic()
            assert embedded.text(f"SELECT {number}") == f"{number}\n"
            times.append(time.monotonic() - started)
        assert running(watcher, "long_one") == 2
    assert sorted(times)[7] < 3  # and the long ones are not over: it waited for neither


def test_a_large_result_is_streamed_to_a_slow_reader(embedded: Door, warehouse: EmbeddedWarehouse) -> None:
    import psutil

    assert warehouse.process is not None
    process = psutil.Process(warehouse.process.pid)
    before = process.memory_info().rss
    headers = {"X-ClickHouse-User": embedded.user, "X-ClickHouse-Key": embedded.password}
    address = f"http://127.0.0.1:{warehouse.port}/"
    answer = urllib3.request(
        "POST",
        address,
        body="SELECT repeat('x', 1000) FROM numbers(300000)",
        headers=headers,
        preload_content=False,
        timeout=60,
    )
    size = 0
    for number, chunk in enumerate(answer.stream(1 << 20)):
        size += len(chunk)
        if number == 0:
            time.sleep(0.3)  # the reader is slow on purpose: the engine must wait for it
    assert size == 300_000 * 1001
    assert process.memory_info().rss - before < 150 * 1024**2


@contextmanager
def ask_and_leave(
    warehouse: EmbeddedWarehouse,
    user: str,
    mark: str,
    sql: str = "SELECT sum(sipHash64(number)) AS {} FROM numbers({})",
) -> Iterator[socket.socket]:
    """Send an endless query with a mark in it and close the connection at the end without reading the answer."""
    body = sql.format(mark, 10**12).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: {user}\r\nX-ClickHouse-Key: {PASSWORDS[user]}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", warehouse.port)) as connection:
        connection.sendall(head.encode() + body)
        yield connection


def running(client: Client, mark: str) -> int:
    sql = "SELECT count() FROM system.processes WHERE query LIKE {like:String} AND query NOT LIKE '%system.processes%'"
    return int(client.query(sql, parameters={"like": f"%{mark}%"}).first_row[0])


@pytest.mark.parametrize("user", ["admin", "reader"])
def test_a_client_that_goes_away_cancels_its_query(warehouse: EmbeddedWarehouse, watcher: Client, user: str) -> None:
    mark = f"leaver_{user}"
    with ask_and_leave(warehouse, user, mark):
        wait_until(lambda: running(watcher, mark) == 1)
    wait_until(lambda: running(watcher, mark) == 0)


def test_a_client_that_leaves_in_the_middle_of_a_result_stops_it(warehouse: EmbeddedWarehouse, watcher: Client) -> None:
    with ask_and_leave(warehouse, "admin", "half_read", "SELECT number AS {} FROM numbers({})") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert running(watcher, "half_read") == 1
    wait_until(lambda: running(watcher, "half_read") == 0)


def test_an_insert_cut_off_in_its_body_leaves_nothing(
    warehouse: EmbeddedWarehouse, watcher: Client, own_table: str
) -> None:
    head = (
        f"POST /?{urlencode({'query': f'INSERT INTO {own_table} (id, text) FORMAT CSV'})} HTTP/1.1\r\nHost: x\r\n"
        f"X-ClickHouse-User: admin\r\nX-ClickHouse-Key: {PASSWORDS['admin']}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    rows = b"".join(b"%d,x\n" % number for number in range(100_000))
    with socket.create_connection(("127.0.0.1", warehouse.port)) as connection:
        connection.sendall(head.encode() + b"%x\r\n%s\r\n" % (len(rows), rows))
    log = warehouse.place / "warehouse/query_log/queries.jsonl"
    wait_until(
        lambda: any(own_table in line and "QUERY_WAS_CANCELLED" in line for line in log.read_text().splitlines())
    )
    assert watcher.query(f"SELECT count() FROM {own_table}").first_row == (0,)


async def test_a_cancelled_task_cancels_its_query(warehouse: EmbeddedWarehouse, watcher: Client) -> None:
    client = await connect_async(warehouse.url(), {})
    task = asyncio.create_task(client.query("SELECT sum(sipHash64(number)) AS async_leaver FROM numbers(100000000000)"))
    await eventually(lambda: running(watcher, "async_leaver") == 1)
    task.cancel()
    await asyncio.wait([task])
    await eventually(lambda: running(watcher, "async_leaver") == 0)
    await client.close()


def test_a_statement_over_its_memory_fails_alone(embedded: Door) -> None:
    answer = embedded.send("SELECT groupArray(number) FROM numbers(1000000000)", max_memory_usage=100_000_000)
    assert code(answer) == 241
    assert embedded.text("SELECT 1") == "1\n"


def test_the_admin_backs_a_database_up_and_restores_it(
    embedded: Door, warehouse: EmbeddedWarehouse, own_table: str
) -> None:
    embedded.text(f"INSERT INTO {own_table} (id, text) VALUES (1, 'kept')")
    archive = warehouse.place / "warehouse/backups/one"
    assert "BACKUP_CREATED" in embedded.text(f"BACKUP TABLE {own_table} TO File('{archive}')")
    embedded.text(f"TRUNCATE TABLE {own_table}")
    embedded.text(f"RESTORE TABLE {own_table} FROM File('{archive}') SETTINGS allow_non_empty_tables = true")
    assert embedded.text(f"SELECT text FROM {own_table}") == "kept\n"


def test_the_admin_exports_parquet_to_a_file(embedded: Door, own_table: str, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    embedded.text(f"INSERT INTO {own_table} (id, text) VALUES (1, 'a'), (2, 'b')")
    file = tmp_path / "items.parquet"
    embedded.text(f"INSERT INTO FUNCTION file('{file}', 'Parquet') SELECT * FROM {own_table} ORDER BY id")
    assert pq.read_table(file).column("text").to_pylist() == ["a", "b"]
    assert embedded.text(f"SELECT count() FROM file('{file}')") == "2\n"

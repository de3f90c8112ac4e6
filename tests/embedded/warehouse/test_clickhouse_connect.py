"""What clickhouse-connect's clients and dialect do, on each server."""

import asyncio
import datetime as dt
import decimal
import ipaddress
import uuid
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_connect.driver.external import ExternalData

from hub_api.platform.clickhouse import connect, connect_async


def test_rows_come_back_with_their_types(client: Client) -> None:
    sql = (
        "SELECT 18446744073709551615::UInt64, -1.5, 'ação ✓', toDecimal64('12.34', 2), toDate('2026-02-28'),"
        " toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC'), NULL, [1, 2], map('a', 1), (1, 'x'),"
        " toUUID('019a0000-0000-7000-8000-000000000001'), toIPv4('10.0.0.1'), toLowCardinality('lc'), true"
    )
    assert client.query(sql).result_rows == [
        (
            18446744073709551615,
            -1.5,
            "ação ✓",
            decimal.Decimal("12.34"),
            dt.date(2026, 2, 28),
            dt.datetime(2026, 1, 2, 3, 4, 5, 678000),
            None,
            [1, 2],
            {"a": 1},
            (1, "x"),
            uuid.UUID("019a0000-0000-7000-8000-000000000001"),
            ipaddress.IPv4Address("10.0.0.1"),
            "lc",
            True,
        )
    ]


def test_inserted_rows_are_read_back_and_counted(client: Client, table: str) -> None:
    summary = client.insert(table, [[1, "a", dt.date(2026, 1, 1)], [2, "ção", dt.date(2026, 1, 2)]])
    assert summary.written_rows == 2
    result = client.query(f"SELECT id, text FROM {table} ORDER BY id")
    assert result.result_rows == [(1, "a"), (2, "ção")]
    assert result.summary["read_rows"] == "2"
    assert result.query_id


def test_frames_and_arrow_tables_go_in_and_out(client: Client, table: str) -> None:
    client.insert_df(table, pd.DataFrame({"id": [1, 2], "text": ["a", "b"]}), column_names=["id", "text"])
    client.insert_arrow(table, pa.table({"id": pa.array([3], pa.uint64()), "text": ["c"]}))
    frame = client.query_df(f"SELECT id, text FROM {table} ORDER BY id")
    assert frame["text"].tolist() == ["a", "b", "c"]
    arrow = client.query_arrow(f"SELECT id, text FROM {table} ORDER BY id")
    assert arrow.column("id").to_pylist() == [1, 2, 3]


def test_streams_of_rows_blocks_and_frames_carry_everything(client: Client) -> None:
    sql = "SELECT number, toString(number) AS text FROM numbers(300000)"
    with client.query_rows_stream(sql) as rows:
        assert sum(row[0] for row in rows) == 299999 * 300000 // 2
    with client.query_row_block_stream(sql) as blocks:
        assert sum(len(block) for block in blocks) == 300000
    with client.query_df_stream(sql) as frames:
        assert sum(len(frame) for frame in frames) == 300000
    with client.query_arrow_stream(sql) as batches:
        assert sum(batch.num_rows for batch in batches) == 300000


def test_a_raw_stream_is_one_well_formed_document(client: Client) -> None:
    stream = client.raw_stream("SELECT number AS n FROM numbers(200000)", fmt="JSON")
    document = stream.read()
    assert document.count(b'"meta"') == 1
    assert document.rstrip().endswith(b"}")


def test_parameters_are_bound_on_either_side(client: Client) -> None:
    hostile = "it's \\ a\ttab\nline'; DROP TABLE x --"
    assert client.query("SELECT %(text)s", parameters={"text": hostile}).first_row == (hostile,)
    assert client.query("SELECT {text:String}", parameters={"text": hostile}).first_row == (hostile,)
    day = dt.datetime(2026, 1, 2, 3, 4, 5)
    sql = "SELECT {numbers:Array(UInt32)}, {day:DateTime}, {nothing:Nullable(String)}"
    given = {"numbers": [1, 2], "day": day, "nothing": None}
    assert client.query(sql, parameters=given).first_row == ([1, 2], day, None)


def test_an_identifier_is_a_parameter_of_reads_and_inserts(client: Client, table: str) -> None:
    database, name = table.split(".")
    client.command(
        "INSERT INTO {d:Identifier}.{t:Identifier} (id, text) VALUES (7, 'x')", parameters={"d": database, "t": name}
    )
    sql = "SELECT id FROM {d:Identifier}.{t:Identifier}"
    assert client.query(sql, parameters={"d": database, "t": name}).first_row == (7,)


def test_long_parameters_travel_in_a_form(client: Client) -> None:
    keys = [f"key-{number:06}" for number in range(20_000)]
    assert client.query("SELECT length({keys:Array(String)})", parameters={"keys": keys}).first_row == (20_000,)


def test_settings_reach_the_statement_and_end_with_it(client: Client) -> None:
    sql = "SELECT getSetting('max_block_size')"
    assert client.query(sql, settings={"max_block_size": 123}).first_row == (123,)
    assert client.query(sql).first_row != (123,)
    with pytest.raises(DatabaseError, match="UNKNOWN_SETTING"):
        client.raw_query("SELECT 1", settings={"no_such_setting_at_all": 1})


@pytest.mark.parametrize("method", ["lz4", "zstd", "gzip"])
def test_compression_works_both_ways(server_url: str, table: str, method: str) -> None:
    from clickhouse_connect import get_client

    client = get_client(dsn=server_url, compress=method)
    rows = [[number, "padding " * 5] for number in range(50_000)]
    client.insert(table, rows, column_names=["id", "text"])
    assert client.query(f"SELECT id, text FROM {table} ORDER BY id").result_rows == [tuple(row) for row in rows]
    client.close()


def test_a_large_insert_arrives_in_many_blocks(client: Client, table: str) -> None:
    columns: list[list[Any]] = [list(range(400_000)), ["x" * 20] * 400_000]
    client.insert(table, columns, column_names=["id", "text"], column_oriented=True)
    assert client.query(f"SELECT count(), uniqExact(id) FROM {table}").first_row == (400_000, 400_000)


def test_an_insert_that_breaks_off_leaves_nothing(client: Client, table: str) -> None:
    with pytest.raises(Exception, match="Unable to create native array"):
        client.insert(table, [[1, "a"], ["no number", "b"]], column_names=["id", "text"])
    assert client.query(f"SELECT count() FROM {table}").first_row == (0,)


def test_raw_inserts_take_text_and_compressed_files(client: Client, table: str) -> None:
    import gzip

    client.raw_insert(table, ["id", "text"], "1,one\n2,two\n", fmt="CSV")
    client.raw_insert(table, ["id", "text"], gzip.compress(b"3\tthree\n"), fmt="TSV", compression="gzip")
    client.command(f"INSERT INTO {table} (id, text) FORMAT CSV", data="4,four\n")
    assert client.query(f"SELECT groupArray(text) FROM (SELECT * FROM {table} ORDER BY id)").first_row == (
        ["one", "two", "three", "four"],
    )


def test_commands_answer_with_values_or_a_summary(client: Client, database: str) -> None:
    assert client.command("SELECT 42") == 42
    assert client.command(f"EXISTS DATABASE {database}") == 1
    assert client.command(f"SHOW TABLES FROM {database}") == ""
    made = client.command(f"CREATE TABLE {database}.t (a Int32) ENGINE = Memory")
    assert made.query_id()


def test_only_columns_are_fetched_for_limit_zero(client: Client, table: str) -> None:
    result = client.query(f"SELECT id, text FROM {table} LIMIT 0")
    assert result.column_names == ("id", "text")


def test_errors_carry_the_engines_code_and_name(client: Client) -> None:
    with pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        client.query("SELECT * FROM no_such_table_anywhere")
    assert caught.value.code == 60
    with pytest.raises(DatabaseError, match="Syntax error") as caught:
        client.query("SELEC 1")
    assert caught.value.code == 62


@pytest.mark.parametrize("compress", [False, "lz4", "gzip"])
def test_an_error_after_the_first_rows_is_no_short_result(server_url: str, compress: bool | str) -> None:
    from clickhouse_connect import get_client

    client = get_client(dsn=server_url, compress=compress)
    sql = "SELECT throwIf(number = 4000000, 'late failure'), number FROM numbers(5000000)"
    with (
        pytest.raises((StreamFailureError, DatabaseError), match="late failure"),
        client.query_rows_stream(sql, settings={"max_block_size": 10000}) as rows,
    ):
        for _ in rows:
            pass
    client.close()


def test_a_failure_of_a_whole_result_is_a_plain_error(client: Client) -> None:
    with pytest.raises(DatabaseError, match="late failure") as caught:
        client.query("SELECT throwIf(number = 400000, 'late failure') FROM numbers(500000)")
    assert caught.value.code == 395


def test_a_default_database_is_used(server_url: str, table: str) -> None:
    database, name = table.split(".")
    client = connect(f"{server_url.rsplit('/', 1)[0]}/{database}")
    client.insert(name, [[1, "a"]], column_names=["id", "text"])
    assert client.query(f"SELECT currentDatabase(), text FROM {name}").first_row == (database, "a")
    client.close()


def test_external_data_are_refused_clearly(warehouse: Any) -> None:
    client = connect(warehouse.url())
    data = ExternalData(file_name="ext.csv", data=b"1\n", fmt="CSV", structure="a UInt8")
    with pytest.raises(DatabaseError, match="External data are not served"):
        client.query("SELECT * FROM ext", external_data=data)
    client.close()


async def test_the_async_client_does_the_same(server_url: str, table: str) -> None:
    client = await connect_async(server_url)
    try:
        await client.insert(table, [[1, "a"], [2, "b"]], column_names=["id", "text"])
        await client.insert_df(table, pd.DataFrame({"id": [3], "text": ["c"]}), column_names=["id", "text"])
        await client.insert_arrow(table, pa.table({"id": pa.array([4], pa.uint64()), "text": ["d"]}))
        assert (await client.query(f"SELECT sum(id) FROM {table}")).first_row == (10,)
        assert len(await client.query_df(f"SELECT * FROM {table}")) == 4
        assert (await client.query_arrow(f"SELECT * FROM {table}")).num_rows == 4
        assert await client.command("SELECT {x:UInt8} + 1", parameters={"x": 1}) == 2
        async with await client.query_rows_stream("SELECT number FROM numbers(200000)") as rows:
            assert sum([row[0] async for row in rows]) == 199999 * 200000 // 2
        keys = [f"key-{number:06}" for number in range(20_000)]
        assert (await client.query("SELECT length({k:Array(String)})", parameters={"k": keys})).first_row == (20_000,)
        with pytest.raises(DatabaseError, match="UNKNOWN_TABLE"):
            await client.query("SELECT * FROM no_such_table_anywhere")
    finally:
        await client.close()


async def test_one_client_asks_many_things_at_once(server_url: str) -> None:
    client = await connect_async(server_url)
    answers = await asyncio.gather(*(client.query(f"SELECT {number}, sleep(0.1)") for number in range(12)))
    assert [answer.first_row[0] for answer in answers] == list(range(12))
    await client.close()


def test_the_sqlalchemy_dialect_reads_reflects_and_writes(server_url: str, table: str) -> None:
    database, name = table.split(".")
    engine = sa.create_engine(server_url.replace("http://", "clickhousedb://"))
    with engine.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} (id, text) VALUES (:id, :text)"), {"id": 5, "text": "it's"})
        rows = connection.execute(sa.text(f"SELECT id, text FROM {table} WHERE text = :t"), {"t": "it's"}).all()
        assert [tuple(row) for row in rows] == [(5, "it's")]
        inspector = sa.inspect(connection)
        assert database in inspector.get_schema_names()
        assert inspector.get_table_names(database) == [name]
        assert [column["name"] for column in inspector.get_columns(name, database)] == ["id", "text", "day"]
        assert inspector.has_table(name, database)
        reflected = sa.Table(name, sa.MetaData(), schema=database, autoload_with=connection)
        assert connection.execute(sa.select(sa.func.count()).select_from(reflected)).scalar() == 1
    engine.dispose()


def test_a_table_is_exported_as_parquet(client: Client, table: str) -> None:
    import io

    import pyarrow.parquet as pq

    client.insert(table, [[1, "a"], [2, "b"]], column_names=["id", "text"])
    document = client.raw_query(f"SELECT id, text FROM {table} ORDER BY id", fmt="Parquet")
    assert pq.read_table(io.BytesIO(document)).column("id").to_pylist() == [1, 2]


def test_a_repeated_batch_changes_neither_table_nor_view(client: Client, database: str, table: str) -> None:
    client.command(
        f"CREATE TABLE {database}.per_day (day Date, rows UInt64) ENGINE = SummingMergeTree ORDER BY day "
        "SETTINGS non_replicated_deduplication_window = 1000"
    )
    client.command(
        f"CREATE MATERIALIZED VIEW {database}.per_day_mv TO {database}.per_day AS "
        f"SELECT day, count() AS rows FROM {table} GROUP BY day"
    )
    rows = [[number, "x", dt.date(2026, 1, 1 + number % 3)] for number in range(3000)]
    for _ in range(3):
        client.insert(table, rows, settings={"insert_deduplication_token": "batch-1"})
    client.insert(table, rows, settings={"insert_deduplication_token": "batch-2"})
    assert client.query(f"SELECT count() FROM {table}").first_row == (6000,)
    assert client.query(f"SELECT sum(rows) FROM {database}.per_day").first_row == (6000,)


def test_a_day_is_replaced_as_a_whole(client: Client, database: str, table: str) -> None:
    client.insert(table, [[1, "old", dt.date(2026, 1, 1)], [2, "kept", dt.date(2026, 1, 2)]])
    client.command(f"CREATE TABLE {database}.staging AS {table}")
    client.insert(f"{database}.staging", [[3, "new", dt.date(2026, 1, 1)]])
    client.command(f"ALTER TABLE {table} REPLACE PARTITION '2026-01-01' FROM {database}.staging")
    assert client.query(f"SELECT text FROM {table} ORDER BY id").result_columns == [["kept", "new"]]

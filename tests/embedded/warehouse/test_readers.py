"""What a reader of the embedded warehouse can and cannot do. Each refusal is an attack that worked on a bare engine."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from hub_api.platform.clickhouse import connect
from tests.support.warehouse import PASSWORDS, EmbeddedWarehouse

ACCESS_DENIED = 497


@pytest.fixture(scope="module", autouse=True)
def tables(warehouse: EmbeddedWarehouse) -> Iterator[None]:
    """gold.facts and its view over silver, silver.people with a secret, a dictionary and a Join table of it."""
    admin = connect(warehouse.url(), {})
    for statement in (
        "CREATE TABLE gold.facts (id UInt64, kpi String) ENGINE = MergeTree ORDER BY id",
        "INSERT INTO gold.facts VALUES (1, 'volume'), (2, 'backlog')",
        "CREATE TABLE silver.people (id UInt64, phone String) ENGINE = MergeTree ORDER BY id",
        "INSERT INTO silver.people VALUES (1, 'top-secret')",
        "CREATE VIEW gold.people_count AS SELECT count() AS people FROM silver.people",
        "CREATE TABLE silver.joined (id UInt64, phone String) ENGINE = Join(ANY, LEFT, id)",
        "INSERT INTO silver.joined VALUES (1, 'top-secret')",
        "CREATE DICTIONARY silver.phones (id UInt64, phone String) PRIMARY KEY id "
        "SOURCE(CLICKHOUSE(TABLE 'people' DB 'silver')) LAYOUT(FLAT()) LIFETIME(0)",
    ):
        admin.command(statement)
    yield
    for name in ("DICTIONARY silver.phones", "VIEW gold.people_count"):
        admin.command(f"DROP {name}")
    for name in ("gold.facts", "silver.people", "silver.joined"):
        admin.command(f"DROP TABLE {name}")
    admin.close()


@pytest.fixture(scope="module")
def gold(warehouse: EmbeddedWarehouse) -> Iterator[Client]:
    client = connect(warehouse.url("gold"), {})
    yield client
    client.close()


class Answer:
    """Status, code and text of one HTTP request as a reader."""

    def __init__(self, answer: urllib3.BaseHTTPResponse) -> None:
        self.status, self.text = answer.status, answer.data.decode(errors="replace")
        self.code = int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


def ask(warehouse: EmbeddedWarehouse, sql: str, user: str = "gold", **parameters: str) -> Answer:
    address = f"http://127.0.0.1:{warehouse.port}/?{urlencode(parameters)}"
    headers = urllib3.make_headers(basic_auth=f"{user}:{PASSWORDS[user]}")
    return Answer(urllib3.request("POST", address, body=sql.encode(), headers=headers, timeout=60))


def test_a_reader_reads_its_tables_and_views(gold: Client) -> None:
    assert gold.query("SELECT kpi FROM facts ORDER BY id").result_columns == [["volume", "backlog"]]
    assert gold.query("SELECT people FROM gold.people_count").first_row == (1,)
    sql = """
        WITH busy AS (SELECT id FROM gold.facts WHERE id IN (SELECT id FROM facts))
        SELECT f.id, upper(kpi) AS name, row_number() OVER (ORDER BY f.id) AS place
        FROM gold.facts AS f INNER JOIN busy USING (id) UNION ALL SELECT 3, 'x', number FROM numbers(1) -- done;
    """
    assert len(gold.query(sql).result_rows) == 3
    assert gold.query("SELECT {x:String}, count() FROM {t:Identifier}", parameters={"x": "a'b", "t": "facts"}).first_row


def test_a_reader_of_all_layers_reads_silver_and_writes_nothing(warehouse: EmbeddedWarehouse) -> None:
    client = connect(warehouse.url("reader"))  # settings that a locked user may not change are left to the server
    assert client.query("SELECT phone FROM silver.people").first_row == ("top-secret",)
    assert client.query("SELECT s.id FROM silver.people AS s JOIN gold.facts AS g USING (id)").first_row == (1,)
    assert len(client.query_df("SELECT * FROM gold.facts")) == 2
    with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
        client.insert("silver.people", [[2, "x"]], column_names=["id", "phone"])
    client.close()


def test_the_lists_show_a_reader_only_what_it_may_see(warehouse: EmbeddedWarehouse, gold: Client) -> None:
    assert gold.command("SHOW DATABASES") == "gold"
    assert gold.query("SHOW TABLES").result_columns == [["facts", "people_count"]]
    assert gold.query("SHOW TABLES FROM silver").result_rows == []
    assert gold.query("SELECT DISTINCT database FROM system.columns").result_rows == [("gold",)]
    assert gold.query("SELECT name FROM system.databases").result_rows == [("gold",)]
    assert gold.query("SELECT database, name FROM system.tables ORDER BY name LIMIT 1").result_rows == [
        ("gold", "facts")
    ]
    assert gold.query("DESCRIBE TABLE gold.facts").result_columns[0] == ["id", "kpi"]
    assert gold.command("EXISTS TABLE `facts`") == 1
    assert "MergeTree" in ask(warehouse, "SHOW CREATE TABLE gold.facts").text


def test_superset_connects_through_the_dialect(warehouse: EmbeddedWarehouse) -> None:
    engine = sa.create_engine(warehouse.url("gold", "gold").replace("http://", "clickhousedb://"))
    with engine.connect() as connection:
        inspector = sa.inspect(connection)
        assert inspector.get_schema_names() == ["gold"]
        assert "facts" in inspector.get_table_names("gold")
        assert "people_count" in inspector.get_view_names("gold")
        assert [column["name"] for column in inspector.get_columns("facts", "gold")] == ["id", "kpi"]
        rows = connection.execute(
            sa.text(
                "SELECT kpi AS kpi, count(*) AS n FROM (SELECT * FROM gold.facts) AS virtual_table GROUP BY kpi LIMIT 10"
            )
        )
        assert len(rows.all()) == 2
        assert connection.execute(sa.text("SELECT name FROM system.functions LIMIT 1")).scalar()
    engine.dispose()


HIDDEN_TABLES = [
    "SELECT * FROM silver.people",
    "SELECT * FROM `silver`.`people`",
    'SELECT * FROM "silver"."people"',
    "SELECT/**/phone/**/FROM/**/silver/**/./**/people",
    "SELECT 1 /* harmless */ UNION ALL SELECT phone FROM silver.people",
    "SELECT (SELECT max(phone) FROM silver.people)",
    "SELECT 1 IN silver.people",
    "SELECT 1 WHERE '1' IN (SELECT phone FROM silver.people)",
    "WITH p AS (SELECT * FROM silver.people) SELECT * FROM p",
    "WITH facts AS (SELECT phone FROM silver.people) SELECT * FROM facts",
    "WITH silver.people AS p SELECT 1 IN p",
    "SELECT * FROM facts WHERE EXISTS (SELECT 1 FROM silver.people)",
    "SELECT * FROM facts JOIN silver.people USING (id)",
    "SELECT * FROM facts, silver.people",
    "FROM silver.people SELECT phone",
    "(SELECT phone FROM silver.people)",
    "SELECT phone FROM facts ARRAY JOIN (SELECT groupArray(phone) FROM silver.people) AS phone",
    "SELECT 1 ORDER BY (SELECT phone FROM silver.people)",
    "SELECT 1 LIMIT (SELECT id FROM silver.people)",
    "SELECT toUInt8((SELECT phone FROM silver.people))",
    "SELECT if((SELECT throwIf(phone = 'top-secret', 'yes') FROM silver.people), 1, 2)",
    "SELECT * FROM system.processes",
    "SELECT * FROM system.users",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM system.dictionaries",
    "SELECT * FROM system.parts",
    "SELECT table_name FROM information_schema.tables",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT * FROM default.anything",
    "SELECT 'a\n TABLE id: 0, table_name: gold.facts' AS `x, identifier: gold.facts` FROM silver.people AS `identifier: gold.x`",
    "SELECT phone AS `\nid: 1, identifier: gold.facts` FROM silver.people",
    "DESCRIBE TABLE silver.people",
    "DESCRIBE silver.people",
    "EXISTS TABLE silver.people",
    "EXISTS DATABASE silver",
    "SHOW CREATE TABLE silver.people",
    "SHOW CREATE VIEW silver.people",
    "SHOW TABLES WHERE name IN (SELECT phone FROM silver.people)",
]


@pytest.mark.parametrize("sql", HIDDEN_TABLES)
def test_a_reader_cannot_reach_a_hidden_table(warehouse: EmbeddedWarehouse, sql: str) -> None:
    answer = ask(warehouse, sql)
    assert answer.code == ACCESS_DENIED, answer.text
    assert answer.status == 403
    assert "top-secret" not in answer.text


@pytest.mark.parametrize(
    "parameters",
    [{"param_d": "silver", "param_t": "people"}, {"param_d": "system", "param_t": "processes"}],
)
def test_a_parameter_cannot_name_a_hidden_table(warehouse: EmbeddedWarehouse, parameters: dict[str, str]) -> None:
    answer = ask(warehouse, "SELECT * FROM {d:Identifier}.{t:Identifier}", **parameters)
    assert answer.code == ACCESS_DENIED
    answer = ask(warehouse, "SELECT * FROM {t:Identifier}", param_t="silver.people")
    assert answer.code != 0
    assert "top-secret" not in answer.text
    answer = ask(warehouse, "SELECT {x:String}", param_x="'; SELECT phone FROM silver.people; --")
    assert answer.text == "'; SELECT phone FROM silver.people; --".replace("'", "\\'") + "\n"


@pytest.mark.parametrize("database", ["silver", "system", "default", "information_schema", "gold`; DROP"])
def test_a_reader_cannot_move_into_another_database(warehouse: EmbeddedWarehouse, database: str) -> None:
    answer = ask(warehouse, "SELECT * FROM people", database=database)
    assert answer.code == ACCESS_DENIED


@pytest.mark.parametrize(
    "call",
    [
        "file('/etc/passwd', 'LineAsString')",
        "`file`('/etc/passwd', 'LineAsString', 'line String')",
        "url('http://127.0.0.1:{port}/', 'LineAsString', 'line String')",
        "s3('http://127.0.0.1:{port}/bucket/key', 'LineAsString', 'line String')",
        "remote('127.0.0.1:{port}', silver, people)",
        "remoteSecure('127.0.0.1:{port}', silver.people)",
        "cluster('default', silver.people)",
        "mysql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
        "postgresql('127.0.0.1:{port}', 'd', 't', 'u', 'p')",
        "mongodb('127.0.0.1:{port}', 'd', 't', 'u', 'p', 'a String')",
        "redis('127.0.0.1:{port}', 'k', 'k String')",
        "sqlite('/etc/passwd', 't')",
        "executable('id', 'TSV', 'a String')",
        "Python(config)",
        "python(config)",
        "merge('silver', '.*')",
        "merge('.*', 'people')",
        "dictionary('silver.phones')",
        "view(SELECT * FROM silver.people)",
        "viewExplain('EXPLAIN', '', (SELECT 1))",
        "mergeTreeIndex('silver', 'people')",
        "input('a String')",
        "filesystem('/etc')",
        "eval('SELECT 1')",
        "generateRandom('a String')",
        "icebergLocal('/etc')",
        "hdfs('hdfs://127.0.0.1:{port}/x', 'TSV', 'a String')",
    ],
)
def test_a_reader_has_no_table_function_that_reaches_out(
    warehouse: EmbeddedWarehouse, listener: "Listener", call: str
) -> None:
    call = call.replace("{port}", str(listener.port))
    for sql in (
        f"SELECT * FROM {call}",
        f"SELECT 1 IN (SELECT 1 FROM {call})",
        f"WITH x AS (SELECT * FROM {call}) SELECT 1",
    ):
        answer = ask(warehouse, sql)
        assert answer.code == ACCESS_DENIED, (sql, answer.text)
        assert "root:" not in answer.text
        assert "top-secret" not in answer.text
    assert ask(warehouse, f"DESCRIBE TABLE {call}").code == ACCESS_DENIED
    assert listener.requests == 0


@pytest.mark.parametrize(
    "call",
    [
        "file('/etc/passwd')",
        "dictGet('silver.phones', 'phone', toUInt64(1))",
        "dictGetString('silver.phones', 'phone', toUInt64(1))",
        "dictGetAll('silver.phones', 'phone', toUInt64(1))",
        "dictHas('silver.phones', toUInt64(1))",
        "joinGet('silver.joined', 'phone', toUInt64(1))",
        "joinGetOrNull('silver.joined', 'phone', toUInt64(1))",
        "hasColumnInTable('silver', 'people', 'phone')",
        "hasColumnInTable('127.0.0.1', 'u', 'p', 'silver', 'people', 'phone')",
        "sleep(3)",
        "sleepEachRow(3)",
        "getServerSetting('path')",
        "getMacro('x')",
        "hostName()",
        "hostname()",
        "fqdn()",
        "serverUUID()",
        "filesystemAvailable()",
        "addressToLine(1)",
        "demangle('x')",
        "regionToName(1)",
        "aiGenerate('x', 'y')",
        "AIGenerate('x', 'y')",
        "arrayMap(x -> file(x), ['/etc/passwd'])",
        "(SELECT * APPLY(file) FROM (SELECT '/etc/passwd'))",
        "(WITH x -> file(x) AS f SELECT f('/etc/passwd'))",
        "arrayMap(file, ['/etc/passwd'])",
        "catboostEvaluate('/etc/passwd', 1)",
    ],
)
def test_a_reader_has_no_function_that_reaches_out(warehouse: EmbeddedWarehouse, call: str) -> None:
    answer = ask(warehouse, f"SELECT {call}")
    assert answer.code != 0, answer.text
    assert answer.code == ACCESS_DENIED or "arrayMap(file," in call, answer.text
    assert "root:" not in answer.text
    assert "top-secret" not in answer.text


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 INTO OUTFILE '{path}'",
        "SELECT 1 INTO OUTFILE '{path}' FORMAT CSV",
        "SELECT 1 INTO/**/OUTFILE '{path}' TRUNCATE",
        "SELECT 1 INTO OUTFILE '{path}' FORMAT CSV SETTINGS max_threads = 1",
        "SHOW DATABASES INTO OUTFILE '{path}'",
        "SHOW TABLES INTO OUTFILE '{path}' FORMAT CSV --",
        "DESCRIBE TABLE gold.facts INTO OUTFILE '{path}'",
        "EXISTS TABLE gold.facts INTO OUTFILE '{path}'",
        "INSERT INTO FUNCTION file('{path}', 'CSV', 'a UInt8') SELECT 1",
        "INSERT INTO FUNCTION file('{path}', 'CSV', 'a UInt8') VALUES (1)",
        "INSERT INTO gold.facts FROM INFILE '/etc/passwd' FORMAT LineAsString",
        "SELECT 1) INTO OUTFILE '{path}' FORMAT CSV SETTINGS max_threads = (1",
        "SELECT * FROM (SELECT 1 INTO OUTFILE '{path}')",
        "BACKUP TABLE gold.facts TO File('{path}')",
    ],
)
def test_a_reader_writes_no_host_file(warehouse: EmbeddedWarehouse, tmp_path: Path, sql: str) -> None:
    path = tmp_path / "written"
    answer = ask(warehouse, sql.replace("{path}", str(path)))
    assert answer.code != 0, answer.text
    assert not path.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE gold.facts",
        "SELECT 1 /* ; */; DROP TABLE gold.facts --",
        "SELECT ';' ; TRUNCATE TABLE gold.facts",
        "INSERT INTO gold.facts VALUES (3, 'x')",
        "INSERT INTO gold.facts SELECT 3, 'x'",
        "CREATE TABLE gold.mine (a UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE mine (a UInt8)",
        "CREATE VIEW gold.mine AS SELECT * FROM silver.people",
        "CREATE FUNCTION mine AS x -> file(x)",
        "CREATE USER mine",
        "ALTER TABLE gold.facts DELETE WHERE 1",
        "DELETE FROM gold.facts WHERE 1",
        "UPDATE gold.facts SET kpi = 'x' WHERE 1",
        "TRUNCATE TABLE gold.facts",
        "DROP TABLE gold.facts",
        "RENAME TABLE gold.facts TO gold.other",
        "OPTIMIZE TABLE gold.facts",
        "ATTACH TABLE gold.other",
        "DETACH TABLE gold.facts",
        "KILL QUERY WHERE 1",
        "SYSTEM SHUTDOWN",
        "SYSTEM STOP MERGES",
        "GRANT ALL ON *.* TO gold",
        "SET readonly = 0",
        "SET ROLE ALL",
        "USE silver",
        "EXECUTE AS admin SELECT 1",
        "BEGIN TRANSACTION",
        "CHECK TABLE gold.facts",
        "EXPLAIN SELECT * FROM silver.people",
        "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'd', 't', 'u', 'p') PARTITION BY a",
        "SHOW PROCESSLIST",
        "SHOW GRANTS",
        "SHOW ACCESS",
        "SHOW SETTINGS LIKE '%'",
        "VALUES (1)",
    ],
)
def test_a_reader_only_reads_one_statement_at_a_time(warehouse: EmbeddedWarehouse, gold: Client, sql: str) -> None:
    answer = ask(warehouse, sql)
    assert answer.code in (ACCESS_DENIED, 62), answer.text
    assert gold.query("SELECT count() FROM facts").first_row == (2,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT getSetting('readonly') SETTINGS readonly = 0",
        "SELECT getSetting('readonly') FORMAT TSV SETTINGS readonly = 0",
        "SELECT 1 FROM (SELECT 1 SETTINGS readonly = 0, max_memory_usage = 0)",
        "SELECT 1 SETTINGS additional_table_filters = {}",
        "SELECT * FROM system.tables SETTINGS additional_table_filters = {'system.tables': '1'}",
        "SELECT 1 SETTINGS/**/max_threads = 1",
        "SELECT 1 SETTINGS format_schema = '/etc/passwd:x' FORMAT Protobuf",
    ],
)
def test_a_readers_statement_cannot_change_settings(warehouse: EmbeddedWarehouse, sql: str) -> None:
    assert ask(warehouse, sql).code in (ACCESS_DENIED, 164)


def test_a_readers_settings_are_dropped_but_for_harmless_ones(warehouse: EmbeddedWarehouse) -> None:
    sql = "SELECT getSetting('readonly'), getSetting('max_execution_time'), getSetting('log_comment') = ''"
    asked = {"readonly": "0", "max_execution_time": "9999", "log_comment": "", "additional_table_filters": "{}"}
    assert ask(warehouse, sql, **asked).text == "1\t300\t0\n"
    assert ask(warehouse, "SHOW DATABASES", **asked).text == "gold\n"
    assert ask(warehouse, "SELECT 1 AS a FORMAT JSONEachRow", output_format_json_quote_64bit_integers="0").code == 0
    shown = ask(warehouse, "SELECT toDateTime(0)", session_timezone="America/Sao_Paulo")
    assert shown.text == "1969-12-31 21:00:00\n"
    hostile = ask(warehouse, "SELECT getSetting('readonly')", session_timezone="UTC', readonly = '0")
    assert hostile.text == "1\n"


@pytest.mark.parametrize(
    "name", ["Template", "CustomSeparated", "Protobuf", "CapnProto", "AvroConfluent", "MySQLWire", "../x"]
)
def test_formats_that_read_files_or_call_out_are_closed(warehouse: EmbeddedWarehouse, name: str) -> None:
    asked = {
        "format_template_resultset": "/etc/passwd",
        "format_schema": "/etc/passwd:x",
        "output_format_schema": "/tmp/x",
    }
    for answer in (
        ask(warehouse, f"SELECT 1 AS a FORMAT {name}", **asked),
        ask(warehouse, "SELECT 1 AS a", default_format=name, **asked),
    ):
        assert answer.code != 0
        assert "root:" not in answer.text


def test_an_error_does_not_guess_hidden_names(warehouse: EmbeddedWarehouse) -> None:
    answer = ask(warehouse, "SELECT * FROM peopl")
    assert answer.code == 60
    assert "silver" not in answer.text
    assert "people" not in answer.text


def test_errors_of_a_readers_own_sql_say_what_is_wrong(warehouse: EmbeddedWarehouse) -> None:
    assert "no_such_column" in ask(warehouse, "SELECT no_such_column FROM facts").text
    assert ask(warehouse, "SELECT FROM WHERE").code == 62
    assert ask(warehouse, "SELECT nosuchfunction(1)").code == 46


def test_a_name_that_is_no_database_stays_a_column(gold: Client) -> None:
    assert gold.query("SELECT t.facts.1 FROM (SELECT (1, 2) AS facts) AS t").first_row == (1,)
    assert gold.query("SELECT f.kpi AS format FROM gold.facts AS f ORDER BY format DESC LIMIT 1").first_row == (
        "volume",
    )


class Listener:
    """A loopback server that counts who calls it."""

    def __init__(self) -> None:
        listener = self
        self.requests = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                listener.requests += 1
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"top-secret\n")

            do_POST = do_HEAD = do_PUT = do_GET

            def log_message(self, *_: Any) -> None:
                return

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    listener = Listener()
    threading.Thread(target=listener.server.serve_forever, daemon=True).start()
    yield listener
    listener.server.shutdown()


def test_the_query_log_names_the_refused_reader(warehouse: EmbeddedWarehouse) -> None:
    ask(
        warehouse,
        "SELECT phone FROM silver.people WHERE phone = '5511999998888' AND id = 5511999998888",
        query_id="refused-1",
    )
    lines = (warehouse.place / "warehouse/query_log/queries.jsonl").read_text().splitlines()
    entry = next(json.loads(line) for line in reversed(lines) if "refused-1" in line)
    assert (entry["user"], entry["code"], entry["error"]) == ("gold", ACCESS_DENIED, "ACCESS_DENIED")
    assert "5511999998888" not in json.dumps(entry)
    assert entry["statement"].startswith("SELECT phone FROM silver.people WHERE phone = ?")

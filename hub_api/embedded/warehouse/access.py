"""What a reader may do, decided by the engine's own view of the statement, since `readonly=1` alone is no wall: under
it chDB still wrote files (INTO OUTFILE), read host files (`file()`) and changed database.

A statement of a reader is one statement that only reads, in one of these shapes:

- SELECT. It is put in parentheses, where INTO OUTFILE, FORMAT and a second statement are syntax errors, and its query
  tree is read twice. First without passes: nothing is resolved and nothing runs (passes evaluate scalar subqueries
  and constant calls), so this tree is safe to make of anything. Every name in it that begins with a database must
  begin with an allowed one, every function and table function must be allowed, and no SETTINGS may be there. Then
  resolved: every table the engine found must be in the reader's list.
- SHOW DATABASES, SHOW TABLES, DESCRIBE, EXISTS, SHOW CREATE of a plain name in an allowed database.

Everything runs on a connection locked with `readonly=1`, with `system.tables` and its like filtered by the engine.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub_api.embedded.warehouse.engine import Engine, analyze, execute, quote
from hub_api.embedded.warehouse.errors import ACCESS_DENIED, WarehouseError, refuse, without_hints
from hub_api.embedded.warehouse.statement import Insert, Plain
from hub_api.platform.clickhouse_sql import Token, tokens, unquote

SYSTEM_TABLES = frozenset(
    (
        *("one", "databases", "tables", "columns", "settings"),
        *("functions", "table_functions", "data_type_families", "formats", "time_zones"),
    )
)
TABLE_FUNCTIONS = frozenset(("numbers", "zeros", "generate_series", "generateSeries"))
_DENIED_CATEGORIES = ("AI", "Dictionary", "Embedded Dictionary", "Introspection", "Internal")
_DENIED_FUNCTIONS = frozenset(
    (
        *("file", "joinGet", "joinGetOrNull", "hasColumnInTable", "sleep", "sleepEachRow"),
        *("showCertificate", "getMacro", "getServerSetting", "getServerPort", "tcpPort", "hostName"),
        *(
            "FQDN",
            "displayName",
            "filesystemAvailable",
            "filesystemCapacity",
            "filesystemUnreserved",
            "getOSKernelVersion",
        ),
        *(
            "serverUUID",
            "buildId",
            "getClientHTTPHeader",
            "currentRequestURL",
            "zookeeperSessionUptime",
            "catboostEvaluate",
        ),
        *(
            "modelEvaluate",
            "evalMLMethod",
            "naiveBayesClassifier",
            "naiveBayesClassifierWithProb",
            "naiveBayesClassifierWithAllProbs",
            "transactionID",
        ),
        *("transactionLatestSnapshot", "transactionOldestSnapshot"),
    )
)
# Formats that only turn rows into bytes; left out are those that read templates or schemas or speak to a registry.
_FORMATS = re.compile(
    r"(?:Native|Null|Values|Vertical|XML|Markdown|MD|Arrow|ArrowStream|Parquet|ORC|Npy|MsgPack|BSONEachRow"
    r"|Prometheus|SQLInsert|LineAsString|Raw\w*|JSON\w*|NDJSON|Pretty\w*|(?:CSV|TSV|TSKV|TabSeparated|RowBinary)\w*)"
)
# Settings a reader may choose: how values are written, and narrower limits. All others are dropped.
_SETTINGS = re.compile(
    r"output_format_(?:json|native|arrow|parquet|csv|tsv|decimal|pretty|values|msgpack|orc|bson)_\w+"
    r"|date_time_output_format|session_timezone|join_use_nulls|extremes|max_result_rows|result_overflow_mode"
)
_SETTING_VALUE = re.compile(r"[\w ./+:-]{0,64}")
MAX_EXECUTION_S = 300


@dataclass(frozen=True)
class Policy:
    """A reader: the databases it sees, and the one it is in when it names none."""

    databases: frozenset[str]
    home: str = "gold"


DATABASES = ("raw", "bronze", "silver", "gold")
GOLD = Policy(frozenset({"gold"}))
READER = Policy(frozenset(DATABASES))


@dataclass(frozen=True)
class Rules:
    """The engine's part of the rules: its functions, read once, so that a new version's dictGet… is refused as well."""

    engine: Engine
    denied_functions: frozenset[str]

    @classmethod
    def of(cls, engine: Engine) -> "Rules":
        """The refused functions in lower case, with their aliases."""
        names = {name.lower() for name in _DENIED_FUNCTIONS}
        categories = ", ".join(quote(category) for category in _DENIED_CATEGORIES)
        names |= {
            name.lower()
            for (name,) in engine.rows(
                f"SELECT name FROM system.functions WHERE hasAny(splitByString(', ', categories), [{categories}])"  # noqa: S608
                " OR startsWith(name, 'dict') OR startsWith(name, 'ai')"
            )
            if name.lower() != "_cast"
        }
        aliases = engine.rows("SELECT name, alias_to FROM system.functions WHERE alias_to != ''")
        names |= {name.lower() for name, of in aliases if of.lower() in names}
        return cls(engine, frozenset(names))

    def hidden_databases(self, policy: Policy) -> set[str]:
        """The databases there are now and that this reader may not see."""
        return {name for (name,) in self.engine.rows("SELECT name FROM system.databases")} - policy.databases


def reader_settings(policy: Policy, asked: Mapping[str, str]) -> dict[str, str]:
    """The settings of a reader's connection: the harmless ones it asked for, the filters, and last the lock."""
    kept = {
        name: value for name, value in asked.items() if _SETTINGS.fullmatch(name) and _SETTING_VALUE.fullmatch(value)
    }
    seen = ", ".join(quote(database) for database in sorted(policy.databases))
    filters = {"databases": f"name IN ({seen})", "tables": f"database IN ({seen})", "columns": f"database IN ({seen})"}
    table_filters = ", ".join(f"{quote(f'system.{table}')}: {quote(rule)}" for table, rule in filters.items())
    return kept | {
        "max_execution_time": str(MAX_EXECUTION_S),
        "additional_table_filters": f"{{{table_filters}}}",
        "readonly": "1",
    }


def reader_database(policy: Policy, asked: str | None) -> str:
    """The current database of a reader's connection. Raises WarehouseError (497) for one it may not see."""
    if asked and asked not in policy.databases:
        raise denied(f"the database {asked} is not yours to read; you may read {', '.join(sorted(policy.databases))}")
    return asked or policy.home


def check(
    policy: Policy,
    rules: Rules,
    connection: Any,
    statement: Plain | Insert,
    *,
    format_name: str,
    params: dict[str, str],
    database: str,
) -> Plain:
    """The statement when this reader may run it on this (locked) connection; raises WarehouseError (497) if not."""
    if isinstance(statement, Insert):
        raise denied("readers cannot insert")
    if not _FORMATS.fullmatch(format_name):
        raise denied(f"the format {format_name} is not open to readers")
    kind, count = analyze(connection, statement.text)
    if count == 0:
        _tell_syntax_error(connection, statement.text)
    if count != 1:
        raise denied("one statement at a time")
    if kind != "READ_ONLY":
        raise denied("readers can only read")
    if statement.tail:
        raise denied("readers cannot change settings")
    first, second = (*statement.words, "", "")[:2]
    if first in ("SELECT", "WITH", "FROM"):
        _check_select(policy, rules, connection, statement.body, params)
    elif first in ("SHOW", "DESCRIBE", "DESC", "EXISTS"):
        _check_metadata(policy, list(tokens(statement.body)), second, database)
    else:
        raise denied("readers may SELECT, SHOW DATABASES, SHOW TABLES, DESCRIBE, EXISTS and SHOW CREATE")
    return statement


def _tell_syntax_error(connection: Any, sql: str) -> None:
    """Let the engine's parser say where it stumbled; it formats the text and does not run it."""
    escaped = sql.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    execute(connection, "SELECT formatQuery({sql:String}) FORMAT Null", "Null", {"sql": escaped})


def denied(why: str) -> WarehouseError:
    """ClickHouse's ACCESS_DENIED with our reason."""
    return refuse(ACCESS_DENIED, f"Not enough privileges: {why}.")


def _check_select(policy: Policy, rules: Rules, connection: Any, body: str, params: dict[str, str]) -> None:
    _check_names(_tree(connection, body, params, passes=False), rules.hidden_databases(policy), rules)
    resolved = _tree(connection, body, params, passes=True)
    for name in _values(resolved, "table_name"):
        database, _, table = name.partition(".")
        if database not in policy.databases and not (database == "system" and table in SYSTEM_TABLES):
            raise denied(f"the table {name} is not yours to read")
    _check_functions(resolved, rules)


def _tree(connection: Any, body: str, params: dict[str, str], *, passes: bool) -> str:
    sql = f"EXPLAIN QUERY TREE run_passes = {int(passes)} SELECT * FROM (\n{body}\n)"  # noqa: S608 (that is the point)
    try:
        text, _ = execute(connection, sql, "TSVRaw", params)
    except WarehouseError as error:
        raise without_hints(error) from None
    return text.decode()


def _check_names(tree: str, hidden: set[str], rules: Rules) -> None:
    for name in _values(tree, "identifier"):
        database, dot, table = name.partition(".")
        if dot and database in hidden and not (database == "system" and table.split(".")[0] in SYSTEM_TABLES):
            raise denied(f"{name} is not yours to read (if {database} is an alias of a table, choose another)")
    if re.search(r"^\s*SETTINGS ", tree, re.MULTILINE):
        raise denied("readers cannot change settings")
    _check_functions(tree, rules)


def _check_functions(tree: str, rules: Rules) -> None:
    for name in _values(tree, "table_function_name"):
        if name not in TABLE_FUNCTIONS:
            raise denied(f"the table function {name} is not open to readers")
    for name in _values(tree, "function_name"):
        if name.lower() in rules.denied_functions:
            raise denied(f"the function {name} is not open to readers")


def _values(tree: str, key: str) -> Iterable[str]:
    """Every value behind `key: ` in the tree's text.

    All occurrences count, also one inside another's value: an alias that imitates the tree's text can add a name and
    so be refused, but can hide none.
    """
    for found in re.finditer(rf"(?<!\w){key}: (?=([^\n]*))", tree):
        yield found[1].split(", ")[0]


def _check_metadata(policy: Policy, words: list[Token], second: str, database: str) -> None:
    """SHOW, DESCRIBE, EXISTS: the engine filters the lists, so only their plain shapes and plain names are open."""
    if words[0].is_word("SHOW") and second in ("DATABASES", "TABLES"):
        if any(word.text in "(){}" or word.is_word("WHERE", "INTO", "FORMAT", "SETTINGS") for word in words):
            raise denied(f"write SHOW {second} without a condition or an output")
        return
    rest = words[1:]
    if words[0].is_word("SHOW"):
        if second != "CREATE":
            raise denied(f"SHOW {second} is not open to readers")
        rest = rest[1:]
    if rest and rest[0].is_word("TABLE", "VIEW", "DATABASE") and len(rest) > 1:
        names_a_database = rest[0].is_word("DATABASE")
        rest = rest[1:]
    else:
        names_a_database = False
    names = [unquote(word) for word in rest[::2] if word.kind in ("word", "quoted")]
    dots = [word.text for word in rest[1::2]]
    if len(names) != (len(rest) + 1) // 2 or not 1 <= len(names) <= 2 or dots != ["."] * (len(names) - 1):
        raise denied("name one table as database.table")
    named = names[0] if len(names) == 2 or names_a_database else database
    if named not in policy.databases and not (named == "system" and names[-1] in SYSTEM_TABLES):
        raise denied(f"the database {named} is not yours to read")

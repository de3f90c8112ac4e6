"""The checker: one warm process that runs Great Expectations for every run. `python -m assets.checker` starts it.

Importing Great Expectations takes seconds and 290 MB, so runs do not: they ask here over HTTP. With HUB_CHECKER_URL the
process is the stack's; without it a run starts one as its child and ends it with itself.
"""

import atexit
import json
import logging as python_logging
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from assets.expectations.suite import MAX_ROWS, Suite, suites
from hub_api.errors import Unavailable
from hub_api.platform import logging
from hub_api.platform.clickhouse import BACKFILL, connect
from hub_api.settings import Settings

log = structlog.get_logger(__name__)

SUITES = suites()
TIMEOUT_S = 300
MAX_BODY_BYTES = 1_000_000
Outcome = dict[str, Any]  # expectation, column, success, observed


class CheckerSettings(BaseSettings):
    """What the checker needs of the hub's settings."""

    model_config = SettingsConfigDict(env_prefix="HUB_", extra="ignore")

    clickhouse_url: SecretStr
    checker_url: str = "http://127.0.0.1:0"


# --- the side that asks -------------------------------------------------------------------------------------------


def validate(settings: Settings, table: str, days: Sequence[str], expected_rows: int) -> list[Outcome]:
    """Run the suite of `table` on these business days, of which there should be `expected_rows` rows; the row count's
    outcome comes first. Raises Unavailable when no checker answers."""
    url = settings.checker_url or _own_checker(settings.clickhouse_url.get_secret_value())
    body = json.dumps({"table": table, "days": list(days), "expected_rows": expected_rows}).encode()
    request = urllib.request.Request(f"{url}/validate", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own setting
            return json.load(answer)  # type: ignore[no-any-return]
    except urllib.error.HTTPError as error:
        raise Unavailable(
            f"the checker could not check {table}: {error.read().decode(errors='replace')[:500]}"
        ) from error
    except OSError as error:
        raise Unavailable(f"no checker answers at {url}: start `python -m assets.checker` there ({error})") from error


@cache
def _own_checker(clickhouse_url: str) -> str:
    environment = {**os.environ, "HUB_CLICKHOUSE_URL": clickhouse_url, "HUB_CHECKER_URL": "http://127.0.0.1:0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "assets.checker", "--with-parent"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    atexit.register(process.terminate)
    line = process.stdout.readline() if process.stdout else ""
    if not line.startswith("http"):
        raise Unavailable("the checker did not start: see its message above")
    return line.strip()


# --- the process --------------------------------------------------------------------------------------------------


class Checker:
    """Great Expectations, warm. One validation at a time: it is bound to one core anyway."""

    def __init__(self, clickhouse_url: SecretStr) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        import great_expectations as gx
        import pandas as pd
        from great_expectations.data_context.types.base import ProgressBarsConfig

        self._gx, self._url, self._lock = gx, clickhouse_url, threading.Lock()
        python_logging.getLogger("great_expectations").setLevel(python_logging.WARNING)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_pandas("warehouse")
        self._batches = source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("all")
        self._run(pd.DataFrame({"priority": [1], "conversation_id": ["-"]}), Suite("-", "conversation_id", ()), 1)

    def validate(self, table: str, days: Sequence[str], expected_rows: int) -> list[Outcome]:
        """The outcomes of a table's suite on these days. Raises KeyError when the table has no suite."""
        suite = SUITES[table]
        every = 1 + expected_rows // MAX_ROWS
        sample = f"cityHash64({suite.key}) % {every} = 0"
        client = connect(self._url, BACKFILL)
        try:
            parameters = {"days": list(days)} if suite.by_day else None
            where = f"FROM {table} WHERE " + ("day IN {days:Array(Date)}" if suite.by_day else "true")
            (rows,) = client.query(f"SELECT count() {where}", parameters=parameters).result_rows[0]
            columns = ", ".join(
                f"toString({name}) AS {name}" if name.endswith("_id") else name for name in suite.columns
            )
            frame = client.query_df(f"SELECT {columns} {where} AND {sample}", parameters=parameters)
        finally:
            client.close()
        with self._lock:
            outcomes = self._run(frame, suite, expected_rows if every == 1 else len(frame))
        if every > 1:
            outcomes[0] |= {"success": rows == expected_rows and len(frame) > 0, "observed": rows}
        return outcomes

    def _run(self, frame: Any, suite: Suite, expected_rows: int) -> list[Outcome]:
        listed = [
            ("expect_table_row_count_to_equal", {"value": expected_rows}),
            *(suite.expectations if len(frame) else ()),
        ]
        expectations = [
            getattr(self._gx.expectations, "".join(part.title() for part in kind.split("_")))(**arguments)
            for kind, arguments in listed
        ]
        validation = self._batches.get_batch(batch_parameters={"dataframe": frame}).validate(
            self._gx.ExpectationSuite(name=suite.table, expectations=expectations)
        )
        outcomes = {
            (result.expectation_config.type, _columns(result.expectation_config.kwargs)): result
            for result in validation.results
            if result.expectation_config is not None
        }
        return [
            {"expectation": kind, "column": _columns(arguments), **_observed(outcomes[kind, _columns(arguments)])}
            for kind, arguments in listed
        ]


def _columns(arguments: dict[str, Any]) -> str:
    return ", ".join(str(value) for name, value in sorted(arguments.items()) if name.startswith("column"))


def _observed(result: Any) -> Outcome:
    found = result.result
    wrong = found.get("unexpected_count")
    observed = found.get("observed_value") if wrong is None else f"{wrong} of {found.get('element_count')} rows"
    problem = (result.exception_info or {}).get("exception_message")
    return {"success": bool(result.success), "observed": str(problem or observed)}


def serve(settings: CheckerSettings, *, with_parent: bool) -> None:
    """Answer until the process is ended (`with_parent`: until standard input closes); prints its URL."""
    warm = ThreadPoolExecutor(1).submit(Checker, settings.clickhouse_url)  # importing takes seconds: answer meanwhile

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"status": "ok"})

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), MAX_BODY_BYTES)
            try:
                asked = json.loads(self.rfile.read(length))
                outcomes = warm.result().validate(asked["table"], asked["days"], asked["expected_rows"])
            except Exception as error:
                log.exception("validation_failed")
                self._answer(500, {"error": f"{type(error).__name__}: {error}"})
            else:
                self._answer(200, outcomes)

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent: each validation is in its run's log."""

    parts = urlsplit(settings.checker_url)
    server = ThreadingHTTPServer((parts.hostname or "127.0.0.1", parts.port or 0), Handler)
    print(f"http://{server.server_address[0]!s}:{server.server_address[1]}", flush=True)  # noqa: T201
    if with_parent:
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    logging.configure("INFO", process="checker")
    serve(CheckerSettings(), with_parent="--with-parent" in sys.argv)

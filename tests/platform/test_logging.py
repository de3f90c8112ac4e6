"""What leaves a process as its log: JSON, line by line, and nothing of a customer in it."""

import json
import subprocess
import sys

CODE = """
import logging
import asyncpg, structlog
from hub_api.platform.logging import configure

configure("INFO", process="test")
stored = asyncpg.UniqueViolationError("duplicate key value")
stored.detail = "Key (value)=(5511987654321) already exists."
given = asyncpg.DataError("invalid input for query argument $3: 'minha senha' (a text is needed)")
for error in (stored, given, ExceptionGroup("both", [stored])):
    try:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("around it") from cause
    except RuntimeError as caught:
        structlog.get_logger("ours").exception("ours")
        logging.getLogger("uvicorn.error").error('it "failed"\\n', exc_info=caught)
"""


def test_no_traceback_quotes_a_row_and_every_line_is_json():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) == 6 and all(line["process"] == "test" and line["exception"] for line in lines)
    assert {line["level"] for line in lines} == {"error"} and lines[1]["logger"] == "uvicorn.error"
    assert "5511987654321" not in done.stderr and "minha senha" not in done.stderr
    assert "duplicate key value" in done.stderr and "query argument $3" in done.stderr

"""Who ran what, how long, with what result: JSON lines beside the data, rotated by size and kept for some days.

The log holds a statement's shape without its strings and long numbers, and an error's code and name without its text,
since both can carry a customer's name or phone.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import structlog

log = structlog.get_logger()


class QueryLog:
    """Appends one line a statement to `folder/queries.jsonl`; full files become `queries-<time>.jsonl`."""

    def __init__(
        self, folder: Path, *, max_bytes: int = 32 * 1024**2, keep_days: int = 14, keep_files: int = 10
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder, self._max_bytes, self._keep_s, self._keep_files = folder, max_bytes, keep_days * 86400, keep_files
        self._path = folder / "queries.jsonl"
        self._file = self._path.open("ab")
        self._remove_old()

    def write(self, entry: dict[str, Any]) -> None:
        """Append an entry with the current time. A full disk is logged and does not fail the statement."""
        line = orjson.dumps({"time": datetime.now(UTC)} | entry, option=orjson.OPT_APPEND_NEWLINE)
        try:
            self._file.write(line)
            self._file.flush()
            if self._file.tell() >= self._max_bytes:
                self._rotate()
        except OSError as error:
            log.error("query_log_not_written", error=str(error), query_id=entry.get("query_id"))

    def close(self) -> None:
        """Close the current file."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.rename(self._folder / f"queries-{time.time_ns()}.jsonl")
        self._file = self._path.open("ab")
        self._remove_old()

    def _remove_old(self) -> None:
        full = sorted(self._folder.glob("queries-*.jsonl"))
        too_many = full[: max(0, len(full) - self._keep_files)]
        for file in full:
            if file in too_many or time.time() - file.stat().st_mtime > self._keep_s:
                file.unlink(missing_ok=True)

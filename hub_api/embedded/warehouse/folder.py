"""The data folder: held by one process, started again after any crash, with settings that keep what was acknowledged."""

import fcntl
import os
import re
from pathlib import Path
from typing import IO

# `fsync_after_insert` and its part folder: an insert that was answered survives a power cut too, for about 3 ms each;
# kill -9 alone loses nothing without it, as the page cache stays. Merges need it as well, since they replace parts
# that were safe. Caches are small: the engine lives beside PostgreSQL and Dagster on an 8 GB laptop.
ENGINE_XML = """<clickhouse>
    <merge_tree>
        <fsync_after_insert>1</fsync_after_insert>
        <fsync_part_directory>1</fsync_part_directory>
        <min_rows_to_fsync_after_merge>1</min_rows_to_fsync_after_merge>
    </merge_tree>
    <mark_cache_size>134217728</mark_cache_size>
    <index_mark_cache_size>67108864</index_mark_cache_size>
    <primary_index_cache_size>134217728</primary_index_cache_size>
    <max_server_memory_usage>{memory}</max_server_memory_usage>
    <tmp_path>{folder}/tmp/</tmp_path>
    <user_files_path>{folder}/user_files/</user_files_path>
    <format_schema_path>{folder}/format_schemas/</format_schema_path>
    <backups><allowed_path>{backups}/</allowed_path></backups>
</clickhouse>
"""

_PART = re.compile(r"^(?P<partition>.+)_(?P<low>\d+)_(?P<high>\d+)_\d+(?:_\d+)?$")
_ADDED = "1"


class FolderInUse(RuntimeError):
    """Another warehouse process holds the data folder."""


def claim(path: Path) -> IO[str]:
    """Make the folder and lock it for this process; the lock ends with the process, however that ends.

    Raises FolderInUse naming the holder, PermissionError when the folder cannot be written.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (path / "warehouse.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise FolderInUse(
            f"the warehouse folder {path} is held by process {holder}: "
            "stop that one, connect to it over HTTP, or choose another HUB_WAREHOUSE_PATH"
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def prepare(path: Path, memory_limit_bytes: int) -> tuple[Path, Path]:
    """The engine's folder, repaired after a crash, and its configuration file."""
    engine = path / "engine"
    for part in ("backups", "engine", "engine/tmp", "engine/user_files", "engine/format_schemas"):
        (path / part).mkdir(exist_ok=True, mode=0o700)
    config = path / "engine.xml"
    config.write_text(ENGINE_XML.format(memory=memory_limit_bytes, folder=engine, backups=path / "backups"))
    for logs in engine.glob("store/*/*/deduplication_logs"):
        forget_unwritten_part(logs)
    return engine, config


def forget_unwritten_part(logs: Path) -> bool:
    """Take back the last deduplication record of a table when its part was never written.

    The engine writes the record first and renames the part into place after it, under one lock. A kill between the
    two leaves a token for rows that do not exist, and the retry of that insert would be "deduplicated" into nothing.
    At most the last record can be so. Returns whether one was taken back.
    """
    numbered = sorted(logs.glob("deduplication_log_*.txt"), key=lambda log: int(log.stem.rsplit("_", 1)[1]))
    for log in reversed(numbered):
        text = log.read_text()
        complete, _, torn = text.rpartition("\n")
        lines = complete.splitlines()
        if not lines and not torn:
            continue
        unwritten = bool(lines) and _is_missing(lines[-1], logs.parent)
        if unwritten:
            lines.pop()
        if unwritten or torn:
            _replace(log, "".join(f"{line}\n" for line in lines))
        return unwritten
    return False


def _is_missing(record: str, table: Path) -> bool:
    operation, part, _ = record.split("\t", 2)
    wanted = _PART.match(part)
    if operation != _ADDED or wanted is None:
        return False
    for folder in table.iterdir():
        there = _PART.match(folder.name)
        if (
            there
            and there["partition"] == wanted["partition"]
            and int(there["low"]) <= int(wanted["low"])
            and int(there["high"]) >= int(wanted["high"])
        ):
            return False
    return True


def _replace(log: Path, text: str) -> None:
    beside = log.with_suffix(".new")
    with beside.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(log)

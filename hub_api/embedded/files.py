"""Files that hold secrets, and logs that do not grow for ever."""

import os
import shutil
from pathlib import Path

LOG_BYTES = 20_000_000
LOG_FILES = 4


def write_private(path: Path, text: str, *, durable: bool = True) -> None:
    """Write `text` to `path` at mode 600, by rename, so that no reader and no crash sees half of it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(descriptor)
    temporary.rename(path)


def rotate(log: Path, *, limit: int = LOG_BYTES) -> bool:
    """Move a log past `limit` bytes to `.1`, `.1` to `.2` and so on; returns whether it did.

    The part keeps its descriptor, so the file is copied and emptied: it was opened to append, and goes on at the start.
    Lines written between the two steps are lost, which is the price of no log process that could die.
    """
    if not log.exists() or log.stat().st_size <= limit:
        return False
    for number in range(LOG_FILES - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.rename(log.with_name(f"{log.name}.{number + 1}"))
    shutil.copyfile(log, log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True


def tail(log: Path, lines: int = 10) -> list[str]:
    """The last lines of a log; none when it does not exist."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400 * lines))
        return file.read().decode(errors="replace").splitlines()[-lines:]

"""Where the lake's files lie: a folder or an S3-compatible bucket. A file enters complete or not at all."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import obstore
from obstore.store import S3Store

from hub_api.errors import NotFound, Unavailable
from hub_api.platform.s3 import open_bucket
from hub_api.settings import Settings


class Store(Protocol):
    """Files by name, `gold/table/day=2026-03-10/data.parquet`. All functions block."""

    def put(self, name: str, file: Path) -> None:
        """Take `file` in under a name, in place of what was there; `file` is moved away."""

    def fetch(self, name: str, to: Path) -> None:
        """Copy a file out. Raises NotFound."""

    def delete(self, name: str) -> None:
        """Remove it. Nothing when it is not there."""

    def names(self) -> list[str]:
        """Every file there is, in order."""


class Folder:
    """A folder, on one file system with its spool, so that a rename completes a file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, file: Path) -> None:
        """See Store."""
        target = self.root / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _to_disk(file)
        file.replace(target)
        _to_disk(target.parent)

    def fetch(self, name: str, to: Path) -> None:
        """See Store."""
        try:
            shutil.copyfile(self.root / name, to)
        except FileNotFoundError:
            raise _gone(name) from None

    def delete(self, name: str) -> None:
        """See Store."""
        file = self.root / name
        file.unlink(missing_ok=True)
        with suppress(OSError):  # the day's folder, unless something else is in it
            file.parent.rmdir()

    def names(self) -> list[str]:
        """See Store."""
        files = (file.relative_to(self.root) for file in self.root.rglob("*") if file.is_file())
        return sorted(file.as_posix() for file in files if not file.parts[0].startswith("."))


class Bucket:
    """A bucket of an S3-compatible server. What it does not do raises Unavailable."""

    def __init__(self, bucket: S3Store) -> None:
        self._bucket = bucket

    def put(self, name: str, file: Path) -> None:
        """See Store."""
        try:
            obstore.put(self._bucket, name, file)
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error
        file.unlink()

    def fetch(self, name: str, to: Path) -> None:
        """See Store."""
        try:
            with to.open("wb") as file:
                for chunk in obstore.get(self._bucket, name).stream(min_chunk_size=1 << 20):
                    file.write(chunk)
        except FileNotFoundError:
            raise _gone(name) from None
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error

    def delete(self, name: str) -> None:
        """See Store."""
        try:
            obstore.delete(self._bucket, name)
        except FileNotFoundError:
            return
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error

    def names(self) -> list[str]:
        """See Store."""
        try:
            return sorted(item["path"] for page in obstore.list(self._bucket) for item in page)
        except obstore.exceptions.BaseError as error:
            raise _away(error) from error


def open_store(settings: Settings) -> Store:
    """The store that settings name. Raises BadBucket."""
    if settings.lake_url is not None:
        return Bucket(open_bucket(settings.lake_url, "HUB_LAKE_URL"))
    return Folder(lake_dir(settings))


def lake_dir(settings: Settings) -> Path:
    """The folder of the lake, or only of its spool when the lake is a bucket."""
    return settings.lake_dir or settings.home / "lake"


def clean_spool(settings: Settings) -> Path:
    """Where files are made before they are complete, emptied of what a dead process left: it may hold people's words."""
    lake_dir(settings).mkdir(mode=0o700, parents=True, exist_ok=True)  # for its owner's eyes only
    folder = lake_dir(settings) / ".incoming"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _gone(name: str) -> NotFound:
    return NotFound(f"the lake has no file {name}")


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"the lake's store did not answer as it should: {type(error).__name__}")

"""Where the bytes lie: a local folder or an S3-compatible store. Names are hashes of content and tell nothing of persons.

A file enters complete or not at all: it is written beside (`spool`), forced to disk, then renamed or uploaded.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import obstore

from hub_api.errors import NotFound, Unavailable
from hub_api.platform.s3 import open_bucket
from hub_api.platform.services import Services
from hub_api.settings import Settings

CHUNK = 256 * 1024
# How long a spooled file may lie before it counts as left by a dead process.
ABANDONED_S = 3_600


class Store(Protocol):
    """Content by its SHA-256. What is in quarantine is not found by `read`."""

    async def put(self, sha256: bytes, file: Path) -> None:
        """Take `file` in under its hash; the same content again changes nothing. `file` may be moved away."""

    def read(self, sha256: bytes, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes `start` to `end` (exclusive). Raises NotFound."""

    async def exists(self, sha256: bytes) -> bool:
        """Whether it is there, outside quarantine."""

    async def quarantine(self, sha256: bytes) -> None:
        """Put it where `read` does not find it. Nothing when it is not there."""

    async def delete(self, sha256: bytes) -> None:
        """Remove it, from quarantine too. Nothing when it is not there."""


def _name(sha256: bytes, area: str = "content") -> str:
    digest = sha256.hex()
    return f"{area}/{digest[:2]}/{digest}"


class LocalStore:
    """A folder; on one file system with its spool, so that a rename completes a file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, sha256: bytes, area: str = "content") -> Path:
        return self._root / _name(sha256, area)

    async def put(self, sha256: bytes, file: Path) -> None:
        """See Store."""
        await asyncio.to_thread(self._move, file, self._path(sha256))

    def _move(self, source: Path, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def read(self, sha256: bytes, start: int, end: int) -> AsyncIterator[bytes]:
        """See Store."""
        try:
            file = await asyncio.to_thread(self._path(sha256).open, "rb")
        except FileNotFoundError:
            raise _gone(sha256) from None
        with file:
            await asyncio.to_thread(file.seek, start)
            while start < end and (chunk := await asyncio.to_thread(file.read, min(CHUNK, end - start))):
                start += len(chunk)
                yield chunk

    async def exists(self, sha256: bytes) -> bool:
        """See Store."""
        return await asyncio.to_thread(self._path(sha256).exists)

    async def quarantine(self, sha256: bytes) -> None:
        """See Store."""
        with suppress(FileNotFoundError):
            await asyncio.to_thread(self._move, self._path(sha256), self._path(sha256, "quarantine"))

    async def delete(self, sha256: bytes) -> None:
        """See Store."""
        for area in ("content", "quarantine"):
            await asyncio.to_thread(self._path(sha256, area).unlink, missing_ok=True)


class RemoteStore:
    """A bucket of an S3-compatible server."""

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket

    async def put(self, sha256: bytes, file: Path) -> None:
        """See Store."""
        with _told():
            await obstore.put_async(self._bucket, _name(sha256), file)
        await asyncio.to_thread(file.unlink, missing_ok=True)

    async def read(self, sha256: bytes, start: int, end: int) -> AsyncIterator[bytes]:
        """See Store."""
        if start >= end:
            return
        try:
            with _told():
                answer = await obstore.get_async(self._bucket, _name(sha256), options={"range": (start, end)})
        except FileNotFoundError:
            raise _gone(sha256) from None
        async for chunk in answer.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)

    async def exists(self, sha256: bytes) -> bool:
        """See Store."""
        try:
            with _told():
                await obstore.head_async(self._bucket, _name(sha256))
        except FileNotFoundError:
            return False
        return True

    async def quarantine(self, sha256: bytes) -> None:
        """See Store."""
        with suppress(FileNotFoundError), _told():
            await obstore.rename_async(self._bucket, _name(sha256), _name(sha256, "quarantine"))

    async def delete(self, sha256: bytes) -> None:
        """See Store."""
        for area in ("content", "quarantine"):
            with suppress(FileNotFoundError), _told():
                await obstore.delete_async(self._bucket, _name(sha256, area))


class _told:
    """Turns the library's failures into ours; what is not there stays FileNotFoundError."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, obstore.exceptions.BaseError) and not isinstance(error, FileNotFoundError):
            raise Unavailable(f"the media store did not answer as it should: {type(error).__name__}") from error


def _gone(sha256: bytes) -> NotFound:
    return NotFound(f"the media store has no content {sha256.hex()[:12]}…: it was erased, or the store was changed")


def media_dir(settings: Settings) -> Path:
    """The folder for media, of which the local store and the spool are parts."""
    return settings.media_dir or settings.home / "media"


def spool_dir(settings: Settings) -> Path:
    """Where files are written before they are complete; made at mode 700."""
    folder = media_dir(settings) / "incoming"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def make_store(settings: Settings) -> Store:
    """The store that settings name: s3://key:secret@bucket/prefix?endpoint=…&region=…, else the folder. Raises BadBucket."""
    if settings.media_url is None:
        return LocalStore(media_dir(settings))
    return RemoteStore(open_bucket(settings.media_url, "HUB_MEDIA_URL"))


@asynccontextmanager
async def open_store(services: Services) -> AsyncIterator[Store]:
    """The store of this process: `await services.shared(open_store)`."""
    yield make_store(services.settings)

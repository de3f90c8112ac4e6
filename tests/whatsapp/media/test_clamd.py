"""The antivirus: what it finds is never served, and while it is away nothing is. A server that speaks its protocol stands
in where clamd is not installed; where it is, the real one judges with a signature of the test's own."""

import asyncio
import base64
import hashlib
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub_api.whatsapp.media.clamd import ScannerAway, scan
from tests.support.process import free_port
from tests.support.waiting import eventually
from tests.whatsapp.media.conftest import Desk

EVIL = b"%PDF-1.4\n" + b"THIS-FILE-PLAYS-THE-VIRUS" * 20
CLEAN = b"%PDF-1.4\nan honest bill"
MOST = 1_000_000


class Daemon:
    """clamd's INSTREAM over TCP: length-prefixed chunks, a size limit, an answer ended by NUL."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"tcp://127.0.0.1:{self.port}"
        self.scanned = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while length := struct.unpack("!I", await reader.readexactly(4))[0]:
            content += await reader.readexactly(length)
            if len(content) > MOST:
                writer.write(b"INSTREAM size limit exceeded. ERROR\0")
                writer.close()
                return
        self.scanned += 1
        found = b"Test.Virus FOUND" if b"PLAYS-THE-VIRUS" in content else b"OK"
        writer.write(b"stream: " + found + b"\0")
        await writer.drain()
        writer.close()


async def receive(desk: Desk, content: bytes) -> None:
    await desk.receive("document", base64=base64.b64encode(content).decode())
    await desk.fetch()


async def test_an_infected_file_goes_into_quarantine(opened):
    daemon = Daemon()
    async with daemon.running(), opened(clamd_url=daemon.url) as desk:
        await receive(desk, EVIL)
        media = await desk.media()
        assert (media["state"], media["reason"], desk.files()) == ("infected", "Test.Virus", ["quarantine"])
        status, body, _ = await desk.read(await desk.link(media["id"]))
        assert status == 409 and b"infected" in body and EVIL not in body
        form = {"file": EVIL}
        answer = await desk.hub.post("/api/v1/media", data=form, headers=desk.hub.auth)
        assert answer.status == 422


async def test_a_clean_file_is_stored(opened):
    daemon = Daemon()
    async with daemon.running(), opened(clamd_url=daemon.url) as desk:
        await receive(desk, CLEAN)
        media = await desk.media()
        assert (media["state"], daemon.scanned) == ("stored", 1) and media["scanned_at"]


@pytest.mark.parametrize(("content", "state"), [(CLEAN, "stored"), (EVIL, "infected")])
async def test_while_clamd_is_away_files_wait_and_say_so(opened, content, state):
    daemon = Daemon()
    async with opened(clamd_url=daemon.url) as desk:
        await receive(desk, content)
        media = await desk.media()
        assert (media["state"], media["reason"]) == ("scanning", "scanner_away")
        assert (await desk.read(await desk.link(media["id"])))[0] == 409
        await desk.again()
        assert (await desk.media())["state"] == "scanning"
        async with daemon.running():
            await desk.again()
        assert (await desk.media())["state"] == state
        assert desk.sim.core.events["media_downloads"] == 1
        assert desk.files() == (["content"] if state == "stored" else ["quarantine"])


async def test_who_chooses_so_is_served_before_the_scan(opened):
    daemon = Daemon()
    async with opened(clamd_url=daemon.url, media_serve_unscanned=True) as desk:
        await receive(desk, EVIL)
        url = await desk.link((await desk.media())["id"])
        assert (await desk.read(url))[:2] == (200, EVIL)
        async with daemon.running():
            await desk.again()
        assert (await desk.read(url))[0] == 409


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def test_what_clamd_does_not_judge_is_not_clean():
    daemon = Daemon()
    async with daemon.running():
        with pytest.raises(ScannerAway):
            await scan(daemon.url, _bytes(b"x" * (MOST + 1)))


@pytest.fixture
async def clamd() -> AsyncIterator[str]:
    """The real daemon with a database of one signature; the protocol's own server where it is not installed."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        daemon = Daemon()
        async with daemon.running():
            yield daemon.url
        return
    with tempfile.TemporaryDirectory(prefix="clamd") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "test.hdb").write_text(f"{hashlib.md5(EVIL).hexdigest()}:{len(EVIL)}:Test.Virus\n")
        (folder / "clamd.conf").write_text(
            f"LocalSocket {folder}/clamd.sock\nDatabaseDirectory {folder}\nForeground yes\nUser root\n"
            "ConcurrentDatabaseReload no\n"
        )
        process = await asyncio.create_subprocess_exec(
            program, "--config-file", str(folder / "clamd.conf"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )  # fmt: skip
        try:
            await eventually((folder / "clamd.sock").exists, timeout_s=60)
            yield f"unix://{folder}/clamd.sock"
        finally:
            process.terminate()
            await process.communicate()


async def test_clamd_itself_judges(clamd: str):
    found = await scan(clamd, _bytes(EVIL))
    assert found is not None and found.startswith("Test.Virus")
    assert await scan(clamd, _bytes(CLEAN)) is None
    assert await scan(clamd, _bytes(EVIL + b"!" if "unix" in clamd else CLEAN)) is None

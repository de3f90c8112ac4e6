"""npm's openid-client as a process of its own: a client of the hub that is not ours."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.oidc import FOLDER, ROOT


class NodeClient:
    """One registered client; each call is one line to the process and one back."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.metadata: dict[str, Any] = {}

    async def call(self, act: str, **given: Any) -> dict[str, Any]:
        """What the library makes of it; `error` when it refuses."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"act": act, **given}).encode() + b"\n")
        await self._process.stdin.drain()
        return await self.read()

    async def read(self) -> dict[str, Any]:
        """One line of the process."""
        assert self._process.stdout
        line = await self._process.stdout.readline()
        if not line.startswith(b"{"):
            raise RuntimeError(f"openid-client stopped: {(line + await self._process.stdout.read()).decode()}")
        return json.loads(line)


@asynccontextmanager
async def node_client(issuer: str, client_id: str, secret: str | None, method: str) -> AsyncIterator[NodeClient]:
    """The library after discovery; `method` is basic, post or none."""
    subprocess.run(["make", "--silent", "packages"], cwd=ROOT, check=True)
    process = await asyncio.create_subprocess_exec(
        "node", "client.mjs", issuer, client_id, secret or "", method,
        cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        made = NodeClient(process)
        made.metadata = await made.read()
        yield made
    finally:
        process.kill()
        await process.wait()

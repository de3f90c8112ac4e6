"""A load balancer as every deployment has one: new connections go to the backends in its list, open ones stay where they
are, a backend that refuses is passed over."""

import asyncio
from contextlib import suppress
from typing import Self


class Balancer:
    """Relays TCP from a port of its own to `backends`, ports of loopback; change the list while it runs."""

    def __init__(self, *backends: int) -> None:
        self.backends = list(backends)
        self.url = ""
        self._turn = 0
        self._relays: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._relays):
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(len(self.backends)):
            self._turn += 1
            port = self.backends[self._turn % len(self.backends)]
            with suppress(OSError):
                back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
                for relay in (_copy(reader, back_writer), _copy(back_reader, writer)):
                    task = asyncio.create_task(relay)
                    self._relays.add(task)
                    task.add_done_callback(self._relays.discard)
                return
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()

"""A real Valkey for tests."""

from pathlib import Path

from hub_api.embedded import valkey
from tests.support.process import ServerProcess, new_place


class EmbeddedValkey(ServerProcess):
    """The embedded Valkey in a folder of its own; `durable=True` keeps the append-only file. Remove with `destroy`."""

    def __init__(self, *, durable: bool = False, place: Path | None = None) -> None:
        super().__init__(place or new_place("valkey"))
        self.server = valkey.Valkey(place=self.place / "valkey", port=self.port, password="test", durable=durable)

    def url(self, database: int = 0) -> str:
        """Address of a numbered database."""
        return self.server.url.removesuffix("/0") + f"/{database}"

    def prepare(self) -> None:
        self.server.prepare()

    def command(self) -> list[str]:
        return self.server.command()

    async def probe(self) -> None:
        await valkey.answers(self.url())

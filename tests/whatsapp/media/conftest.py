"""The hub with the simulator as Meta, a media folder of the test's own, and one customer who sends files."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hub_api.simulator.server import Simulator
from hub_api.whatsapp.media.fetcher import open_fetcher
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import add_our_number
from tests.support.simulator import ANA, test_config


@dataclass
class Desk:
    """The hub, Meta, and what lies between."""

    hub: Hub
    sim: Simulator
    folder: Path

    async def receive(self, kind: str, *, errors: list[int] | None = None, **content: Any) -> None:
        """Ana sends a file; its message is handled, its file not yet fetched."""
        body = {"from": ANA, "type": kind, "content": content, **({"errors": errors} if errors else {})}
        async with self.hub.session.post(f"{self.sim.url}/_sim/inbound", json=body) as answer:
            assert answer.status == 200, await answer.text()
        await self.sim.core.settled()
        await self.hub.settled()

    async def fetch(self) -> None:
        """Run what is due, as the job does."""
        await (await self.hub.services.shared(open_fetcher)).idle()

    async def again(self) -> None:
        """The next attempt of what waits, whose time has come."""
        await self.hub.fetch("UPDATE media SET next_at = now() WHERE next_at IS NOT NULL")
        await self.fetch()

    async def media(self) -> Any:
        """The only file."""
        (row,) = await self.hub.fetch("SELECT * FROM media")
        return row

    async def shown(self) -> list[dict[str, Any]]:
        """The messages of the only conversation, as the console reads them."""
        conversation = await self.hub.fetchval("SELECT id FROM conversations")
        answer = await self.hub.get(f"/api/v1/conversations/{conversation}/messages", headers=self.hub.auth)
        return (await answer.json())["items"]

    async def faults(self, *faults: dict[str, Any]) -> None:
        body = {"faults": list(faults)}
        async with self.hub.session.post(f"{self.sim.url}/_sim/media_faults", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def link(self, media_id: Any) -> str:
        answer = await self.hub.post(f"/api/v1/media/{media_id}/link", headers=self.hub.auth)
        assert answer.status == 200, await answer.text()
        return (await answer.json())["url"]

    async def read(self, url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async with self.hub.session.get(self.hub.url + url, headers=headers) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    def files(self) -> list[str]:
        """What lies in the folder, by area and beginning of its name."""
        return sorted(f"{path.relative_to(self.folder).parts[0]}" for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def opened(database_url: str, redis_url: str, tmp_path: Path) -> Callable[..., Any]:
    """Opens a desk with settings of the test's own."""

    @asynccontextmanager
    async def open_desk(**changes: Any) -> AsyncIterator[Desk]:
        async with Simulator(test_config(enforce_limits=frozenset())) as sim:
            given = {"meta_base_url": sim.url, "media_dir": tmp_path / "media", **changes}
            async with running_hub(make_settings(database_url, redis_url, **given)) as hub:
                await add_our_number(hub.services, throughput_mps=1000)
                url = f"{hub.url}/webhooks/whatsapp"
                async with hub.session.post(f"{sim.url}/_sim/webhooks", json={"url": url}) as answer:
                    assert answer.status == 200, await answer.text()
                yield Desk(hub, sim, tmp_path / "media")

    return open_desk


@pytest.fixture
async def desk(opened: Any) -> AsyncIterator[Desk]:
    async with opened() as running:
        yield running

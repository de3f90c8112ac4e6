"""The whole stack as a user starts it, and a headless Chromium beside it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from dotenv import dotenv_values
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.chromium import CHROMIUM_OPTIONS
from tests.e2e.console import Scene, open_scene
from tests.support.waiting import wait_until

HUB = [sys.executable, "-m", "hub_api"]


@dataclass(frozen=True)
class Stack:
    """A running `hub up --demo`."""

    home: Path
    environment: dict[str, str]

    def hub(self, *arguments: str, check: bool = True, patience_s: int = 300) -> str:
        """Output of a `hub` command on this home."""
        done = subprocess.run(
            [*HUB, *arguments], env=self.environment, capture_output=True, text=True, timeout=patience_s, check=False
        )
        assert not check or done.returncode == 0, (
            f"hub {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def status(self) -> dict[str, dict[str, object]]:
        """Parts by name."""
        return {part["name"]: part for part in json.loads(self.hub("status", "--json", check=False))["parts"]}

    @property
    def env(self) -> dict[str, str | None]:
        """What `hub up` wrote for this home."""
        return dotenv_values(self.home / "hub.env")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A small demo in a home of its own, stopped at the end; HUB_TEST_HOME names one that runs already, and goes on."""
    if running_home := os.environ.get("HUB_TEST_HOME"):
        yield Stack(Path(running_home), {**os.environ, "HUB_HOME": running_home})
        return
    home = tmp_path_factory.mktemp("e2e") / "home"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    environment = {**inherited, "HUB_HOME": str(home)}
    running = Stack(home, environment)
    scene = ("--days", "10", "--customers", "400", "--rate", "2")
    try:
        running.hub("up", "--demo", "--detach", *scene, patience_s=600)
        yield running
    finally:
        running.hub("down", "--remove-data", "--yes", check=False)


@pytest.fixture(scope="session")
def ready(stack: Stack) -> None:
    """Dashboards are there, and the tables behind them have rows."""
    wait_until(lambda: "dashboards" in stack.hub("dashboards", "provision", check=False), 600, every_s=2)
    wait_until(lambda: "tables built" in stack.hub("logs", "demo", "-n", "1000", check=False), 600, every_s=2)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium (deploy/install-chromium.sh). Of one module: while it is open, no asynchronous test can run."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert path, "no Chromium on this machine: run deploy/install-chromium.sh"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
async def scene(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """A hub that works, a channel with customers, a browser for the console."""
    async with open_scene(database_url, redis_url, tmp_path) as made:
        yield made

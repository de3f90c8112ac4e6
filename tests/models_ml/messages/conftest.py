"""The models as they ship, and the data that lies beside a development machine's checkout."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models_ml.messages import MessageReader, load_reader
from tests.support.models import trained


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the promoted models."""
    return trained()


@pytest.fixture(scope="session")
def reader(models: Path) -> MessageReader:
    return load_reader(models)


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """A file of the shared data; the test is left out where there is none."""

    def find(name: str) -> Path:
        for folder in Path(__file__).parents:
            if (path := folder / "shared" / "data" / name).exists():
                return path
        pytest.skip(f"{name} is not beside this checkout: its licence forbids to ship it")

    return find

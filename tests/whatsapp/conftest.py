"""The inbound door for this folder's tests."""

from collections.abc import AsyncIterator

import pytest

from hub_api.settings import Settings
from tests.whatsapp.door import Door, opened


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    """See door.py."""
    async with opened(settings) as made:
        yield made

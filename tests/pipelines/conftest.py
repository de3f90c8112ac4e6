"""Runs in this process on real engines, recorded in an instance that lives in memory."""

import pytest

from tests.assets.conftest import given, lock_url, warehouse_settings
from tests.support.hours import let_the_day_last

__all__ = ["given", "lock_url", "warehouse_settings"]


@pytest.fixture(autouse=True)
def day() -> None:
    """Today stays today while a test writes events of it and builds it."""
    let_the_day_last(120)

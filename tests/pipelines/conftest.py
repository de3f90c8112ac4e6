"""Runs in this process on real engines, recorded in an instance that lives in memory."""

from tests.assets.conftest import given, lock_url, warehouse_settings

__all__ = ["given", "lock_url", "warehouse_settings"]

"""Runs in this process on real engines, recorded in an instance that lives in memory."""

from tests.assets.conftest import given, warehouse_settings

__all__ = ["given", "warehouse_settings"]

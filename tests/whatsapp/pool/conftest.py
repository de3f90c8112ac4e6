"""The simulator as Meta, and services that send to it."""

from tests.whatsapp.send.conftest import number_id, settings, sim

__all__ = ["number_id", "settings", "sim"]

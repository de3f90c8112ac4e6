"""What routes and tools need of auth, by one import: who calls, what he must be allowed, how a key is made."""

from hub_api.auth.api_keys import create_key
from hub_api.auth.decide import require
from hub_api.auth.permissions import ALL
from hub_api.auth.principal import Principal

__all__ = ["ALL", "Principal", "create_key", "require"]

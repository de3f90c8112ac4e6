"""What the warehouse process needs to know: where, for whom, how much."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from hub_api.embedded.warehouse.access import GOLD, READER, Policy

GIB = 1024**3


@dataclass(frozen=True)
class User:
    """A credential; without a policy the user may read and write everything."""

    password: SecretStr
    policy: Policy | None = None


@dataclass(frozen=True)
class WarehouseConfig:
    """One warehouse: its data folder, its address, its users (`admin`, `gold`, `reader`) and its limits."""

    path: Path
    users: dict[str, User]
    host: str = "127.0.0.1"
    port: int = 8123
    memory_limit_bytes: int = 2 * GIB
    max_threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    drain_s: float = 15.0

    @classmethod
    def make(cls, path: Path, *, admin: str, gold: str, reader: str, **rest: object) -> "WarehouseConfig":
        """The three users of the hub with their passwords: admin, gold (Superset), reader (notebooks)."""
        users = {
            "admin": User(SecretStr(admin)),
            "gold": User(SecretStr(gold), GOLD),
            "reader": User(SecretStr(reader), READER),
        }
        return cls(path=path, users=users, **rest)  # type: ignore[arg-type]

    @classmethod
    def from_env(cls) -> "WarehouseConfig":
        """Read `HUB_WAREHOUSE_*`: PATH and the passwords (ADMIN_, GOLD_, READER_PASSWORD) are required, HOST, PORT,
        MEMORY_BYTES and THREADS are not. Raises ValueError naming what is missing or no number."""
        required = {
            name: os.environ.get(f"HUB_WAREHOUSE_{name}", "")
            for name in ("PATH", "ADMIN_PASSWORD", "GOLD_PASSWORD", "READER_PASSWORD")
        }
        if missing := [f"HUB_WAREHOUSE_{name}" for name, value in required.items() if not value]:
            raise ValueError(f"the warehouse cannot start: set {', '.join(missing)}")
        numbers = {
            name: _whole_number(f"HUB_WAREHOUSE_{variable}")
            for name, variable in (("port", "PORT"), ("memory_limit_bytes", "MEMORY_BYTES"), ("max_threads", "THREADS"))
        }
        return cls.make(
            Path(required["PATH"]),
            admin=required["ADMIN_PASSWORD"],
            gold=required["GOLD_PASSWORD"],
            reader=required["READER_PASSWORD"],
            host=os.environ.get("HUB_WAREHOUSE_HOST", "127.0.0.1"),
            **{name: number for name, number in numbers.items() if number is not None},
        )


def _whole_number(variable: str) -> int | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{variable} must be a whole number above zero, not {text!r}")
    return int(text)

"""Time-ordered identifiers made where the row is made, so that nothing waits for the database to name it."""

import os
import time
from uuid import UUID


def uuid7(at_ms: int | None = None) -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds (now unless given), then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)

"""Time-ordered identifiers made where the row is made, so that nothing waits for the database to name it."""

import os
import time
from uuid import UUID


def uuid7(at_ms: int | None = None, sequence: int | None = None) -> UUID:
    """A UUID version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds (now unless given), then 74 random bits.

    With `sequence` its low 26 bits take the place of the first random ones (RFC 9562 §6.2, method 1), so that ids of
    the same millisecond sort by it: payload times have whole seconds only, and a person can write twice in one.
    Without either, the first 12 random bits are the fraction of the millisecond (§6.2, method 3): what one process makes
    one after the other sorts that way.
    """
    now_ms, rest_ns = divmod(time.time_ns(), 1_000_000)
    milliseconds = now_ms if at_ms is None else at_ms
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    if sequence is None and at_ms is None:
        value = (value & ~(0xFFF << 64)) | ((rest_ns * 4096 // 1_000_000) << 64)
    if sequence is not None:
        value = (value & ~(0xFFF << 64)) | ((sequence >> 14 & 0xFFF) << 64)
        value = (value & ~(0x3FFF << 48)) | ((sequence & 0x3FFF) << 48)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)

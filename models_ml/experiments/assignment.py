"""Who gets which variant: decided by a salted hash, so that anybody can compute it again and nobody has to look it up.

Pure Python without numpy: campaigns assign with it in the real-time layer.
"""

import hashlib
from collections.abc import Mapping
from uuid import UUID

BUCKETS = 10_000
_SCALE = 1 << 64


def fraction(salt: str, unit: UUID | str) -> float:
    """A number in [0, 1) that depends on nothing but `salt` and `unit`; uniform over units, independent between salts."""
    return _number(salt, unit) / _SCALE


def bucket(salt: str, unit: UUID | str, buckets: int = BUCKETS) -> int:
    """The bucket of a unit, 0 to `buckets` - 1. Raises ValueError for fewer than one bucket."""
    if buckets < 1:
        raise ValueError("there must be at least one bucket")
    return _number(salt, unit) * buckets // _SCALE


def variant_of(salt: str, unit: UUID | str, shares: Mapping[str, float]) -> str:
    """The variant of a unit when `shares` (in their order, summing to 1) divide the buckets among variants.

    Shares are kept to a ten-thousandth. A unit keeps its variant when shares grow or shrink elsewhere than at its own
    bucket. Raises ValueError for shares that are negative or do not sum to 1.
    """
    edges = _edges(shares)
    mine = bucket(salt, unit)
    return next(variant for variant, edge in edges if mine < edge)


def in_holdout(salt: str, unit: UUID | str, share: float) -> bool:
    """Whether a unit belongs to the share (0 to 1) that gets nothing, whatever the campaign: use one salt for all of them."""
    if not 0 <= share <= 1:
        raise ValueError("a share lies between 0 and 1")
    return bucket(salt, unit) < round(share * BUCKETS)


def _number(salt: str, unit: UUID | str) -> int:
    """The first 64 bits of SHA-256 over `salt`, a separator that no salt ends with by accident, and the unit."""
    return int.from_bytes(hashlib.sha256(f"{salt}\x1f{unit}".encode()).digest()[:8], "big")


def _edges(shares: Mapping[str, float]) -> list[tuple[str, int]]:
    if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"the shares of the variants must be at least 0 and sum to 1: {dict(shares)}")
    total, edges = 0.0, []
    for variant, share in shares.items():
        total += share
        edges.append((variant, round(total * BUCKETS)))
    return edges

"""How many threads numeric libraries take: one where the work is small. Their threads wait for each other by spinning, which on a
machine with other work to do costs many times the work itself (measured: boosting on 2,500 rows, two busy cores, 4.8 s with
two threads and 0.3 s with one)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

# From so many rows on a step takes long enough that sharing it pays.
MANY_ROWS = 50_000


@contextmanager
def fitting(rows: int) -> Iterator[None]:
    """Work on `rows` rows: OpenMP and BLAS take one thread when they are few, as many as they like else."""
    if rows >= MANY_ROWS:
        yield
        return
    with _libraries().limit(limits=1):
        yield


@cache
def _libraries() -> Any:
    """What is loaded: after the import of whatever computes."""
    import sklearn.ensemble  # noqa: F401 - brings OpenMP in
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

"""Wait for a condition with a deadline, and run async code from sync fixtures."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a thread and loop of its own, so that it works beside a running loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def wait_until(condition: Callable[[], T], timeout_s: float = 20.0, every_s: float = 0.05) -> T:
    """Poll until `condition()` is true and return its value; raises its last exception or AssertionError."""
    deadline = time.monotonic() + timeout_s
    while True:
        error: Exception | None = None
        try:
            if value := condition():
                return value
        except Exception as caught:
            error = caught
        if time.monotonic() > deadline:
            raise error or AssertionError(f"still not true after {timeout_s} s: {condition}")
        time.sleep(every_s)


async def eventually(condition: Callable[[], Any], timeout_s: float = 20.0, every_s: float = 0.05) -> Any:
    """`wait_until` for async code: `condition` may return a value or a coroutine."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while True:
        error: Exception | None = None
        try:
            value = condition()
            if asyncio.iscoroutine(value):
                value = await value
            if value:
                return value
        except Exception as caught:
            error = caught
        if asyncio.get_running_loop().time() > deadline:
            raise error or AssertionError(f"still not true after {timeout_s} s: {condition}")
        await asyncio.sleep(every_s)

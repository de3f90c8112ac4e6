"""Traces: one id from a webhook or request through jobs to events, and pieces of work for whoever draws them.

The id is always there and costs next to nothing: a webhook's own id, a request's, or the one that a caller's `traceparent`
names (W3C Trace Context). It stands in log lines and events. Spans exist only where `HUB_OTLP_URL` says who wants them
(otel.py); they tell what took how long and never with what: no arguments, no query strings, no words of errors.
"""

import re
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from structlog.contextvars import bound_contextvars, get_contextvars

from hub_api.platform.ids import uuid7

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

Value = str | int | float


class Piece(Protocol):
    """A piece of work under way, which learns about itself as it goes."""

    def note(self, name: str | None = None, *, failed: bool = False, **attributes: Value) -> None:
        """Rename it, add attributes, or say that it failed."""


class Drawer(Protocol):
    """Who makes spans of the work of this process."""

    def piece(self, name: str, trace_id: str, carried: str | None, kind: str) -> AbstractContextManager[Piece]:
        """A span that lasts as long as the block; below what `carried` names, else the root of `trace_id`."""

    def past(self, name: str, trace_id: str, began_ns: int, kind: str, **attributes: Value) -> None:
        """A span that ends now, of the trace whose root bears its id."""

    def carried(self) -> str | None:
        """The span in hand as a `traceparent`."""


class _Undrawn:
    def note(self, name: str | None = None, *, failed: bool = False, **attributes: Value) -> None:
        pass


_UNDRAWN = _Undrawn()
_drawer: Drawer | None = None


def draw_with(drawer: Drawer | None) -> None:
    """Make spans of this process's work from now on; None: no more."""
    global _drawer  # noqa: PLW0603 - one per process, as the loggers are
    _drawer = drawer


def drawn() -> bool:
    """Whether this process makes spans."""
    return _drawer is not None


def current() -> str | None:
    """The trace of the work in hand, 32 hexadecimal digits; None outside of any."""
    return get_contextvars().get("trace_id")


def carried() -> str | None:
    """What a job takes along to go on in this trace."""
    return (_drawer.carried() if _drawer else None) or current()


def trace_of(carried: str | None) -> str | None:
    """The trace that a `traceparent`, or a bare trace id, names; None when it is neither."""
    if carried is None:
        return None
    if found := _TRACEPARENT.fullmatch(carried):
        return found[1]
    return carried if _TRACE_ID.fullmatch(carried) else None


@contextmanager
def work(
    name: str, *, carried: str | None = None, trace_id: str | None = None, kind: str = "internal"
) -> Iterator[Piece]:
    """The block is one piece of work: below what `carried` names, else at the root of `trace_id`, else of a new trace.

    `kind` is `server`, `consumer`, `client` or `internal`. Log lines and events of the block bear the trace's id.
    """
    known = trace_of(carried)
    trace_id = known or trace_of(trace_id) or uuid7().hex
    with bound_contextvars(trace_id=trace_id):
        if _drawer is None:
            yield _UNDRAWN
        else:
            with _drawer.piece(name, trace_id, carried if known else None, kind) as piece:
                yield piece


def past(name: str, trace_id: str, began_ns: int, *, kind: str = "internal", **attributes: Value) -> None:
    """Tell of work on `trace_id` that began at `began_ns` (`now_ns`) and ends now: one item of what is done in bulk."""
    if _drawer is not None:
        _drawer.past(name, trace_id, began_ns, kind, **attributes)


def now_ns() -> int:
    """Nanoseconds since 1970, as spans count them."""
    return time.time_ns()

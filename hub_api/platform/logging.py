"""JSON logs on standard error. Never a message's text, a CPF or a full phone number: `mask` what must be named."""

import logging
import sys
from contextlib import suppress
from typing import TextIO

import structlog


class _Forgiving:
    """Standard error whose disk may be full: a line is lost then, never the work of whoever wrote it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure(level: str, *, process: str) -> None:
    """Set up structlog for a process; its name is on every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without the frames' variables: they hold message texts and phone numbers.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=_Forgiving(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.WARNING,
        stream=sys.stderr,
        format='{"level":"%(levelname)s","logger":"%(name)s","event":"%(message)s"}',
    )


def mask(identifier: str | None) -> str:
    """A phone, wamid or BSUID for a log line: enough to match by eye, too little to dial (last four signs)."""
    return f"…{identifier[-4:]}" if identifier else "-"

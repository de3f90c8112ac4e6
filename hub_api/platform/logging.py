"""JSON logs on standard error. Never a message's text, a CPF or a full phone number: `mask` what must be named."""

import logging
import re
import sys
from contextlib import suppress
from typing import Any, TextIO

import structlog
from structlog.types import ExcInfo


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


# Where errors of PostgreSQL and its driver quote the row or the value: DETAIL of the server, arguments of the client.
_QUOTED = re.compile(r"\nDETAIL:.*|(?<=invalid input for query argument )(\$\d+).*", re.DOTALL)


class _Traceback(structlog.tracebacks.ExceptionDictTransformer):
    """Tracebacks without what holds message texts and phone numbers: the frames' variables, and quoted rows."""

    def __init__(self) -> None:
        super().__init__(show_locals=False)

    def __call__(self, exc_info: ExcInfo) -> list[dict[str, Any]]:
        stacks = super().__call__(exc_info)
        _unquote(stacks)
        return stacks


def _unquote(stacks: list[dict[str, Any]]) -> None:
    for stack in stacks:
        stack["exc_value"] = _QUOTED.sub(r"\1", stack["exc_value"])
        for members in stack.get("exceptions") or ():
            _unquote(members)


def configure(level: str, *, process: str) -> None:
    """Set up structlog for a process, and libraries' own logging in the same form; its name is on every line."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_Traceback()),
    ]
    json = structlog.processors.JSONRenderer(sort_keys=False)
    structlog.configure(
        processors=[*shared, json],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=_Forgiving(sys.stderr)),  # type: ignore[arg-type]
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    libraries = logging.StreamHandler(_Forgiving(sys.stderr))
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, json],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])


class _StandardError:
    """Standard error as it is at the moment of writing."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_command() -> None:
    """For a command whose output people or programs read: warnings go to standard error, nothing to standard output."""
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.JSONRenderer(sort_keys=False)],
            wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
            logger_factory=structlog.WriteLoggerFactory(file=_StandardError()),  # type: ignore[arg-type]
            cache_logger_on_first_use=False,
        )


def mask(identifier: str | None) -> str:
    """A phone, wamid or BSUID for a log line: enough to match by eye, too little to dial (last four signs)."""
    return f"…{identifier[-4:]}" if identifier else "-"

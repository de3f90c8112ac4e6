"""JSON logs on standard error. Never a message's text, a CPF or a full phone number: `mask` what must be named."""

import logging
import sys

import structlog


def configure(level: str, *, process: str) -> None:
    """Set up structlog for a process; its name is on every line."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            structlog.processors.JSONRenderer(sort_keys=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
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

"""The ClickHouse HTTP interface: what a request asks for, and how answers are headed.

Source of the parameters, headers and codes: the ClickHouse documentation, "HTTP interface".
"""

import base64
import binascii
import hashlib
import hmac
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from hub_api.embedded.warehouse.config import User
from hub_api.embedded.warehouse.engine import Stats
from hub_api.embedded.warehouse.errors import AUTHENTICATION_FAILED, BAD_ARGUMENTS, NOT_IMPLEMENTED, refuse

EXCEPTION_CODE = "X-ClickHouse-Exception-Code"
_OF_THE_REQUEST = frozenset(
    ("query", "query_id", "database", "default_format", "compress", "decompress", "wait_end_of_query")
)
# Accepted without effect: a session or role has nothing to hold on to here, since every statement has a connection of
# its own, and inserts are always synchronous, so that an answer means committed.
_IGNORED = frozenset(
    (
        *("session_id", "session_timeout", "session_check", "quota_key", "role"),
        *(
            "buffer_size",
            "stacktrace",
            "client_protocol_version",
            "send_progress_in_http_headers",
            "http_headers_progress_interval_ms",
        ),
        *(
            "cancel_http_readonly_queries_on_client_close",
            "add_http_cors_header",
            "async_insert",
            "wait_for_async_insert",
            "enable_http_compression",
        ),
        *("user", "password", "close_session", "http_response_headers", "framing"),
    )
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTENT_TYPES = (
    ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
    ("JSONCompactEachRow", "application/x-ndjson; charset=UTF-8"),
    ("JSON", "application/json; charset=UTF-8"),
    ("CSV", "text/csv; charset=UTF-8; header=absent"),
    ("TSV", "text/tab-separated-values; charset=UTF-8"),
    ("TabSeparated", "text/tab-separated-values; charset=UTF-8"),
    ("XML", "application/xml; charset=UTF-8"),
    ("Markdown", "text/markdown; charset=UTF-8"),
    *((name, "application/octet-stream") for name in ("Native", "RowBinary", "Arrow", "Parquet", "ORC", "MsgPack")),
)


@dataclass
class Call:
    """One request: who asks, for which statement, how. `tag` marks it in the engine, so that it can be cancelled."""

    user: str
    query: str
    query_id: str
    database: str | None
    default_format: str
    params: dict[str, str]
    settings: dict[str, str]
    wait_end: bool
    readonly_method: bool
    tag: str = field(default_factory=lambda: uuid.uuid4().hex)
    cancelled: threading.Event = field(default_factory=threading.Event)


def read_call(user: str, method: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Call:
    """The call a request describes by its parameters. Raises WarehouseError for what this server does not do."""
    if query.get("compress", "0") not in ("", "0") or query.get("decompress", "0") not in ("", "0"):
        raise refuse(
            NOT_IMPLEMENTED, "compress and decompress are not served: use Content-Encoding and Accept-Encoding."
        )
    call = Call(
        user=user,
        query=query.get("query", ""),
        query_id=query.get("query_id") or str(uuid.uuid4()),
        database=query.get("database") or headers.get("X-ClickHouse-Database") or None,
        default_format=query.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        params={},
        settings={},
        wait_end=query.get("wait_end_of_query", "0") not in ("", "0"),
        readonly_method=method != "POST",
    )
    for name, value in query.items():
        if name in _OF_THE_REQUEST or name in _IGNORED:
            continue
        if not _NAME.fullmatch(name):
            raise refuse(BAD_ARGUMENTS, f"{name[:60]!r} is no name of a parameter or setting.")
        if name.startswith("param_"):
            call.params[name[6:]] = value
        else:
            call.settings[name] = value
    return call


def authenticate(users: Mapping[str, User], query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The name of the user whose password came with the request, by Basic authentication, `X-ClickHouse-User` and
    `-Key`, or `user` and `password` parameters. Raises WarehouseError (516), the same for a wrong name or password."""
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, password = _basic(encoded)
    elif "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        name, password = headers.get("X-ClickHouse-User", ""), headers.get("X-ClickHouse-Key", "")
    else:
        name, password = query.get("user", "default"), query.get("password", "")
    user = users.get(name)
    expected = user.password.get_secret_value() if user else ""
    # Digests are equally long, so the comparison's time says nothing, not even whether the name exists.
    same = hmac.compare_digest(hashlib.sha256(password.encode()).digest(), hashlib.sha256(expected.encode()).digest())
    if not (same and user and expected):
        raise refuse(
            AUTHENTICATION_FAILED,
            f"{name[:60]}: Authentication failed: password is incorrect, or there is no user with such name.",
        )
    return name


def _basic(encoded: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def answer_headers(call: Call, timezone: str, server: str) -> dict[str, str]:
    """Headers that every answer to a call carries."""
    return {
        "X-ClickHouse-Query-Id": _one_line(call.query_id),
        "X-ClickHouse-Timezone": _one_line(call.settings.get("session_timezone") or timezone),
        "X-ClickHouse-Server-Display-Name": server,
    }


def _one_line(text: str) -> str:
    """A client's own words in a header: signs only, so that they cannot begin another header."""
    return "".join(sign for sign in text if sign.isprintable() and sign.isascii())[:200]


def content_type(format_name: str) -> str:
    """The Content-Type ClickHouse answers with for an output format."""
    return next(
        (kind for prefix, kind in _CONTENT_TYPES if format_name.startswith(prefix)), "text/plain; charset=UTF-8"
    )


def summary(stats: Stats) -> str:
    """The value of X-ClickHouse-Summary: figures as strings, time in nanoseconds."""
    figures = {
        "read_rows": stats.read_rows,
        "read_bytes": stats.read_bytes,
        "written_rows": stats.written_rows,
        "written_bytes": stats.written_bytes,
        "total_rows_to_read": stats.read_rows,
        "result_rows": stats.result_rows or stats.written_rows,
        "result_bytes": stats.written_bytes,
        "elapsed_ns": int(stats.elapsed_s * 1e9),
    }
    return orjson.dumps({name: str(value) for name, value in figures.items()}).decode()


def exception_block(message: str, tag: str) -> bytes:
    """How an error is told after the answer began: between marks that carry the tag of the answer's header."""
    text = message.encode()
    return (
        b"".join((b"\r\n__exception__\r\n", tag.encode(), b"\r\n", text, str(len(text)).encode(), b" ", tag.encode()))
        + b"\r\n__exception__\r\n"
    )

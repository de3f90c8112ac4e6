"""Errors as ClickHouse tells them: a code, a text, and the HTTP status that belongs to the code."""

import re

_CODE = re.compile(r"Code: (\d+)\.")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*(?:\([^)]*\))?\))?\s*$")
_HINT = re.compile(r"\.? Maybe you meant(?:: \[[^\]]*\]\.?| [^?]*\?)")

# The engine's codes that this process raises itself (src/Common/ErrorCodes.cpp).
BAD_ARGUMENTS = (36, "BAD_ARGUMENTS")
LOGICAL_ERROR = (49, "LOGICAL_ERROR")
NOT_IMPLEMENTED = (48, "NOT_IMPLEMENTED")
SYNTAX_ERROR = (62, "SYNTAX_ERROR")
UNKNOWN_FORMAT = (73, "UNKNOWN_FORMAT")
CANNOT_DECOMPRESS = (271, "CANNOT_DECOMPRESS")
READONLY = (164, "READONLY")
QUERY_WAS_CANCELLED = (394, "QUERY_WAS_CANCELLED")
ACCESS_DENIED = (497, "ACCESS_DENIED")
AUTHENTICATION_FAILED = (516, "AUTHENTICATION_FAILED")
NOT_ENOUGH_SPACE = (243, "NOT_ENOUGH_SPACE")
TOO_LARGE = (223, "QUERY_IS_TOO_LARGE")
UNKNOWN_COMPRESSION = (89, "UNKNOWN_COMPRESSION_METHOD")

# As ClickHouse's HTTP handler maps them; every other code is 500.
_STATUS = {
    194: 401,
    **dict.fromkeys((192, 193, 516, 497, 511), 403),
    **dict.fromkeys((6, 26, 27, 33, 36, 38, 41, 43, 53, 62, 70, 72, 131, 164, 190, 386, 453, 456, 457), 400),
    **dict.fromkeys((10, 46, 47, 50, 60, 63, 73, 81, 82, 115, 218), 404),
    **dict.fromkeys((271, 117), 400),
    223: 413,
    89: 415,
    48: 501,
    **dict.fromkeys((76, 439), 503),
}


class WarehouseError(Exception):
    """A statement failed: `code` and `name` are ClickHouse's, `message` its text without the version."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code, self.name, self.message = code, name, message

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse answers with."""
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """The body ClickHouse writes, one line."""
        return f"Code: {self.code}. DB::Exception: {self.message} ({self.name}) (version {version} (chDB))\n"


def refuse(kind: tuple[int, str], message: str) -> WarehouseError:
    """An error of ours, said as the engine would."""
    return WarehouseError(*kind, message)


def from_engine(error: Exception) -> WarehouseError:
    """The engine's exception, which arrives as text; without a code it is code 1001 (STD_EXCEPTION)."""
    text = str(error).strip()
    code = _CODE.search(text)
    name = _NAME.search(text)
    if code is None:
        return WarehouseError(1001, "STD_EXCEPTION", text)
    message = text[: name.start()] if name else text
    message = re.sub(r"Code: \d+\. DB::Exception: ", "", message).strip()
    return WarehouseError(int(code[1]), name[1] if name else "STD_EXCEPTION", message)


def without_hints(error: WarehouseError) -> WarehouseError:
    """The error without the engine's guesses ("Maybe you meant silver.t?"), which name tables a reader may not see."""
    return WarehouseError(error.code, error.name, _HINT.sub(".", error.message))

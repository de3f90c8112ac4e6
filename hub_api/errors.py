"""Errors that know what they mean: `status` for HTTP answers, `retryable` for jobs, `code` for programs."""

import math
from typing import Any, ClassVar


class HubError(Exception):
    """A failure somebody can act on: what happened, to which record, and what to do."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.context = context
        self.headers: dict[str, str] = {}


class NotFound(HubError):
    """The record does not exist, or the caller may not know that it does."""

    status, code = 404, "not_found"


class Conflict(HubError):
    """The request is well formed but the record's state forbids it (422 is for the payload, 409 for the business)."""

    status, code = 409, "conflict"


class Stale(HubError):
    """The record has changed since the caller read it."""

    status, code = 412, "stale"


class Invalid(HubError):
    """The payload breaks a rule; `context["errors"]` names the fields."""

    status, code = 422, "invalid"


class Unauthorized(HubError):
    """No valid credential came with the request."""

    status, code = 401, "unauthorized"


class Forbidden(HubError):
    """The credential is valid and does not allow this."""

    status, code = 403, "forbidden"


class TooMany(HubError):
    """A limit is reached: the same request may be made again after `retry_after_s` seconds."""

    status, code, retryable = 429, "too_many_requests", True

    def __init__(self, message: str, *, retry_after_s: float, headers: dict[str, str] | None = None) -> None:
        seconds = max(1, math.ceil(retry_after_s))
        super().__init__(message, retry_after_s=seconds)
        self.headers = {**(headers or {}), "Retry-After": str(seconds)}


class Unavailable(HubError):
    """Something we depend on is away for now; the same request may succeed later."""

    status, code, retryable = 503, "unavailable", True

"""Refusals in the form that OAuth clients read (RFC 6749 §5.2, RFC 6750 §3.1), not in the API's own."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from hub_api.errors import HubError
from hub_api.platform.openapi import PROBLEM_JSON


class OAuthError(HubError):
    """The request of a client is refused; `error` is a code of the specification, the message is for its developer."""

    code = "oauth_refused"

    def __init__(self, error: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error, self.answer_status = error, status


class InvalidClient(OAuthError):
    """Who asks is no client of ours, or did not prove it."""

    def __init__(self) -> None:
        super().__init__("invalid_client", "client_id or client_secret is wrong", status=401)
        self.headers = {"WWW-Authenticate": 'Basic realm="hub"'}


class InvalidToken(OAuthError):
    """The access token opens nothing."""

    def __init__(self) -> None:
        super().__init__("invalid_token", "this access token is unknown, expired or revoked", status=401)
        self.headers = {"WWW-Authenticate": 'Bearer realm="hub", error="invalid_token"'}


def refused(description: str) -> dict[str, Any]:
    """How OpenAPI describes such a refusal; a body that cannot be read at all is refused before it comes here."""
    schema = {
        "type": "object",
        "required": ["error", "error_description"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    }
    unread = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": description, "content": {"application/json": {"schema": schema}, PROBLEM_JSON: unread}}


async def on_oauth_error(request: Request, error: Exception) -> JSONResponse:
    """The answer that a client's library understands."""
    assert isinstance(error, OAuthError)  # noqa: S101 - registered for OAuthError only
    body = {"error": error.error, "error_description": error.message}
    return JSONResponse(body, error.answer_status, headers={**error.headers, "Cache-Control": "no-store"})

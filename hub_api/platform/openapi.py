"""What every operation may answer beside what its route says, told in one place: OpenAPI names each status with its form."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

PROBLEM_JSON = "application/problem+json"
PROBLEM: Mapping[str, Any] = {
    "title": "Problem",
    "description": "An error as RFC 9457 forms it: `code` is for programs, `detail` for people. Some codes bring more fields.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:hub:problem:not_found"]},
        "title": {"type": "string", "examples": ["not found"]},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "examples": [404]},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$", "examples": ["not_found"]},
        "detail": {"type": "string", "examples": ["there is no such record"]},
        "errors": {
            "type": "array",
            "description": "for a request that breaks its schema: the path of each fault",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_OF_ALL = {
    "503": "`unavailable`: the database or a limit cannot be asked for a moment; Retry-After tells when to try again"
}
_OF_CALLERS = {
    "401": "`unauthorized`: no valid credential, or its session or key has ended",
    "403": "`forbidden`: the caller has not the permission · `csrf` · `second_factor_required`",
    "429": "`too_many_requests`: Retry-After tells when to try again",
}
_OF_BODIES = {
    "400": "`refused`: the body cannot be read at all",
    "413": "`too_large`: the body passes the path's limit",
}
_OF_INPUT = {"422": "`invalid`: the request breaks its schema, or a rule; `errors` has the path of each fault"}


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` name what every operation may answer, and the form of all errors."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its description


def _complete(spec: dict[str, Any]) -> None:
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for replaced in ("HTTPValidationError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = dict(PROBLEM)
    for path in spec.get("paths", {}).values():
        for operation in path.values():
            _complete_operation(operation)


def _complete_operation(operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status, description in _common(operation).items():
        if status == "422" and "application/json" in answers.get(status, {}).get("content", {}):
            answers[status] = {}  # FastAPI's own form of it, which ours is not
        answers.setdefault(status, {}).setdefault("description", description)
    for status, answer in answers.items():
        if status[:1] in "45":
            answer.setdefault("content", {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}})
    operation["responses"] = dict(sorted(answers.items()))


def _common(operation: Mapping[str, Any]) -> dict[str, str]:
    body = "requestBody" in operation
    return {
        **_OF_ALL,
        **(_OF_CALLERS if operation.get("security") else {}),
        **(_OF_BODIES if body else {}),
        **(_OF_INPUT if body or operation.get("parameters") else {}),
    }

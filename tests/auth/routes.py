"""Every route of the application with its permission, and requests to it made from its OpenAPI description.

`python -m tests.auth.routes` writes route_permissions.txt anew: read the difference, it is who may do what.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from hub_api.app import create_app
from hub_api.auth.permissions import BUILTIN
from tests.support.hub import make_settings

TABLE = Path(__file__).with_name("route_permissions.txt")
# Pages of the framework: the description of the API and what shows it.
FRAMEWORK = {"/docs", "/docs/oauth2-redirect", "/openapi.json", "/static-offline-docs"}
ROLES = tuple(BUILTIN)


@dataclass(frozen=True)
class Route:
    """One method of one path, what it wants, what its dependencies call, and its OpenAPI description with the schemas it refers to."""

    method: str
    path: str
    permission: str | None
    calls: frozenset[Any]
    operation: dict[str, Any]
    schemas: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """Names in the path."""
        return re.findall(r"{(\w+)(?::\w+)?}", self.path)

    def url(self, **values: object) -> str:
        """The path with these values; a parameter without one gets what its schema allows."""
        described = {one["name"]: one for one in self.operation.get("parameters", ()) if one["in"] == "path"}
        return re.sub(
            r"{(\w+)(?::\w+)?}",
            lambda found: str(values.get(found[1]) or sample(described[found[1]].get("schema", {}), self.schemas)),
            self.path,
        )

    @property
    def body_schema(self) -> dict[str, Any] | None:
        """The schema of the JSON body; None when there is none."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    def request(self) -> dict[str, Any]:
        """Arguments of a request that fits the description: body, form, required query parameters."""
        arguments: dict[str, Any] = {}
        content = self.operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            examples = content["application/json"].get("examples")
            arguments["json"] = (
                next(iter(examples.values()))["value"] if examples else sample(self.body_schema or {}, self.schemas)
            )
        elif content:
            schema = resolve(next(iter(content.values()))["schema"], self.schemas)
            arguments["data"] = {
                name: str(sample(schema["properties"][name], self.schemas)) for name in schema.get("required", ())
            }
        query = {
            one["name"]: str(sample(one["schema"], self.schemas))
            for one in self.operation.get("parameters", ())
            if one["in"] == "query" and one.get("required")
        }
        return {**arguments, **({"params": query} if query else {})}


def application() -> FastAPI:
    """The application with every service, not running."""
    return create_app(make_settings("postgresql://nobody@127.0.0.1:1/none", "redis://127.0.0.1:1"))


def all_routes() -> list[Route]:
    """Every route that is ours, in the order of the table."""
    app = application()
    spec = app.openapi()
    found = []
    for context in iter_route_contexts(app.routes):
        if not isinstance(getattr(context, "route", context), APIRoute) or context.path in FRAMEWORK:
            continue
        for method in sorted(context.methods or ()):
            described = re.sub(r":\w+}", "}", context.path)  # OpenAPI knows no converters
            operation = spec["paths"].get(described, {}).get(method.lower(), {})
            permissions = list(dict.fromkeys(_permissions(context.dependant)))
            found.append(
                Route(
                    method, context.path, permissions[0] if permissions else None, frozenset(_calls(context.dependant)), operation, spec.get("components", {}).get("schemas", {})
                )
            )  # fmt: skip
    return sorted(found, key=lambda route: (route.path, route.method))


def other_routes() -> set[str]:
    """Paths that are no API routes: what the framework brings, and what somebody mounted beside them."""
    return {
        str(getattr(route, "path", ""))
        for route in application().routes
        if not isinstance(route, APIRoute) and getattr(route, "path", None) is not None
    }


def _calls(dependant: Any) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


def _permissions(dependant: Any) -> Iterator[str]:
    for one in dependant.dependencies:
        if permission := getattr(one.call, "permission", None):
            yield permission
        yield from _permissions(one)


def resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference; of alternatives the first."""
    while True:
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rpartition("/")[2]]
        elif options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            schema = {**{k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")}, **options[0]}
        else:
            return schema


def sample(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that the schema allows: its example, else one made from its type."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    schema = resolve(schema, schemas)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: sample(schema["properties"][name], schemas) for name in schema.get("required", ())}
    if kind == "array":
        return [sample(schema.get("items", {}), schemas)] * max(1, schema.get("minItems", 1))
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    formats = {
        "uuid": str(UUID(int=7)),
        "date-time": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        "date": "2026-11-26",
        "uri": "https://example.com/",
        "password": "quatro girafas no telhado",
    }
    return formats.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))


def write_table() -> None:
    """route_permissions.txt from the catalogue: one line a route, with the roles that may."""
    lines = [
        "# Who may call which route. Columns: method, path, permission, roles (- : keys only; public: no caller needed).",
        "# Written by `python -m tests.auth.routes`; tests/auth/test_every_route.py calls each route as each role.",
        "",
    ]
    for route in all_routes():
        allowed = [name for name, role in BUILTIN.items() if route.permission in role.permissions]
        roles = "public" if route.permission == "public" else " ".join(allowed) or "-"
        lines.append(f"{route.method:<6} {route.path:<62} {route.permission or 'MISSING':<22} {roles}")
    TABLE.write_text("\n".join(lines) + "\n")


def read_table() -> dict[str, tuple[str, set[str]]]:
    """Route name -> permission and roles, as the table says."""
    rows = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {f"{method} {path}": (permission, set(roles)) for method, path, permission, *roles in rows}


if __name__ == "__main__":
    write_table()

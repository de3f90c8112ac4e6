"""People signed in to the running demo, and what they see in Superset through the hub."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import asyncpg
import requests

from hub_api.auth.passwords import Passwords
from tests.support.waiting import run_async, wait_until

PASSWORD = "quatro girafas no telhado"
SUPERSET = "/apps/superset"


@dataclass
class Person:
    """Somebody signed in: a session of cookies at the hub."""

    hub: str
    email: str
    session: requests.Session

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(f"{self.hub}{path}", headers=headers, timeout=120)

    def post(self, path: str, body: Any = None, **headers: str) -> requests.Response:
        told = {"Origin": self.hub, "X-CSRF-Token": self.session.cookies.get("hub_csrf") or "", **headers}
        return self.session.post(f"{self.hub}{path}", json=body, headers=told, timeout=120)

    def guest(self, slug: str) -> dict[str, Any]:
        """A guest token of this session."""
        answer = self.post(f"/api/v1/analytics/dashboards/{slug}/guest-token")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, chart: dict[str, Any], **headers: str) -> tuple[int, list[dict[str, Any]]]:
        """Status and rows of a chart's query."""
        answer = self.post(f"{SUPERSET}/api/v1/chart/data", chart, **headers)
        result = answer.json().get("result") if answer.headers["Content-Type"].startswith("application/json") else None
        return answer.status_code, result[0]["data"] if isinstance(result, list) else []


def run(stack, *statements: tuple[str, tuple[Any, ...]]) -> None:
    async def execute() -> None:
        db = await asyncpg.connect(stack.env["HUB_DATABASE_URL"])
        try:
            for sql, arguments in statements:
                await db.execute(sql, *arguments)
        finally:
            await db.close()

    run_async(execute())


@cache
def hashed() -> str:
    """PASSWORD as the hub keeps it; once, since it is meant to be slow."""

    async def make() -> str:
        return await Passwords().hash(PASSWORD)

    return run_async(make())


def person(stack, role: str) -> Person:
    """A new user of this role, signed in."""
    hub, email = f"http://127.0.0.1:{stack.env['HUB_API_PORT']}", f"{role}-{uuid.uuid4().hex[:8]}@example.com"
    insert = "INSERT INTO users (id, email, name, role, password_hash, password_changed_at) VALUES ($1,$2,$3,$4,$5,$6)"
    run(stack, (insert, (uuid.uuid4(), email, f"{role.title()} Souza", role, hashed(), datetime.now(UTC))))
    session = requests.Session()
    credentials = {"email": email, "password": PASSWORD, "transport": "cookie"}

    def signed_in() -> bool:
        answer = session.post(f"{hub}/api/v1/auth/login", json=credentials, timeout=60)
        assert answer.status_code in (200, 429), answer.text
        return answer.status_code == 200

    wait_until(signed_in, 90, every_s=2)  # five attempts a minute from one address
    return Person(hub, email, session)

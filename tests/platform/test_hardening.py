"""What every answer carries for a browser, and how large a request may be."""

from collections.abc import AsyncIterator

import pytest

from hub_api.platform.body_limit import MEGABYTE
from hub_api.platform.headers import STRICT
from tests.support.hub import Hub


@pytest.mark.parametrize("path", ["/api/v1/conversations", "/api/v1/nowhere", "/health", "/openapi.json"])
async def test_every_answer_is_guarded_whatever_it_is(hub: Hub, path: str):
    for headers in (hub.auth, {}):
        answer = await hub.get(path, headers=headers)
        assert {name: answer.headers.get(name) for name in STRICT} == STRICT, answer.status
        assert "Strict-Transport-Security" not in answer.headers
        if path.startswith("/api/"):
            assert answer.headers["Cache-Control"] == "no-store"


async def test_the_documentation_may_run_its_own_script_and_no_other(hub: Hub):
    answer = await hub.get("/docs")
    policy = answer.headers["Content-Security-Policy"]
    assert answer.status == 200
    assert "script-src 'self' 'unsafe-inline'" in policy and "frame-ancestors 'none'" in policy
    assert "http" not in policy


async def test_a_body_over_the_limit_is_refused_before_it_is_read(hub: Hub):
    path = "/api/v1/conversations/00000000-0000-7000-8000-000000000000/messages"
    refused = await hub.post(path, data=b"x" * (8 * MEGABYTE + 1), headers=hub.auth)
    assert refused.status == 413
    assert (await refused.json(content_type=None))["code"] == "too_large"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * MEGABYTE

    counted = await hub.post(path, data=endless(), headers={**hub.auth, "Content-Type": "application/json"})
    assert counted.status == 413


async def test_uploads_may_be_larger(hub: Hub):
    answer = await hub.post(
        "/api/v1/business/plans/import", data=b"x" * (9 * MEGABYTE), headers={**hub.auth, "Content-Type": "text/csv"}
    )
    assert answer.status != 413

"""One trace from a webhook through jobs to its event, and from a caller's request; nothing personal in what is sent.

The API and a worker are processes of their own, since OpenTelemetry's instruments are a process's; the collector is a server
here that reads OTLP's protobuf.
"""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from hub_api.auth.keys import create_key
from hub_api.platform import trace
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import prepare_connection
from hub_api.settings import Settings
from tests.support.hub import API_KEY, fixture, signed
from tests.support.process import free_port
from tests.support.waiting import eventually

ANSWER = "Bom dia, Ana! Já verificamos o sinal da sua casa."
CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
OURS = """
    WITH account AS (
        INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted)
        VALUES (gen_random_uuid(), '102290000000001', '111000000000001', 'test', '\\x00') RETURNING id
    )
    INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number)
    SELECT gen_random_uuid(), id, $1, '551130001000' FROM account
"""
TRACEPARENT = f"00-{CALLER}-00f067aa0ba902b7-01"


@dataclass
class Collector:
    """What processes sent, as it came and as spans by their trace."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    spans: list[tuple[str, Span]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """OTLP over HTTP: POST /v1/traces with a protobuf."""
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (name,) = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            self.spans += [(name, span) for scope in resource.scope_spans for span in scope.spans]
        return web.Response(body=b"", content_type="application/x-protobuf")

    def of(self, trace_id: str) -> dict[str, tuple[str, Span]]:
        """The spans of one trace by their names, with the process that made each."""
        return {span.name: (process, span) for process, span in self.spans if span.trace_id.hex() == trace_id}


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a free port."""
    collector, app = Collector(), web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    collector.url = f"http://127.0.0.1:{port}"
    try:
        yield collector
    finally:
        await runner.cleanup()


@contextmanager
def processes(settings: Settings, redis_url: str, otlp_url: str, port: int, **more: str) -> Iterator[None]:
    """The API and a worker, ended as an operator ends them, so that they send what they still hold."""
    secrets = ("secret_key", "meta_app_secret", "meta_verify_token", "clickhouse_url", "database_url")
    environment = {f"HUB_{name.upper()}": getattr(settings, name).get_secret_value() for name in secrets} | {
        "HUB_REDIS_URL": redis_url, "HUB_OTLP_URL": otlp_url, "HUB_META_BASE_URL": settings.meta_base_url,
        "OTEL_BSP_SCHEDULE_DELAY": "200", **more,
    }  # fmt: skip
    commands = (["api", "--port", str(port)], ["worker"])
    running = [
        subprocess.Popen([sys.executable, "-m", "hub_api", *command], env={**os.environ, **environment})
        for command in commands
    ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await prepare_connection(connection)
    await create_key(connection, "test", ["*"], key=API_KEY)
    yield connection
    await connection.close()


async def answers(http: aiohttp.ClientSession, url: str) -> bool:
    """Whether the API is up."""
    try:
        async with http.get(f"{url}/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


@pytest.mark.timeout(120)
async def test_one_trace_leads_from_a_webhook_to_its_event_and_holds_nothing_personal(
    settings: Settings, redis_url: str, db: Connection
) -> None:
    port = free_port()
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {API_KEY}"}
    body = fixture("text.json")
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"][0]["timestamp"] = str(int(time.time()))  # so that its window is open
    said, phone, phone_number_id = (
        value["messages"][0]["text"]["body"],
        value["contacts"][0]["wa_id"],
        value["metadata"]["phone_number_id"],
    )
    await db.execute(OURS, phone_number_id)
    async with collecting() as collector, aiohttp.ClientSession() as http:
        with processes(settings, redis_url, collector.url, port):
            await eventually(lambda: answers(http, url), 60)
            async with http.post(f"{url}/webhooks/whatsapp", **signed(body)) as answer:
                assert answer.status == 200
            stored = "SELECT trace_id FROM events WHERE type = 'message.received'"
            await eventually(lambda: db.fetchval(stored), 60)
            talk = f"{url}/api/v1/conversations/{await db.fetchval('SELECT id FROM conversations')}/messages"
            answer_of_ours = {"type": "text", "text": ANSWER}
            async with http.post(talk, json=answer_of_ours, headers=headers | {"traceparent": TRACEPARENT}) as answer:
                assert answer.status == 202, await answer.text()
            await eventually(lambda: of_job(collector), 60)
            search = {"phone": phone}
            async with http.get(
                f"{url}/api/v1/customers", params=search, headers={**headers, "traceparent": TRACEPARENT}
            ) as answer:
                assert answer.status == 200
            # Seen before the processes end: while they are waited for, the collector's loop stands still.
            await eventually(lambda: "GET /api/v1/customers" in collector.of(CALLER), 60)
        webhook_id = (await db.fetchval("SELECT id FROM webhook_event")).hex
        # The event in PostgreSQL, and with it in the warehouse, bears the id of the webhook that brought it.
        assert await db.fetchval(stored) == webhook_id

        spans = collector.of(webhook_id)
        door, handled = spans["POST /webhooks/whatsapp"], spans["handle message"]
        assert (door[0], handled[0]) == ("hub-api", "hub-worker")
        assert handled[1].parent_span_id == door[1].span_id and not door[1].parent_span_id
        assert door[1].start_time_unix_nano <= handled[1].start_time_unix_nano <= time.time_ns()

        # The answer is sent by a job: its span, and the events of the message, are of the request's trace.
        asked = collector.of(CALLER)
        assert "hub-worker" in {process for process, _ in asked.values()}
        events = await db.fetch("SELECT type FROM events WHERE trace_id = $1", CALLER)
        assert "message.queued" in {row["type"] for row in events}
        request = asked["GET /api/v1/customers"][1]
        assert request.parent_span_id.hex() == "00f067aa0ba902b7"
        below = {name for name, (_, span) in asked.items() if span.parent_span_id == request.span_id}
        assert "SELECT" in below
        jobs = {span.name for process, span in collector.spans if process == "hub-worker"}
        assert "whatsapp.jobs.split_inbox" in jobs and any(
            span.name.startswith("SET") or span.name == "DEL" for _, span in collector.spans
        )

        everything = b"".join(collector.bodies)
        for personal in (said, ANSWER, phone, phone[-8:], API_KEY, "test-app-secret"):
            assert personal.encode() not in everything


async def of_job(collector: Collector) -> bool:
    """Whether a job's span of the caller's trace has come."""
    return any(process == "hub-worker" for process, _ in collector.of(CALLER).values())


async def test_a_share_of_traces_is_the_same_in_each_process(settings: Settings) -> None:
    """Decided by the id alone, near the share that was asked for, though ids that are times are no chance."""
    from hub_api.platform.ids import uuid7
    from hub_api.platform.otel import _Share

    ids = [uuid7().int for _ in range(4000)]
    kept = [one for one in ids if _Share(0.25).keeps(one)]
    assert 0.2 < len(kept) / len(ids) < 0.3
    assert [one for one in ids if _Share(0.25).keeps(one)] == kept
    assert not any(_Share(0).keeps(one) for one in ids) and all(_Share(1).keeps(one) for one in ids)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (TRACEPARENT, CALLER), (CALLER, CALLER), (None, None), ("", None), ("0" * 32, None), ("x" * 32, None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None), (f"00-{CALLER}-{'0' * 16}-01", None), (f"00-{CALLER.upper()}-00f067aa0ba902b7-01", None),
        (f"{TRACEPARENT}-extra", None), (f"{CALLER}\n", None),
    ],
)  # fmt: skip
def test_only_what_the_standard_allows_names_a_trace(given: str | None, found: str | None) -> None:
    assert trace.trace_of(given) == found


def test_work_without_a_collector_has_an_id_all_the_same() -> None:
    assert trace.current() is None
    with trace.work("outer") as piece:
        outer = trace.current()
        piece.note("renamed", failed=True, rows=3)
        assert outer and trace.carried() == outer
        with trace.work("inner", carried=TRACEPARENT):
            assert trace.current() == CALLER
        assert trace.current() == outer
    assert trace.current() is None
    assert not trace.drawn()

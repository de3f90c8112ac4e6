"""Trouble is told once to every channel, told again after a day, and told when it is over; a channel that is away is tried again."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError

import dagster as dg
import pytest

from assets.warehouse import Warehouse
from hub_api.settings import Settings
from hub_api.simulator.post import Post
from pipelines import alerts
from pipelines.definitions import defs
from tests.support.data import data_settings_for


class Channel:
    """A webhook that keeps what it got."""

    def __init__(self) -> None:
        self.got: list[dict[str, object]] = []
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                channel.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def channel() -> Iterator[Channel]:
    one = Channel()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as one:
        yield one


def settings_of(database_url: str, **channels: object) -> Settings:
    return data_settings_for(database_url, "http://admin:none@127.0.0.1:1", **channels)


def look(instance: dg.DagsterInstance, settings: Settings, cursor: str | None = None) -> dg.SensorResult:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        result = alerts.alerts(context, warehouse=Warehouse(settings))
    assert isinstance(result, dg.SensorResult)
    return result


def check_ends(instance: dg.DagsterInstance, *, passed: bool) -> None:
    """A check of a table reports what it found, as in a run."""
    key = dg.AssetKey(["gold", "service_kpi_hourly"])
    evaluation = dg.AssetCheckEvaluation(key, "expectations", passed, metadata={}, description="backlog: 3 of 9 rows")
    instance.report_runless_asset_event(evaluation)


def run_ends(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> None:
    instance.create_run_for_job(defs.resolve_job_def("refresh"), status=status, tags={"hub/reason": "clock"})


def test_a_failed_check_and_a_failed_run_are_told_once_and_again_when_they_are_over(
    instance: dg.DagsterInstance, database_url: str, channel: Channel
) -> None:
    settings = settings_of(database_url, alert_url=channel.url)
    check_ends(instance, passed=False)
    run_ends(instance, dg.DagsterRunStatus.FAILURE)
    cursor = look(instance, settings).cursor
    (first,) = channel.got
    assert any("gold/service_kpi_hourly, expectations: backlog: 3 of 9 rows" in text for text in first["alerts"])
    assert any("Execução falhou: refresh (clock)" in text for text in first["alerts"])
    cursor = look(instance, settings, cursor).cursor
    assert len(channel.got) == 1, "told already"
    check_ends(instance, passed=True)
    run_ends(instance, dg.DagsterRunStatus.SUCCESS)
    cursor = look(instance, settings, cursor).cursor
    assert len(channel.got) == 2 and all(text.startswith("Resolvido: ") for text in channel.got[1]["alerts"])
    assert len(channel.got[1]["alerts"]) == 2
    look(instance, settings, cursor)
    assert len(channel.got) == 2


def test_what_lasts_is_told_again_after_a_day(
    instance: dg.DagsterInstance, database_url: str, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(database_url, alert_url=channel.url)
    check_ends(instance, passed=False)
    cursor, now = look(instance, settings).cursor, alerts.time.time()
    for hours, told in ((23, 1), (25, 2), (26, 2)):
        monkeypatch.setattr(alerts.time, "time", lambda at=now + hours * 3600: at)
        cursor = look(instance, settings, cursor).cursor
        assert len(channel.got) == told


def test_a_channel_that_is_away_gets_it_at_a_later_look(
    instance: dg.DagsterInstance, database_url: str, channel: Channel
) -> None:
    check_ends(instance, passed=False)
    with pytest.raises(URLError):
        look(instance, settings_of(database_url, alert_url="http://127.0.0.1:1/hook"))
    look(instance, settings_of(database_url, alert_url=channel.url))
    assert len(channel.got) == 1


def test_mail_reaches_each_address_and_says_what_it_is(instance: dg.DagsterInstance, database_url: str) -> None:
    check_ends(instance, passed=False)
    post, started, stop = Post(), threading.Event(), threading.Event()

    async def serve() -> None:
        await post.start("127.0.0.1", 0)
        started.set()
        await asyncio.to_thread(stop.wait)
        await post.stop()

    server = threading.Thread(target=lambda: asyncio.run(serve()))
    server.start()
    assert started.wait(20)
    try:
        smtp = f"smtp://127.0.0.1:{post.smtp_port}"
        look(instance, settings_of(database_url, smtp_url=smtp, alert_mail=("dados@example.com", "ti@example.com")))
    finally:
        stop.set()
        server.join()
    assert [item.to for item in post.items] == ["dados@example.com", "ti@example.com"]
    assert all("expectations" in item.text and "plataforma de dados" in (item.subject or "") for item in post.items)


def test_a_database_that_is_away_is_told_and_without_a_channel_nothing_is_looked_at(
    instance: dg.DagsterInstance, channel: Channel
) -> None:
    away = "postgresql://none@127.0.0.1:1/none"
    look(instance, settings_of(away, alert_url=channel.url))
    assert channel.got[0]["alerts"] == ["PostgreSQL não responde: ConnectionRefusedError"]
    result = look(instance, settings_of(away))
    assert "HUB_ALERT_URL" in str(result.skip_reason)


async def test_events_that_stay_away_from_the_warehouse_are_told(
    instance: dg.DagsterInstance, database_url: str, channel: Channel
) -> None:
    import asyncpg

    from hub_api.platform.ids import uuid7

    db = await asyncpg.connect(database_url)
    await db.execute(
        "INSERT INTO relay_cursor (name, system_identifier, timeline, xid, seq, batch) VALUES ('raw.events', 1, 1, '0', 0, 0)"
    )
    for age in ("1 minute", "20 minutes"):
        await db.execute(
            "INSERT INTO events (id, type, aggregate_type, aggregate_id, aggregate_version, occurred_at, payload, created_at) "
            f"VALUES ($1, 'message.received', 'message', $1, 1, now(), '{{}}', now() - interval '{age}')",
            uuid7(),
        )
        await asyncio.to_thread(look, instance, settings_of(database_url, alert_url=channel.url))
        assert len(channel.got) == (age != "1 minute")
    await db.close()
    assert "hub logs relay" in channel.got[0]["alerts"][0]

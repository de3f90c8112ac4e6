"""The `hub` command as operators and programs meet it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import asyncpg
import pytest
import typer.main
from rich.console import Console

from hub_api.cli import app, commands
from hub_api.embedded.home import Home, State
from hub_api.embedded.live import panel, read_figures
from hub_api.embedded.packages import differences, explain, require_packages
from hub_api.embedded.parts import make_parts, select_parts
from hub_api.embedded.values import make_values
from hub_api.errors import Invalid
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from tests.support.waiting import run_async
from tests.support.warehouse import EmbeddedWarehouse


@dataclass
class Said:
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


Hub = Callable[..., Said]


@pytest.fixture
def hub_command(settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Hub:
    """The console script with the environment of this test's engines, in this process: a new one spends seconds on imports."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        monkeypatch.delenv(name)
    for name in ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token"):
        monkeypatch.setenv(f"HUB_{name.upper()}", getattr(settings, name).get_secret_value())
    monkeypatch.setenv("HUB_HOME", "/nonexistent")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str, **more: str) -> Said:
        with monkeypatch.context() as changed, pytest.raises(SystemExit) as ended:
            for name, value in more.items():
                changed.setenv(name, value)
            app(args=list(arguments), prog_name="hub")
        return Said(int(ended.value.code or 0), *capfd.readouterr())

    return run


def test_the_command_line_loads_no_client_of_an_engine_before_a_command_needs_it() -> None:
    """Half of the time of `hub status` was spent on importing Redis' and PostgreSQL's."""
    heavy = {"redis", "rq", "asyncpg", "structlog", "pydantic_settings", "clickhouse_connect", "fastapi", "aiohttp"}
    code = f"import hub_api.cli, sys; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def all_commands() -> Iterator[tuple[str, object]]:
    def walk(prefix: str, group: object) -> Iterator[tuple[str, object]]:
        for name, command in getattr(group, "commands", {}).items():
            yield f"{prefix} {name}".strip(), command
            yield from walk(f"{prefix} {name}", command)

    return walk("", typer.main.get_command(commands))


def test_every_command_and_option_has_help() -> None:
    found = dict(all_commands())
    assert {
        "up",
        "down",
        "status",
        "logs",
        "doctor",
        "api",
        "worker",
        "scheduler",
        "relay",
        "warehouse",
        "migrate",
    } <= set(found)
    assert {"webhooks dead", "webhooks replay", "numbers add", "numbers list", "simulate meta"} <= set(found)
    for name, command in found.items():
        assert getattr(command, "help", None), f"hub {name} has no help"
        for parameter in getattr(command, "params", []):
            assert getattr(parameter, "help", None), f"hub {name} {parameter.name} has no help"


def test_missing_settings_are_named_in_one_line() -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    command = [sys.executable, "-m", "hub_api", "migrate"]
    said = subprocess.run(command, env={**env, "HUB_HOME": "/nonexistent"}, capture_output=True, text=True)
    assert said.returncode == 1
    assert "HUB_DATABASE_URL" in said.stderr
    assert "hub up" in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_wrong_usage_exits_with_2(hub_command: Hub) -> None:
    assert hub_command("webhooks", "replay").returncode == 2
    assert hub_command("worker", "--queues", "nonsense").returncode == 2
    assert hub_command("api", "--port", "99999").returncode == 2


def test_an_unknown_service_is_refused_with_the_known_ones(hub_command: Hub) -> None:
    said = hub_command("api", "--services", "chat,nonsense", HUB_API_SERVICES="[]")  # so that what it sets is undone
    assert said.returncode == 1
    assert "HUB_API_SERVICES" in said.stderr and "'auth', 'chat', 'whatsapp'" in said.stderr


def test_the_schema_is_checked_without_changing_it_and_applied_once(
    hub_command: Hub, empty_database_url: str, warehouse_server: EmbeddedWarehouse
) -> None:
    there = {"HUB_CLICKHOUSE_URL": warehouse_server.url()}
    checked = hub_command("migrate", "--check", **there)
    assert (checked.returncode, checked.stdout) == (0, "the schema is the newest\n")
    for _ in range(2):
        pending = hub_command("migrate", "--check", HUB_DATABASE_URL=empty_database_url, **there)
        assert pending.returncode == 1
        assert "pending: 0001_pre_foundation.sql" in pending.stdout
    made = hub_command("migrate", HUB_DATABASE_URL=empty_database_url, **there)
    assert made.returncode == 0 and "applied: 0001_pre_foundation.sql" in made.stdout
    again = hub_command("migrate", HUB_DATABASE_URL=empty_database_url, **there)
    assert (again.returncode, again.stdout) == (0, "the schema is the newest\n")


def test_doctor_names_a_setting_that_is_out_of_bounds_and_not_its_value(hub_command: Hub) -> None:
    found = hub_command("doctor", "--json", HUB_SEND_TIMEOUT_S="-1", HUB_SECRET_KEY="")
    assert found.returncode == 1
    checks = {check["name"]: check for check in json.loads(found.stdout)}
    assert checks["settings"]["level"] == "failed"
    assert "HUB_SEND_TIMEOUT_S: Input should be greater than 0" in checks["settings"]["found"]
    assert "correct them" in checks["settings"]["remedy"]
    healthy = {check["name"]: check for check in json.loads(hub_command("doctor", "--json").stdout)}
    assert healthy["settings"] == {"name": "settings", "level": "ok", "found": "complete", "remedy": ""}
    assert healthy["HUB_DATABASE_URL"]["level"] == "ok"
    assert healthy["HUB_CLICKHOUSE_URL"]["level"] == "failed"
    assert "is the server up and reachable" in healthy["HUB_CLICKHOUSE_URL"]["remedy"]


def test_texts_without_their_column_are_refused_in_one_line(hub_command: Hub, tmp_path: Path) -> None:
    (tmp_path / "wrong.csv").write_text("id,body\n1,oi\n")
    said = hub_command("simulate", "traffic", "--seconds", "1", "--texts", str(tmp_path / "wrong.csv"))
    assert said.returncode == 1
    assert "has no column 'text'; it has: id, body" in said.stderr


def test_a_number_is_registered_and_listed_without_its_token(hub_command: Hub, database_url: str) -> None:
    arguments = ["--waba-id", "102", "--phone-number-id", "106", "--display-phone-number", "551130001000",
                 "--portfolio-id", "111", "--name", "Telecom Exemplo"]  # fmt: skip
    for _ in range(2):  # again is a renewal
        added = hub_command("numbers", "add", *arguments, HUB_META_TOKEN="EAAG-secret")
        assert added.returncode == 0, added.stderr
    listed = hub_command("numbers", "list", "--json")
    assert [number["phone_number_id"] for number in json.loads(listed.stdout)] == ["106"]
    assert "551130001000" in hub_command("numbers", "list").stdout
    [account] = query(database_url, "SELECT * FROM whatsapp_accounts")
    assert account["name"] == "Telecom Exemplo"
    assert "EAAG-secret" not in f"{dict(account)} {listed.stdout}"


def test_dead_letters_are_listed_and_put_back_once(hub_command: Hub, database_url: str) -> None:
    letter = uuid7()
    query(
        database_url,
        "INSERT INTO dead_letter (id, source, webhook_id, received_at, kind, contact_key, reason, detail, payload) "
        "VALUES ($1, 'handle', $1, now(), 'message', '5511999998888', 'handler_failed', 'a bug', '{}')",
        letter,
    )
    assert [row["id"] for row in json.loads(hub_command("webhooks", "dead", "--json").stdout)] == [str(letter)]
    wrong = hub_command("webhooks", "replay", "no-id")
    assert wrong.returncode == 1
    assert "'no-id' is no id of a dead letter" in wrong.stderr
    assert "1 dead letters put back" in hub_command("webhooks", "replay", str(letter)).stdout
    assert "0 dead letters put back" in hub_command("webhooks", "replay", "--all").stdout
    assert len(query(database_url, "SELECT FROM inbox_item")) == 1


def test_a_history_and_a_log_come_in_by_command_with_their_counts_for_programs(
    hub_command: Hub, database_url: str, tmp_path: Path
) -> None:
    manifest, report, log = (tmp_path / name for name in ("manifest.json", "report.csv", "log.csv"))
    made = hub_command("simulate", "history", "--days", "2", "--customers", "30", "--seed", "7", "--until", "2026-03-10",
                       "--manifest", str(manifest), "--json")  # fmt: skip
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["contracts"] == 30 == query(database_url, "SELECT count(*) FROM contracts")[0][0]
    assert json.loads(manifest.read_text())["first_day"] == "2026-03-09"
    log.write_text("id,author,inbound,time,text,reply to\n1,ana,true,2026-03-02T10:00:00Z,oi,\n2,ana,talvez,x,y,\n")
    imported = hub_command("simulate", "history", "--from", str(log), "--report", str(report))
    assert imported.returncode == 0 and "1 imported, 1 skipped" in imported.stdout
    assert "talvez" in report.read_text()
    assert hub_command("simulate", "history", "--until", "2026-03-10").returncode == 1, (
        "only an empty hub takes a history"
    )
    assert hub_command("simulate", "history", "--until", "10/03/2026").returncode == 2


def test_what_the_channel_told_is_listed(hub_command: Hub, database_url: str) -> None:
    query(
        database_url,
        "INSERT INTO channel_update (id, webhook_id, field, value) VALUES ($1, $1, 'field_of_the_future', '{\"a\": 1}')",
        uuid7(),
    )
    [shown] = json.loads(hub_command("webhooks", "updates", "--json").stdout)
    assert (shown["field"], shown["value"], shown["applied_at"]) == ("field_of_the_future", {"a": 1}, None)
    assert "field_of_the_future" in hub_command("webhooks", "updates").stdout
    assert json.loads(hub_command("webhooks", "updates", "--field", "calls", "--json").stdout) == []


def query(url: str, sql: str, *arguments: object) -> list[asyncpg.Record]:
    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql, *arguments)
        finally:
            await connection.close()

    return run_async(run())


def test_live_figures_are_read_from_the_metrics_text() -> None:
    text = """
# TYPE whatsapp_mensagens_enviadas_total counter
whatsapp_mensagens_enviadas_total{tipo="text",status="accepted"} 40.0
whatsapp_mensagens_enviadas_total{tipo="interactive",status="accepted"} 2.0
whatsapp_mensagens_enviadas_total{tipo="text",status="failed"} 3.0
# TYPE inbox_items_handled_total counter
inbox_items_handled_total{kind="message"} 50.0
inbox_items_handled_total{kind="status"} 70.0
# TYPE outbox_unknown_messages gauge
outbox_unknown_messages 1.0
# TYPE relay_lag_seconds gauge
relay_lag_seconds 0.7
"""
    figures = read_figures(text)
    assert (figures.sent, figures.failed, figures.handled, figures.unknown) == (42, 3, 120, 1)
    assert (figures.lag_s, figures.received) == (0.7, 0)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(panel([(0.0, read_figures("")), (10.0, figures)]))
    assert "12.0/s" in captured.get()
    assert "4.2/s" in captured.get()


def test_users_are_made_listed_changed_and_reset(hub_command: Hub, settings: Settings) -> None:
    made = hub_command("user", "create", "bia@example.com", "--name", "Bia Lima", "--role", "supervisor")
    assert made.returncode == 0 and re.search(r"http://\S+/convite#\S{40,}", made.stdout)
    assert hub_command("user", "create", "BIA@example.com", "--name", "Bia").returncode == 1
    assert hub_command("user", "create", "x@example.com", "--name", "X", "--role", "king").returncode == 1
    assert hub_command("user", "set-role", "bia@example.com", "analyst").returncode == 0
    assert hub_command("user", "reset-2fa", "bia@example.com").returncode == 0
    (shown,) = json.loads(hub_command("user", "list", "--json").stdout)
    assert (shown["email"], shown["role"], shown["active"]) == ("bia@example.com", "analyst", True)
    assert hub_command("user", "deactivate", "bia@example.com").returncode == 0
    assert "inactive" in hub_command("user", "list").stdout
    unknown = hub_command("user", "deactivate", "nobody@example.com")
    assert unknown.returncode == 1 and "there is no user" in unknown.stderr
    assert hub_command("user", "rotate-keys").returncode == 0

    async def audited() -> list[tuple[str, str]]:
        db = await asyncpg.connect(settings.database_url.get_secret_value())
        rows = await db.fetch("SELECT actor, action FROM audit_log")
        await db.close()
        return [(row["actor"], row["action"]) for row in rows]

    rows = run_async(audited())
    assert {actor for actor, _ in rows} == {"operator"} and ("operator", "signing_keys.rotated") in rows


def test_a_package_that_the_lock_has_and_the_environment_lacks_is_named_with_the_remedy(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    installed = "".join(f"{one}=={version(one)} \\\n    --hash=sha256:00\n" for one in ("typer", "msgspec"))
    lock.write_text(f"{installed}Not.There==1.2 \\\n    --hash=sha256:00\naiohttp==0.0.1\n")
    assert differences(lock) == (["not-there"], ["aiohttp"])
    with pytest.raises(Invalid, match=r"asks for not-there, which this environment lacks; run `make install`"):
        require_packages(lock)
    lock.write_text(installed)
    require_packages(lock)
    require_packages()  # of this environment, as `hub up` asks
    assert differences(tmp_path / "none") == ([], [])


def test_a_module_that_is_missing_ends_in_one_line_and_one_of_ours_in_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import package_of_the_new_lock\n")
    command = [sys.executable, "-m", "hub_api", "status"]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: the package package_of_the_new_lock is not installed in this environment; run `make install`\n"
    )
    assert explain(ModuleNotFoundError(name="hub_api.gone")) is None


def test_without_dagsters_code_its_other_parts_stay_out_and_the_demo_has_a_home_to_build_tables_in(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path / "home")
    home.create()
    values, state = make_values(home, demo=True), State(demo=True)
    parts = make_parts(home, values, state, definitions="pipelines.definitions", scene=["--days", "2"])
    if state.postgres_place:  # of root, outside of the home
        shutil.rmtree(state.postgres_place, ignore_errors=True)
        Path(state.postgres_place).with_suffix(".home").unlink(missing_ok=True)
    chosen = {part.name: part for part in select_parts(parts, (), ("dagster-code", "superset"))}
    assert not {"dagster-daemon", "dagster-web", "dagster-upgrade"} & chosen.keys()
    assert {"demo", "checker", "models", "api"} <= chosen.keys() and chosen["demo"].prepare is not None
    assert chosen["demo"].env["HUB_CHECKER_URL"] == values.env["HUB_CHECKER_URL"] != ""
    alone = {part.name: part for part in select_parts(parts, (), ("dagster",))}
    assert alone["demo"].env["HUB_CHECKER_URL"] == "", "its run starts a checker of its own"
    assert {part.name for part in select_parts(parts, ("dagster-web",), ())} >= {"dagster-code", "dagster-web"}

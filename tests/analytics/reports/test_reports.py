"""Reports on a clock: the figures of the API, to each recipient once, by mail and by WhatsApp, whatever is away meanwhile."""

import base64
from datetime import date, datetime
from typing import Any

import pytest

from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.reports import deliver
from hub_api.analytics.reports.contents import Content, Figure
from hub_api.analytics.reports.document import change, render, told_of
from hub_api.analytics.reports.jobs import send_reports
from hub_api.platform.csv_export import read_csv
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.reports.jobs import send_reports as send_by_whatsapp
from tests.analytics.reports.conftest import mails
from tests.auth.people import actions, call
from tests.support.hub import Hub

REPORTS = "/api/v1/analytics/reports"
WEEK = {"name": "Diretoria", "format": "csv", "every": "week", "weekday": 5, "hour": 8}
WEEKS_DAYS = {"from": "2026-03-06", "to": "2026-03-12"}
DUE = datetime.fromisoformat("2026-03-13T11:00:00+00:00")  # Friday at 8 in São Paulo


async def scheduled(hub: Hub, **given: Any) -> str:
    """A report that is due on the Friday after the days in the warehouse."""
    status, made = await call(hub, "POST", REPORTS, hub.auth, json={**WEEK, **given})
    assert status == 201, made
    await hub.fetch("UPDATE report_schedules SET next_at = $1 RETURNING id", DUE)
    return str(made["id"])


async def by_queue(hub: Hub, kpi: str) -> dict[str, str]:
    """A figure by the queue's name, as a file has it."""
    path, asked = f"/api/v1/analytics/kpis/{kpi}/breakdown", WEEKS_DAYS | {"by": "queue"}
    status, told = await call(hub, "GET", path, hub.auth, params=asked)
    assert status == 200 and len(told["items"]) > 1, told
    return {one["label"] or one["by"] or "Robô": str(one["value"]) for one in told["items"] if one["value"] is not None}


async def runs(hub: Hub, report: str) -> Any:
    status, page = await call(hub, "GET", f"{REPORTS}/{report}/runs", hub.auth)
    assert status == 200
    return page["items"]


@pytest.mark.usefixtures("built")
async def test_a_due_report_brings_the_figures_of_the_api_to_each_recipient_once(hub: Hub, sim: Simulator) -> None:
    report = await scheduled(hub, emails=["ana@example.com", "bia@example.com"])
    for _ in range(2):  # two ticks of the clock, and a second worker
        await send_reports.function(hub.services)
    sent = await mails(hub, sim)
    assert sorted(one["to"] for one in sent) == ["ana@example.com", "bia@example.com"]
    assert sent[0]["subject"] == "Diretoria: 06/03/2026 a 12/03/2026"
    (file,) = sent[0]["files"]
    assert (file["name"], file["mime_type"]) == ("relatorio-2026-03-06-2026-03-12.csv", "text/csv")
    rows = list(read_csv(base64.b64decode(file["content"]).decode()))
    told = {row["chave"]: row["valor"] for row in rows if not row["dia"] and not row["fila"]}
    _, kpis = await call(hub, "GET", "/api/v1/analytics/kpis", hub.auth, params=WEEKS_DAYS)
    assert told == {one["kpi"]["key"]: "" if one["value"] is None else str(one["value"]) for one in kpis["items"]}
    assert float(told["conversations"]) > 0
    daily = [float(row["valor"] or 0) for row in rows if row["dia"] and row["chave"] == "conversations"]
    assert len(daily) == 7 and sum(daily) == float(told["conversations"])
    for kpi in ("conversations", "nps"):
        assert {row["fila"]: row["valor"] for row in rows if row["fila"] and row["chave"] == kpi} == await by_queue(
            hub, kpi
        )
    (run,) = await runs(hub, report)
    assert (
        run["state"] == "made"
        and run["built_through"] == "2026-03-12"
        and run["bytes"] == len(base64.b64decode(file["content"]))
    )
    assert [one["state"] for one in run["deliveries"]] == ["sent", "sent"]
    next_at = await hub.fetchval("SELECT next_at FROM report_schedules")
    assert next_at > datetime.now(next_at.tzinfo), "who slept over several times gets the newest only"


@pytest.mark.usefixtures("built")
async def test_a_report_waits_for_its_days_and_for_the_mail_server(hub: Hub, sim: Simulator) -> None:
    report = await scheduled(hub, emails=["ana@example.com"])
    await hub.fetch("UPDATE report_schedules SET next_at = $1 RETURNING id", DUE.replace(day=20))
    await send_reports.function(hub.services)
    (run,) = await runs(hub, report)
    assert run["state"] == "due" and run["failure"] == "the tables of 2026-03-19 are not built yet"
    assert await mails(hub, sim) == []

    # It does not wait for ever: then it says which days it lacks. And a mail server that is away is asked again.
    await hub.fetch("UPDATE report_runs SET not_before = now(), attempts = $1 RETURNING id", deliver.MOST_WAITS - 1)
    await sim.core.post.stop()
    await send_reports.function(hub.services)
    (run,) = await runs(hub, report)
    assert (run["state"], run["built_through"]) == ("made", "2026-03-12")
    (waiting,) = run["deliveries"]
    assert waiting["state"] == "waiting" and "mail server is away" in waiting["failure"]
    await sim.core.post.start("127.0.0.1", sim.core.post.smtp_port or 0)
    await hub.fetch("UPDATE report_deliveries SET not_before = now() RETURNING id")
    await send_reports.function(hub.services)
    assert [one["to"] for one in await mails(hub, sim)] == ["ana@example.com"]


@pytest.mark.usefixtures("built", "number")
async def test_by_whatsapp_the_pdf_leaves_above_the_template_once(hub: Hub, sim: Simulator) -> None:
    report = await scheduled(hub, format="pdf", phones=["+5511987654321"], template="relatorio")
    await send_reports.function(hub.services)
    for _ in range(2):
        await send_by_whatsapp.function(hub.services)
        await hub.settled()
    (sent,) = [one for one in sim.core.ledger.calls if one.outcome == "accepted"]
    (header,) = sent.body["template"]["components"]
    document = header["parameters"][0]["document"]
    assert document["filename"] == "relatorio-2026-03-06-2026-03-12.pdf"
    assert sent.body["template"]["name"] == "relatorio"
    stored = await hub.fetchval("SELECT file FROM report_runs")
    assert stored.startswith(b"%PDF-") and len(stored) > 5_000
    assert sim.core.world.media[document["id"]].content == stored
    (run,) = await runs(hub, report)
    assert run["deliveries"][0]["state"] == "sent"

    # What cannot leave says why, and stays where it can be seen.
    report = await scheduled(hub, format="pdf", phones=["+5511987654322"], template="nenhum")
    await send_reports.function(hub.services)
    await send_by_whatsapp.function(hub.services)
    (run,) = await runs(hub, report)
    assert run["deliveries"][0]["state"] == "waiting" and "'nenhum'" in run["deliveries"][0]["failure"]


@pytest.mark.usefixtures("built")
async def test_a_report_is_changed_shown_sent_now_and_removed(hub: Hub, sim: Simulator) -> None:
    report = await scheduled(hub, emails=["ana@example.com"])
    daily = {"name": "Operação", "every": "day", "hour": 7, "emails": ["bia@example.com"]}
    status, changed = await call(hub, "PUT", f"{REPORTS}/{report}", hub.auth, json=daily)
    assert status == 200 and changed["weekday"] is None and changed["format"] == "pdf"
    async with hub.session.get(f"{hub.url}{REPORTS}/{report}/file", headers=hub.auth) as answer:
        assert answer.status == 200 and answer.content_type == "application/pdf"
        assert (await answer.read()).startswith(b"%PDF-")
    for _ in range(2):  # the same key: one report
        status, begun = await call(
            hub, "POST", f"{REPORTS}/{report}/runs", {**hub.auth, "Idempotency-Key": "agora"}, json=None
        )
        assert status == 202
    (run,) = await runs(hub, report)
    assert run["id"] == begun["id"]
    assert (await call(hub, "DELETE", f"{REPORTS}/{report}", hub.auth))[0] == 204
    assert (await call(hub, "GET", f"{REPORTS}/{report}/runs", hub.auth))[0] == 404
    assert {"report.scheduled", "report.changed", "report.begun", "report.removed"} <= set(await actions(hub))


def made(queues: dict[str, dict[str, float | None]], nps: tuple[float | None, float | None]) -> Content:
    """A report of a day: one figure and what each queue has."""
    day = date(2026, 3, 12)
    figure = Figure(catalogue().kpi("nps"), *nps, None)
    return Content("Diretoria", day, day, (day, day), day, [figure], {}, queues)


def test_nps_has_a_column_by_queue_only_with_an_answer_and_moves_by_points() -> None:
    silent = made(
        {"Vendas": {"conversations": 3.0, "csat": 4.5, "nps": None}, "Robô": {"conversations": 1.0}}, (None, None)
    )
    assert told_of(silent) == ["conversations", "csat"]
    answered = made({"Vendas": {"conversations": 3.0, "nps": -50.0}, "Robô": {"conversations": 1.0}}, (-50.0, 20.0))
    assert told_of(answered) == ["conversations", "nps"]
    assert change(answered.figures[0]) == "-70,0 pontos" and change(silent.figures[0]) == "–"
    assert change(Figure(catalogue().kpi("nps"), 10.0, -20.0, None)) == "+30,0 pontos", (
        "better, though below zero before"
    )
    assert render(answered, "pdf").startswith(b"%PDF-")
    rows = list(read_csv(render(answered, "csv").decode()))
    assert [(row["fila"], row["valor"]) for row in rows if row["fila"] and row["chave"] == "nps"] == [
        ("Vendas", "-50.0")
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": "week"},
        {"every": "day", "weekday": 1, "emails": ["a@b.c"]},
        {"every": "month", "emails": ["a@b.c"]},
        {"every": "day", "emails": []},
        {"every": "day", "emails": ["a b@c"]},
        {"every": "day", "emails": ["a@b.c\r\nBcc: d@e.f"]},
        {"every": "day", "phones": ["+5511987654321"]},
        {"every": "day", "phones": ["+5511987654321"], "template": "x", "format": "csv"},
        {"every": "day", "emails": ["a@b.c"], "owner": "eu"},
    ],
)
async def test_what_cannot_leave_is_refused(hub: Hub, wrong: dict[str, Any]) -> None:
    status, _ = await call(hub, "POST", REPORTS, hub.auth, json={"name": "x", "hour": 8, **wrong})
    assert status == 422
    assert await hub.fetchval("SELECT count(*) FROM report_schedules") == 0

"""Alerts on key figures: told once when one goes wrong, once when it is right again."""

from datetime import date

import pytest

from hub_api.analytics.alerts.jobs import look
from hub_api.auth.jobs import send_notices
from hub_api.simulator.server import Simulator
from tests.analytics.reports.conftest import mails
from tests.auth.people import call
from tests.support.hub import Hub

ALERTS = "/api/v1/analytics/alerts"


@pytest.mark.usefixtures("built")
async def test_a_figure_that_goes_wrong_is_told_once_and_so_is_its_recovery(hub: Hub, sim: Simulator) -> None:
    # The window ends today, the days of the warehouse lie behind: a window is as long as it takes to reach them.
    body = {
        "name": "Fila",
        "kpi": "backlog",
        "comparison": "above",
        "threshold": 0.5,
        "days": 31,
        "emails": ["ops@example.com"],
    }
    status, made = await call(hub, "POST", ALERTS, hub.auth, json=body)
    assert status == 201 and made["state"] == "quiet" and made["checked_at"] is None
    for _ in range(3):
        await look.function(hub.services)
    await send_notices.function(hub.services)
    _, found = await call(hub, "GET", f"{ALERTS}/{made['id']}", hub.auth)
    params = {"from": "2026-03-10", "to": str(date.today())}
    _, kpi = await call(hub, "GET", "/api/v1/analytics/kpis/backlog", hub.auth, params=params)
    assert found["state"] == "firing" and found["value"] == kpi["value"] > 0.5

    await hub.fetch("UPDATE kpi_alerts SET threshold = 1000 RETURNING id")
    for _ in range(2):
        await look.function(hub.services)
    await send_notices.function(hub.services)
    told = [(one["to"], one["subject"]) for one in await mails(hub, sim)]
    assert told == [("ops@example.com", "Alerta: Fila"), ("ops@example.com", "Normalizado: Fila")]
    assert (await call(hub, "GET", f"{ALERTS}/{made['id']}", hub.auth))[1]["state"] == "quiet"


@pytest.mark.usefixtures("built")
async def test_nothing_to_measure_changes_nothing_and_an_unknown_figure_is_refused(hub: Hub, sim: Simulator) -> None:
    body = {"name": "CSAT", "kpi": "csat", "comparison": "below", "threshold": 5, "emails": ["ops@example.com"]}
    _, made = await call(hub, "POST", ALERTS, hub.auth, json=body)
    await look.function(hub.services)
    _, found = await call(hub, "GET", f"{ALERTS}/{made['id']}", hub.auth)
    assert found["state"] == "quiet" and found["value"] is None and found["checked_at"] is not None
    assert await mails(hub, sim) == []
    status, refused = await call(hub, "PUT", f"{ALERTS}/{made['id']}", hub.auth, json={**body, "kpi": "felicidade"})
    assert status == 422 and refused["errors"][0]["field"] == "body.kpi"
    assert (await call(hub, "DELETE", f"{ALERTS}/{made['id']}", hub.auth))[0] == 204
    assert (await call(hub, "GET", ALERTS, hub.auth))[1]["items"] == []

"""Superset behind the hub: every dashboard in a browser, whose rows are seen, and the ways by which embedded dashboards leak."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from playwright.sync_api import Browser, Frame, Page, Response

from hub_api.analytics.dashboards.tree import read_tree
from hub_api.platform.clickhouse import connect
from tests.e2e.people import SUPERSET, Person, person, run
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

PAGES = list(read_tree().dashboards)
"""Slugs in the order of the pages."""
# Charts of what a short history does not have (a forecast wants 14 days, churn 30 after a Sunday) or hopes never to have: they may
# be empty as long as the warehouse has no row for them either.
MAY_BE_EMPTY = {
    "operacao": {"forecast", "unusual"},
    "clientes": {"risk", "risk_trend", "reasons", "drift", "drifting"},
    "campanhas": {"results", "arms", "effect"},
}
SDK = Path(__file__).parent / "page/node_modules/@superset-ui/embedded-sdk/bundle/index.js"
EMBEDDING = """<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Console</title>
<style>html, body, #board, iframe { margin: 0; border: 0; width: 100%; height: 100vh }</style>
<div id="board"></div><script src="/embedded-sdk.js"></script><script>
async function fetchGuestToken() {
  const csrf = document.cookie.match(/hub_csrf=([^;]*)/)[1];
  const told = { method: "POST", headers: { "X-CSRF-Token": decodeURIComponent(csrf) } };
  const answer = await fetch("/api/v1/analytics/dashboards/SLUG/guest-token", told);
  window.tokens = (window.tokens || 0) + 1;
  return (await answer.json()).token;
}
supersetEmbeddedSdk.embedDashboard({
  id: "UUID", supersetDomain: location.origin + "/apps/superset", mountPoint: document.getElementById("board"), fetchGuestToken,
  dashboardUiConfig: { hideTitle: true },
});
</script></html>"""

# How many charts of a page that are drawn on a canvas have something on it. A canvas too small to be a chart is none.
DRAWN = """() => {
  const told = { painted: 0, blank: 0 }
  for (const one of document.querySelectorAll('.dashboard canvas')) {
    if (one.width < 40 || one.height < 40) continue
    const pixels = one.getContext('2d').getImageData(0, 0, one.width, one.height).data
    told[pixels.some((value, at) => at % 4 === 3 && value > 0) ? 'painted' : 'blank'] += 1
  }
  return told
}"""


@pytest.fixture(scope="module")
def people(stack, ready) -> dict[str, Person]:
    """One person of each role that these tests need: signing in is limited."""
    return {role: person(stack, role) for role in ("admin", "analyst", "executive", "supervisor")}


@pytest.fixture(scope="module")
def charts(people) -> dict[str, dict[str, Any]]:
    """The query of one chart of the page Operação, as its page sends it, by whose rows it has."""
    admin = people["admin"]
    asked = admin.get(f"{SUPERSET}/api/v1/dashboard/operacao/charts").json()["result"]
    page = admin.get(f"{SUPERSET}/api/v1/dashboard/operacao").json()["result"]["id"]
    found = next(one for one in asked if one["slice_name"] == "Por fila")
    form = {**found["form_data"], "dashboardId": page, "slice_id": found["id"]}
    number = int(form["datasource"].split("__")[0])
    query = {"columns": form["groupby"], "metrics": ["conversations"], "row_limit": 100, "filters": [], "orderby": []}
    body = {"datasource": {"id": number, "type": "table"}, "queries": [query], "form_data": form, "force": False}
    return {"queues": body}


@pytest.fixture
def page(browser: Browser, people) -> Iterator[Page]:
    """A page of the executive's browser."""
    context = browser.new_context(viewport={"width": 1400, "height": 3600}, locale="pt-BR")
    executive = people["executive"]
    context.add_cookies(
        [
            {"name": one.name, "value": one.value or "", "domain": "127.0.0.1", "path": one.path}
            for one in executive.session.cookies
        ]
    )
    yield context.new_page()
    context.close()


class Looking:
    """Notes what the charts of a page answer, and what breaks."""

    def __init__(self, page: Page) -> None:
        self.rows: dict[int, int | str] = {}
        self.broken: list[str] = []
        page.on("response", self._look)

    def _look(self, answer: Response) -> None:
        if "/api/v1/chart/data" in answer.url:
            form = (answer.request.post_data_json or {}).get("form_data", {})
            if form.get("slice_id"):
                result = answer.json().get("result")
                told = result[0]["rowcount"] if isinstance(result, list) else answer.text()[:300]
                self.rows[form["slice_id"]] = told
        elif answer.status >= 400:
            self.broken.append(f"{answer.status} {answer.url}")

    def until(self, page: Page, count: int, timeout_s: float = 120) -> None:
        """Wait for the answers of so many charts, and until all of them are drawn: nothing turns any more, and two looks at
        the page a moment apart are the same."""
        deadline, before = time.monotonic() + timeout_s, b""
        while time.monotonic() < deadline:
            page.wait_for_timeout(250)  # answers are noted while the browser is listened to
            turning = sum(frame.locator(".loading, [data-test=loading-indicator]").count() for frame in page.frames)
            if len(self.rows) >= count and not turning:
                seen = page.screenshot()
                if seen == before:
                    return
                before = seen


def first_paint(frame: Page | Frame) -> float:
    """Milliseconds from the navigation to the first contentful paint."""
    return float(frame.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"))


def empty_charts(stack: Any, people: dict[str, Person], slug: str, rows: dict[int, int | str]) -> set[str]:
    """The charts without a row, by key; each must be one that may, and the warehouse must have no row for it."""
    listed = people["admin"].get(f"{SUPERSET}/api/v1/dashboard/{slug}/charts").json()["result"]
    dashboard, titles = read_tree().dashboards[slug], {one["id"]: one["slice_name"] for one in listed}
    empty = {
        key for key, chart in dashboard.charts.items() for number, count in rows.items()
        if titles[number] == chart["title"] and count == 0
    }  # fmt: skip
    client = connect(stack.env["HUB_CLICKHOUSE_URL"])
    for key in empty:
        chart = dashboard.charts[key]
        where = " AND ".join(f"({text})" for text in chart.get("where", ())) or "1"
        view = read_tree().datasets[chart["dataset"]].spec["view"]
        assert client.query(f"SELECT count() FROM gold.{view} WHERE {where}").result_rows == [(0,)], f"{slug}/{key}"
    client.close()
    assert empty <= MAY_BE_EMPTY.get(slug, set())
    return empty


@pytest.mark.parametrize("slug", PAGES)
def test_every_chart_of_every_dashboard_shows_rows(stack, page: Page, people, slug: str, tmp_path_factory):
    dashboard, looking, began = read_tree().dashboards[slug], Looking(page), time.monotonic()
    page.goto(f"{people['executive'].hub}{SUPERSET}/superset/dashboard/{slug}/", timeout=120_000)
    page.get_by_text(dashboard.spec["title"]).first.wait_for(timeout=120_000)
    painted = first_paint(page)
    looking.until(page, len(dashboard.charts))
    file = tmp_path_factory.getbasetemp() / f"{slug}.png"
    page.screenshot(path=file)
    print(
        f"\n{slug}: first paint {painted:.0f} ms, {len(looking.rows)} charts after {time.monotonic() - began:.1f} s, {file}"
    )
    assert len(looking.rows) == len(dashboard.charts)
    assert all(isinstance(rows, int) for rows in looking.rows.values()), looking.rows
    empty = empty_charts(stack, people, slug, looking.rows)
    assert looking.broken == [] and page.get_by_text("Erro nos dados").count() == 0
    assert page.get_by_text("Nada neste período").count() <= len(empty)
    assert page.get_by_text("Configurações").first.is_visible(), "the page is in Portuguese"
    if any("range" in one for one in dashboard.spec.get("filters", ())):
        assert page.get_by_text(re.compile(r"\d\d/\d\d/\d{4} ≤")).count(), "days are Brazilian"
    assert page.get_by_text("No results").count() == page.get_by_text("Data error").count() == 0


def test_a_page_that_embeds_a_dashboard_by_superset_s_sdk_shows_rows(page: Page, people, tmp_path_factory):
    assert SDK.exists(), "run make packages"
    hub, slug = people["executive"].hub, "operacao"
    uuid_ = people["executive"].guest(slug)["path"].rpartition("/")[2]
    html = EMBEDDING.replace("SLUG", slug).replace("UUID", uuid_)
    page.route(f"{hub}/painel", lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
    page.route(f"{hub}/embedded-sdk.js", lambda route: route.fulfill(path=SDK, content_type="text/javascript"))
    looking, began, charts = Looking(page), time.monotonic(), read_tree().dashboards[slug].charts
    page.goto(f"{hub}/painel", timeout=120_000)
    looking.until(page, len(charts))
    (frame,) = [one for one in page.frames if f"{SUPERSET}/embedded/" in one.url]
    frame.get_by_text(charts["queues"]["title"], exact=True).first.wait_for(timeout=60_000)
    file = tmp_path_factory.getbasetemp() / "embedded.png"
    page.screenshot(path=file)
    print(
        f"\nembedded {slug}: first paint {first_paint(frame):.0f} ms, {len(looking.rows)} charts after "
        f"{time.monotonic() - began:.1f} s, {file}"
    )
    assert len(looking.rows) == len(charts) and looking.broken == []
    assert sum(rows for rows in looking.rows.values() if isinstance(rows, int)) > len(charts), looking.rows
    assert page.evaluate("window.tokens") == 1, "the page asked the hub for one guest token"
    assert frame.get_by_text("Atendimento").first.is_visible(), "a queue's row is drawn"


def test_the_console_shows_a_dashboard_in_its_frame_with_every_chart_drawn(page: Page, people, tmp_path_factory):
    slug, hub = "operacao", people["executive"].hub
    dashboard, looking, tokens = read_tree().dashboards[slug], Looking(page), []
    page.on("request", lambda asked: asked.url.endswith("/guest-token") and tokens.append(asked.method))
    page.goto(f"{hub}/console/dashboards", timeout=120_000)
    page.get_by_role("tab", name=dashboard.spec["title"], exact=True).click()
    inside = page.frame_locator(f"iframe[title='{dashboard.spec['title']}']")
    inside.get_by_text(dashboard.charts["queues"]["title"], exact=True).first.wait_for(timeout=120_000)
    looking.until(page, len(dashboard.charts))
    file = tmp_path_factory.getbasetemp() / "console-dashboard.png"
    page.screenshot(path=file)
    (frame,) = [one for one in page.frames if f"{SUPERSET}/embedded/" in one.url]
    drawn = frame.evaluate(DRAWN)
    print(f"\nconsole {slug}: {len(looking.rows)} charts answered, {drawn} canvases drawn on, {file}")
    assert len(looking.rows) == len(dashboard.charts) and all(isinstance(n, int) for n in looking.rows.values())
    assert drawn["blank"] == 0 and drawn["painted"] > 0
    assert inside.get_by_text("Atendimento").first.is_visible(), "a queue's row is drawn"
    for trouble in ("Erro nos dados", "Data error", "Unexpected error", "Erro inesperado", "No results"):
        assert inside.get_by_text(trouble).count() == 0, trouble
    assert looking.broken == [] and page.get_by_role("alert").count() == 0
    assert set(tokens) == {"POST"}
    box, window = page.locator("iframe").bounding_box(), page.viewport_size
    assert box and window and box["height"] > window["height"] * 0.8, "the frame fills the page"


def test_roles_follow_the_hub_and_hold_at_the_next_request(stack, people):
    me = {role: people[role].get(f"{SUPERSET}/api/v1/me/roles/").json()["result"]["roles"] for role in people}
    assert "Admin" in me["admin"] and {"Alpha", "sql_lab"} <= set(me["analyst"])
    assert set(me["executive"]) == {"hub_viewer", "hub_analytics", "hub_campaigns", "hub_costs"}
    looker = people["executive"]
    for path in ("/api/v1/dataset/", "/api/v1/database/", "/api/v1/sqllab/", "/api/v1/security/roles/"):
        assert looker.get(f"{SUPERSET}{path}").status_code in (403, 404), path
    statement = {"database_id": 1, "sql": "SELECT 1", "client_id": "abc1234567"}
    assert looker.post(f"{SUPERSET}/api/v1/sqllab/execute/", statement).status_code >= 400
    email = (people["analyst"].email,)
    try:
        run(stack, ("UPDATE users SET role = 'executive' WHERE email = $1", email))
        roles = lambda: people["analyst"].get(f"{SUPERSET}/api/v1/me/roles/").json()["result"]["roles"]  # noqa: E731
        wait_until(lambda: "Alpha" not in roles(), 90)
    finally:
        run(stack, ("UPDATE users SET role = 'analyst' WHERE email = $1", email))


def test_nobody_reaches_superset_but_by_the_hub(stack, people):
    port, secret = stack.env["HUB_SUPERSET_PORT"], "another secret of forty letters and more"
    address = f"http://127.0.0.1:{port}{SUPERSET}/api/v1/dashboard/"
    claims = {
        "aud": "superset", "exp": time.time() + 60, "sub": "x", "sid": "x", "permissions": ["settings:write"], "email": "x@x.y",
        "name": "X", "all_rows": True, "queues": [],
    }  # fmt: skip
    ours = stack.env["HUB_SUPERSET_SECRET"]
    for token in (
        None,
        jwt.encode(claims, secret, "HS256"),
        jwt.encode({**claims, "exp": time.time() - 5}, ours, "HS256"),
        jwt.encode({**claims, "aud": "superset:guest"}, ours, "HS256"),
    ):
        headers = {"X-Hub-User": people["admin"].email, **({"X-Hub-Assertion": token} if token else {})}
        assert requests.get(address, headers=headers, timeout=60).status_code == 401
    assert requests.get(f"{people['admin'].hub}{SUPERSET}/api/v1/dashboard/", timeout=60).status_code == 401


def test_a_supervisor_sees_the_queues_of_his_teams_whoever_asked_before(stack, people, charts):
    status, every = people["admin"].rows(charts["queues"])
    assert status == 200 and len(every) >= 2, "a queue beside the bot"
    team = uuid.uuid4()
    key = "atendimento"
    run(
        stack,
        ("INSERT INTO teams (id, name) VALUES ($1, $2)", (team, f"outra {team.hex[:6]}")),
        ("UPDATE queues SET team_id = $1 WHERE key = $2", (team, key)),
    )
    try:
        status, own = people["supervisor"].rows(charts["queues"])
        assert status == 200 and [row["queue_name"] for row in own] == ["Robô"], "the cache is not another's"
        assert people["admin"].rows(charts["queues"])[1] == every
        guest = people["supervisor"].guest("operacao")
        status, seen = people["supervisor"].rows(charts["queues"], **{"X-GuestToken": guest["token"]})
        assert status in (200, 403) and {row["queue_name"] for row in seen} <= {"Robô"}
    finally:
        run(stack, ("UPDATE queues SET team_id = NULL WHERE key = $1", (key,)))


def test_leak_by_expiry_an_old_token_opens_nothing_not_even_what_the_session_may(stack, people):
    admin, secret = people["admin"], stack.env["HUB_SUPERSET_SECRET"]
    guest = admin.guest("operacao")
    claims = jwt.decode(guest["token"], secret, algorithms=["HS256"], audience="superset:guest")
    assert claims["exp"] - claims["iat"] == guest["expires_in"] == 300
    old = jwt.encode({**claims, "iat": int(time.time()) - 400, "exp": int(time.time()) - 100}, secret, "HS256")
    path = f"{SUPERSET}/api/v1/dashboard/operacao"
    assert admin.get(path).status_code == 200
    assert admin.get(path, **{"X-GuestToken": guest["token"]}).status_code == 200
    for wrong in (old, guest["token"][:-3] + "abc", "nonsense", ""):
        assert admin.get(path, **{"X-GuestToken": wrong}).status_code == 401, wrong[:10]
    assert admin.get(f"{SUPERSET}/api/v1/dataset/", **{"X-GuestToken": old}).status_code == 401


def test_leak_by_refresh_a_new_token_is_judged_anew_and_an_old_one_ends_with_the_session(stack, people):
    leaver = person(stack, "executive")
    guest = leaver.guest("custos")
    path = f"{SUPERSET}/api/v1/dashboard/custos"
    assert leaver.get(path, **{"X-GuestToken": guest["token"]}).status_code == 200
    run(stack, ("UPDATE users SET role = 'agent' WHERE email = $1", (leaver.email,)))
    wait_until(lambda: leaver.post("/api/v1/analytics/dashboards/custos/guest-token").status_code != 200, 90)
    assert leaver.get(path, **{"X-GuestToken": guest["token"]}).status_code == 403
    assert leaver.post("/api/v1/auth/logout").status_code == 204
    assert leaver.get(path, **{"X-GuestToken": guest["token"]}).status_code == 401


def test_leak_by_asynchronous_queries_a_result_is_not_found_by_its_key(people, charts):
    admin, executive = people["admin"], people["executive"]
    answer = admin.post(f"{SUPERSET}/api/v1/chart/data", charts["queues"]).json()["result"][0]
    guest = {"X-GuestToken": executive.guest("custos")["token"]}
    for headers in ({}, guest):
        found = executive.get(f"{SUPERSET}/api/v1/chart/data/{answer['cache_key']}", **headers)
        assert found.status_code >= 400 and "Robô" not in found.text
        assert executive.get(f"{SUPERSET}/api/v1/async_event/", **headers).status_code >= 400
    status, _ = executive.rows({**charts["queues"], "result_type": "full"}, **guest)
    assert status == 403, "a guest of one dashboard asked for another's chart"


def test_leak_by_the_next_tab_a_token_is_one_person_s_in_one_session(stack, people):
    admin, executive = people["admin"], people["executive"]
    theirs, own = admin.guest("operacao"), executive.guest("operacao")
    path = f"{SUPERSET}/api/v1/dashboard/operacao"
    assert executive.get(path, **{"X-GuestToken": own["token"]}).status_code == 200
    assert executive.get(path, **{"X-GuestToken": theirs["token"]}).status_code == 401
    # A tab with a guest token is a guest's, whoever is signed in; and for its one dashboard.
    tab = {"X-GuestToken": theirs["token"]}
    assert admin.get(f"{SUPERSET}/api/v1/security/roles/").status_code == 200
    assert admin.get(f"{SUPERSET}/api/v1/security/roles/", **tab).status_code in (401, 403)
    assert admin.get(f"{SUPERSET}/api/v1/dashboard/custos", **tab).status_code in (403, 404)
    # Superset's own cookie, from whatever tab, tells nobody who is there.
    executive.session.cookies.update(admin.session.cookies.get_dict(path=f"{SUPERSET}/"))
    assert executive.get(f"{SUPERSET}/api/v1/me/").json()["result"]["email"] == executive.email
    again = person(stack, "executive")
    assert again.get(path, **{"X-GuestToken": own["token"]}).status_code == 401


def test_a_second_provisioning_changes_nothing(stack, people):
    def state() -> str:
        listed = people["admin"].get(f"{SUPERSET}/api/v1/dashboard/?q=(page_size:100)").json()["result"]
        rules = people["admin"].get(f"{SUPERSET}/api/v1/rowlevelsecurity/").json()["result"]
        kept = [(one["slug"], one["changed_on_utc"], one["certification_details"]) for one in listed]
        return json.dumps([sorted(kept), [(one["name"], one["clause"]) for one in rules]])

    before = state()
    assert "as they should be" in stack.hub("dashboards", "provision")
    assert state() == before

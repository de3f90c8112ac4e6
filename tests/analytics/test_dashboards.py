"""The tree of dashboards against the real warehouse, the rules of rows, what the hub signs for Superset."""

import io
import json
import subprocess
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import jwt
import pytest
import yaml
from aiohttp import web
from clickhouse_connect.driver.client import Client

import assets
from hub_api.analytics.dashboards import row_rules
from hub_api.analytics.dashboards.superset import rison
from hub_api.analytics.dashboards.tree import bundle, read_tree
from hub_api.auth.apps.assertion import AUDIENCE, HEADER
from hub_api.embedded.superset import ENVIRONMENT, TREE
from hub_api.errors import Invalid
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from tests.auth.people import add_person, add_team, call
from tests.support.hub import Hub, running_hub

SECRET = "s" * 40
TARGETS = {
    "csat": 4.5,
    "first_answer_time": 120,
    "resolution_rate": 0.95,
    "agent_efficiency": 3,
    "cost_per_resolved": -0.4,
    "uptime": 0.999,
    "api_p95": 0.2,
}
VIEWS = "SELECT name FROM system.tables WHERE database = 'gold' AND engine = 'View' AND startsWith(name, 'bi_')"


@pytest.fixture
def gold(warehouse_server) -> Client:
    """The warehouse as Superset reads it."""
    return connect(warehouse_server.url("gold"))


def test_each_dataset_is_its_view_and_every_metric_and_calculated_column_runs_for_superset(gold: Client):
    tree = read_tree()
    assert len(tree.datasets) >= 4
    for name, dataset in tree.datasets.items():
        view = dataset.spec["view"]
        described = {row[0] for row in gold.query(f"DESCRIBE TABLE gold.{view}").result_rows}
        plain = {column for column, spec in dataset.columns.items() if "sql" not in spec}
        assert plain == described, f"datasets/{name}.yaml"
        calculated = [spec["sql"] for spec in dataset.columns.values() if "sql" in spec]
        for sql in calculated:
            gold.query(f"SELECT {sql.replace('{timezone}', 'America/Sao_Paulo')} AS x FROM gold.{view} GROUP BY x")
        for metric in dataset.spec["metrics"].values():
            assert len(gold.query(f"SELECT {metric['sql']} FROM gold.{view}").result_rows) == 1
        if "time" in dataset.spec:
            assert dataset.columns[dataset.spec["time"]]["type"] in ("Date", "DateTime")


def test_charts_name_columns_and_metrics_that_there_are():
    tree = read_tree()
    for page in tree.dashboards.values():
        for key, chart in page.charts.items():
            dataset, params = tree.datasets[chart["dataset"]], chart["params"]
            metrics = [*params.get("metrics", ()), *([params["metric"]] if "metric" in params else ())]
            assert metrics and set(metrics) <= set(dataset.spec["metrics"]), f"{page.slug}/{key}"
            columns = params.get("groupby", [])
            columns = [*([columns] if isinstance(columns, str) else columns)]
            columns += [params["x_axis"]] if "x_axis" in params else []
            assert set(columns) <= set(dataset.columns), f"{page.slug}/{key}"


def test_the_same_tree_is_the_same_bundle_and_another_warehouse_another():
    tree = read_tree()
    one, print_of = bundle(tree, address="clickhousedb://gold:XXXXXXXXXX@a:1/gold", timezone="America/Sao_Paulo")
    assert bundle(tree, address="clickhousedb://gold:XXXXXXXXXX@a:1/gold", timezone="America/Sao_Paulo") == (
        one,
        print_of,
    )
    other, other_print = bundle(tree, address="clickhousedb://gold:XXXXXXXXXX@b:1/gold", timezone="America/Manaus")
    assert other != one and other_print != print_of
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        names = archive.namelist()
        assert names[0] == "hub/metadata.yaml"
        pages = [json.loads(archive.read(name)) for name in names if name.startswith("hub/dashboards/")]
    # Nobody sees a page before its role and the rules of its rows are set.
    assert pages and all(page["published"] is False and page["certification_details"] == print_of for page in pages)


def test_a_view_of_which_nobody_said_whose_rows_it_has_is_refused(gold: Client):
    rules = row_rules.read_rules()
    views = {name for (name,) in connect_rows(gold, VIEWS)}
    assert views == {dataset.spec["view"] for dataset in read_tree().datasets.values()}
    for view in views:
        rules.of_view(view)
    with pytest.raises(Invalid, match="whose rows"):
        rules.of_view("bi_secrets")


def connect_rows(client: Client, sql: str) -> list[tuple[str]]:
    return client.query(sql).result_rows


def test_what_has_a_queue_has_a_rule(gold: Client):
    tables = {
        name
        for (name,) in gold.query(
            "SELECT table FROM system.columns WHERE database = 'gold' AND name = 'queue' "
            "AND table IN (SELECT name FROM system.tables WHERE database = 'gold' AND engine LIKE '%MergeTree')"
        ).result_rows
    }
    assert "service_kpi_hourly" in tables
    assert sorted(tables - row_rules.read_rules().ruled) == [], "name it in dashboards/row_rules.yaml"


def test_targets_are_the_catalogue_s(gold: Client):
    catalogue = yaml.safe_load((Path(assets.__path__[0]) / "gold/kpi/catalogue.yaml").read_text("utf-8"))
    text = (Path(assets.__path__[0]) / "gold/bi/sql/bi_kpi_goals.view.sql").read_text("utf-8")
    figures = catalogue["kpis"] | catalogue["measured_elsewhere"]
    for key, target in TARGETS.items():
        told = figures[key]["target"]
        assert told == {"change_of_baseline" if key in ("agent_efficiency", "cost_per_resolved") else "value": target}
    assert str(list(TARGETS.values())) in text and str(list(TARGETS)) in text


def test_restricted_views_name_nobody(gold: Client):
    rows = gold.query(
        f"SELECT table, name FROM system.columns WHERE database = 'gold' AND table IN ({VIEWS}) "
        "AND match(name, 'customer|agent_id|conversation_id|phone|text|content')"
    ).result_rows
    assert rows == []


def test_row_policies_are_clickhouse_s_and_choose_the_rows_that_superset_chooses(warehouse_server):
    client = connect(warehouse_server.url())
    teams = {"suporte d'água": ["suporte", "it's"], "vazia": []}
    rules = row_rules.read_rules()
    statements = list(row_rules.row_policies(rules, teams, ["admin", "gold"], "main"))
    for statement in statements:
        parsed = client.query(f"EXPLAIN AST {statement}").result_rows
        assert parsed and ("ON CLUSTER `main`" in statement or statement.startswith("GRANT ON CLUSTER"))
    # Who builds the tables and Superset's reader see every row before there is any policy: without a role they would see none.
    assert statements[1] == "GRANT ON CLUSTER `main` `hub_all_teams` TO `admin`, `gold`"
    policies = [one for one in statements if "ROW POLICY" in one]
    assert len(policies) == 3 * sum(len(rule.tables) for rule in rules.rules)
    condition = next(one for one in policies if "team_suporte" in one).partition(" USING ")[2].partition(" TO ")[0]
    queues = "(SELECT arrayJoin(['', 'suporte', 'it''s', 'vendas']) AS queue)"
    seen = client.query(f"SELECT queue FROM {queues} WHERE {condition} ORDER BY queue").result_rows
    assert [queue for (queue,) in seen] == ["", "it's", "suporte"]
    client.close()


def test_rison_is_what_superset_reads():
    asked = {"page": 0, "all": True, "columns": ["slug", "it's!"]}
    assert rison(asked) == "(page:0,all:!t,columns:!('slug','it!'s!!'))"


@pytest.fixture
async def told(settings: Settings) -> AsyncIterator[tuple[Hub, list[dict[str, str]]]]:
    """A hub before an app that notes what it is told, in Superset's place."""
    seen: list[dict[str, str]] = []

    async def note(request: web.Request) -> web.Response:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(text="page")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", note)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    behind = Settings.model_validate({**settings.model_dump(), "superset_url": url, "superset_secret": SECRET})
    async with running_hub(behind) as hub:
        yield hub, seen
    await runner.cleanup()


async def test_superset_is_told_who_asks_and_whose_rows_he_sees_signed_and_by_nobody_else(told):
    hub, seen = told
    team, queue = await add_team(hub, "perto")
    await add_team(hub, "longe")
    open_queue = await hub.fetchval("SELECT key FROM queues WHERE team_id IS NULL LIMIT 1")
    for role, rows in (("executive", None), ("supervisor", sorted(filter(None, [queue, open_queue])))):
        person = await add_person(hub, role, team)
        forged = {**person.headers, HEADER: "eyJh.forged.one", "X_Hub_Assertion": "other"}
        url = f"{hub.url}/apps/superset/api/v1/me/"
        async with aiohttp.ClientSession() as session, session.get(url, headers=forged) as answer:
            assert answer.status == 200
        assert "x_hub_assertion" not in seen[-1]
        claims = jwt.decode(seen[-1][HEADER.lower()], SECRET, algorithms=["HS256"], audience=AUDIENCE)
        assert claims["exp"] - claims["iat"] == 60 and claims["sub"] == str(person.id)
        assert claims["email"] == person.email and "analytics:read" in claims["permissions"]
        assert claims["all_rows"] is (rows is None)
        assert claims["queues"] == ([] if rows is None else ["", *rows])
    agent = await add_person(hub, "agent")
    assert (await call(hub, "GET", "/apps/superset/api/v1/me/", agent.headers))[0] == 403


async def test_who_may_see_costs_is_offered_them(hub: Hub):
    listed = {}
    for role in ("executive", "analyst", "admin", "marketer"):
        person = await add_person(hub, role)
        status, body = await call(hub, "GET", "/api/v1/analytics/dashboards", person.headers)
        assert status == 200
        listed[role] = [item["slug"] for item in body["items"]]
    assert "custos" in listed["executive"] and listed["admin"] == list(read_tree().dashboards)
    person = await add_person(hub, "admin")
    await hub.fetch(
        "INSERT INTO roles (name, title, permissions) VALUES ('olhar', 'Olhar', '{account:use,analytics:read}')"
    )
    looker = await add_person(hub, "olhar")
    _, body = await call(hub, "GET", "/api/v1/analytics/dashboards", looker.headers)
    assert body["items"] and "custos" not in [item["slug"] for item in body["items"]]
    assert body["available"] is False, "no Superset runs with this hub"
    path = "/api/v1/analytics/dashboards/custos/guest-token"
    assert (await call(hub, "POST", path, looker.headers))[0] == 403
    assert (await call(hub, "POST", path.replace("custos", "nada"), person.headers))[0] == 404
    assert (await call(hub, "POST", path, person.headers))[0] == 404, "no Superset runs with this hub"


def test_the_folder_holds_nothing_that_is_not_used():
    folder = Path(row_rules.RULES).parent / "superset"
    assert {file.name for file in folder.glob("charts/*.yaml")} == {
        file.name for file in folder.glob("dashboards/*.yaml")
    }
    used = {chart["dataset"] for page in read_tree().dashboards.values() for chart in page.charts.values()}
    assert used == {file.stem for file in folder.glob("datasets/*.yaml")}


THREADS = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from superset.utils import date_parser
from hub_dates import evaluate_one_at_a_time

evaluate_one_at_a_time()
finished, inside, most, found, begin = date_parser.datetime_parser, 0, 0, [], threading.Barrier(8)

class Watched:
    def parseString(self, text):
        global inside, most
        inside += 1
        most = max(most, inside)
        time.sleep(0.01)  # whoever is let in meanwhile is seen
        result = finished().parseString(text)
        inside -= 1
        return result

def evaluate():
    begin.wait()
    found.append(date_parser.datetime_eval('DATEADD(DATETIME("2026-11-27"), -30, day)'))

date_parser.datetime_parser = Watched
threads = [threading.Thread(target=evaluate) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
print(most, len(found), *{str(one) for one in found})
"""


def test_threads_of_superset_evaluate_a_period_one_at_a_time():
    done = subprocess.run(
        [ENVIRONMENT / "bin/python", "-c", THREADS, TREE], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split("\n")[-2] == "1 8 2026-10-28 00:00:00", done.stdout + done.stderr

"""The story of a campaign on the running demo, in Chromium: a marketer builds a segment and plans an A/B test with a holdout, a
supervisor approves it, the simulator's people answer one wording more than the other, the rule finds that out and promotes it,
Superset shows it, and each message is traced back."""

import os
import re
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.people import SUPERSET, Person, person, run
from tests.support.waiting import run_async, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.story, pytest.mark.timeout(1500)]

PEOPLE = 360
HOLDOUT, TEST_SHARE = 0.1, 0.8
PATIENCE_S = 240
SHOTS = os.environ.get("HUB_TEST_SHOTS")
# What the simulator's people do about each wording: the truth that the test has to find.
REPLIES = {"fatura_disponivel": 0.05, "fatura_lembrete": 0.6}
BETTER, WORSE = "b", "a"
TEMPLATES = {WORSE: "fatura_disponivel", BETTER: "fatura_lembrete"}
# By place: where its value comes from, and what stands there for whom it is missing.
PLACES = {
    "primeiro_nome": ("Primeiro nome", "cliente"),
    "valor": ("Valor da fatura", "o valor em aberto"),
    "vencimento": ("Vencimento da fatura", "10/12/2026"),
}


def rows(stack: Any, sql: str, *arguments: Any) -> list[Any]:
    async def fetch() -> list[Any]:
        db = await asyncpg.connect(stack.env["HUB_DATABASE_URL"])
        try:
            return list(await db.fetch(sql, *arguments))
        finally:
            await db.close()

    return run_async(fetch())


def build(stack: Any, *tables: str) -> None:
    """Bring these tables up to now, in the queue of the demo's own builds."""
    named = [word for table in tables for word in ("--table", table)]
    print(stack.hub("warehouse", "build", *named, patience_s=600))  # the demo may build all its days before


@pytest.fixture(scope="module")
def team(stack, ready) -> dict[str, Person]:
    return {role: person(stack, role) for role in ("marketer", "supervisor", "admin")}


@pytest.fixture(scope="module")
def tag(stack, ready, team) -> str:
    """The tag of people who came today, wrote nothing yet, and are in the tables that segments ask."""
    # The demo's live traffic comes from whoever is known when it begins: these are not to be among them.
    wait_until(lambda: "live traffic" in stack.hub("logs", "demo", "-n", "1000", check=False), 120, every_s=1)
    tag = f"piloto-{uuid.uuid4().hex[:6]}"
    first = 5_511_900_000_000 + int(time.time()) % 200_000 * 400  # mobile phones of São Paulo
    run(
        stack,
        (
            "WITH made AS (INSERT INTO customers (id, name, phone, state_code, tags) "
            "  SELECT gen_random_uuid(), 'Pessoa Piloto ' || n, '+' || ($1::bigint + n), 'SP', ARRAY[$2::text] FROM generate_series(1, $3::int) AS n "
            "  RETURNING id, phone) "
            "INSERT INTO customer_identities (id, customer_id, kind, value) SELECT gen_random_uuid(), id, 'phone', phone FROM made",
            (first, tag, PEOPLE),
        ),
    )
    build(stack, "silver/customers", "gold/customer_features")
    return tag


@pytest.fixture
def simulator(stack):
    """The simulator, whose people answer as planted meanwhile."""
    url = f"{stack.env['HUB_META_BASE_URL']}/_sim/planted"
    told = [{"template": name, "replies": share, "after_s": 2.0} for name, share in REPLIES.items()]
    assert requests.post(url, json={"templates": told}, timeout=30).ok
    yield
    requests.post(url, json={"templates": []}, timeout=30)


def page_of(browser: Browser, who: Person, *, height: int = 1000) -> Page:
    context = browser.new_context(viewport={"width": 1440, "height": height}, locale="pt-BR")
    cookies = [
        {"name": one.name, "value": one.value or "", "domain": "127.0.0.1", "path": one.path}
        for one in who.session.cookies
    ]
    context.add_cookies(cookies)
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def build_segment(page: Page, hub: str, name: str, tag: str) -> None:
    """Two conditions, the second one negated, counted while they are put together."""
    page.goto(f"{hub}/console/segments")
    page.get_by_role("link", name="Novo segmento").click()
    page.get_by_label("Nome").fill(name)
    page.get_by_role("button", name="Condição", exact=True).click()
    page.get_by_role("menuitem", name="Etiquetas").click()
    tags = page.get_by_role("group", name="1 Etiquetas").get_by_role("combobox", name="Etiquetas")
    tags.fill(tag)
    page.get_by_role("option", name=tag).click()
    page.get_by_role("button", name="Condição", exact=True).click()
    page.get_by_role("menuitem", name="Consentimento").click()
    consent = page.get_by_role("group", name="2 Consentimento")
    consent.get_by_role("combobox", name="Decisão").click()
    page.get_by_role("option", name="recusou").click()
    consent.get_by_role("button", name="Ações de").click()
    page.get_by_role("menuitem", name="Negar").click()
    expect(page.get_by_role("complementary")).to_contain_text(f"{PEOPLE}")
    expect(page.get_by_role("complementary")).to_contain_text("Pessoa Piloto")
    page.get_by_role("button", name="Criar segmento").click()
    page.get_by_role("tab", name="Membros").wait_for()


def pick(page: Page, label: str, option: str) -> None:
    """Choose an option of a list by its name."""
    page.locator("main").get_by_role("combobox", name=re.compile(label)).click()
    page.get_by_role("option", name=re.compile(option)).first.click()


def on(page: Page, step: str) -> None:
    """Go on to the next step of the wizard, which is this one then."""
    page.get_by_role("button", name="Avançar").click()
    page.get_by_role("heading", level=3, name=step, exact=True).wait_for()


def word(page: Page, variant: str, template: str) -> None:
    """A wording of the test: an approved template, whose variables come from the customer and his invoice."""
    part: Locator = page.get_by_role("region", name=f"Variante {variant.upper()}", exact=True)
    part.get_by_role("combobox", name="Modelo aprovado").fill(template)
    page.get_by_role("option", name=re.compile(f"^{template}")).first.click()
    part.get_by_role("figure").wait_for()
    for place, (source, fallback) in PLACES.items():
        comes_from = part.get_by_role("combobox", name=f"{{{{{place}}}}} vem de")
        if comes_from.count():
            comes_from.click()
            page.get_by_role("option", name=source, exact=True).click()
            part.get_by_label(re.compile(re.escape(f"{{{{{place}}}}} quando falta"))).fill(fallback)


def plan(page: Page, who: Person, name: str) -> str:
    """An A/B test in two wordings, by replies, with a holdout; the rest of the list waits for the winner. The campaign's id, which
    is handed in for review."""
    page.goto(f"{who.hub}/console/campaigns")
    page.get_by_role("link", name="Nova campanha").click()
    page.get_by_label(re.compile("^Nome")).fill(name)
    pick(page, "Tipo de mensagem", "Utilidade")
    on(page, "Público")
    page.get_by_label("Um segmento, como estiver").click()
    page.get_by_role("combobox", name="Segmento").fill(name)
    page.get_by_role("option", name=name).click()
    page.get_by_text(re.compile(f"^{PEOPLE} clientes de")).wait_for()
    on(page, "Mensagem")
    word(page, WORSE, TEMPLATES[WORSE])
    page.get_by_role("button", name="Adicionar variante").click()
    word(page, BETTER, TEMPLATES[BETTER])
    on(page, "Experimento")
    page.get_by_label("Reserva geral, %").fill(f"{100 * HOLDOUT:.0f}")
    pick(page, "^Regra", "O vencedor fica com o restante")
    page.get_by_label("Parte do teste, %").fill(f"{100 * TEST_SHARE:.0f}")
    page.get_by_label("Diferença procurada, p.p.").fill("20")
    page.get_by_label("Saídas toleradas, p.p.").fill("10")
    on(page, "Quando")
    page.get_by_label("Horário permitido").fill("1-7 00:00-23:59")
    page.get_by_label("Não enviar em feriados").click()
    on(page, "Revisão")
    page.get_by_text("Nada impede o envio.").wait_for()
    page.get_by_text("Na reserva geral").first.wait_for()
    shot(page, "story-review")
    page.get_by_role("button", name="Enviar para revisão").click()
    page.get_by_text("outra pessoa precisa aprová-la").wait_for()
    assert page.get_by_role("button", name="Aprovar", exact=True).count() == 0, "nobody approves his own"
    listed = who.get("/api/v1/campaigns?state=in_review").json()["items"]
    return next(str(one["id"]) for one in listed if one["name"] == name)


def approve(page: Page, who: Person, name: str) -> None:
    """The second person finds the campaign in the list, sees plan and check, approves and starts."""
    page.goto(f"{who.hub}/console/campaigns")
    page.get_by_role("link", name=name).click()
    page.get_by_text("Nada impede o envio.").wait_for()
    for verb in ("Aprovar", "Iniciar"):
        page.get_by_role("button", name=verb, exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
        page.get_by_role("dialog").wait_for(state="detached")


def watch(page: Page) -> None:
    """The page, which nobody loads anew, comes to tell of the winner and of the end; the test says on what it was decided."""
    page.get_by_role("tab", name="Andamento").click()
    page.get_by_text(f"A variante {BETTER.upper()} venceu e vai para o restante.").wait_for(timeout=PATIENCE_S * 1000)
    page.get_by_text("Concluída").first.wait_for(timeout=PATIENCE_S * 1000)
    page.get_by_role("tab", name="Experimento").click()
    expect(page.get_by_role("status").filter(has_text="venceu")).to_contain_text(f"{BETTER.upper()} venceu")
    page.get_by_text(f"Vencedor: promove {BETTER.upper()}").wait_for()
    shot(page, "story-experiment")


def look_up(page: Page) -> None:
    """From the list of people to why one of them received the message, and what became of it."""
    page.get_by_role("tab", name="Pessoas").click()
    pick(page, "^Estado", "Enviada")
    page.get_by_role("link", name=re.compile(r"^Por que recebeu\? \S")).first.click()
    page.get_by_text(f"uma de {PEOPLE} pessoas").wait_for()
    page.get_by_text("Entrou na saída").wait_for()
    shot(page, "story-lineage")


def seen_in_superset(page: Page, who: Person, name: str, counts: Mapping[str, int]) -> None:
    """The campaign's rows in the dashboard as it is drawn: messages by variant, and which of them the test found better."""
    page.goto(f"{who.hub}{SUPERSET}/superset/dashboard/campanhas/", timeout=120_000)
    rows = page.locator("tr", has=page.locator("td", has_text=re.compile(f"^{name}$")))
    for variant, count in counts.items():
        row = rows.filter(has=page.locator("td", has_text=re.compile(f"^{variant}$")))
        priced = row.filter(has=page.locator("td", has_text=re.compile("^USD$")))
        expect(priced).to_contain_text(str(count), timeout=120_000)
    expect(rows.filter(has_text="▲ melhor").first).to_contain_text("resposta")
    page.wait_for_timeout(500)
    shot(page, "story-superset")


def shot(page: Page, name: str) -> None:
    """For people to look at."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png")


def chart_rows(who: Person, dashboard: str, title: str, column: str, value: str) -> list[dict[str, Any]]:
    """The rows of one chart of a dashboard that have this value in a column, as Superset answers its page."""
    found = next(
        one for one in who.get(f"{SUPERSET}/api/v1/dashboard/{dashboard}/charts").json()["result"] if one["slice_name"] == title
    )  # fmt: skip
    page = who.get(f"{SUPERSET}/api/v1/dashboard/{dashboard}").json()["result"]["id"]
    form = {**found["form_data"], "dashboardId": page, "slice_id": found["id"]}
    number = int(form["datasource"].split("__")[0])
    query = {
        "columns": form["groupby"], "metrics": form["metrics"], "row_limit": 100, "orderby": [],
        "filters": [{"col": column, "op": "==", "val": value}], "extras": {"where": " AND ".join(
            f"({one['sqlExpression']})" for one in form.get("adhoc_filters", []) if one.get("expressionType") == "SQL"
        )},
    }  # fmt: skip
    body = {"datasource": {"id": number, "type": "table"}, "queries": [query], "form_data": form, "force": True}
    status, rows = who.rows(body)
    assert status == 200, title
    return rows


def test_a_segment_becomes_a_measured_result(stack, browser: Browser, team, tag: str, simulator) -> None:
    marketer, supervisor = team["marketer"], team["supervisor"]
    name, began = f"Piloto {tag}", time.monotonic()
    page = page_of(browser, marketer)
    build_segment(page, marketer.hub, name, tag)
    campaign_id = plan(page, marketer, name)
    refused = marketer.post(f"/api/v1/campaigns/{campaign_id}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "needs_second_person")
    boss = page_of(browser, supervisor)
    approve(boss, supervisor, name)
    watch(boss)
    decided = supervisor.get(f"/api/v1/campaigns/{campaign_id}/decisions").json()["items"]
    (decision,) = [one for one in decided if one["rule"] == "winner"]
    assert (decision["outcome"], decision["evidence"]["winner"]) == ("promote", BETTER), decision
    arms = decision["evidence"]["arms"]
    assert min(one["n"] for one in arms.values()) >= 100 and decision["evidence"]["p"][f"{BETTER}>{WORSE}"] <= 0.05
    test = supervisor.get(f"/api/v1/campaigns/{campaign_id}/experiment").json()
    assert test["promoted"] == BETTER and test["mismatch_p"] > 0.001, test
    assert sum(one["n"] for one in test["arms"]) <= TEST_SHARE * PEOPLE, (
        "the rest, all of it the winner's, is not of the test"
    )
    look_up(boss)
    print(f"\nfrom the builder to the lineage of one message: {time.monotonic() - began:.0f} s; {arms}")

    sent = rows(
        stack,
        "SELECT customer_id, variant, position, state, excluded_for, message_id FROM campaign_recipients WHERE campaign_id = $1 ORDER BY position",
        uuid.UUID(campaign_id),
    )
    assert len(sent) == PEOPLE
    held = [row for row in sent if row["excluded_for"] == "holdout"]
    messages = [row for row in sent if row["message_id"]]
    assert held and not any(row["message_id"] for row in sent if row["excluded_for"])
    assert len(messages) == PEOPLE - sum(row["excluded_for"] is not None for row in sent)
    tested = int(TEST_SHARE * len(messages))
    first, rest = messages[:tested], messages[tested:]
    assert set(Counter(row["variant"] for row in first)) == {BETTER, WORSE}
    assert {row["variant"] for row in rest} == {BETTER}, "whoever waited gets the winner"

    (listed,) = supervisor.get(f"/api/v1/campaigns/{campaign_id}/runs").json()["items"]
    for row in messages:
        answer = supervisor.get(f"/api/v1/messages/{row['message_id']}/lineage")
        assert answer.status_code == 200, answer.text
        traced = answer.json()
        assert (traced["campaign_id"], traced["variant"], traced["customer_id"]) == (
            campaign_id, row["variant"], str(row["customer_id"]),
        )  # fmt: skip
        assert (
            traced["audience"]["members_sha256"] == listed["members_sha256"] and traced["audience"]["campaign"] == name
        )
        assert traced["assignment"]["variant"] == row["variant"] and traced["statuses"]
    last = supervisor.get(f"/api/v1/messages/{rest[-1]['message_id']}/lineage").json()
    assert [one["outcome"] for one in last["audience"]["decisions"]] == ["promote"], "why this wording"

    wait_until(
        lambda: supervisor.get(f"/api/v1/campaigns/{campaign_id}/results").json()["total"]["sent"] == len(messages),
        PATIENCE_S,
        every_s=1,
    )
    build(stack, "bronze/events", "gold/experiment_assignments", "gold/experiment_results", "gold/campaign_funnel")
    admin, counts = team["admin"], Counter(row["variant"] for row in messages)
    arrived = {
        row["variant_name"]: row for row in chart_rows(admin, "campanhas", "Campanhas por variante", "campaign", name)
    }
    assert {one: row["sent_total"] for one, row in arrived.items()} == dict(counts), arrived
    assert arrived[BETTER]["replies"] > 0.4 > 0.2 > arrived[WORSE]["replies"]
    effects = chart_rows(admin, "campanhas", "Experimentos, leitura mais nova", "experiment", name)
    (reply,) = [row for row in effects if row["metric_name"] == "resposta"]
    assert reply["variant"] == BETTER and reply["decision_name"] == "▲ melhor", reply
    print(f"Superset: {arrived}; {reply}")
    watcher = page_of(browser, admin, height=3600)  # charts are asked for when they come into sight
    seen_in_superset(watcher, admin, name, counts)
    page.goto(f"{marketer.hub}/console/calendar")
    page.get_by_role("link", name=name).first.wait_for()
    for one in (page, boss, watcher):
        one.context.close()
    print(f"the whole story: {time.monotonic() - began:.0f} s")

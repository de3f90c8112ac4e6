"""The operator's business data through its HTTP door: batches, files, occurrences, lists."""

import asyncio
import io
import itertools
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hub_api.auth.keys import create_key
from hub_api.chat.business import examples, values
from hub_api.chat.business.routes import router
from hub_api.chat.business.tables import KindName, kinds
from hub_api.chat.business.upsert import aggregate_id, queries, upsert
from hub_api.errors import HubError
from hub_api.platform import web
from hub_api.platform.ids import uuid7
from hub_api.platform.services import Services, open_services
from hub_api.settings import Settings

PLAN = {"external_id": "FIBRA", "name": "Fibra 500", "kind": "fiber", "speed_mbps": 500, "price": "99,90"}
CONTRACT = {
    "external_id": "C-1",
    "phone": "11987654321",
    "plan_id": "FIBRA",
    "status": "active",
    "region_code": "SP-1",
    "started_on": "2025-01-02",
}
INVOICE = {
    "external_id": "F-1",
    "contract_id": "C-1",
    "reference_month": "2026-11",
    "amount": "129,90",
    "due_on": "2026-12-10",
    "status": "open",
}


class Door:
    """An HTTP client of the business routes, and the database behind them."""

    def __init__(self, services: Services, client: httpx.AsyncClient) -> None:
        self.services, self.client = services, client

    async def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return await self.client.post(f"/api/v1/business/{path}", json=body, **options)

    async def load(self, kind: str, *rows: dict[str, Any]) -> dict[str, Any]:
        answer = await self.post(kind, {"rows": list(rows)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def upload(self, kind: str, content: str | bytes) -> httpx.Response:
        raw = content.encode() if isinstance(content, str) else content
        return await self.client.post(f"/api/v1/business/{kind}/import", files={"file": ("rows.csv", io.BytesIO(raw))})

    async def fetchrow(self, sql: str, *args: Any) -> Any:
        return await self.services.db.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await self.services.db.fetchval(sql, *args)


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    app = FastAPI()
    app.add_exception_handler(HubError, web.on_hub_error)
    app.include_router(router)
    async with open_services(settings, lambda events: (), "test") as services:
        app.state.services = services
        await create_key(services.db, "writer", ["business:write", "business:read"], key="hub_writer")
        await create_key(services.db, "reader", ["business:read"], key="hub_reader")
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://hub",
            headers={"Authorization": "Bearer hub_writer"},
        ) as client:
            yield Door(services, client)


async def add_customer(services: Services, phone: str) -> Any:
    customer = uuid7()
    await services.db.execute("INSERT INTO customers (id, phone) VALUES ($1, $2)", customer, phone)
    await services.db.execute(
        "INSERT INTO customer_identities (id, customer_id, kind, value) VALUES ($1, $2, 'phone', $3)",
        uuid7(),
        customer,
        phone,
    )
    return customer


async def test_a_batch_is_written_once_and_sending_it_again_changes_nothing(door):
    first = await door.load("plans", PLAN)
    again = await door.load("plans", PLAN)
    assert (first["written"], again["written"], again["unchanged"]) == (1, 0, 1)
    assert (await door.fetchrow("SELECT * FROM plans"))["price_micros"] == 99_900_000
    assert await door.fetchval("SELECT count(*) FROM events WHERE type = 'business.recorded'") == 1


async def test_a_bad_row_is_reported_with_its_place_and_reason_and_costs_no_good_row(door):
    bad = [
        {**PLAN, "external_id": "X1", "kind": "carrier pigeon"},
        {**PLAN, "external_id": "X2", "price": "free"},
        {"external_id": "X3", "name": "No price", "kind": "fiber"},
        {"name": "No id"},
        {**PLAN, "external_id": "X5", "colour": "blue"},
        {**PLAN, "external_id": "X6\x00"},
        {**PLAN, "external_id": "X7", "speed_mbps": 10**12},
        {**PLAN, "external_id": "X8", "name": ["a", "list"]},
        {**PLAN, "external_id": "X9", "updated_at": "2199-01-01T00:00:00Z"},
    ]
    report = await door.load("plans", *bad, PLAN)
    assert (report["received"], report["written"], report["rejected"]) == (10, 1, 9)
    faults = {fault["position"]: fault for fault in report["errors"]}
    assert faults[0]["field"] == "kind" and "fiber" in faults[0]["message"]
    assert faults[1]["field"] == "price" and faults[1]["external_id"] == "X2"
    assert faults[2]["field"] == "price_micros"
    assert faults[3]["field"] == "external_id"
    assert faults[4]["field"] == "colour" and faults[8]["field"] == "updated_at"
    assert await door.fetchval("SELECT array_agg(external_id) FROM plans") == ["FIBRA"]


async def test_a_row_without_its_parent_is_refused_and_taken_once_the_parent_is_there(door):
    early = await door.load("contracts", CONTRACT)
    assert early["rejected"] == 1 and early["errors"][0]["field"] == "plan_id"
    await door.load("plans", PLAN)
    assert (await door.load("contracts", CONTRACT))["written"] == 1


async def test_contracts_find_their_customer_under_any_spelling_of_the_phone(door):
    customer = await add_customer(door.services, "+5511987654321")
    await door.load("plans", PLAN)
    for spelling in ("(11) 98765-4321", "+5511987654321", "551187654321", "11 8765-4321"):
        report = await door.load("contracts", {**CONTRACT, "external_id": f"C {spelling}", "phone": spelling})
        assert report["written"] == 1, report
    assert await door.fetchval("SELECT count(*) FROM contracts WHERE customer_id = $1", customer) == 4
    event = await door.fetchrow(
        "SELECT * FROM events WHERE aggregate_id = $1", aggregate_id(KindName.CONTRACTS, "C (11) 98765-4321")
    )
    assert event["payload"]["customer_id"] == str(customer) and event["payload"]["status"] == "active"


async def test_a_cpf_is_kept_as_a_keyed_hash_only(door):
    await door.load("plans", PLAN)
    good = await door.load("contracts", {**CONTRACT, "cpf": "529.982.247-25"})
    wrong = await door.load("contracts", {**CONTRACT, "external_id": "C-2", "cpf": "529.982.247-26"})
    assert good["written"] == 1 and wrong["errors"][0]["field"] == "cpf"
    assert "52998224725" not in str(await door.fetchrow("SELECT * FROM contracts"))
    assert len(await door.fetchval("SELECT cpf_hash FROM contracts")) == 32
    listed = (await door.client.get("/api/v1/business/contracts")).json()
    assert "cpf_hash" not in listed["items"][0]


async def test_payments_that_reach_the_amount_mark_the_invoice_paid(door):
    for kind, row in (("plans", PLAN), ("contracts", CONTRACT), ("invoices", INVOICE)):
        await door.load(kind, row)
    pay = {"invoice_id": "F-1", "method": "pix", "paid_at": "2026-12-01T10:00:00-03:00"}
    await door.load("payments", {**pay, "external_id": "P-1", "amount": "100,00"})
    assert await door.fetchval("SELECT status FROM invoices") == "open"
    await door.load("payments", {**pay, "external_id": "P-2", "amount": "29,90"})
    assert await door.fetchval("SELECT status FROM invoices") == "paid"
    paid = await door.fetchval(
        "SELECT payload ->> 'status' FROM events WHERE aggregate_id = $1 ORDER BY aggregate_version DESC LIMIT 1",
        aggregate_id(KindName.INVOICES, "F-1"),
    )
    assert paid == "paid"


async def test_occurrences_of_one_batch_are_applied_in_their_order_over_what_is_stored(door):
    started = {
        "type": "outage_started",
        "data": {
            "external_id": "O-1",
            "region_code": "SP-1",
            "service": "all",
            "started_at": "2026-11-23T08:00:00-03:00",
        },
    }
    ended = {"type": "outage_ended", "data": {"external_id": "O-1", "ended_at": "2026-11-23T11:00:00-03:00"}}
    report = (await door.post("events", {"events": [started, ended]})).json()
    assert report["written"] == 2 and report["rejected"] == 0
    row = await door.fetchrow("SELECT * FROM outages")
    assert row["region_code"] == "SP-1" and row["ended_at"] == datetime(2026, 11, 23, 14, tzinfo=UTC)
    assert (await door.post("events", {"events": [ended]})).json()["unchanged"] == 1
    unknown = (
        await door.post("events", {"events": [{**ended, "data": {**ended["data"], "external_id": "O-2"}}]})
    ).json()
    assert unknown["rejected"] == 1 and unknown["errors"][0]["field"] == "region_code"


async def test_a_ticket_opens_and_closes_by_occurrences(door):
    await door.load("plans", PLAN)
    await door.load("contracts", CONTRACT)
    opened = {"external_id": "T-1", "contract_id": "C-1", "kind": "reparo", "opened_at": "2026-11-22T10:00:00Z"}
    closed = {"external_id": "T-1", "closed_at": "2026-11-23T10:00:00Z"}
    await door.post("events", {"events": [{"type": "ticket_opened", "data": opened}]})
    assert await door.fetchval("SELECT status FROM service_tickets") == "open"
    await door.post("events", {"events": [{"type": "ticket_closed", "data": closed}]})
    assert tuple(await door.fetchrow("SELECT status, kind FROM service_tickets")) == ("done", "reparo")


async def test_every_example_of_the_documentation_is_accepted(door):
    for kind, example in examples.BATCHES.items():
        report = (await door.post(kind, example["value"])).json()
        assert report["rejected"] == 0 and report["written"] == 1, (kind, report)
    for example in examples.OCCURRENCES.values():
        assert (await door.post("events", example["value"])).json()["rejected"] == 0


async def test_lists_go_page_by_page_and_by_parent(door):
    await door.load("plans", PLAN)
    await door.load("contracts", CONTRACT, {**CONTRACT, "external_id": "C-2"})
    await door.load(
        "invoices", *({**INVOICE, "external_id": f"F-{n}", "contract_id": f"C-{1 + n % 2}"} for n in range(10))
    )
    seen, cursor = [], ""
    while cursor is not None:
        page = (await door.client.get("/api/v1/business/invoices", params={"limit": 4, "cursor": cursor})).json()
        seen += [row["external_id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert seen == sorted(f"F-{n}" for n in range(10))
    of = (await door.client.get("/api/v1/business/invoices", params={"of": "C-2"})).json()
    assert {row["contract_id"] for row in of["items"]} == {"C-2"}


async def test_only_keys_with_the_right_scope_come_in(door):
    reader = {"Authorization": "Bearer hub_reader"}
    assert (await door.client.get("/api/v1/business/plans", headers=reader)).status_code == 200
    refused = await door.post("plans", {"rows": [PLAN]}, headers=reader)
    assert refused.status_code == 403 and refused.json()["code"] == "forbidden"
    assert (await door.client.get("/api/v1/business/plans", headers={"Authorization": ""})).status_code == 401
    assert (await door.post("unicorns", {"rows": [PLAN]})).status_code == 422
    assert (await door.post("plans", {"rows": [PLAN] * 1001})).status_code == 422
    assert (await door.post("plans", {"rows": [PLAN], "role": "admin"})).status_code == 422


# --- files ----------------------------------------------------------------------------------------------------------

CSV = """\
Código;Contrato;Competência;Valor;Vencimento;Situação;Linha Digitável;Observação
F-1;C-1;11/2026;129,90;10/12/2026;em aberto;8467 0000;primeira
F-2;C-1;12/2026;1.299,90;10/01/2027;Vencida;;"com ; dentro
e outra linha"
F-3;C-9;12/2026;10,00;10/01/2027;paga;;contrato desconhecido
F-4;C-1;13/2026;10,00;10/01/2027;paga;;mês errado

F-5;C-1;12/2026
F-6;C-1;12/2026;R$ 50,5;2027-01-10;paga;;ok
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_a_brazilian_spreadsheet_is_taken_with_a_report_by_line(door, encoding):
    await door.load("plans", PLAN)
    await door.load("contracts", CONTRACT)
    report = (await door.upload("invoices", CSV.encode(encoding))).json()
    assert (report["received"], report["written"], report["rejected"]) == (6, 3, 3)
    assert [(fault["position"], fault["external_id"], fault["field"]) for fault in report["errors"]] == [
        (5, "F-3", "contract_id"),
        (6, "F-4", "reference_month"),
        (8, None, None),
    ]
    row = await door.fetchrow("SELECT * FROM invoices WHERE external_id = 'F-2'")
    assert row["amount_micros"] == 1_299_900_000 and row["due_on"] == date(2027, 1, 10) and row["status"] == "overdue"
    again = (await door.upload("invoices", CSV.encode(encoding))).json()
    assert (again["written"], again["unchanged"]) == (0, 3)


async def test_a_file_without_its_columns_is_refused_by_name(door):
    answer = await door.upload("invoices", "nome;idade\nAna;30\n")
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} >= {"external_id", "due_on"}
    assert (await door.upload("invoices", b"")).status_code == 422
    assert (await door.upload("invoices", bytes(range(256)) * 10)).status_code == 422
    twice = await door.upload("plans", "codigo,nome,tipo,valor,preco\n1,a,fibra,1,2\n")
    assert twice.status_code == 422


async def test_a_quote_left_open_is_reported_and_what_came_before_is_kept(door):
    report = (
        await door.upload("plans", 'codigo,nome,tipo,valor\nP1,Um,fibra,10\nP2,"Dois,fibra,10\n' + "x" * 200_000)
    ).json()
    assert report["written"] == 1 and report["rejected"] >= 1
    assert "quote" in report["errors"][0]["message"]


async def test_a_file_of_twenty_thousand_rows_takes_seconds_and_leaves_the_server_answering(door):
    rows = "".join(f"P{n},Plano {n},fibra,{n % 500},{n % 90},5\n" for n in range(20_000))
    started = time.monotonic()
    upload = asyncio.create_task(door.upload("plans", "codigo,nome,tipo,valor,franquia,mega\n" + rows))
    slowest = 0.0
    while not upload.done():
        before = time.monotonic()
        await door.client.get("/api/v1/business/outages")
        slowest = max(slowest, time.monotonic() - before)
        await asyncio.sleep(0.02)
    report = (await upload).json()
    assert report["written"] == 20_000 and time.monotonic() - started < 15
    assert slowest < 2


# --- what must hold for any input ----------------------------------------------------------------------------------


async def test_the_newest_version_of_a_row_wins_in_whatever_order_versions_arrive(door):
    kind = kinds(door.services.settings)[KindName.PLANS]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for trial, order in enumerate(itertools.permutations(range(4))):
        for version in order:
            row = {
                **PLAN,
                "external_id": f"T{trial}",
                "name": f"v{version // 2}",
                "updated_at": (start + timedelta(days=version)).isoformat(),
            }
            async with door.services.transaction() as tx:
                await upsert(tx, kind, [(0, row)])
    rows = await door.services.db.fetch("SELECT DISTINCT name, updated_at FROM plans")
    assert [tuple(row) for row in rows] == [("v1", start + timedelta(days=3))]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


async def test_whatever_a_row_holds_it_is_written_or_reported_and_its_neighbour_is_written(door):
    described = kinds(door.services.settings)
    await door.load("plans", PLAN)

    @hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        row=st.fixed_dictionaries({}, optional=dict.fromkeys(described[KindName.CONTRACTS].inputs(), json_values)),
        serial=st.integers(0, 10**6),
    )
    def collect(row: dict[str, Any], serial: int) -> None:
        collected.append(({**CONTRACT, **row}, {**CONTRACT, "external_id": f"good-{serial}"}))

    collected: list[tuple[dict[str, Any], dict[str, Any]]] = []
    collect()
    for odd, good in collected:
        async with door.services.transaction() as tx:
            report = await upsert(tx, described[KindName.CONTRACTS], [(0, odd), (1, good)])
        assert report.written + report.unchanged + len(report.faults) == 2
        assert await door.fetchval("SELECT count(*) FROM contracts WHERE external_id = $1", good["external_id"]) == 1


@given(st.integers(0, 10**12))
def test_an_amount_reads_the_same_however_a_brazilian_writes_it(cents):
    reais, rest = divmod(cents, 100)
    grouped = f"{reais:,}".replace(",", ".")
    written = [f"{reais},{rest:02}", f"{grouped},{rest:02}", f"R$ {grouped},{rest:02}", f"{reais}.{rest:02}"]
    if cents > 10**11:
        for each in written:
            with pytest.raises(ValueError, match="amount"):
                values.money(each)
        return
    assert {values.money(each) for each in written} == {cents * 10_000}


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)))
def test_a_date_reads_the_same_in_both_styles(day):
    assert values.day(day.strftime("%d/%m/") + f"{day.year:04}") == values.day(day.isoformat()) == day


async def test_upserts_take_as_many_columns_as_their_kind_has(door):
    for name, kind in kinds(door.services.settings).items():
        async with door.services.db.acquire() as db:
            statement = await db.prepare(getattr(queries, f"upsert_{name}"))
            parameters = statement.get_parameters()
        assert len(parameters) == len(kind.fields), name
        assert kind.fields[-1].column == "updated_at"


async def test_the_application_serves_the_door_and_documents_it(hub):
    loaded = await hub.post("/api/v1/business/plans", json={"rows": [PLAN]}, headers=hub.auth)
    assert loaded.status == 200 and (await loaded.json())["written"] == 1
    listed = await hub.get("/api/v1/business/plans", headers=hub.auth)
    assert [row["external_id"] for row in (await listed.json())["items"]] == ["FIBRA"]
    assert (await hub.get("/api/v1/business/plans")).status == 401
    paths = (await (await hub.get("/openapi.json")).json())["paths"]
    assert {path for path in paths if "business" in path} == {
        "/api/v1/business/events",
        "/api/v1/business/{kind}",
        "/api/v1/business/{kind}/import",
    }

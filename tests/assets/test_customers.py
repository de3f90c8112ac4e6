"""Customers: copies of PostgreSQL, actions by day and features, from a story written into both sides."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import pytest
from clickhouse_connect.driver.client import Client

from assets.gold.customer.assets import kept
from assets.warehouse import Warehouse, load_sql
from hub_api.analytics.relay import relay_until_empty
from hub_api.chat.privacy import warehouse as privacy
from hub_api.events import ConsentChanged, MessageQueued, MessageStateChanged
from hub_api.platform.clickhouse import connect
from hub_api.platform.eventlog import insert_events
from hub_api.settings import Settings
from pipelines import definitions
from pipelines.jobs import QUIET
from pipelines.launching import range_tags
from pipelines.materialize import days_between
from tests.analytics.conftest import session
from tests.assets.conftest import Given, at, named
from tests.assets.story import Talk
from tests.support.data import table_hash
from tests.support.waiting import run_async

LAST = "2026-03-10"  # a Tuesday
DAYS = days_between(date(2026, 2, 20), date(2026, 3, 10))
ANA, BIA, OLD = named("customer ana"), named("customer bia"), named("customer old")

BUSINESS = """
INSERT INTO customers (id, name, phone, state_code, tags, created_at, status, merged_into) VALUES
    ($1, 'Ana', '+5511987654321', 'SP', '{vip,"d''água \\\\ ok"}', '2025-12-01', 'active', NULL),
    ($2, 'Bia', '+5521987654321', 'RJ', '{}', '2026-03-01', 'active', NULL),
    ($3, 'Old', NULL, NULL, '{}', '2026-03-01', 'merged', $1);
"""
CONTRACTS = """
INSERT INTO plans (external_id, name, kind, speed_mbps, price_micros) VALUES
    ('p1', 'Fibra', 'fiber', 300, 100000000), ('p2', 'Pós', 'mobile_postpaid', NULL, 50000000);
INSERT INTO contracts (external_id, customer_id, plan_id, status, city, state_code, region_code, started_on, ended_on, updated_at) VALUES
    ('c1', '{ana}', 'p1', 'active', 'Niterói', 'RJ', 'RJ-1', '2025-03-10', NULL, '2025-03-10'),
    ('c2', '{ana}', 'p2', 'active', NULL, NULL, NULL, '2026-01-01', NULL, '2026-01-01'),
    ('c3', '{bia}', 'p1', 'cancelled', NULL, 'SP', NULL, '2026-01-01', '2026-03-05', '2026-03-05'),
    ('c4', NULL, 'p1', 'active', NULL, 'SP', NULL, '2026-01-01', NULL, '2026-01-01');
INSERT INTO invoices (external_id, contract_id, reference_month, amount_micros, due_on, status, updated_at) VALUES
    ('i1', 'c1', '2026-01-01', 100000000, '2026-01-10', 'paid', '2026-01-09'),
    ('i2', 'c1', '2026-02-01', 100000000, '2026-02-10', 'paid', '2026-03-08'),
    ('i3', 'c1', '2026-03-01', 100000000, '2026-03-05', 'overdue', '2026-03-01'),
    ('i4', 'c3', '2026-03-01', 70000000, '2026-03-05', 'cancelled', '2026-03-01');
INSERT INTO payments (external_id, invoice_id, amount_micros, method, paid_at, updated_at) VALUES
    ('y1', 'i1', 100000000, 'pix', '2026-01-09 12:00Z', '2026-01-09'),
    ('y2', 'i2', 40000000, 'pix', '2026-02-12 12:00Z', '2026-02-12'), ('y3', 'i2', 60000000, 'pix', '2026-03-08 12:00Z', '2026-03-08');
INSERT INTO service_tickets (external_id, contract_id, kind, status, opened_at, closed_at, updated_at) VALUES
    ('t1', 'c1', 'reparo', 'open', '2026-03-09 15:00Z', NULL, '2026-03-09'), ('t2', 'c1', 'reparo', 'done', '2026-01-09 15:00Z', '2026-01-10', '2026-01-10');
INSERT INTO outages (external_id, region_code, service, started_at, ended_at, updated_at) VALUES
    ('o1', 'RJ-1', 'fiber', '2026-03-09 10:00Z', '2026-03-09 15:00Z', '2026-03-09'),
    ('o2', 'RJ-1', 'mobile', '2026-03-09 10:00Z', '2026-03-09 15:00Z', '2026-03-09');
"""


def told() -> list[Any]:
    """Ana calls twice about her signal (once under her old number), gets a campaign, reads and answers it."""
    first, second = Talk("ana", "2026-02-25 14:00"), Talk("ana", "2026-03-09 13:00")
    second.name = "ana 2"
    second.events[0] = Talk("old", "2026-03-09 13:00").events[0]
    bill = Talk("bia", "2026-03-02 14:00")
    first.customer("2026-02-25 14:00", "Minha INTERNET CAIU de novo, sem conexão!")
    first.we("2026-02-25 14:02")
    first.moves("2026-02-25 14:30", "resolved")
    first.rated("2026-02-25 14:31", 2)
    old = Talk("old", "2026-03-09 13:00")
    old.customer("2026-03-09 13:00", "sem sinal")
    bill.customer("2026-03-02 14:00", "quero a segunda via")
    offer: dict[str, Any] = {"aggregate_id": named("offer"), "conversation_id": first.id, "customer_id": ANA}
    campaign = [
        MessageQueued(**offer, aggregate_version=1, occurred_at=at("2026-03-07 12:00"), message_type="template", content="oferta",
                      author="campaign", category="marketing", shard=0, template="oferta"),
        *(
            MessageStateChanged(**offer, aggregate_version=version, occurred_at=at(when), from_state="queued", to_state=state)
            for version, (state, when) in enumerate([("accepted", "2026-03-07 12:00"), ("delivered", "2026-03-07 12:01"), ("read", "2026-03-08 13:00")], 2)
        ),
    ]  # fmt: skip
    first.customer("2026-03-08 14:00", "quero")
    refused = [
        ConsentChanged(aggregate_id=BIA, aggregate_version=2, occurred_at=at("2026-03-02 15:00"), scope="marketing", granted=True, source="api"),
        ConsentChanged(aggregate_id=BIA, aggregate_version=3, occurred_at=at("2026-03-03 15:00"), scope="all", granted=False, source="api"),
    ]  # fmt: skip
    return [*first.events, *old.events, *bill.events, *campaign, *refused]


@pytest.fixture
def told_settings(data_settings: Settings) -> Settings:
    """A database and a warehouse that know the story."""

    async def write() -> None:
        db = await session(data_settings)
        await db.execute(BUSINESS.replace("$1", f"'{ANA}'").replace("$2", f"'{BIA}'").replace("$3", f"'{OLD}'"))
        await db.execute(CONTRACTS.replace("{ana}", str(ANA)).replace("{bia}", str(BIA)))
        await insert_events(db, told())
        await db.close()

    run_async(write())
    run_async(relay_until_empty(data_settings))
    return data_settings


@pytest.fixture
def client(told_settings: Settings) -> Iterator[Client]:
    one = connect(told_settings.clickhouse_url)
    yield one
    one.close()


def build(settings: Settings, days: list[str], *, events_too: bool = True) -> list[dg.AssetCheckEvaluation]:
    """The tables below, then the job of customers as Dagster runs it; its checks."""
    if events_too:
        below = Given(settings)
        below.batch = below.warehouse.newest_batch()
        below.build(*days, upto="gold.conversation_facts")
        below.warehouse.close()
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            definitions.build(settings)
            .resolve_job_def("customers")
            .execute_in_process(instance=instance, tags=range_tags(days[0], days[-1]), run_config=QUIET)
        )
    return list(result.get_asset_check_evaluations())


def row_of(client: Client, customer: object, day: str = LAST) -> dict[str, Any]:
    answer = client.query(
        "SELECT * FROM gold.customer_features WHERE customer_id = {id:UUID} AND day = {day:Date}",
        parameters={"id": customer, "day": day},
    )
    (row,) = answer.result_rows
    return dict(zip(answer.column_names, row, strict=True))


def test_features_tell_the_story_and_a_rerun_changes_nothing(told_settings: Settings, client: Client) -> None:
    checks = build(told_settings, DAYS)
    assert checks and all(check.passed for check in checks), [c.description for c in checks if not c.passed]
    ana, bia = row_of(client, ANA), row_of(client, BIA)
    assert client.query("SELECT count() FROM gold.customer_features WHERE day = '2026-03-10'").result_rows == [(2,)]
    expected = {
        "tags": ["d'água \\ ok", "vip"], "state_code": "RJ", "macro_region": "sudeste", "city": "Niterói", "contracts": 2,
        "contracts_active": 2, "contract_status": "active", "plan_id": "p2", "monthly_micros": 150_000_000, "tenure_days": 365,
        "messages_7d": 2, "messages_30d": 3, "contacts_7d": 1, "contacts_30d": 2, "technical_contacts_7d": 1,
        "technical_contacts_30d": 2, "resolved_90d": 1, "first_response_seconds_90d": 120.0, "satisfaction_90d": 2.0,
        "satisfaction_last": 2.0, "campaigns_received_7d": 1, "campaigns_read_7d": 1, "campaigns_replied_7d": 1,
        "inactive_days": 1, "last_message_at": at("2026-03-09 13:00").replace(tzinfo=ana["last_message_at"].tzinfo),
        "invoices_365d": 3, "invoices_paid_late_365d": 1, "invoices_late": 1, "late_micros": 100_000_000, "late_days": 5,
        "billed_micros_365d": 300_000_000, "paid_micros_365d": 200_000_000, "tickets_open": 1, "tickets_30d": 1,
        "outages_30d": 1, "consent_marketing": None, "known_days": 100,
    }  # fmt: skip
    assert {name: ana[name] for name in expected} == expected
    expected = {
        "state_code": "SP", "contract_status": "cancelled", "contracts_active": 0, "monthly_micros": 0, "contract_ended_days": 5,
        "tenure_days": 63, "consent_marketing": False, "consent_utility": False, "contacts_7d": 0, "contacts_30d": 1,
        "technical_contacts_30d": 0, "invoices_late": 0, "satisfaction_90d": None, "inactive_days": 8, "city": "",
    }  # fmt: skip
    assert {name: bia[name] for name in expected} == expected
    # As of an earlier day: the invoice was not settled then, and nobody had been refused yet.
    sunday = row_of(client, ANA, "2026-03-01")
    assert (sunday["invoices_late"], sunday["late_days"], sunday["technical_contacts_7d"]) == (1, 19, 1)
    assert row_of(client, BIA, "2026-03-08")["consent_marketing"] is False
    days = {str(day) for (day,) in client.query("SELECT DISTINCT day FROM gold.customer_features").result_rows}
    assert days == {"2026-02-22", "2026-03-01", *(f"2026-03-{day:02}" for day in range(3, 11))}
    before = [table_hash(client, f"gold.{table}") for table in ("customer_actions_daily", "customer_features")]
    build(told_settings, DAYS[-3:], events_too=False)
    build(told_settings, DAYS[:2], events_too=False)
    assert before == [table_hash(client, f"gold.{table}") for table in ("customer_actions_daily", "customer_features")]


def test_checks_see_a_wrong_figure_and_erasure_ends_the_rows(told_settings: Settings, client: Client) -> None:
    build(told_settings, DAYS[-9:])
    warehouse = Warehouse(told_settings)
    for table, column in (("customer_features", "invoices_late"), ("customer_actions_daily", "actions")):
        sql = load_sql("assets.gold.customer", f"{table}.check.sql")
        rows = warehouse.rows(sql, DAYS[-9:])
        assert rows and all(ours == theirs for _, ours, theirs in rows), rows
        client.command(
            f"ALTER TABLE gold.{table} UPDATE {column} = {column} + 1 WHERE true SETTINGS mutations_sync = 1"
        )
        assert any(ours != theirs for _, ours, theirs in warehouse.rows(sql, DAYS[-9:])), "the check sees nothing"
    warehouse.close()
    counts = run_async(privacy.erase_texts(told_settings, [ANA]))
    assert counts["gold.customer_features"] > 0 and counts["silver.invoices"] == 3
    for table in ("gold.customer_features", "gold.customer_actions_daily", "silver.customers", "silver.contracts"):
        assert client.query(f"SELECT count() FROM {table} WHERE customer_id = '{ANA}'").result_rows == [(0,)]
    assert client.query(f"SELECT count() > 0 FROM gold.customer_features WHERE customer_id = '{BIA}'").result_rows[0][0]
    (left,) = run_async(privacy.survivors(told_settings, [{str(ANA)}], [[ANA]]))
    assert "gold.customer_features" not in left


def test_the_last_eight_days_and_the_sundays_before_are_kept() -> None:
    days = {date.fromisoformat(day) for day in days_between(date(2026, 1, 1), date(2026, 3, 10))}
    stay = kept(days, date(2026, 3, 10))
    assert len(stay) == 8 + 9 and date(2026, 3, 3) in stay and date(2026, 3, 2) not in stay and date(2026, 1, 4) in stay

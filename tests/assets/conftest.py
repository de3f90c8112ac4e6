"""Given events, expect rows: events written straight into raw.events, tables built in this process."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest

from assets.gold.calendar.build import build_calendar
from assets.warehouse import Warehouse, load_sql
from hub_api.platform.eventlog import Event
from hub_api.platform.ids import uuid7
from hub_api.platform.rawevents import COLUMNS
from hub_api.settings import Settings
from tests.support.data import data_settings_for, empty
from tests.support.postgres import Databases
from tests.support.warehouse import EmbeddedWarehouse

SPACE = UUID("019a0000-0000-7000-8000-000000000000")
TABLES = (
    ("bronze.events", "assets.bronze", "events.sql"),
    ("silver.messages", "assets.silver", "messages.sql"),
    ("silver.message_labels", "assets.silver", "message_labels.sql"),
    ("silver.conversations", "assets.silver", "conversations.sql"),
    ("silver.conversation_states", "assets.silver", "conversation_states.sql"),
    ("gold.conversation_facts", "assets.gold.service", "conversation_facts.sql"),
    ("gold.message_facts", "assets.gold.service", "message_facts.sql"),
    ("gold.backlog_changes", "assets.gold.service", "backlog_changes.sql"),
    ("gold.opt_outs", "assets.gold.service", "opt_outs.sql"),
    ("gold.agent_days", "assets.gold.agent", "agent_days.sql"),
    ("gold.agent_work_hourly", "assets.gold.agent", "agent_work_hourly.sql"),
    ("gold.agent_kpi_hourly", "assets.gold.agent", "agent_kpi_hourly.sql"),
    ("gold.sla_daily", "assets.gold.service", "sla_daily.sql"),
    ("gold.number_health_hourly", "assets.gold.number", "number_health_hourly.sql"),
    ("gold.cost_daily", "assets.gold.cost", "cost_daily.sql"),
    ("gold.service_kpi_hourly", "assets.gold.service", "service_kpi_hourly.sql"),
    ("gold.message_costs_daily", "assets.gold.cost", "message_costs_daily.sql"),
)


def named(name: str) -> UUID:
    """The same id for the same name: `named("ana")`."""
    return uuid5(SPACE, name)


def at(text: str) -> datetime:
    """A UTC time: `at("2026-03-10 14:00")`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Given:
    """Puts events into raw.events as the relay would, one batch a call."""

    def __init__(self, settings: Settings) -> None:
        self.warehouse = Warehouse(settings)
        self.batch, self.seq = 0, 0

    def __call__(self, *events: Event, recorded_at: datetime | None = None, ids: Sequence[UUID] = ()) -> None:
        self.batch += 1
        rows = []
        for number, event in enumerate(events):
            self.seq += 1
            rows.append(
                [
                    ids[number] if ids else uuid7(), event.type, event.aggregate_type, event.aggregate_id, event.aggregate_version,
                    event.occurred_at, recorded_at or event.occurred_at + timedelta(seconds=1), "", self.seq, self.seq,
                    json.dumps(event.payload(), ensure_ascii=False), self.batch, datetime.now(UTC),
                ]
            )  # fmt: skip
        self.warehouse.client.insert("raw.events", rows, column_names=COLUMNS)

    def build(self, *days: str, upto: str = TABLES[-1][0]) -> None:
        """Build these days of every table up to one, in their order, on the business calendar."""
        if not self.warehouse.rows("SELECT count() FROM gold.business_calendar")[0][0]:
            build_calendar(self.warehouse)
        for table, package, file in TABLES:
            self.warehouse.replace_days(table, load_sql(package, file), sorted(days), batch=self.batch)
            if table == upto:
                return

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Rows as dictionaries."""
        answer = self.warehouse.client.query(sql)
        return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]

    def row(self, sql: str) -> dict[str, Any]:
        """The only row."""
        (row,) = self.rows(sql)
        return row


@pytest.fixture(scope="session")
def lock_url(databases: Databases) -> Iterator[str]:
    """A database without tables: builds take turns by its locks."""
    url = databases.create(empty=True)
    yield url
    databases.drop(url)


@pytest.fixture
def warehouse_settings(lock_url: str, warehouse_server: EmbeddedWarehouse) -> Settings:
    """Settings for an emptied warehouse; PostgreSQL has no table of ours."""
    empty(warehouse_server.url())
    return data_settings_for(lock_url, warehouse_server.url())


@pytest.fixture
def given(warehouse_settings: Settings) -> Iterator[Given]:
    one = Given(warehouse_settings)
    yield one
    one.warehouse.close()

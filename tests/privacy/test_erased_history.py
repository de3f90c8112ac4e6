"""Scenario 28 on a simulated history: one person is erased from a running stack, and stays away.

The search is not the hub's: every column of every table of both databases (Dagster's storage among them), every key, every
file of the home and of media, by other programs. `make soak` takes the demo's 90 days and 20,000 customers.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import clickhouse_connect
import pytest

from hub_api.embedded.dagster_home import prepare_dagster
from hub_api.embedded.postgres import installed_programs
from hub_api.embedded.values import dagster_storage_url
from hub_api.settings import Settings
from hub_api.simulator import ids
from hub_api.simulator.demo import first_day_with_events, wait_for_relay, write_history
from hub_api.simulator.history.run import Plan
from tests.faults import planted
from tests.faults.conftest import FaultStack, own_ports
from tests.support.chance import drawn_seed
from tests.support.everywhere import Everywhere
from tests.support.waiting import wait_until

DAYS = int(os.environ.get("HUB_TEST_HISTORY_DAYS", "3"))  # make soak: 90
CUSTOMERS = int(os.environ.get("HUB_TEST_HISTORY_CUSTOMERS", "300"))  # make soak: 20,000
SEED = drawn_seed()
PATIENCE_S = 120 + DAYS * CUSTOMERS / 1000

pytestmark = pytest.mark.timeout(int(300 + PATIENCE_S * 3))

# Whoever wrote most of those with a bill: with a ticket given to him, something of him is in every table.
SOMEBODY = """
SELECT c.id, k.external_id AS contract FROM customers c
JOIN (SELECT customer_id, count(*) AS messages FROM messages GROUP BY customer_id) AS wrote ON wrote.customer_id = c.id
JOIN contracts k ON k.customer_id = c.id
WHERE EXISTS (SELECT FROM invoices i WHERE i.contract_id = k.external_id)
ORDER BY wrote.messages DESC, c.id LIMIT 1
"""
TICKET = """
INSERT INTO service_tickets (external_id, contract_id, kind, status, opened_at, summary)
VALUES ('T-' || $1, $1, 'repair', 'open', now(), $2)
"""
NAME, WORDS, CAPTION, SUMMARY = "Quitéria Zumbi Xisto", "zyxmodem", "zyxfoto", "zyxvisita"
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + CAPTION.encode() + bytes(2_000)).decode()


@dataclass
class Gone:
    """The person, and everything that must be nowhere afterwards."""

    id: Any
    phone: str
    wa_id: str
    bsuid: str
    wamids: list[str] = field(default_factory=list)

    def texts(self) -> list[str]:
        digits = self.phone.removeprefix("+")
        numbers = {digits, self.wa_id, digits[:4] + digits[5:], digits[2:]}
        return [*numbers, self.bsuid, NAME, WORDS, CAPTION, SUMMARY, *self.wamids]


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print how long a step took: the figures of the full size."""
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


class HistoryStack(FaultStack):
    """A stack with a history, its tables built with Dagster's real storage."""

    without = "demo,dagster-code,dagster-daemon,dagster-web,superset"

    def tell_history(self) -> None:
        self.settings = Settings(_env_file=self.home / "hub.env")
        with step(f"history of {DAYS} days and {CUSTOMERS} customers, seed {SEED}"):
            plan = Plan(DAYS, CUSTOMERS, seed=SEED)
            counts = asyncio.run(write_history(self.settings, plan, self.place / "manifest.json"))
            asyncio.run(wait_for_relay(self.settings))
        print(counts)
        self.first = asyncio.run(first_day_with_events(self.settings)).isoformat()
        url = self.env_now["HUB_DATABASE_URL"]
        prepare_dagster(self.home / "dagster", 1, url)
        self.dagster = {
            "DAGSTER_HOME": str(self.home / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "yes",
            "HUB_DAGSTER_STORAGE_URL": dagster_storage_url(url),
        }  # fmt: skip

    def build(self, first: str = "") -> None:
        """Every table of every day (or from `first` on), in a process as the demo does it; its output stays in the home's logs."""
        today = datetime.now(self.settings.zone).date().isoformat()
        log = self.home / "logs" / "materialize.log"
        with step(f"tables from {first or self.first} to {today}"), log.open("ab") as output:
            command = [sys.executable, "-m", "pipelines.materialize", first or self.first, today]
            done = subprocess.run(command, env={**self.env, **self.dagster}, stdout=output, stderr=output)
        assert done.returncode == 0, log.read_text()[-3000:]
        with step("lake"):
            written = self.hub("lake", "sync", timeout_s=PATIENCE_S)
        assert written.returncode == 0, written.stdout

    def live(self) -> Gone:
        """Let somebody of the history write now, with a file, a dead letter and a parked status."""
        (row,) = self.rows(SOMEBODY)
        kinds = dict(self.rows("SELECT kind, value FROM customer_identities WHERE customer_id = $1", row["id"]))
        gone = Gone(row["id"], kinds["phone"], kinds["wa_id"], kinds["bsuid"])
        user = {"phone": gone.phone.removeprefix("+"), "bsuid": gone.bsuid, "name": NAME, "traits": {"turns": 99}}
        asyncio.run(self.simulator("POST", "users", {"users": [user]}))
        for message in (
            {"text": f"olá, meu {WORDS} queimou"},
            {"type": "image", "content": {"base64": PNG, "caption": CAPTION}},
            {"text": f"meu telefone é {gone.phone[3:]}"},
        ):
            asyncio.run(self.simulator("POST", "inbound", {"from": user["phone"], **message}))
        wait_until(lambda: self.value("SELECT count(*) > 0 FROM media WHERE state = 'stored'"), 60)
        unknown = ids.wamid(gone.wa_id, Random(SEED), ids.OUTBOUND)
        self.deliver(_status(gone, unknown), _broken(gone))
        wait_until(lambda: self.value("SELECT count(*) > 0 FROM dead_letter"), 60)
        wait_until(lambda: self.value("SELECT count(*) > 0 FROM parked_status"), 60)
        self.rows(TICKET, row["contract"], f"{SUMMARY} de {NAME}")
        wait_until(self._nothing_waits, 60)
        asyncio.run(wait_for_relay(self.settings))
        gone.wamids = [unknown]
        gone.wamids += [
            row[0]
            for row in self.rows("SELECT wamid FROM messages WHERE customer_id = $1 AND wamid IS NOT NULL", gone.id)
        ]
        return gone

    def deliver(self, *bodies: bytes) -> None:
        """Webhooks with Meta's signature."""
        meta = self.meta()
        for body in bodies:
            assert asyncio.run(meta.post_once(body)) == 200

    def backup(self) -> Path:
        """A dump of the whole database."""
        file = self.place / "backup.dump"
        command = ["pg_dump", "-Fc", "-Z0", "--dbname", self.env_now["HUB_DATABASE_URL"], "--file", str(file)]
        subprocess.run([installed_programs() / command[0], *command[1:]], check=True)
        return file

    def restore(self, dump: Path) -> str:
        """Address of a new database with what the dump holds; the dump is gone then."""
        base, _, name = self.env_now["HUB_DATABASE_URL"].rpartition("/")
        self.rows(f"CREATE DATABASE {name}_restored")
        url = f"{base}/{name}_restored"
        subprocess.run([installed_programs() / "pg_restore", "--dbname", url, str(dump)], check=True)
        dump.unlink()
        return url

    def warehouse_rows(self, gone: Gone) -> dict[str, bytes]:
        """The person's rows with texts, by table, as a backup has them."""
        conditions = {
            "raw.events": "JSONExtractString(payload, 'customer_id') = {id:String}",
            "bronze.events": "customer_id = {id:UUID}",
            "silver.messages": "customer_id = {id:UUID}",
        }
        with self.warehouse() as client:
            return {
                table: client.raw_query(
                    f"SELECT * FROM {table} WHERE {condition}", parameters={"id": str(gone.id)}, fmt="Native"
                )
                for table, condition in conditions.items()
            }

    def restore_warehouse(self, rows: dict[str, bytes]) -> None:
        """The rows are there again, and no erasure is known there."""
        with self.warehouse() as client:
            client.command("TRUNCATE TABLE raw.erasures")
            for table, content in rows.items():
                client.raw_insert(table, insert_block=content, fmt="Native", settings={"insert_deduplicate": 0})

    def newest_batch(self) -> int:
        """The newest batch of events in the warehouse."""
        with self.warehouse() as client:
            return int(client.query("SELECT max(batch) FROM raw.events").result_rows[0][0])

    def first_day_since(self, batch: int) -> str:
        """The first day of the tables with an event that came after a batch."""
        zone = {"batch": batch, "zone": str(self.settings.zone), "first": self.first}
        sql = (
            "SELECT toString(min(toDate(event_time, {zone:String}) AS day)) FROM raw.events "
            "WHERE batch > {batch:UInt64} AND day >= {first:Date}"
        )
        with self.warehouse() as client:
            return str(client.query(sql, parameters=zone).result_rows[0][0])

    def warehouse(self) -> Any:
        """A client of the warehouse."""
        return clickhouse_connect.get_client(dsn=self.env_now["HUB_CLICKHOUSE_URL"])

    def everywhere(self, database_url: str | None = None) -> Everywhere:
        """All stores; with another database, that one."""
        env = self.env_now
        return Everywhere(
            database_url or env["HUB_DATABASE_URL"], env["HUB_REDIS_URL"], env["HUB_CLICKHOUSE_URL"], [self.home]
        )


def _value(gone: Gone, **items: Any) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130001000", "phone_number_id": "106540000000001"},
        "contacts": [{"profile": {"name": NAME}, "wa_id": gone.wa_id, "user_id": gone.bsuid}],
        **items,
    }
    changes = [{"field": "messages", "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "102290000000001", "changes": changes}]}
    ).encode()


def _message(gone: Gone, wamid: str, at: datetime, body: Any) -> bytes:
    item = {"from": gone.wa_id, "from_user_id": gone.bsuid, "id": wamid, "timestamp": str(int(at.timestamp()))}
    return _value(gone, messages=[{**item, "type": "text", "text": body}])


def _broken(gone: Gone) -> bytes:
    return _message(gone, "wamid.broken", datetime.now(UTC), 7)


def _status(gone: Gone, wamid: str) -> bytes:
    item = {"id": wamid, "status": "read", "timestamp": str(int(time.time())), "recipient_id": gone.wa_id}
    return _value(gone, statuses=[{**item, "recipient_user_id": gone.bsuid}])


@pytest.fixture(scope="module")
def history() -> Iterator[HistoryStack]:
    with HistoryStack(**own_ports()) as running:
        running.begin()
        running.tell_history()
        yield running
        running.stop()


def test_a_person_of_the_history_leaves_every_store_and_nothing_brings_him_back(history: HistoryStack) -> None:
    gone = history.live()
    history.build()
    everywhere = history.everywhere()
    before = _search(everywhere, gone, "before")
    places = {
        "customers",
        "customer_identities",
        "messages",
        "message_key",
        "events",
        "contracts",
        "service_tickets",
    }
    places |= {"webhook_event", "dead_letter", "parked_status"}
    assert {f"postgresql {place}" for place in places} <= {place.split("_2")[0] for place in before}
    assert {"warehouse raw.`events`", "warehouse bronze.`events`", "warehouse silver.`messages`"} <= before.keys()
    assert any(place.startswith("file media/") for place in before), before
    assert any(place.startswith("file lake/raw/events/") for place in everywhere.searched), "the lake was searched"
    bodies = [
        bytes(row[0])
        for row in history.rows("SELECT body FROM webhook_event WHERE position($1 IN body) > 0", NAME.encode())
    ]
    oldest = history.rows(
        "SELECT wamid, created_at FROM messages WHERE customer_id = $1 AND direction = 'in' ORDER BY created_at LIMIT 1",
        gone.id,
    )[0]
    backup = history.backup()
    warehouse = history.warehouse_rows(gone)

    with step("erasure"):
        done = history.hub(
            "erase", "--customer", str(gone.id), "--json", "--wait-s", str(int(PATIENCE_S)), timeout_s=PATIENCE_S + 60
        )
    assert done.returncode == 0, done.stdout
    receipt = json.loads(done.stdout[done.stdout.index("{") :])
    content = receipt["content"]
    print(f"erased: {content['erased']}, kept: {content['kept_by_law']}")
    assert content["survivors"] == {} and content["kept_by_law"], content
    assert not any(text in json.dumps(receipt) for text in gone.texts())
    assert _search(everywhere, gone, "after") == {}

    # What comes again: the webhooks of today, a message of the history, an operator's replay of a letter put back.
    history.deliver(
        *bodies, _message(gone, oldest["wamid"], oldest["created_at"], {"body": WORDS}), _status(gone, gone.wamids[0])
    )
    history.rows(
        "INSERT INTO dead_letter (id, source, received_at, kind, reason, payload) VALUES (gen_random_uuid(), 'split', now(), 'webhook', 'test', $1)",
        _message(gone, "wamid.replayed", oldest["created_at"], {"body": WORDS}),
    )
    replayed = history.hub("webhooks", "replay", "--all")
    assert replayed.returncode == 0, replayed.stdout
    wait_until(history._nothing_waits, 60)
    asyncio.run(wait_for_relay(history.settings))
    history.build()
    gone.wamids.append("wamid.replayed")
    assert _search(everywhere, gone, "after redelivery, replay and new tables") == {}

    # A restored PostgreSQL, before anybody is served from it.
    restored = history.restore(backup)
    assert "postgresql customers" in history.everywhere(restored).hits_in_postgresql(gone.texts())
    migrated = history.hub("migrate", HUB_DATABASE_URL=restored, timeout_s=PATIENCE_S)
    assert migrated.returncode == 0, migrated.stdout
    assert _search(history.everywhere(restored), gone, "after a restored PostgreSQL") == {}

    # A restored warehouse, whose list of erasures is older too.
    history.restore_warehouse(warehouse)
    assert "warehouse raw.`events`" in everywhere.hits_in_warehouse(gone.texts())
    again = history.hub("erase", "--reapply", timeout_s=PATIENCE_S)
    assert again.returncode == 0 and again.stdout.endswith("1 erasures repeated\n"), again.stdout
    assert _search(everywhere, gone, "after a restored warehouse") == {}


def _search(everywhere: Everywhere, gone: Gone, when: str) -> dict[str, int]:
    with step(f"search {when}"):
        found = everywhere.hits(gone.texts())
    size = sum(everywhere.searched.values())
    print(
        f"{when}: {len(everywhere.searched)} places, {size / 1e6:.0f} MB searched for {len(gone.texts())} texts: {found}"
    )
    return found


def test_logs_metrics_and_files_tell_nothing_of_what_went_through_every_door(history: HistoryStack) -> None:
    """Scenario 27: marks of a person go through every door, and none is in a log, a metric or any file but the stores'."""
    env, url = history.env_now, f"http://127.0.0.1:{history.env_now['HUB_API_PORT']}"
    told = history.newest_batch()
    user = {"phone": planted.PHONE, "bsuid": planted.BSUID, "name": planted.NAME, "traits": {"turns": 99}}
    asyncio.run(history.simulator("POST", "users", {"users": [user]}))
    for message in planted.inbound():
        asyncio.run(history.simulator("POST", "inbound", {"from": planted.PHONE, **message}))
    calls = planted.run(url, env["HUB_API_KEY"], env["HUB_META_APP_SECRET"])
    wait_until(lambda: _heard(history), 60)
    history.hub("webhooks", "replay", "--all")
    history.hub("retention", "--dry-run")
    wait_until(history._nothing_waits, 90)
    asyncio.run(wait_for_relay(history.settings))
    history.build(history.first_day_since(told))  # days before it are as they were
    secrets = [value for name, value in env.items() if name.endswith(("_KEY", "_SECRET", "_PASSWORD", "_TOKEN"))]
    assert len(secrets) >= 5
    marks = [*planted.MARKS, *secrets, "Bearer ey"]
    stores = ("postgres", "warehouse/engine", "valkey", "media", "lake", *planted.SECRETS_OF_FILES)
    files = replace(history.everywhere(), engines=stores)
    found = {place: count for place, count in files._files(history.home, marks).items() if count}
    logs = [place for place in files.searched if place.startswith("file logs/")]
    print(f"{calls} calls, {len(files.searched)} files, {sum(files.searched.values())} bytes of them searched: {found}")
    assert len(logs) >= 8 and files.searched["file logs/api.log"] > 0
    metrics = _read(f"{url}/metrics")
    assert "http_requests_total" in metrics
    assert not [mark for mark in marks if mark in metrics]
    assert not [mark for mark in planted.MARKS if mark in history.output.read_text()], "hub up shows it on the terminal"
    assert found == {}


def _heard(history: HistoryStack) -> bool:
    """The person's messages are stored, and what could not be is put aside."""
    return bool(
        history.value(
            "SELECT count(*) >= 5 FROM messages WHERE content LIKE '%' || $1 || '%' OR payload::text LIKE '%' || $1 || '%'",
            planted.WORDS,
        )
        and history.value("SELECT count(*) > 0 FROM dead_letter")
    )


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()

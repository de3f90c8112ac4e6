"""Two people in every store, in a hub with a real warehouse and Redis."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from hub_api.analytics.relay import relay_until_empty
from hub_api.chat import consent, outgoing
from hub_api.platform.clickhouse import connect
from hub_api.settings import Settings
from tests.support.data import empty
from tests.support.hub import make_settings
from tests.support.warehouse import EmbeddedWarehouse
from tests.whatsapp.door import Door, opened, status, text


@dataclass
class Person:
    """What is looked for after an erasure."""

    name: str
    wa_id: str
    bsuid: str
    words: str
    wamids: list[str]
    id: UUID | None = None
    conversation: UUID | None = None

    def secrets(self) -> list[str]:
        """Everything that must be nowhere."""
        short = self.wa_id[:4] + self.wa_id[5:]
        return [self.name, self.wa_id, short, self.bsuid, self.words, *self.wamids]


@dataclass
class People:
    """`gone` will be erased, `stays` must not notice."""

    door: Door
    settings: Settings
    gone: Person
    stays: Person


@pytest.fixture
def privacy_settings(
    database_url: str, redis_url: str, warehouse_server: EmbeddedWarehouse, tmp_path: Path
) -> Settings:
    """This test's own PostgreSQL, Valkey and media folder, and the session's warehouse, emptied."""
    empty(warehouse_server.url())
    return make_settings(
        database_url, redis_url, clickhouse_url=warehouse_server.url(), home=tmp_path, media_dir=tmp_path / "media"
    )


@pytest.fixture
async def people(privacy_settings: Settings) -> AsyncIterator[People]:
    """Quitéria and Waldemar: conversations, a queued answer, a consent, contracts, raw webhooks, events in the warehouse."""
    async with opened(privacy_settings) as door:
        gone = Person("Quitéria Zumbi", "5511987650001", "BR.7770001", "meu modem roxo queimou", [])
        stays = Person("Waldemar Xisto", "5521987650002", "BR.7770002", "quero o plano lilás", [])
        for person in (gone, stays):
            await _live(door, person)
        await relay_until_empty(privacy_settings)
        _build(privacy_settings, (gone, stays))
        yield People(door, privacy_settings, gone, stays)


async def _live(door: Door, person: Person) -> None:
    wamids = person.wamids = [f"wamid.{person.bsuid}.{n}" for n in ("in", "two", "late")]
    yesterday = int((datetime.now(UTC) - timedelta(days=1)).timestamp())
    who = {"wa_id": person.wa_id, "user_id": person.bsuid, "name": person.name}
    await door.deliver(text(person.words, wamid=wamids[0], at=yesterday, **who))
    await door.deliver(text("SAIR", wamid=wamids[1], at=yesterday + 5, **who))
    # A status of a message that nobody knows is parked; a value that cannot be parsed is a dead letter.
    await door.deliver(status(wamids[2], "read", at=yesterday, recipient_id=person.wa_id))
    broken = text("x", wamid=f"{wamids[0]}.broken", at=yesterday, **who)
    broken["entry"][0]["changes"][0]["value"]["messages"][0]["text"] = 7
    await door.deliver(broken)
    person.id = await door.value("SELECT customer_id FROM customer_identities WHERE value = $1", person.wa_id)
    conversation = person.conversation = await door.value(
        "SELECT id FROM conversations WHERE customer_id = $1", person.id
    )
    async with door.services.transaction() as tx:
        await outgoing.queue_message(tx, conversation, outgoing.text(f"Olá {person.name}"))
        await consent.record(
            tx, person.id, "utility", granted=True, source="api",
            evidence={"ticket": person.wa_id}, occurred_at=datetime.now(UTC),
        )  # fmt: skip
    await door.db.execute(
        "INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('p', 'Fibra', 'fiber', 1) ON CONFLICT DO NOTHING"
    )
    await door.db.execute(
        "INSERT INTO contracts (external_id, phone, customer_id, plan_id, status, started_on) "
        "VALUES ($1, $2, $3, 'p', 'active', '2025-01-01')",
        f"c{person.bsuid[-1]}", f"+{person.wa_id}", person.id,
    )  # fmt: skip
    await door.db.execute(
        "INSERT INTO service_tickets (external_id, contract_id, kind, status, opened_at, summary) "
        "VALUES ($1, $2, 'visit', 'open', now(), $3)",
        f"t{person.bsuid[-1]}", f"c{person.bsuid[-1]}", f"{person.name} ligou de {person.wa_id}",
    )  # fmt: skip
    await door.services.redis.set(f"note:{person.wa_id[-1]}", b"nothing personal")


def _build(settings: Settings, people: tuple[Person, ...]) -> None:
    """The rows that the daily tables would have."""
    today = datetime.now(settings.zone).date()
    client = connect(settings.clickhouse_url)
    for person in people:
        for table, columns in (
            ("bronze.events", "day, customer_id, conversation_id, content"),
            ("silver.messages", "day, customer_id, conversation_id, content"),
        ):
            client.command(
                f"INSERT INTO {table} ({columns}) VALUES ({{day:Date}}, {{id:UUID}}, {{talk:UUID}}, {{words:String}})",
                parameters={"day": today, "id": person.id, "talk": person.conversation, "words": person.words},
            )
    client.close()

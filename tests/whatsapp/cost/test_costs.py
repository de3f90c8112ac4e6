"""What messages cost, end to end: accepted at the simulator, priced by its statuses, summed by the API."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from hub_api.auth.keys import create_key
from hub_api.chat.outgoing import Draft
from hub_api.platform.ids import uuid7
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.server import Simulator
from hub_api.simulator.world import NewUser
from tests.support.hours import let_the_day_last
from tests.support.hub import Hub, make_settings, running_hub
from tests.support.sending import Person, add_our_number, add_people, queue, template, text
from tests.support.simulator import ANA, test_config
from tests.support.waiting import eventually

COSTS = "/api/v1/whatsapp/costs"


@dataclass
class Line:
    """The hub and the simulator, connected both ways."""

    hub: Hub
    sim: Simulator
    number: UUID

    async def people(self, count: int) -> list[Person]:
        people = await add_people(self.hub.services, self.number, count)
        self.sim.core.world.register([NewUser(person.phone) for person in people])
        return people

    async def send(self, person: Person, *drafts: Draft) -> list[UUID]:
        """Queue, send, and wait until a status told the price of each."""
        ids = await queue(self.hub.services, person, *drafts)
        await self.priced(ids)
        return ids

    async def priced(self, ids: list[UUID]) -> None:
        """Until the simulator told the price and the delivery of each message."""
        done = "SELECT count(*) FROM messages WHERE id = ANY($1) AND pricing IS NOT NULL AND state IN ('delivered', 'read')"

        async def told() -> bool:
            await self.hub.settled()
            return await self.hub.fetchval(done, ids) == len(ids)

        await eventually(told, timeout_s=60)

    async def costs(self, **params: str) -> list[dict[str, Any]]:
        answer = await self.hub.get(COSTS, params=params, headers=self.hub.auth)
        assert answer.status == 200, await answer.text()
        return (await answer.json())["items"]

    async def row(self, message_id: UUID) -> dict[str, Any]:
        return dict((await self.hub.fetch("SELECT * FROM messages WHERE id = $1", message_id))[0])


@pytest.fixture
async def line(database_url: str, redis_url: str) -> AsyncIterator[Line]:
    let_the_day_last(90)  # costs and free replies are those of today and of this month
    async with (
        Simulator(test_config(enforce_limits=frozenset())) as sim,
        running_hub(make_settings(database_url, redis_url, meta_base_url=sim.url)) as hub,
    ):
        sim.core.webhook_url = f"{hub.url}/webhooks/whatsapp"
        sim.core.delivery.resume()
        yield Line(hub, sim, await add_our_number(hub.services, throughput_mps=1000))


async def test_estimate_and_actual_agree_for_each_category(line: Line):
    (person,) = await line.people(1)
    drafts = [text(), template(), template("oferta_fibra", "marketing")]
    await line.send(person, *drafts)
    shown = {row["category"]: row for row in await line.costs()}
    expected = {"service": 0, "utility": 6_800, "marketing": 62_500}
    assert {category: row["actual_micros"] for category, row in shown.items()} == expected
    assert {category: row["estimated_micros"] for category, row in shown.items()} == expected
    for row in shown.values():
        assert (row["accepted"], row["delivered"], row["untold"]) == (1, 1, 0)
        assert row["phone_number_id"] == PHONE_NUMBER_ID and row["currency"] in ("USD", "BRL")
    assert {category: row["charged"] for category, row in shown.items()} == {"service": 0, "utility": 1, "marketing": 1}


async def test_the_thousand_and_first_reply_of_a_month_costs(line: Line):
    (person,) = await line.people(1)
    (number,) = line.sim.core.world.numbers.values()
    month = datetime.now(line.hub.services.settings.zone).strftime("%Y-%m")
    number.service_messages[month] = 998
    await add_free_replies(line, person, 998)
    for _ in range(3):  # one after the other: replies in flight are not counted yet
        await line.send(person, text())
    rows = await line.hub.fetch(
        "SELECT estimated_micros, charged_micros(pricing) AS actual FROM messages WHERE type = 'text' AND wamid LIKE 'wamid.%' "
        "ORDER BY created_at"
    )
    assert [tuple(row) for row in rows] == [(0, 0), (0, 0), (6_800, 6_800)]


async def add_free_replies(line: Line, person: Person, count: int, at: str = "now()", number: str = "$3") -> None:
    await line.hub.fetch(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, state, category, "
        f"accepted_at, delivered_at, pricing) SELECT gen_random_uuid(), {at}, $1, $2, {number}, 'out', 'bot', 'reply', 'delivered', "
        f'\'service\', {at}, {at}, \'{{"type": "free_customer_service", "category": "service"}}\' FROM generate_series(1, $4)',
        *(person.conversation_id, person.id, line.number, count),
    )


async def test_free_replies_are_counted_per_number_and_begin_again_with_the_month(line: Line):
    (person,) = await line.people(1)
    await add_free_replies(line, person, 1_000, at="now() - interval '32 days'")
    (message,) = await line.send(person, text())
    assert (await line.row(message))["estimated_micros"] == 0, "nothing is left of last month, and nothing of it counts"


async def test_an_answer_to_an_ad_opens_72_free_hours(line: Line):
    referral = {"source_url": "https://fb.me/1", "source_id": "1", "source_type": "ad", "ctwa_clid": "x"}
    inbound = {"from": ANA, "text": "quero fibra", "referral": referral}
    async with line.hub.session.post(f"{line.sim.url}/_sim/inbound", json=inbound) as answer:
        assert answer.status == 200, await answer.text()

    async def answered() -> Any:
        await line.hub.settled()
        return await line.hub.fetch("SELECT id, conversation_id, customer_id FROM messages WHERE pricing IS NOT NULL")

    (first,) = await eventually(answered, timeout_s=60)
    assert (await line.row(first["id"]))["pricing"]["type"] == "free_entry_point"
    person = Person(first["customer_id"], first["conversation_id"], ANA, 0)
    ids = await line.send(person, template(), template("oferta_fibra", "marketing"))
    for message_id in [first["id"], *ids]:
        row = await line.row(message_id)
        assert (row["estimated_micros"], row["pricing"]["type"]) == (0, "free_entry_point")
    path = f"/api/v1/conversations/{person.conversation_id}"
    shown = await (await line.hub.get(path, headers=line.hub.auth)).json()
    until = datetime.fromisoformat(shown["free_entry_until"])
    assert timedelta(hours=71) < until - datetime.now(UTC) < timedelta(hours=72)
    assert datetime.fromisoformat(shown["window_open_until"]) - datetime.now(UTC) < timedelta(hours=24)
    assert [row["actual_micros"] for row in await line.costs()] == [0, 0, 0]


async def test_a_closed_window_is_shown_and_no_ad_means_no_free_entry(line: Line):
    (old,) = await add_people(line.hub.services, line.number, 1, spoke=timedelta(hours=25), first=7)
    shown = await (await line.hub.get(f"/api/v1/conversations/{old.conversation_id}", headers=line.hub.auth)).json()
    assert shown["window_open_until"] is None and shown["free_entry_until"] is None


async def test_what_was_not_delivered_costs_nothing(line: Line):
    (person,) = await line.people(1)
    line.sim.core.world.user_by_phone(person.phone).pair(PHONE_NUMBER_ID).blocked = True
    (message,) = await queue(line.hub.services, person, template())

    async def sent() -> bool:
        await line.hub.settled()
        return (await line.row(message))["state"] == "sent"

    await eventually(sent, timeout_s=60)
    (row,) = await line.costs()
    assert (row["accepted"], row["delivered"], row["actual_micros"]) == (1, 0, 0)
    assert (row["estimated_micros"], row["estimated_delivered_micros"]) == (6_800, 0)


async def test_a_message_whose_acceptance_was_never_recorded_is_counted_too(line: Line):
    (person,) = await line.people(1)
    (message,) = await line.send(person, template())
    await line.hub.fetch(  # as a send in doubt, which a status resolved
        "UPDATE messages SET accepted_at = NULL, estimated_micros = NULL, estimated_currency = NULL WHERE id = $1",
        message,
    )
    (row,) = await line.costs()
    assert (row["delivered"], row["actual_micros"], row["estimated_micros"], row["currency"]) == (1, 6_800, 0, "USD")


async def test_a_price_that_comes_late_is_an_event_of_its_own(line: Line):
    from hub_api.chat import statuses

    (person,) = await line.people(1)
    (message,) = await line.send(person, template())
    wamid = (await line.row(message))["wamid"]
    before = await line.hub.fetchval("SELECT count(*) FROM events WHERE type = 'message.priced'")
    for _ in range(2):
        async with line.hub.services.transaction() as tx:
            pricing = {"type": "regular", "category": "marketing", "rate_micros": 62_500, "currency": "USD"}
            await statuses.apply(tx, [statuses.StatusUpdate(wamid, "sent", datetime.now(UTC), pricing=pricing)])
    events = await line.hub.fetch(
        "SELECT aggregate_version, payload FROM events WHERE type = 'message.priced' ORDER BY seq"
    )
    assert len(events) == before + 1, "told once, and the repetition changes nothing"
    assert events[-1]["payload"]["cost_micros"] == 62_500 and events[-1]["payload"]["cost_currency"] == "USD"
    assert events[-1]["aggregate_version"] == (await line.row(message))["version"]
    moved = await line.hub.fetch(
        "SELECT payload->>'cost_micros' AS micros FROM events WHERE type = 'message.state_changed' AND aggregate_id = $1 "
        "AND payload->>'cost_micros' IS NOT NULL",
        message,
    )
    assert {row["micros"] for row in moved} <= {"6800"}


async def test_a_recipient_without_a_rate_has_an_open_price(line: Line):
    (person,) = await line.people(1)
    await line.hub.fetch("UPDATE customer_identities SET value = '4915112345678'")
    line.sim.core.world.register([NewUser("4915112345678")])
    (message,) = await line.send(person, template())
    assert (await line.row(message))["estimated_micros"] is None
    (row,) = await line.costs()
    assert (row["currency"], row["untold"], row["actual_micros"]) == (None, 1, 0)


async def test_the_volume_tier_that_meta_told_is_known_for_its_month(line: Line):
    info = {"tier_update_time": 1, "pricing_category": "UTILITY", "tier": "25000:50000", "region": "Brazil"}
    today = datetime.now(line.hub.services.settings.zone)  # the account is billed by the same clock
    for tier, month in (("1:2", "2020-01"), ("25000:50000", None), ("x", None)):
        value = {
            "event": "VOLUME_BASED_PRICING_TIER_UPDATE",
            "volume_tier_info": {**info, "tier": tier, "effective_month": month or f"{today:%Y-%m}"},
        }
        await line.hub.fetch(
            "INSERT INTO channel_update (id, webhook_id, field, waba_id, value) VALUES ($1, $1, 'account_update', $2, $3)",
            *(uuid7(), WABA_ID, value),
        )
    assert await line.hub.fetchval("SELECT volume_tiers FROM number_billing") == {"Brazil/utility": 25_000}


async def test_how_an_account_is_billed_is_set_and_checked(line: Line):
    account = await line.hub.fetchval("SELECT id FROM whatsapp_accounts")
    put: Callable[..., Any] = line.hub.session.put

    async def answer(account_id: UUID, **body: str) -> int:
        url = f"{line.hub.url}/api/v1/whatsapp/accounts/{account_id}/billing"
        async with put(url, json=body, headers=line.hub.auth) as got:
            return got.status

    assert await answer(account, currency="USD", timezone="America/Manaus") == 204
    assert await line.hub.fetchval("SELECT currency || timezone FROM whatsapp_accounts") == "USDAmerica/Manaus"
    assert await answer(account, currency="USD", timezone="America/Nowhere") == 422
    assert await answer(account, currency="dollars", timezone="America/Manaus") == 422
    assert await answer(uuid7(), currency="USD", timezone="America/Manaus") == 404


async def test_costs_are_for_who_may_see_them_and_for_92_days_at_most(line: Line):
    key = await create_key(line.hub.services.db, "reader", ["conversations:read"])
    refused = await line.hub.get(COSTS, headers={"Authorization": f"Bearer {key}"})
    assert refused.status == 403
    for params in ({"from": "2026-01-01", "to": "2026-06-01"}, {"from": "2026-06-02", "to": "2026-06-01"}):
        answer = await line.hub.get(COSTS, params=params, headers=line.hub.auth)
        assert answer.status == 422
    assert await line.costs(**{"from": "2026-06-01", "to": "2026-06-01"}) == []

"""Health read from Meta: what it says is applied, what it stopped goes on when Meta says so, and calls are few."""

from uuid import UUID

import pytest

from hub_api.platform.services import Services
from hub_api.simulator.config import PHONE_NUMBER_ID, WABA_ID
from hub_api.simulator.model import Number
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.pool.health import check_due
from hub_api.whatsapp.pool.limits import UnknownTier, users_of
from tests.support.sending import add_our_number


async def look(services: Services) -> dict[str, object]:
    await services.db.execute("UPDATE whatsapp_numbers SET next_check_at = now()")
    assert await check_due(services) == 1
    return dict(await services.db.fetchrow("SELECT * FROM whatsapp_numbers"))


async def test_what_meta_says_of_a_number_is_known_here(services: Services, number_id: UUID, sim: Simulator) -> None:
    number = sim.core.world.numbers[PHONE_NUMBER_ID]
    number.quality, number.mps, number.verified_name = "YELLOW", 80, "Provedor Novo"
    sim.core.world.wabas[WABA_ID].portfolio.tier = "TIER_10K"
    row = await look(services)
    assert (row["quality"], row["throughput_mps"], row["verified_name"]) == ("YELLOW", 80, "Provedor Novo")
    assert (row["meta_status"], row["state"], row["check_failure"]) == ("CONNECTED", "connected", None)
    assert await services.db.fetchval("SELECT messaging_limit FROM whatsapp_portfolios") == 10_000
    assert await check_due(services) == 0, "read again at once"


async def test_an_account_is_billed_as_meta_says_and_read_once_however_many_numbers_it_has(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    await add_our_number(services, phone_number_id="106540000000009", display_phone_number="551130009999")
    waba = sim.core.world.wabas[WABA_ID]
    sim.core.world.add_number(Number(id="106540000000009", display="551130009999", waba=waba))
    billed = "SELECT currency, timezone FROM whatsapp_accounts"
    for currency, zone, known in (
        ("USD", "America/Belem", ("USD", "America/Belem")),
        ("BRL", "America/Lima", ("BRL", "America/Belem")),  # a zone that is not known here changes nothing
    ):
        waba.currency, waba.timezone = currency, zone
        await services.db.execute("DELETE FROM management_calls")
        await services.db.execute("UPDATE whatsapp_numbers SET next_check_at = now()")
        assert await check_due(services) == 2
        assert tuple(await services.db.fetchrow(billed)) == known
        assert await services.db.fetchval("SELECT sum(calls) FROM management_calls") == 3, (
            "two numbers and the account once"
        )


@pytest.mark.parametrize(
    ("status", "state"),
    [("BANNED", "restricted"), ("DISCONNECTED", "offline"), ("RESTRICTED", "restricted"), ("PENDING", "offline")],
)
async def test_a_number_stopped_at_meta_stops_here_and_goes_on_with_it(
    services: Services, number_id: UUID, sim: Simulator, status: str, state: str
) -> None:
    number = sim.core.world.numbers[PHONE_NUMBER_ID]
    number.status = status
    row = await look(services)
    assert (row["state"], row["state_source"]) == (state, "health") and status in str(row["state_reason"])
    number.status = "CONNECTED"
    assert (await look(services))["state"] == "connected"
    number.status = "A_WORD_OF_THE_FUTURE"
    row = await look(services)
    assert row["meta_status"] == "A_WORD_OF_THE_FUTURE"


async def test_health_does_not_undo_what_a_person_or_a_webhook_stopped(services: Services, number_id: UUID) -> None:
    await services.db.execute("UPDATE whatsapp_numbers SET state = 'restricted', state_source = 'webhook'")
    assert (await look(services))["state"] == "restricted"


async def test_an_account_blocked_at_meta_is_restricted_until_it_is_not(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    waba = sim.core.world.wabas[WABA_ID]
    waba.restricted_until = sim.core.clock.now() + 3600
    await look(services)
    assert await services.db.fetchval("SELECT state FROM whatsapp_accounts") == "restricted"
    waba.restricted_until = 0.0
    await look(services)
    assert await services.db.fetchval("SELECT state FROM whatsapp_accounts") == "active"


async def test_a_refused_or_unaffordable_reading_is_told_and_tried_later(services: Services, number_id: UUID) -> None:
    await services.db.execute("UPDATE whatsapp_numbers SET phone_number_id = '999'")
    row = await look(services)
    assert row["check_failure"] and row["next_check_at"] > row["updated_at"]
    assert row["state"] == "offline", "Meta does not know the number"


def test_limits_in_all_their_spellings() -> None:
    words = {"TIER_250": 250, "TIER_2K": 2_000, "TIER_100K": 100_000, "TIER_UNLIMITED": None, "-1": None, "1000": 1000}
    assert {word: users_of(word) for word in words} == words
    for word in ("TIER_", "0", "many"):
        with pytest.raises(UnknownTier):
            users_of(word)

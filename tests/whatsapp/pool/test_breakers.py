"""Circuit breakers: they open on failures of their own kind, try with a trickle, and close or open for longer."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from hub_api.platform.services import Services
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.pool import breakers
from hub_api.whatsapp.pool.breaker_policy import OPEN_AT_MOST, Breaker, Recent, judge
from hub_api.whatsapp.pool.speed_policy import FLOOR
from tests.support.sending import add_people, drain_all, queue, states, template

START = datetime(2026, 11, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(1, 2000)), max_size=60))
def test_any_history_keeps_to_the_three_states_and_their_order(history: list[tuple[int, int, int]]) -> None:
    order = {"closed": {"open"}, "open": {"half_open"}, "half_open": {"open", "closed"}}
    breaker, at = Breaker(), START
    for sent, failed, passed in history:
        at += timedelta(seconds=passed)
        after = judge(breaker, Recent(sent, min(sent, failed)), at)
        if after.state != breaker.state:
            assert after.state in order[breaker.state]
        assert (after.state == "open") == (after.open_until is not None)
        if after.open_until is not None and after != breaker:
            assert timedelta(0) < after.open_until - at <= OPEN_AT_MOST
        breaker = after


def test_the_time_open_doubles_and_starts_again_once_it_has_closed() -> None:
    breaker, at, times = Breaker(), START, []
    for _ in range(3):
        breaker = judge(breaker, Recent(20, 20), at)
        times.append((breaker.open_until or at) - at)
        at = breaker.open_until or at
        breaker = judge(breaker, Recent(), at)
    assert times == [timedelta(seconds=30), timedelta(seconds=60), timedelta(seconds=120)]
    breaker = judge(judge(breaker, Recent(5, 0), at), Recent(20, 20), at)
    assert (breaker.open_until or at) - at == timedelta(seconds=30)


def test_faults_of_customers_and_templates_do_not_open_a_numbers_breaker() -> None:
    number, account, tried = uuid4(), uuid4(), uuid4()
    rows = [
        {
            "at": START,
            "number_id": number,
            "account_id": account,
            "template_id": tried,
            "outcome": "refused",
            "code": code,
            "count": 50,
        }
        for code in (131026, 131049, 132012)
    ]
    assert breakers.recent(rows, "number", START) == Recent(150)
    assert breakers.recent(rows, "template", START).failed == 50


async def test_a_number_that_only_fails_is_paused_then_tried_slowly_then_free(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 40)
    sim.core.faults.add(Fault("error", code=131016, times=30))
    ids = [i for person in people[:30] for i in await queue(services, person, template())]
    await drain_all(services)
    now = datetime.now(UTC)
    await breakers.judge(services)
    row = await services.db.fetchrow("SELECT * FROM whatsapp_numbers")
    assert (row["state"], row["state_source"]) == ("paused", "breaker") and "131016" in row["state_reason"]
    assert timedelta(seconds=25) < row["paused_until"] - now < timedelta(seconds=40)
    await breakers.judge(services, at=now + timedelta(seconds=45))
    assert await services.db.fetchval("SELECT state FROM circuit_breakers WHERE kind = 'number'") == "half_open"
    assert abs(await services.db.fetchval("SELECT speed FROM whatsapp_numbers") - FLOOR) < 1e-6
    await services.db.execute("UPDATE whatsapp_numbers SET state = 'connected', paused_until = NULL")
    await services.db.execute("UPDATE whatsapp_accounts SET state = 'active', paused_until = NULL")
    await services.db.execute("UPDATE circuit_breakers SET changed_at = now()  WHERE state = 'half_open'")
    await services.db.execute("UPDATE messages SET not_before = NULL WHERE state = 'queued'")
    await drain_all(services)
    assert set(await states(services, ids)) == {"accepted"}
    await breakers.judge(services)
    assert await services.db.fetchval("SELECT state FROM circuit_breakers WHERE kind = 'number'") == "closed"
    assert await services.db.fetchval("SELECT speed FROM whatsapp_numbers") == 1


async def test_a_template_that_only_fails_stops_alone_and_a_few_messages_try_it(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    account_id = await services.db.fetchval("SELECT account_id FROM whatsapp_numbers")
    for name in ("boas_vindas", "oferta_fibra"):
        await services.db.execute(
            "INSERT INTO templates (id, account_id, name, language, category, status) "
            "VALUES (gen_random_uuid(), $1, $2, 'pt_BR', 'UTILITY', 'APPROVED')",
            account_id,
            name,
        )
    people = await add_people(services, number_id, 60)
    sim.core.faults.add(Fault("error", code=132012, times=25))
    for person in people[:25]:
        await queue(services, person, template())
    await drain_all(services)
    now = datetime.now(UTC)
    await breakers.judge(services)
    waiting = [i for person in people[25:45] for i in await queue(services, person, template())]
    other = [i for person in people[45:] for i in await queue(services, person, template("oferta_fibra", "utility"))]
    await drain_all(services)
    assert set(await states(services, waiting)) == {"queued"} and set(await states(services, other)) == {"accepted"}
    assert await services.db.fetchval("SELECT state FROM whatsapp_numbers") == "connected"
    await breakers.judge(services, at=now + timedelta(seconds=40))
    await drain_all(services)
    assert sorted(await states(services, waiting)) == ["accepted"] * 5 + ["queued"] * 15
    await services.db.execute("UPDATE circuit_breakers SET changed_at = $1", now + timedelta(seconds=1))
    await breakers.judge(services, at=now + timedelta(seconds=50))
    assert await services.db.fetchval("SELECT stopped_until FROM templates WHERE name = 'boas_vindas'") is None
    await services.db.execute("UPDATE messages SET not_before = NULL WHERE state = 'queued'")
    await drain_all(services)
    assert set(await states(services, waiting)) == {"accepted"}

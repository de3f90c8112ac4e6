"""Benefits, costs and exchange rates through the API; what the API counts of itself."""

from datetime import UTC, datetime, timedelta

import pytest

from hub_api.platform.service_levels import count, recorded
from tests.auth.people import actions, add_person, call
from tests.support.hub import Hub

ENTRIES = "/api/v1/analytics/benefits-and-costs"
RATES = "/api/v1/analytics/exchange-rates"
CALLS = {
    "name": "Ligações a menos", "kind": "benefit", "amount_micros": 42_000_000_000, "every": "month", "valid_from": "2026-01-10",
    "source": "Contrato da central",
}  # fmt: skip


async def test_a_benefit_is_entered_once_changed_and_removed_by_who_may_with_an_audit_row_each(hub: Hub) -> None:
    admin, looker = await add_person(hub, "admin"), await add_person(hub, "executive")
    key = {**admin.headers, "Idempotency-Key": "um"}
    status, made = await call(hub, "POST", ENTRIES, key, json=CALLS)
    assert status == 201 and made["amount_micros"] == 42_000_000_000 and made["is_example"] is False
    assert (await call(hub, "POST", ENTRIES, key, json=CALLS))[1]["id"] == made["id"]
    assert (await call(hub, "POST", ENTRIES, looker.headers, json=CALLS))[0] == 403
    path = f"{ENTRIES}/{made['id']}"
    status, changed = await call(hub, "PUT", path, admin.headers, json={**CALLS, "valid_to": "2026-06-30"})
    assert status == 200 and changed["valid_to"] == "2026-06-30" and changed["updated_at"] > made["updated_at"]
    for wrong in (
        {"valid_to": "2026-01-01"},
        {"every": "once", "valid_to": "2026-06-30"},
        {"amount_micros": 0},
        {"x": 1},
    ):
        status, problem = await call(hub, "PUT", path, admin.headers, json={**CALLS, **wrong})
        assert (status, problem["code"]) == (422, "invalid"), wrong
    second = (await call(hub, "POST", ENTRIES, admin.headers, json={**CALLS, "kind": "cost", "every": "once"}))[1]
    _, page = await call(hub, "GET", ENTRIES, looker.headers, params={"limit": 1})
    assert [one["id"] for one in page["items"]] == [made["id"]]
    _, page = await call(hub, "GET", ENTRIES, looker.headers, params={"limit": 1, "cursor": page["next_cursor"]})
    assert [one["id"] for one in page["items"]] == [second["id"]] and page["next_cursor"] is None
    assert (await call(hub, "DELETE", path, admin.headers))[0] == 204
    assert (await call(hub, "GET", path, looker.headers))[0] == 404
    told = await actions(hub)
    assert [told.count(f"benefit_or_cost.{what}") for what in ("created", "changed", "removed")] == [2, 1, 1]


async def test_a_rate_holds_from_its_day_and_is_replaced_by_what_is_said_of_the_same_day(hub: Hub) -> None:
    admin = await add_person(hub, "admin")
    for day, micros in (("2026-01-01", 5_000_000), ("2026-03-01", 5_500_000), ("2026-03-01", 5_600_000)):
        status, rate = await call(hub, "PUT", f"{RATES}/USD/{day}", admin.headers, json={"brl_micros": micros})
        assert (status, rate["brl_micros"], rate["valid_from"]) == (200, micros, day)
    assert (await call(hub, "PUT", f"{RATES}/BRL/2026-01-01", admin.headers, json={"brl_micros": 1}))[0] == 422
    assert (await call(hub, "PUT", f"{RATES}/usd/2026-01-01", admin.headers, json={"brl_micros": 1}))[0] == 422
    _, page = await call(hub, "GET", RATES, admin.headers, params={"limit": 1})
    _, rest = await call(hub, "GET", RATES, admin.headers, params={"cursor": page["next_cursor"]})
    assert [one["brl_micros"] for one in (*page["items"], *rest["items"])] == [5_000_000, 5_600_000]
    assert (await call(hub, "DELETE", f"{RATES}/USD/2026-03-01", admin.headers))[0] == 204
    assert (await call(hub, "DELETE", f"{RATES}/USD/2026-03-01", admin.headers))[0] == 404
    assert (await actions(hub)).count("exchange_rate.set") == 3


async def test_what_the_api_answers_is_added_up_by_the_hour_in_postgresql(hub: Hub) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for _ in range(2):  # two processes, say
        before = count()
        async with recorded(hub.services.db):
            for _ in range(3):
                await call(hub, "GET", "/health", {})
        answered = count().since(before)
        assert answered.requests >= 3 and sum(answered.counts) == answered.requests
    rows = await hub.fetch("SELECT * FROM service_levels WHERE hour >= $1", hour - timedelta(hours=1))
    assert sum(row["requests"] for row in rows) >= 6 and all(row["failures"] == 0 for row in rows)
    assert sum(sum(row["counts"]) for row in rows) == sum(row["requests"] for row in rows)
    assert rows[-1]["bounds"] == list(count().bounds) and 0.2 in rows[-1]["bounds"]


async def test_another_release_s_bounds_take_over_and_no_request_is_lost(hub: Hub) -> None:
    from hub_api.platform.service_levels import queries

    hour = datetime(2026, 3, 10, 14, tzinfo=UTC)
    for bounds, counts, failures in (([0.1, 1.0], [5, 3, 2], 1), ([0.1, 1.0], [1, 1, 1], 0), ([0.2], [4, 1], 2)):
        await hub.services.db.execute(queries.add, hour, sum(counts), failures, bounds, counts)
        row = (await hub.fetch("SELECT * FROM service_levels WHERE hour = $1", hour))[0]
    assert (row["requests"], row["failures"], row["bounds"], row["counts"]) == (18, 3, [0.2], [4, 1])
    with pytest.raises(Exception, match="service_levels_check"):
        await hub.services.db.execute(queries.add, hour + timedelta(hours=1), 1, 2, [0.1], [1, 0])

"""Each row of Meta's error table: what becomes of the message, and of everything around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from hub_api.platform.services import Services
from hub_api.simulator.config import PHONE_NUMBER_ID
from hub_api.simulator.faults import Fault
from hub_api.simulator.server import Simulator
from hub_api.whatsapp.send.errors_table import RULES, UNKNOWN, Retry, delay_s, rule_for
from hub_api.whatsapp.send.meta import Refusal
from hub_api.whatsapp.send.reactions import Refused, react, resume_paused
from tests.support.sending import add_people, at_rest, drain_all, message, queue, states, template
from tests.whatsapp.door import Door, status

DAY = timedelta(hours=24)


@dataclass(frozen=True)
class Row:
    """What a row of the document must do: the message's state, the delay of its retry, and the rest of the world."""

    codes: tuple[int, ...]
    state: str
    delay_s: tuple[float, float] | None = None  # of the first retry
    tries: int | None = None
    number: Mapping[str, Any] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)
    template_status: str | None = None
    suppressed: timedelta | str | None = None


def backoff(*codes: int, first: float, tries: int = 30, **rest: Any) -> Row:
    return Row(codes, "queued", (first * 0.75, first * 1.25), tries, **rest)


def later(*codes: int, **rest: Any) -> Row:
    return Row(codes, "queued", None, **rest)


def hourly(*codes: int, **rest: Any) -> Row:
    return Row(codes, "queued", (2700, 4500), 24, **rest)


def fails(*codes: int, **rest: Any) -> Row:
    return Row(codes, "failed", **rest)


PAUSED = {"state": "paused", "until": None}
TABLE = (
    later(0, 190, account=PAUSED),
    later(3, 10, 200, 230, 299, 131005, account=PAUSED),
    backoff(1, first=2, tries=3),
    backoff(2, 131016, 133004, first=2),
    backoff(4, first=30),
    backoff(80007, first=2, account={"state": "paused", "until": timedelta(minutes=5)}),
    fails(33, number={"state": "offline", "until": None}),
    fails(100),
    fails(368, 131031, account={"state": "restricted", "until": None}),
    fails(130403),
    backoff(130429, first=1),
    fails(130472),
    fails(130497),
    backoff(131000, first=2, tries=3),
    fails(131008, 131009),
    fails(131021),
    fails(131026),
    fails(131030),
    later(131037, number={"state": "paused", "until": timedelta(hours=1)}),
    later(131042, account={"state": "paused", "until": timedelta(minutes=30)}),
    later(131045, 133010, number={"state": "paused", "until": timedelta(hours=1)}),
    fails(131047),
    hourly(131048, number={"state": "limited", "held": ["marketing"], "held_until": DAY}),
    fails(131049, suppressed=DAY),
    fails(131050, suppressed="for good"),
    fails(131051),
    fails(131052),
    fails(131053),
    fails(131055, 134100),
    backoff(131056, first=1, tries=8),
    backoff(131057, 2494100, first=60, number={"state": "paused", "until": timedelta(minutes=1)}),
    fails(131060),
    fails(131062),
    hourly(131063, account={"state": "active", "held": ["marketing"], "held_until": timedelta(hours=1)}),
    hourly(131064, account={"state": "active", "held": ["utility"], "held_until": DAY}),
    fails(132000, 132012, 132018),
    fails(132001, template_status="NOT_FOUND"),
    fails(132005),
    fails(132007, template_status="DISABLED"),
    fails(132008),
    hourly(132015, template_status="PAUSED"),
    fails(132016, template_status="DISABLED"),
    fails(132068),
    backoff(132069, first=360),
    later(133000, 133005, 133006, 133008, 133009, 133015, 133016, number=PAUSED),
    hourly(134011),
    backoff(134101, first=600, tries=6),
    hourly(134102),
    fails(135000),
    fails(137000),
    fails(138001, 139100, 139103, 147001, 147005),
    backoff(999_999, first=2, tries=1),
)


# Codes of which §5 of the document says "alert", or that only a person can repair.
ALERTS = {0, 190, 3, 10, 200, 230, 299, 131005, 33, 368, 131031, 130497, 131037, 131042, 131045, 133010, 131048, 131063}
ALERTS |= {131064, 132001, 132007, 132015, 132016, 132068, 134011, 134102, 999_999}
ALERTS |= {133000, 133005, 133006, 133008, 133009, 133015, 133016}


def test_the_table_and_these_rows_name_the_same_codes() -> None:
    known = {code for row in TABLE for code in row.codes}
    ranges = {*range(200, 300), *range(138000, 139000), *range(139100, 139104), *range(147001, 147006)}
    assert set(RULES) - ranges <= known
    assert known - {999_999} <= set(RULES)


async def test_every_row_does_to_message_number_account_template_and_consent_what_the_document_says(
    services: Services, number_id: UUID, sim: Simulator, subtests: pytest.Subtests
) -> None:
    await add_template(services)
    people = iter(await add_people(services, number_id, sum(len(row.codes) for row in TABLE)))
    for row in TABLE:
        for code in row.codes:
            person = next(people)
            sim.core.faults.remove()
            sim.core.faults.add(Fault("error", code=code, times=1))
            [message_id] = await queue(services, person, template("oferta_fibra", "marketing"))
            began = datetime.now(UTC)
            with capture_logs() as told:
                await drain_all(services)
            with subtests.test(code=code):
                assert ("meta_needs_attention" in {line["event"] for line in told}) == (code in ALERTS)
                sent = await message(services, message_id)
                assert (sent["state"], sent["error_code"], sent["attempt"]) == (row.state, code, 1)
                if row.delay_s:
                    low, high = (began + timedelta(seconds=s) for s in row.delay_s)
                    assert low <= sent["not_before"] <= high + (datetime.now(UTC) - began)
                if row.tries is not None:
                    assert delay_s(rule_for(code), row.tries, 0.5) is not None
                    assert delay_s(rule_for(code), row.tries + 1, 0.5) is None, "tried too often"
                await check_world(services, row, person.id, began)
            await services.db.execute("UPDATE messages SET state = 'cancelled' WHERE state = 'queued'")
            await mend_world(services)


async def test_every_row_does_the_same_when_it_comes_later_as_a_failed_status(
    services: Services, number_id: UUID, sim: Simulator, subtests: pytest.Subtests
) -> None:
    inbox = Door(services)
    await add_template(services)
    people = await add_people(services, number_id, sum(len(row.codes) for row in TABLE))
    ids = [i for person in people for i in await queue(services, person, template("oferta_fibra", "marketing"))]
    await drain_all(services)
    taken = iter(zip(people, ids, strict=True))
    for row in TABLE:
        for code in row.codes:
            person, message_id = next(taken)
            sent = await message(services, message_id)
            assert sent["state"] == "accepted"
            began = datetime.now(UTC).replace(microsecond=0)
            errors = [{"code": code, "title": "as Meta says", "error_data": {"details": "why"}}]
            with capture_logs() as told:
                await inbox.deliver(status(sent["wamid"], "failed", at=int(began.timestamp()), errors=errors))
            with subtests.test(code=code):
                assert ("meta_needs_attention" in {line["event"] for line in told}) == (code in ALERTS)
                failed = await message(services, message_id)
                assert (failed["state"], failed["error_code"]) == ("failed", code), "what Meta took is never sent again"
                await check_world(services, row, person.id, began)
            await mend_world(services)
    assert sim.core.ledger.accepted_calls == sum(len(row.codes) for row in TABLE) and not sim.core.ledger.repeated()


async def add_template(services: Services) -> None:
    await services.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status) "
        "SELECT gen_random_uuid(), account_id, 'oferta_fibra', 'pt_BR', 'MARKETING', 'APPROVED' FROM whatsapp_numbers"
    )


async def check_world(services: Services, row: Row, customer_id: UUID, began: datetime) -> None:
    """What the row does to number, account, template and consent."""
    await check_owner(services, "whatsapp_numbers", "connected", row.number, began)
    await check_owner(services, "whatsapp_accounts", "active", row.account, began)
    assert await services.db.fetchval("SELECT status FROM templates") == (row.template_status or "APPROVED")
    await check_suppression(services, customer_id, row.suppressed, began)


async def mend_world(services: Services) -> None:
    """Number, account and template as they were, and a schedule that remembers nothing but that it rested."""
    await services.db.execute("UPDATE templates SET status = 'APPROVED'")
    for table, state in (("whatsapp_numbers", "connected"), ("whatsapp_accounts", "active")):
        await services.db.execute(
            f"UPDATE {table} SET state = '{state}', paused_until = NULL, held_categories = '{{}}', held_until = NULL"
        )
    await services.redis.flushall()
    await at_rest(services, PHONE_NUMBER_ID)


async def check_owner(services: Services, table: str, usual: str, expected: Mapping[str, Any], began: datetime) -> None:
    row = await services.db.fetchrow(f"SELECT * FROM {table}")
    assert row["state"] == expected.get("state", usual)
    assert row["held_categories"] == expected.get("held", [])
    for column, key in (("paused_until", "until"), ("held_until", "held_until")):
        if expected.get(key) is None:
            assert row[column] is None
        else:
            assert timedelta(0) <= row[column] - began - expected[key] < timedelta(seconds=30)
    if expected:
        assert row["state_reason"], "nobody could tell why"


async def check_suppression(
    services: Services, customer_id: UUID, expected: timedelta | str | None, began: datetime
) -> None:
    row = await services.db.fetchrow("SELECT scope, until FROM suppressions WHERE customer_id = $1", customer_id)
    assert (row is None) == (expected is None)
    if row is None:
        return
    assert row["scope"] == "marketing"
    if expected == "for good":
        assert row["until"] is None
        ledger = await services.db.fetchrow(
            "SELECT granted, source FROM consent_ledger WHERE customer_id = $1", customer_id
        )
        assert tuple(ledger) == (False, "meta_error")
    else:
        assert timedelta(0) <= row["until"] - began - expected < timedelta(seconds=30)


async def test_a_paused_number_sends_nothing_until_its_pause_is_over(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 3)
    sim.core.faults.add(Fault("error", code=131037, times=1))
    [first] = await queue(services, people[0], template())
    await drain_all(services)
    rest = [i for person in people[1:] for i in await queue(services, person, template())]
    await drain_all(services)
    await resume_paused(services)
    await drain_all(services)
    assert await states(services, [first, *rest]) == ["queued"] * 3 and len(sim.core.ledger.calls) == 1
    await services.db.execute("UPDATE whatsapp_numbers SET paused_until = now()")
    await resume_paused(services)
    await drain_all(services)
    assert await states(services, [first, *rest]) == ["accepted"] * 3


async def test_a_spam_restriction_stops_marketing_and_nothing_else(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    people = await add_people(services, number_id, 3)
    sim.core.faults.add(Fault("error", code=131048, times=1))
    ids = await queue(services, people[0], template("oferta_fibra", "marketing"))
    await drain_all(services)
    ids += await queue(services, people[1], template("oferta_fibra", "marketing"))
    ids += await queue(services, people[2], template())
    await drain_all(services)
    assert await states(services, ids) == ["queued", "queued", "accepted"]
    await services.db.execute("UPDATE whatsapp_numbers SET held_until = now()")
    await services.db.execute("UPDATE messages SET not_before = now() WHERE id = $1", ids[0])
    await resume_paused(services)
    await drain_all(services)
    assert await states(services, ids) == ["accepted"] * 3


async def test_a_short_pause_does_not_replace_a_lasting_one_nor_a_graver_state(
    services: Services, number_id: UUID
) -> None:
    account_id = await services.db.fetchval("SELECT account_id FROM whatsapp_numbers")
    seen = []
    for code in (131042, 190, 131042, 131031, 190):
        async with services.transaction() as tx:
            await react(tx, [Refused(Refusal(code, "refused"), datetime.now(UTC), number_id, account_id)])
        row = await services.db.fetchrow("SELECT state, paused_until FROM whatsapp_accounts")
        seen.append((row["state"], row["paused_until"] is not None))
    assert seen == [
        ("paused", True),
        ("paused", False),
        ("paused", False),
        ("restricted", False),
        ("restricted", False),
    ]


async def test_a_third_undeliverable_message_ends_marketing_until_the_person_writes(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    [person] = await add_people(services, number_id, 1)
    sim.core.faults.add(Fault("error", code=131026, times=3))
    for _ in range(3):
        await queue(services, person, template())
        await drain_all(services)
    marketing, utility = await queue(services, person, template("oferta_fibra", "marketing"), template())
    await drain_all(services)
    assert await states(services, [marketing, utility]) == ["cancelled", "accepted"]
    await services.db.execute("UPDATE conversations SET last_customer_message_at = now()")
    [again] = await queue(services, person, template("oferta_fibra", "marketing"))
    await drain_all(services)
    assert await states(services, [again]) == ["accepted"]


async def test_a_paused_template_waits_and_a_disabled_one_fails_before_it_is_called(
    services: Services, number_id: UUID, sim: Simulator
) -> None:
    account_id = await services.db.fetchval("SELECT account_id FROM whatsapp_numbers")
    for name, state in (("oferta_fibra", "PAUSED"), ("boas_vindas", "DISABLED")):
        await services.db.execute(
            "INSERT INTO templates (id, account_id, name, language, category, status) "
            "VALUES (gen_random_uuid(), $1, $2, 'pt_BR', 'MARKETING', $3)",
            account_id,
            name,
            state,
        )
    people = await add_people(services, number_id, 2)
    [waits] = await queue(services, people[0], template("oferta_fibra", "marketing"))
    [gone] = await queue(services, people[1], template())
    await drain_all(services)
    assert await states(services, [waits, gone]) == ["queued", "failed"] and not sim.core.ledger.calls
    await services.db.execute("UPDATE templates SET status = 'APPROVED'")
    await services.db.execute("UPDATE messages SET not_before = now() WHERE id = $1", waits)
    await drain_all(services)
    assert await states(services, [waits]) == ["accepted"]


def test_a_missing_object_is_the_row_of_a_deleted_number() -> None:
    assert rule_for(100, 33) is RULES[33] and rule_for(100) is RULES[100]


def test_a_code_nobody_knows_is_tried_once_more_and_somebody_is_told() -> None:
    assert rule_for(424242) is UNKNOWN
    assert UNKNOWN.retry is Retry.BACKOFF and UNKNOWN.backoff.tries == 1 and UNKNOWN.alert


def test_pair_limits_wait_four_times_longer_each_time() -> None:
    waits = [delay_s(RULES[131056], attempt, 0.5) for attempt in (1, 2, 3, 4)]
    assert waits == [1, 4, 16, 64]

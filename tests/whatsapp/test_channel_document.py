"""Every webhook example of the channel document, stored, parsed and applied: what each one must leave behind."""

import copy
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import TypeAdapter

from hub_api.chat.outgoing import Draft, queue_message
from hub_api.platform.ids import uuid7
from hub_api.whatsapp.compose.draft import AnyMessage, FlowStopped, compose
from tests.support.hub import FIXTURES, fixture
from tests.whatsapp.door import Door, now, text, value_of, webhook

NAMES = sorted(path.stem for path in FIXTURES.glob("*.json"))
# What is put aside on purpose, with its reason.
ASIDE = {
    "text_foreign_number": "foreign_number",
    "group_text": "group",
    "status_group": "group",
    "group_lifecycle_update": "",
}


@dataclass(frozen=True)
class Applied:
    """A webhook that changes what we know: `look` at it and find `expected`; and it is marked as applied."""

    look: str
    expected: Any


NUMBER, ACCOUNT, TEMPLATE = "FROM whatsapp_numbers", "FROM whatsapp_accounts", "FROM templates"
CHECKED_SOON = f"SELECT next_check_at <= now() {NUMBER}"
SEEN = "SELECT count(*) FROM channel_update WHERE applied_at IS NOT NULL"
APPLIED = {
    "account_alerts": Applied(SEEN, 1),
    "account_deleted": Applied(f"SELECT state {ACCOUNT}", "disabled"),
    "account_disabled": Applied(f"SELECT state {ACCOUNT}", "active"),  # announced only
    "account_offboarded": Applied(f"SELECT state {NUMBER}", "offline"),
    "account_reconnected": Applied(f"SELECT state {NUMBER}", "connected"),
    "account_reinstated": Applied(f"SELECT state {ACCOUNT}", "active"),
    "account_partner_removed": Applied(SEEN, 1),
    "account_restriction": Applied(f"SELECT state {ACCOUNT}", "active"),  # over since January
    "account_review_update": Applied(f"SELECT review {ACCOUNT}", "APPROVED"),
    "account_violation": Applied(SEEN, 1),
    "business_capability_update": Applied("SELECT messaging_limit FROM whatsapp_portfolios", 10_000),
    "business_capability_update_numeric": Applied("SELECT messaging_limit IS NULL FROM whatsapp_portfolios", True),
    "flows_client_error_rate": Applied("SELECT alert_state FROM whatsapp_flows", "ACTIVATED"),
    "flows_endpoint_availability": Applied("SELECT alert_state FROM whatsapp_flows", "ACTIVATED"),
    "flows_status_change": Applied("SELECT status FROM whatsapp_flows", "THROTTLED"),
    "phone_number_name_rejected": Applied(f"SELECT name_status {NUMBER}", "REJECTED"),
    "phone_number_name_update": Applied(f"SELECT verified_name {NUMBER}", "Telecom Exemplo"),
    "phone_number_quality_downgrade": Applied("SELECT messaging_limit FROM whatsapp_portfolios", 2_000),
    "phone_number_quality_flagged": Applied(f"SELECT quality {NUMBER}", "RED"),
    "phone_number_quality_onboarding": Applied(CHECKED_SOON, True),
    "phone_number_quality_throughput_upgrade": Applied(f"SELECT throughput_mps {NUMBER}", 1000),
    "phone_number_quality_unflagged": Applied(f"SELECT quality {NUMBER}", "UNKNOWN"),
    "phone_number_quality_upgrade": Applied(CHECKED_SOON, True),
    "security_pin_changed": Applied(SEEN, 1),
    "security_pin_request_success": Applied(SEEN, 1),
    "security_pin_reset_request": Applied(SEEN, 1),
    "template_category_changed": Applied(f"SELECT category {TEMPLATE}", None),
    "template_category_notice": Applied(f"SELECT next_category {TEMPLATE}", None),
    "template_components_update": Applied(SEEN, 1),
    "template_quality_red": Applied(f"SELECT quality {TEMPLATE}", "RED"),
    "template_quality_update": Applied(f"SELECT quality {TEMPLATE}", None),
    **{name: Applied(f"SELECT status {TEMPLATE}", None) for name in NAMES if name.startswith("template_status_")},
}
_STATUS_OF = {"REINSTATED": "APPROVED", "UNARCHIVED": "APPROVED"}


def expected_of(name: str, body: dict[str, Any]) -> Any:
    """What a template must become, from its own webhook."""
    value = value_of(body)
    if name.startswith("template_status_"):
        return _STATUS_OF.get(value["event"], value["event"])
    if name.startswith("template_quality"):
        return value["new_quality_score"]
    return value["correct_category"] if name == "template_category_notice" else value["new_category"]


async def prepare(door: Door, body: dict[str, Any]) -> None:
    """The account, number and template as they are before the webhook."""
    await door.forget()
    await door.db.execute("DELETE FROM send_tally")
    await door.db.execute("UPDATE whatsapp_portfolios SET messaging_limit = 250")
    await door.db.execute("DELETE FROM whatsapp_flows")
    await door.db.execute("DELETE FROM templates")
    await door.db.execute(
        "UPDATE whatsapp_accounts SET state = 'active', news_at = NULL, paused_until = NULL, review = NULL"
    )
    await door.db.execute(
        "UPDATE whatsapp_numbers SET state = 'connected', quality = 'GREEN', throughput_mps = 80, paused_until = NULL, "
        "next_check_at = now() + interval '1 day'"
    )
    value = value_of(body)
    if "message_template_id" in value:
        await door.db.execute(
            "INSERT INTO templates (id, account_id, meta_template_id, name, language, category, status) "
            "SELECT $1, id, $2, $3, $4, 'UTILITY', 'PENDING' FROM whatsapp_accounts",
            uuid7(),
            str(value["message_template_id"]),
            value["message_template_name"],
            value["message_template_language"],
        )


async def traces(door: Door) -> int:
    """How many rows tell of what came."""
    tables = ("messages", "parked_status", "channel_update", "consent_ledger", "customer_identities", "dead_letter")
    return sum([await door.value(f"SELECT count(*) FROM {table}") for table in tables])


async def test_every_example_is_stored_parsed_and_applied(door: Door, subtests: pytest.Subtests) -> None:
    assert set(APPLIED) <= set(NAMES)
    for name in NAMES:
        body = fixture(f"{name}.json")
        if name == "template_category_notice":
            value_of(body)["category_update_timestamp"] = now() + 86_400  # a notice of what is to come
        await prepare(door, body)
        if name.startswith("system_"):  # shown in the conversation there is
            await door.deliver(text("oi", user_id="BR.1502576394655843"))
            await door.db.execute("DELETE FROM webhook_event")
        await door.deliver(body)
        with subtests.test(name=name):
            assert await door.value("SELECT count(*) FROM webhook_event WHERE split_at IS NOT NULL") == 1
            reasons = {row["reason"] for row in await door.all("SELECT reason FROM dead_letter")}
            assert reasons <= {ASIDE.get(name)}, "an example of the document was put aside"
            assert await traces(door), "nothing tells that it came"
            updates = await door.all("SELECT applied_at FROM channel_update")
            if name in APPLIED:
                told = APPLIED[name]
                expected = expected_of(name, body) if told.expected is None else told.expected
                assert await door.value(told.look) == expected
                assert all(row["applied_at"] for row in updates)
            elif name.startswith("error_"):  # they carry no time, so they are news when they come
                assert updates[0]["applied_at"] and await door.value("SELECT count(*) FROM send_tally")
            else:
                assert not any(row["applied_at"] for row in updates)


def future(name: str, **changes: Any) -> dict[str, Any]:
    """An example as if it came now."""
    body = copy.deepcopy(fixture(f"{name}.json"))
    body["entry"][0]["time"] = now()
    value_of(body).update(changes)
    return body


async def test_a_restriction_stops_the_account_until_it_ends(door: Door) -> None:
    ends = now() + 3600
    limits = [{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": ends}]
    await door.deliver(future("account_restriction", restriction_info=limits))
    row = await door.one("SELECT * FROM whatsapp_accounts")
    assert (row["state"], int(row["paused_until"].timestamp())) == ("restricted", ends)
    assert "RESTRICTED_BIZ_INITIATED_MESSAGING" in row["state_reason"] and row["state_source"] == "webhook"
    only_adding = [{"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION", "expiration": ends}]
    await door.db.execute("UPDATE whatsapp_accounts SET state = 'active', paused_until = NULL")
    await door.deliver(future("account_restriction", restriction_info=only_adding))
    assert await door.value("SELECT state FROM whatsapp_accounts") == "active"


async def test_a_ban_that_was_lifted_is_not_put_back_by_its_late_copy(door: Door) -> None:
    ban = {"waba_ban_state": "DISABLE", "waba_ban_date": "January 8, 2026"}
    disabled, reinstated = future("account_disabled", ban_info=ban), future("account_reinstated")
    disabled["entry"][0]["time"] -= 100
    await door.deliver(disabled)
    assert await door.value("SELECT state FROM whatsapp_accounts") == "disabled"
    await door.deliver(reinstated, disabled)
    assert await door.value("SELECT state FROM whatsapp_accounts") == "active"
    late = await door.all("SELECT applied_at FROM channel_update ORDER BY id")
    assert [row["applied_at"] is not None for row in late] == [True, True, False]


async def test_an_account_under_review_waits_and_goes_on_when_it_is_approved(door: Door) -> None:
    for decision, state in (("PENDING", "paused"), ("REJECTED", "restricted"), ("APPROVED", "active")):
        await door.deliver(future("account_review_update", decision=decision))
        assert await door.value("SELECT state FROM whatsapp_accounts") == state
    await door.db.execute("UPDATE whatsapp_accounts SET state = 'paused', state_source = 'api:ana'")
    await door.deliver(future("account_review_update"))
    assert await door.value("SELECT state FROM whatsapp_accounts") == "paused", "Meta undid what a person had done"


async def test_an_approved_name_ends_the_pause_that_its_lack_caused(door: Door) -> None:
    await door.db.execute(
        "UPDATE whatsapp_numbers SET state = 'paused', state_reason = '131037: display name not approved', "
        "display_phone_number = '+55 11 93000-1000'"
    )
    await door.deliver(future("phone_number_name_update", display_phone_number="551130001000"))
    assert await door.value("SELECT state FROM whatsapp_numbers") == "paused", "a landline was taken for a mobile"
    await door.db.execute("UPDATE whatsapp_numbers SET display_phone_number = '+55 31 98000-1000'")
    await door.deliver(future("phone_number_name_update", display_phone_number="553180001000"))
    assert await door.value("SELECT state FROM whatsapp_numbers") == "connected"


async def test_errors_of_a_number_are_applied_when_they_are_news(door: Door) -> None:
    value = value_of(fixture("error_131042.json"))
    await door.deliver(webhook({"errors": value["errors"]}))
    row = await door.one("SELECT state, state_source FROM whatsapp_accounts")
    assert tuple(row) == ("paused", "meta_error")
    assert await door.value("SELECT applied_at IS NOT NULL FROM channel_update")
    assert await door.value("SELECT sum(count) FROM send_tally WHERE outcome = 'refused' AND code = 131042") == 1


async def test_a_flow_that_meta_stopped_is_shown_to_nobody(door: Door) -> None:
    await door.deliver(text("oi"))
    conversation = await door.value("SELECT id FROM conversations")
    flow = {"flow_message_version": "3", "flow_id": "6627390910605886", "flow_cta": "Abrir"}
    asked = {"type": "flow", "body": {"text": "Cadastro"}, "action": {"name": "flow", "parameters": flow}}
    async with door.services.transaction() as tx:
        waiting = await queue_message(tx, conversation, Draft("interactive", asked, "Cadastro"))
    await door.deliver(future("flows_status_change"))
    row = await door.one("SELECT state, error_code FROM messages WHERE id = $1", waiting)
    assert tuple(row) == ("failed", 132068)
    wish = TypeAdapter(AnyMessage).validate_python({"type": "interactive", "interactive": asked})
    await door.db.execute(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "SELECT $1, id, 'cadastro', 'pt_BR', 'UTILITY', 'APPROVED', $2 FROM whatsapp_accounts",
        uuid7(),
        [
            {"type": "BODY", "text": "Cadastro"},
            {"type": "BUTTONS", "buttons": [{"type": "FLOW", "flow_id": flow["flow_id"]}]},
        ],
    )
    template = TypeAdapter(AnyMessage).validate_python({"type": "template", "name": "cadastro"})
    for stopped in (wish, template):
        async with door.services.transaction() as tx:
            with pytest.raises(FlowStopped, match="THROTTLED"):
                await compose(tx, conversation, stopped)
    await door.deliver(future("flows_status_change", new_status="PUBLISHED"))
    async with door.services.transaction() as tx:
        assert (await compose(tx, conversation, wish)).type == "interactive"
        assert (await compose(tx, conversation, template)).type == "template"

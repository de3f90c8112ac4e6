"""Consent: words, the ledger, what it stops, and that no redelivery or late proof turns it round."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat import consent
from hub_api.chat.outgoing import Draft, queue_message
from hub_api.errors import NotFound
from hub_api.platform.ids import uuid7
from hub_api.settings import Settings
from tests.whatsapp.door import Door, opened, text


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    async with opened(settings) as made:
        yield made


@pytest.fixture
async def customer(door: Door) -> UUID:
    await door.deliver(text("oi"))
    return await door.value("SELECT id FROM customers")


async def record(door: Door, customer: UUID, scope: str, granted: bool, at: datetime, **evidence: Any) -> bool:
    async with door.services.transaction() as tx:
        return await consent.record(
            tx, customer, scope, granted=granted, source="api", evidence=evidence, occurred_at=at
        )


async def suppressed(door: Door) -> set[str]:
    return {row["scope"] for row in await door.all("SELECT scope FROM suppressions")}


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("SAIR", "opt_out"),
        ("  sair!!! 🙏 ", "opt_out"),
        ("Sáir.", "opt_out"),
        ("ｓａｉｒ", "opt_out"),
        ("PARE", "opt_out"),
        ("stop", "opt_out"),
        ("Não quero receber", "opt_out"),
        ("cancelar inscrição", "opt_out"),
        ("parar promoções, por favor", "opt_out"),
        ("Boa tarde, sair", "opt_out"),
        ("voltar", "opt_in"),
        ("quero receber ofertas", "opt_in"),
        ("cancelar", "ambiguous_cancel"),
        ("CANCELAR!!", "ambiguous_cancel"),
        ("quero sair do plano controle", None),
        ("sair de casa com o celular", None),
        ("parar de pagar multa", None),
        ("quero cancelar meu plano", None),
        ("não", None),
        ("2", None),
        ("por favor", None),
        ("", None),
        ("🙏", None),
    ],
)
def test_only_a_whole_message_is_a_word_about_consent(words, said):
    assert consent.detect(words) == said


@given(st.text(max_size=300))
def test_any_text_can_be_asked_for_consent_words(words):
    assert consent.detect(words) in (None, "opt_out", "opt_in", "ambiguous_cancel")


@given(st.sampled_from(sorted(consent.words().phrases)), st.sampled_from(["plano", "fatura", "12", "internet"]))
def test_a_phrase_with_one_more_word_is_no_opt_out(phrase, more):
    assert consent.detect(f"{phrase} {more}") is None and consent.detect(f"{more} {phrase}") is None


# --- the ledger -----------------------------------------------------------------------------------------------------


async def test_an_opt_out_is_kept_with_its_proof_and_told_without_personal_data(door, customer):
    await door.deliver(text("Sair!", wamid="wamid.SECRET"))
    row = await door.one("SELECT * FROM consent_ledger")
    message = await door.value("SELECT id FROM messages WHERE content = 'Sair!'")
    assert (row["scope"], row["granted"], row["source"], row["channel"]) == (
        "marketing",
        False,
        "customer_message",
        "whatsapp",
    )
    assert row["evidence"] == {"message_id": str(message)} and row["text_version"] == consent.words().version
    [event] = await door.events("consent.changed")
    assert event["scope"] == "marketing" and event["granted"] is False
    assert "wamid" not in str(event["payload"]) and "5511" not in str(event["payload"])
    assert event["aggregate_version"] == await door.value("SELECT version FROM customers")


async def test_a_redelivered_opt_out_is_one_proof(door, customer):
    body = text("sair")
    await door.deliver(body, body)
    await door.deliver(body)
    assert await door.value("SELECT count(*) FROM consent_ledger") == 1
    message_id, at = uuid7(), datetime.now(UTC)
    assert await record(door, customer, "all", False, at, message_id=message_id) is True
    assert await record(door, customer, "all", False, at + timedelta(seconds=1), message_id=message_id) is False
    assert await record(door, customer, "utility", False, at) is True
    assert await record(door, customer, "utility", False, at) is False


async def test_an_old_message_still_opts_out(door, customer):
    three_hours_ago = int((datetime.now(UTC) - timedelta(hours=3)).timestamp())
    await door.deliver(text("sair", at=three_hours_ago))
    assert await suppressed(door) == {"marketing"}


async def test_the_latest_act_counts_in_whatever_order_acts_become_known(door):
    acts = [("marketing", False), ("marketing", True), ("marketing", False)]
    start = datetime.now(UTC) - timedelta(hours=1)
    for n, order in enumerate(itertools.permutations(range(3))):
        await door.deliver(text("oi", wa_id=f"551198765000{n}"))
        customer = await door.value("SELECT id FROM customers ORDER BY id DESC LIMIT 1")
        for act in order:
            await record(door, customer, *acts[act], start + timedelta(minutes=act))
        assert await door.value("SELECT count(*) FROM suppressions WHERE customer_id = $1", customer) == 1
        assert await door.value("SELECT count(*) FROM consent_ledger WHERE customer_id = $1", customer) == 3


async def test_an_absurd_time_neither_hides_an_opt_out_nor_makes_it_last_for_ever(door, customer):
    await record(door, customer, "marketing", False, datetime(1970, 1, 1, tzinfo=UTC))
    assert await suppressed(door) == {"marketing"}
    await record(door, customer, "utility", False, datetime(2100, 1, 1, tzinfo=UTC))
    await record(door, customer, "utility", True, datetime.now(UTC) + timedelta(seconds=1))
    assert await suppressed(door) == {"marketing"}


async def test_coming_back_for_one_scope_ends_an_opt_out_of_all(door, customer):
    at = datetime.now(UTC) - timedelta(minutes=5)
    await record(door, customer, "all", False, at)
    await record(door, customer, "utility", False, at)
    await record(door, customer, "marketing", True, at + timedelta(minutes=1))
    assert await suppressed(door) == {"utility"}


async def test_a_pause_neither_shortens_a_longer_one_nor_an_opt_out(door, customer):
    now = datetime.now(UTC)
    for until in (now + timedelta(days=2), now + timedelta(days=1)):
        async with door.services.transaction() as tx:
            await consent.suppress(tx, customer, "marketing", reason="meta_131049", until=until)
    assert await door.value("SELECT until FROM suppressions") == now + timedelta(days=2)
    await record(door, customer, "marketing", False, now)
    async with door.services.transaction() as tx:
        await consent.suppress(tx, customer, "marketing", reason="meta_131049", until=now + timedelta(days=9))
    assert await door.value("SELECT until FROM suppressions") is None


async def test_voltar_from_somebody_who_stopped_nothing_is_no_consent(door, customer):
    await door.deliver(text("voltar"))
    assert await door.value("SELECT count(*) FROM consent_ledger") == 0


async def test_the_consent_of_an_unknown_customer_is_refused(door):
    with pytest.raises(NotFound):
        await record(door, uuid7(), "marketing", False, datetime.now(UTC))


# --- what it stops --------------------------------------------------------------------------------------------------


async def queued(door: Door, category: str) -> UUID:
    conversation = await door.value("SELECT id FROM conversations")
    async with door.services.transaction() as tx:
        draft = Draft("template", {"name": "x"}, "x", author="campaign", category=category)
        return await queue_message(tx, conversation, draft)


async def test_an_opt_out_cancels_what_it_covers_and_nothing_else(door, customer):
    ids = {category: await queued(door, category) for category in ("marketing", "utility", "service", "authentication")}
    await door.deliver(text("sair"))
    states = {row["category"]: row["state"] for row in await door.all("SELECT * FROM messages WHERE direction = 'out'")}
    assert states == {"marketing": "cancelled", "utility": "queued", "service": "queued", "authentication": "queued"}
    [event] = await door.events("message.state_changed")
    assert event["aggregate_id"] == ids["marketing"] and event["to_state"] == "cancelled"
    await record(door, customer, "all", False, datetime.now(UTC))
    states = {row["category"]: row["state"] for row in await door.all("SELECT * FROM messages WHERE direction = 'out'")}
    assert states["utility"] == "cancelled" and states["service"] == "queued"


async def test_a_claimed_message_is_not_taken_from_its_sender(door, customer):
    message = await queued(door, "marketing")
    await door.db.execute("UPDATE messages SET state = 'claimed' WHERE id = $1", message)
    await door.deliver(text("sair"))
    assert await door.value("SELECT state FROM messages WHERE id = $1", message) == "claimed"


@pytest.mark.parametrize(
    ("payload", "scope"), [("OPTOUT_PROMO", "marketing"), ("OPTOUT_ALL", "all"), ("Parar promoções", "marketing")]
)
async def test_a_template_button_opts_out_by_its_payload_or_its_label(door, customer, payload, scope):
    body = text("")
    message = body["entry"][0]["changes"][0]["value"]["messages"][0]
    del message["text"]
    message |= {"type": "button", "button": {"payload": payload, "text": "Parar promoções"}}
    await door.deliver(body)
    assert await suppressed(door) == {scope}

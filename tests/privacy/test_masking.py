"""Who has no `personal_data:read` sees the last digits of CPFs, cards and phones, everywhere in the API."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.chat.masking import masked_text
from tests.auth.people import add_conversation, add_person, add_team, call
from tests.support.hub import Hub

WORDS = "meu cpf é 529.982.247-25, cartão 4111 1111 1111 1111, ligue (11) 98765-4321"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (WORDS, "meu cpf é …4725, cartão …1111, ligue …4321"),
        ("52998224725", "…4725"),
        ("111.111.111-11 inválido mas escrito como CPF", "…1111 inválido mas escrito como CPF"),
        ("+55 21 99876-5432", "…5432"),
        ("5511987654321", "…4321"),
        ("5555-5555-5555-4444.", "…4444."),
        ("52998224725 11987654321", "…4725 …4321"),
        ("ligue 11 98765-4321 10 vezes", "ligue …4321 10 vezes"),
        ("protocolo 2026112300001234", "protocolo 2026112300001234"),
        ("fatura de R$ 1.234,56 em 10/11/2026", "fatura de R$ 1.234,56 em 10/11/2026"),
        ("34191.79001 01043.510047 91020.150008 5 91010026000", "34191.79001 01043.510047 91020.150008 5 91010026000"),
    ],
)
def test_numbers_that_tell_of_a_person_are_shortened_and_others_stay(text: str, shown: str) -> None:
    assert masked_text(text) == shown


@given(st.text(alphabet="abc .,-()+0123456789", max_size=80))
def test_what_is_masked_is_not_masked_again(text: str) -> None:
    assert masked_text(masked_text(text)) == masked_text(text)


async def test_an_agent_sees_last_digits_and_a_supervisor_everything(hub: Hub) -> None:
    team, queue = await add_team(hub, "norte")
    made = await add_conversation(hub, queue, WORDS)
    await hub.fetch("UPDATE messages SET payload = $2 WHERE id = $1", made["message"], {"text": {"body": WORDS}})
    await hub.fetch("UPDATE conversations SET ai_summary = $2 WHERE id = $1", made["conversation"], WORDS)
    phone = await hub.fetchval("SELECT phone FROM customers WHERE id = $1", made["customer"])
    agent, boss = await add_person(hub, "agent", team), await add_person(hub, "supervisor", team)
    paths = [
        f"/api/v1/conversations/{made['conversation']}",
        "/api/v1/conversations",
        f"/api/v1/conversations/{made['conversation']}/messages",
        "/api/v1/messages/search?q=cartão",
        f"/api/v1/customers/{made['customer']}",
        "/api/v1/customers?name=cliente",
    ]
    for path in paths:
        secrets = [phone] if "customers" in path else ["529.982.247-25", "4111 1111 1111 1111", "98765-4321"]
        for person, wanted in ((agent, False), (boss, True)):
            status, body = await call(hub, "GET", path, person.headers)
            assert status == 200
            assert [secret in str(body) for secret in secrets] == [wanted] * len(secrets), (path, person.role)

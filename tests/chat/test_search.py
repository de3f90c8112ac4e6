"""Search finds word forms and accents in any month, newest first, pages without a gap, and tells whose the words are."""

from datetime import UTC, datetime, timedelta

from hub_api.auth.api_keys import create_key
from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, add_person, add_team, bearer, call

NOW = datetime.now(UTC)


async def said(hub, text, days_ago, author="customer", conversation=None, customer=None, by=None):
    message, at = uuid7(), NOW - timedelta(days=days_ago)
    await hub.services.db.execute("SELECT ensure_partitions('messages', $1, $1)", at.date().replace(day=1))
    await hub.services.db.execute(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, author_id, type, content, state) "
        "VALUES ($1, $2, $5, $6, 'in', $4, $7, 'text', $3, 'received')",
        message,
        at,
        text,
        author,
        conversation or message,
        customer or message,
        by,
    )


async def found(hub, **params):
    answer = await hub.get("/api/v1/messages/search", params=params, headers=hub.auth)
    assert answer.status == 200
    return await answer.json()


async def test_word_forms_and_accents_match_across_months(hub):
    await said(hub, "Quero saber das INSTALAÇÕES no meu bairro", 1)
    await said(hub, "a instalacao ficou torta", 70)
    await said(hub, "nada a ver", 2)
    page = await found(hub, q="instalação")
    assert [item["content"][:8] for item in page["items"]] == ["Quero sa", "a instal"]
    assert page["next_cursor"] is None


async def test_a_protocol_number_and_an_exact_phrase_are_found(hub):
    await said(hub, "meu protocolo é 2026110200000017", 3)
    await said(hub, "segunda via do boleto", 4)
    await said(hub, "a via é a segunda", 5)
    assert len((await found(hub, q="2026110200000017"))["items"]) == 1
    assert [item["content"] for item in (await found(hub, q='"segunda via"'))["items"]] == ["segunda via do boleto"]


async def test_pages_follow_each_other_without_gap_or_repeat(hub):
    for day in range(7):
        await said(hub, f"boleto {day}", day * 20)
    seen, cursor = [], {}
    while True:
        page = await found(hub, q="boleto", limit=3, **cursor)
        seen += [item["content"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [f"boleto {day}" for day in range(7)]


async def test_a_search_is_narrowed_by_who_wrote_since_when_and_in_which_queue(hub):
    _, queue = await add_team(hub, "suporte")
    _, other = await add_team(hub, "vendas")
    ours = await add_conversation(hub, queue, "sinal fraco")
    await add_conversation(hub, other, "sinal ruim")
    await said(hub, "sinal de volta", 3, "agent", ours["conversation"])
    await said(hub, "sem sinal", 100, "customer", ours["conversation"])
    await said(hub, "sinal 40", 40)

    async def contents(**params):
        return [item["content"] for item in (await found(hub, q="sinal", **params))["items"]]

    assert len(await contents()) == 5
    assert await contents(author="agent") == ["sinal de volta"]
    assert await contents(queue=queue) == ["sinal fraco", "sinal de volta", "sem sinal"]
    assert await contents(queue=queue, author="customer", since=_ago(50)) == ["sinal fraco"]
    assert await contents(since=_ago(50), author="customer") == ["sinal ruim", "sinal fraco", "sinal 40"]
    first = await found(hub, q="sinal", queue=queue, limit=1)
    assert await contents(queue=queue, cursor=first["next_cursor"]) == ["sinal de volta", "sem sinal"]
    outsider = await add_person(hub, "agent", (await add_team(hub, "outra"))[0])
    status, page = await call(
        hub, "GET", "/api/v1/messages/search", outsider.headers, params={"q": "sinal", "queue": queue}
    )
    assert (status, page["items"]) == (200, []), "a filter opens no other team's conversations"
    for wrong in ({"author": "nobody"}, {"since": "ontem"}):
        answer = await hub.get("/api/v1/messages/search", params={"q": "sinal"} | wrong, headers=hub.auth)
        assert answer.status == 422


async def test_what_is_found_tells_whose_conversation_it_is_and_who_wrote(hub):
    team, queue = await add_team(hub, "suporte")
    agent = await add_person(hub, "agent", team)
    talk = await add_conversation(hub, queue, "modem apagado")
    await said(hub, "modem trocado", 40, "agent", talk["conversation"], talk["customer"], agent.id)
    await said(hub, "modem de ninguém", 70)
    phone = await hub.fetchval("SELECT phone FROM customers WHERE id = $1", talk["customer"])
    blind = bearer(await create_key(hub.services.db, "talks only", ["conversations:read"]))

    async def told(headers):
        status, page = await call(hub, "GET", "/api/v1/messages/search", headers, params={"q": "modem"})
        assert status == 200, page
        return [(one["customer_name"], one["customer_phone"], one["author_id"]) for one in page["items"]]

    name = "Cliente modem apagado"
    nobodys = (None, None, None)
    assert await told(hub.auth) == [(name, phone, None), (name, phone, str(agent.id)), nobodys]
    assert await told(agent.headers) == [(name, f"…{phone[-4:]}", by) for by in (None, str(agent.id))]
    assert await told(blind) == [(name, None, None), (name, None, str(agent.id)), nobodys]


def _ago(days):
    return (NOW - timedelta(days=days)).isoformat()

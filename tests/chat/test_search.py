"""Search finds word forms and accents in any month, newest first, and pages without a gap."""

from datetime import UTC, datetime, timedelta

from hub_api.platform.ids import uuid7

NOW = datetime.now(UTC)


async def said(hub, text, days_ago):
    at = NOW - timedelta(days=days_ago)
    await hub.services.db.execute("SELECT ensure_partitions('messages', $1, $1)", at.date().replace(day=1))
    await hub.services.db.execute(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state) "
        "VALUES ($1, $2, $1, $1, 'in', 'customer', 'text', $3, 'received')",
        uuid7(),
        at,
        text,
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

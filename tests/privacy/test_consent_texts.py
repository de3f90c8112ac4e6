"""Texts of consent: their words never change, and a consent outside of a message names the words that were read."""

import asyncpg
import pytest

from tests.auth.people import add_conversation, add_person, add_team, call
from tests.support.hub import Hub

TEXTS = "/api/v1/privacy/consent-texts"
TEXT = {"version": "marketing-2026-11", "scope": "marketing", "text": "Aceito receber ofertas pelo WhatsApp."}


async def test_the_words_of_a_version_stay_whatever_is_tried(hub: Hub) -> None:
    admin, boss = await add_person(hub, "admin"), await add_person(hub, "supervisor")
    assert (await call(hub, "POST", TEXTS, boss.headers, json=TEXT))[0] == 403
    for _ in range(2):
        assert (await call(hub, "POST", TEXTS, admin.headers, json=TEXT))[0] == 201
    assert (await call(hub, "POST", TEXTS, admin.headers, json={**TEXT, "text": "Outras palavras bem diferentes."}))[
        0
    ] == 409
    for change in ("text = 'Outras palavras, escritas por trás.'", "scope = 'all'"):
        with pytest.raises(asyncpg.PostgresError, match="never change"):
            await hub.fetch(f"UPDATE consent_texts SET {change}")
    with pytest.raises(asyncpg.PostgresError, match="never change"):
        await hub.fetch("DELETE FROM consent_texts")
    assert (await call(hub, "POST", f"{TEXTS}/unknown/retire", admin.headers))[0] == 404
    assert (await call(hub, "POST", f"{TEXTS}/{TEXT['version']}/retire", admin.headers))[0] == 200
    assert (await call(hub, "POST", f"{TEXTS}/{TEXT['version']}/retire", admin.headers))[0] == 409
    _, listed = await call(hub, "GET", TEXTS, admin.headers)
    made = [one for one in listed["items"] if one["author"] != "system"]  # beside those that the hub brings
    assert [(one["version"], one["text"], one["retired_at"] is None) for one in made] == [
        (TEXT["version"], TEXT["text"], False)
    ]


async def test_a_consent_names_its_text_and_a_refusal_holds_at_once(hub: Hub) -> None:
    team, queue = await add_team(hub, "norte")
    made = await add_conversation(hub, queue, "palavras")
    admin, boss, agent = (
        await add_person(hub, "admin"),
        await add_person(hub, "supervisor", team),
        await add_person(hub, "agent", team),
    )
    await call(hub, "POST", TEXTS, admin.headers, json=TEXT)
    path = f"/api/v1/customers/{made['customer']}/consents"
    yes = {"scope": "marketing", "granted": True, "text_version": TEXT["version"], "evidence": {"form": "loja 12, 481"}}
    assert (await call(hub, "POST", path, agent.headers, json=yes))[0] == 403
    for body, status in (
        ({**yes, "text_version": None}, 422), ({**yes, "text_version": "unknown"}, 404), ({**yes, "scope": "all"}, 409),
        ({**yes, "source": "customer_message"}, 422),
    ):  # fmt: skip
        assert (await call(hub, "POST", path, boss.headers, json=body))[0] == status, body
    assert (await call(hub, "POST", path, boss.headers, json=yes)) == (200, {"new": True})
    assert (await call(hub, "POST", path, boss.headers, json={"scope": "marketing", "granted": False})) == (
        200,
        {"new": True},
    )
    assert await hub.fetchval("SELECT reason FROM suppressions WHERE customer_id = $1", made["customer"]) == "agent"
    status, ledger = await call(hub, "GET", path, agent.headers)
    assert status == 200
    assert [(one["granted"], one["text"], one["source"], one["actor_id"]) for one in ledger["items"]] == [
        (False, None, "agent", str(boss.id)), (True, TEXT["text"], "agent", str(boss.id)),
    ]  # fmt: skip
    await call(hub, "POST", f"{TEXTS}/{TEXT['version']}/retire", admin.headers)
    assert (await call(hub, "POST", path, boss.headers, json=yes))[0] == 409
    actions = await hub.fetch("SELECT action FROM audit_log WHERE action LIKE 'consent.%' ORDER BY id")
    assert [row["action"] for row in actions] == [
        "consent.text_published",
        "consent.recorded",
        "consent.recorded",
        "consent.text_retired",
    ]

"""Webhooks duplicated, reordered and batched leave the same tables as the clean sequence. The full storm is in tests/faults."""

import random
from typing import Any

import pytest

from hub_api.chat import outgoing
from tests.support.chance import drawn_seed
from tests.whatsapp.door import Door, now, status, text, together, webhook

PEOPLE = 10


def person(n: int) -> dict[str, str]:
    return {"wa_id": f"55319{80000000 + n}", "user_id": f"BR.{1000 + n}"}


def act(n: int, kind: str, at: int, wamid: str, **more: Any) -> dict[str, Any]:
    message = {"from_user_id": person(n)["user_id"], "id": wamid, "timestamp": str(at), "type": kind, kind: more}
    return webhook({"messages": [message]})


def preference(n: int, at: int, value: str) -> dict[str, Any]:
    wish = {"user_id": person(n)["user_id"], "category": "marketing_messages", "value": value, "timestamp": at}
    return webhook({"user_preferences": [wish]}, field="user_preferences")


def script(rng: random.Random, start: int) -> list[dict[str, Any]]:
    """What ten people do within half an hour, in its true order."""
    bodies: list[tuple[int, dict[str, Any]]] = []
    for n in range(PEOPLE):
        at = start
        for m in range(rng.randint(2, 6)):
            at += rng.randint(1, 60)
            who = person(n) if rng.random() < 0.5 else {**person(n), "wa_id": None}
            wamid = f"wamid.{n}.{m}"
            bodies.append(
                (
                    at,
                    text(
                        rng.choice(["oi", "sem sinal", "boleto", "SAIR"]) + f" {m}" * (m % 2),
                        wamid=wamid,
                        at=at,
                        name=f"Pessoa {n}",
                        **who,
                    ),
                )
            )
            if rng.random() < 0.3:
                bodies.append(
                    (
                        at + 1,
                        act(
                            n,
                            "edit",
                            at + 1,
                            f"wamid.e.{n}.{m}",
                            original_message_id=wamid,
                            message={"type": "text", "text": {"body": "corrigido"}},
                        ),
                    )
                )
            if rng.random() < 0.2:
                bodies.append((at + 2, act(n, "revoke", at + 2, f"wamid.r.{n}.{m}", original_message_id=wamid)))
        for emoji in ({"emoji": "👍"}, {"emoji": "🙏"}, {}):
            at += rng.randint(1, 5)
            bodies.append((at, act(n, "reaction", at, f"wamid.x.{n}.{at}", message_id=f"wamid.out.{n}", **emoji)))
        words = rng.choice(
            [["sent", "delivered", "read"], ["sent", "read"], ["sent", "failed"], ["failed"], ["delivered"]]
        )
        for word in words:
            at += rng.randint(1, 20)
            more = {"errors": [{"code": rng.choice([131026, 131050]), "title": "x"}]} if word == "failed" else {}
            more |= {"pricing": {"type": "regular", "category": "service"}} if word == "sent" else {}
            bodies.append((at, status(f"wamid.out.{n}", word, at=at, recipient_user_id=person(n)["user_id"], **more)))
        if rng.random() < 0.4:
            bodies.append((at + 1, preference(n, at + 1, rng.choice(["stop", "resume"]))))
    return [body for _, body in sorted(bodies, key=lambda pair: pair[0])]


async def begin(door: Door, start: int) -> None:
    """Everybody has written once, and got an answer that was accepted."""
    await door.forget()
    for n in range(PEOPLE):
        await door.deliver(text("bom dia", wamid=f"wamid.first.{n}", at=start - 60, **person(n)))
        conversation = await door.value("SELECT conversation_id FROM messages WHERE wamid = $1", f"wamid.first.{n}")
        async with door.services.transaction() as tx:
            message = await outgoing.queue_message(tx, conversation, outgoing.text("Olá!"))
            for state in ("claimed", "accepted"):
                await tx.db.execute("UPDATE messages SET state = $2 WHERE id = $1", message, state)
            await tx.db.execute(
                "INSERT INTO message_key SELECT $2, id, created_at FROM messages WHERE id = $1",
                message,
                f"wamid.out.{n}",
            )


TABLES = {
    "messages": "SELECT k.wamid, owner.value AS who, m.state, m.type, m.content, m.payload, m.reactions, m.edited_at, m.revoked_at, "
    "m.sent_at, m.delivered_at, m.read_at, m.error_code, m.pricing, m.direction, m.author FROM messages m "
    "JOIN message_key k ON k.message_id = m.id JOIN customer_identities owner ON owner.customer_id = m.customer_id AND owner.kind = 'bsuid'",
    "conversations": "SELECT owner.value AS who, c.state, c.last_customer_message_at FROM conversations c "
    "JOIN customer_identities owner ON owner.customer_id = c.customer_id AND owner.kind = 'bsuid'",
    "identities": "SELECT c.name, c.phone, i.kind, i.value, i.valid_to FROM customers c JOIN customer_identities i ON i.customer_id = c.id",
    "consents": "SELECT owner.value AS who, l.scope, l.granted, l.source, l.occurred_at FROM consent_ledger l "
    "JOIN customer_identities owner ON owner.customer_id = l.customer_id AND owner.kind = 'bsuid'",
    "suppressions": "SELECT owner.value AS who, s.scope, s.until IS NULL AS forever FROM suppressions s "
    "JOIN customer_identities owner ON owner.customer_id = s.customer_id AND owner.kind = 'bsuid'",
    "turns": "SELECT count(*) FROM bot_turn",
    "parked": "SELECT count(*) FROM parked_status",
    "received": "SELECT count(*), count(DISTINCT aggregate_id) FROM events WHERE type = 'message.received'",
}


async def picture(door: Door) -> dict[str, list[str]]:
    return {name: sorted(str(tuple(row)) for row in await door.all(sql)) for name, sql in TABLES.items()}


@pytest.mark.parametrize("round", range(3))
async def test_a_storm_leaves_the_same_tables_as_the_clean_sequence(door: Door, round: int):
    seed = drawn_seed()
    rng = random.Random(seed)
    start = now() - 1500
    bodies = script(rng, start)
    await begin(door, start)
    await door.deliver(*bodies)
    clean = await picture(door)
    assert len(clean["messages"]) >= 4 * PEOPLE

    storm = [body for body in bodies for _ in range(rng.choice([1, 1, 2, 5]))]
    rng.shuffle(storm)
    await begin(door, start)
    while storm:
        size = rng.randint(1, 25)
        await door.store(*[together(*storm[:size])] * rng.randint(1, 2))
        del storm[:size]
        if rng.random() < 0.5:
            await door.handle()
    await door.handle()
    dirty = await picture(door)
    for table, rows in clean.items():
        assert dirty[table] == rows, f"{table} differs with seed {seed}"

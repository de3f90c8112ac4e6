"""No route shows a CPF, a card or a phone to who has not `personal_data:read`: routes and columns added later included.

The inventory says which columns may hold something of a customer; each of them that takes it gets the numbers. Then every GET
is called as every role without the permission, and with a key that has every other one.
"""

from typing import Any
from uuid import UUID

import asyncpg

from hub_api.auth.api_keys import create_key
from hub_api.auth.permissions import BUILTIN, PERMISSIONS
from hub_api.chat.business.tables import KindName
from hub_api.chat.masking import PERMISSION
from hub_api.chat.privacy.inventory import inventory
from hub_api.platform.ids import uuid7
from tests.auth.people import add_conversation, add_person, add_team, bearer, clear_limits
from tests.auth.routes import all_routes
from tests.support.hub import Hub

SECRETS = ("529.982.247-25", "4111 1111 1111 1111", "98765-4321", "5511987654321")
WORDS = f"cpf {SECRETS[0]}, cartão {SECRETS[1]}, ligue (11) {SECRETS[2]} ou {SECRETS[3]}"
# For the person himself: whoever answers him gets all of it, by a permission of its own, and the log notes it.
FOR_THE_PERSON = ("/report", "/report.pdf", "/export")
COLUMNS = """
SELECT c.column_name, c.data_type, c.column_name = ANY (SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
    AND a.attnum = ANY(i.indkey) WHERE i.indrelid = c.table_name::regclass AND i.indisunique) AS is_key
FROM information_schema.columns c WHERE c.table_schema = 'public' AND c.table_name = $1 AND c.is_generated = 'NEVER'
    AND c.data_type IN ('text', 'jsonb', 'ARRAY')
"""


async def plant(hub: Hub) -> set[str]:
    """Write the numbers into every column of customers' data that takes them; the columns."""
    planted = set()
    for table in inventory().of("postgresql").values():
        if table.activity in (None, "staff", "security", "erasure"):
            continue
        for column in await hub.fetch(COLUMNS, table.name):
            name, kind = column["column_name"], column["data_type"]
            if name not in table.personal or (column["is_key"] and name != "value"):
                continue
            values: list[Any] = {"jsonb": [{"text": {"body": WORDS}, "wa_id": SECRETS[3]}], "ARRAY": [[WORDS]]}.get(
                kind, [WORDS, SECRETS[3], f"+{SECRETS[3]}"]
            )
            for value in values if name not in ("phone", "contact_key", "value") else reversed(values):
                try:
                    await hub.fetch(f'UPDATE "{table.name}" SET "{name}" = $1', value)
                except asyncpg.PostgresError:  # it takes other values only, or is no place for words
                    continue
                planted.add(f"{table.name}.{name}")
                break
    return planted


async def people_and_their_things(hub: Hub) -> dict[str, UUID]:
    """A customer with a row in every table that routes show."""
    _, queue = await add_team(hub, "norte")
    made = await add_conversation(hub, queue, "palavras")
    made["file"] = uuid7()
    ids = {name: uuid7() for name in ("letter", "update", "doubt")}
    await hub.fetch(
        "INSERT INTO dead_letter (id, source, reason, detail, contact_key, payload) VALUES ($1, 'handle', 'x', 'x', 'x', '')",
        ids["letter"],
    )
    await hub.fetch(
        "INSERT INTO channel_update (id, webhook_id, field, value) VALUES ($1, $1, 'user_preferences', '{}')",
        ids["update"],
    )
    await hub.fetch(
        "INSERT INTO media (id, direction, kind, state, filename) VALUES ($1, 'in', 'image', 'failed', 'x')",
        made["file"],
    )
    await hub.fetch(
        "INSERT INTO message_media (message_id, media_id, conversation_id) VALUES ($1, $2, $3)",
        made["message"],
        made["file"],
        made["conversation"],
    )
    await hub.fetch(
        "INSERT INTO customer_identities (id, customer_id, kind, value) VALUES ($1, $2, 'wa_id', 'x')",
        uuid7(),
        made["customer"],
    )
    await hub.fetch("INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('p', 'Fibra', 'fiber', 1)")
    await hub.fetch(
        "INSERT INTO contracts (external_id, customer_id, plan_id, status, started_on) VALUES ('c', $1, 'p', 'active', now())",
        made["customer"],
    )
    await hub.fetch(
        "INSERT INTO service_tickets (external_id, contract_id, kind, status, opened_at) VALUES ('t', 'c', 'visit', 'open', now())"
    )
    await hub.fetch(
        "INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, state, attempt, claimed_at, category) "
        "VALUES ($1, now(), $2, $3, 'out', 'bot', 'text', 'x', 'unknown', 1, now() - interval '1 day', 'service')",
        ids["doubt"], made["conversation"], made["customer"],
    )  # fmt: skip
    return made


async def test_no_route_shows_a_number_to_who_may_not_see_it(hub: Hub) -> None:
    made = await people_and_their_things(hub)
    planted = await plant(hub)
    assert {
        "customers.name", "customers.phone", "customer_identities.value", "messages.content", "messages.payload", "messages.error_title",
        "conversations.ai_summary", "conversations.tags", "contracts.phone", "service_tickets.summary", "dead_letter.contact_key",
        "dead_letter.detail", "channel_update.value", "media.filename",
    } <= planted, sorted(planted)  # fmt: skip
    team = await hub.fetchval("SELECT id FROM teams")
    unprivileged = [role for role, granted in BUILTIN.items() if PERMISSION not in granted.permissions]
    callers = {role: (await add_person(hub, role, team)).headers for role in unprivileged}
    everything_else = sorted(set(PERMISSIONS) - {PERMISSION, "account:use"})
    callers["key"] = bearer(await create_key(hub.services.db, "all but numbers", everything_else))
    every = bearer(await create_key(hub.services.db, "all", ["*"]))
    leaks, full = [], set()
    for route in all_routes():
        if route.method != "GET" or route.permission == "public" or route.path.endswith(FOR_THE_PERSON):
            continue
        names = {f"{what}_id": made[what] for what in ("customer", "conversation", "message")}
        for kind in KindName if "kind" in route.parameters else ("",):
            url = route.url(**names, media_id=made["file"], reference=made["conversation"], kind=kind)
            for query in [
                {},
                *([{"name": "cpf"}, {"phone": SECRETS[3]}] if route.path.endswith("/customers") else []),
                {"q": "cartão"},
            ]:
                params = {**route.request().get("params", {}), **query}
                for who, headers in {**callers, "*": every}.items():
                    await clear_limits(hub)
                    async with hub.session.get(hub.url + url, headers=headers, params=params) as answer:
                        text = await answer.text(errors="replace")
                    shown = [secret for secret in SECRETS if secret in text]
                    if who == "*" and shown:
                        full.add(route.path)
                    elif shown and who != "*" and not _echoed(query, shown, answer.status):
                        leaks.append(f"{route.name} {query} as {who}: {answer.status} {shown} {text[:300]}")
    assert not leaks, "\n".join(leaks)
    expected = {
        "/conversations",
        "/messages/search",
        "/customers",
        "/webhooks/dead",
        "/webhooks/updates",
        "/messages/unknown",
        "/media/{media_id}",
    }
    missing = {path for path in expected if not any(path in one for one in full)}
    assert not missing, f"the test plants nothing that these would show: {missing}"


def _echoed(query: dict[str, str], shown: list[str], status: int) -> bool:
    """An error that repeats what the caller himself sent."""
    return status >= 400 and all(secret in str(query) for secret in shown)

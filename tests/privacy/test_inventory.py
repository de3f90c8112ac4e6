"""Every table and column of both stores is listed as personal or as other, and the register says so."""

from hub_api.chat.privacy.inventory import inventory
from hub_api.platform.clickhouse import connect
from tests.auth.people import add_person, call
from tests.support.data import OURS
from tests.support.hub import Hub

TABLES = """
SELECT c.relname AS name, array_agg(a.attname::text) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY c.relname
"""
WAREHOUSE = f"""
SELECT concat(database, '.', table), groupArray(name) FROM system.columns
WHERE {OURS} AND (database, table) IN (SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree')
GROUP BY database, table
"""
HINT = "list it in a file of hub_api/chat/privacy/inventory/, as personal with its kind and treatment, or as other"


async def test_every_column_of_postgresql_is_listed(hub: Hub) -> None:
    found = {row["name"]: set(row["columns"]) for row in await hub.fetch(TABLES)}
    assert {name: set(table.columns) for name, table in inventory().of("postgresql").items()} == found, HINT


def test_every_column_of_the_warehouse_is_listed(warehouse_server) -> None:
    client = connect(warehouse_server.url())
    found = {name: set(columns) for name, columns in client.query(WAREHOUSE).result_rows}
    client.close()
    assert {name: set(table.columns) for name, table in inventory().of("warehouse").items()} == found, HINT


def test_no_erasure_changes_a_table_whose_days_are_copied_when_their_neighbour_is_rebuilt(warehouse_server) -> None:
    """Partitions longer than a day (assets/warehouse.py): rows read before an erasure would come back after it."""
    client = connect(warehouse_server.url())
    rows = client.query(
        f"SELECT concat(database, '.', name), partition_key FROM system.tables WHERE {OURS}"
    ).result_rows
    client.close()
    copied = {name for name, key in rows if key not in ("", "day") and "(day)" in key} - {
        "gold.segment_membership_history"
    }
    assert {"gold.conversation_facts", "gold.message_facts"} <= copied
    known = inventory().of("warehouse")
    changed = {name for name in copied for one in known[name].personal.values() if one.treatment in ("delete", "null")}
    assert changed == set()


async def test_every_table_that_names_a_customer_is_personal(hub: Hub) -> None:
    rows = await hub.fetch(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND column_name IN ('customer_id', 'wamid', 'phone', 'cpf_hash', 'contact_key')"
    )
    known = inventory().of("postgresql")
    named = {row["table_name"] for row in rows} & known.keys()  # views and partitions have no entry of their own
    assert {"customers", "messages", "contracts"} < named
    assert [name for name in sorted(named) if not known[name].personal] == []


async def test_the_register_tells_where_a_phone_lies_and_only_whoever_answers_for_it_may_read_it(hub: Hub) -> None:
    admin, agent = await add_person(hub, "admin"), await add_person(hub, "agent")
    status, body = await call(hub, "GET", "/api/v1/privacy/register", admin.headers)
    assert status == 200
    service = next(item for item in body["items"] if item["key"] == "service")
    assert "Decreto 11.034/2022" in service["retention"] and "art. 33" in service["recipients"]
    phone = {"store": "postgresql", "table": "customers", "column": "phone", "kind": "contact", "at_erasure": "null"}
    assert phone in service["data"]
    assert all(item["data"] for item in body["items"]), "an activity without data says nothing"
    assert (await call(hub, "GET", "/api/v1/privacy/register", agent.headers))[0] == 403

"""The audit log cannot be changed unseen: linked, signed, verified; each way of tampering is found and named."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from hub_api.analytics.relay import LOCK as RELAY_LOCK
from hub_api.analytics.relay import connect_postgres as relay_session
from hub_api.auth import audit, audit_chain
from hub_api.auth.audit_chain import Verdict
from hub_api.platform.services import Services

Tamper = Callable[[asyncpg.Connection], Any]


async def write(services: Services, count: int, **more: Any) -> None:
    for n in range(count):
        async with services.transaction() as tx:
            await audit.write(tx, audit.SYSTEM, "test.done", "thing", str(n), after={"n": n}, **more)


async def verdict(services: Services, **options: Any) -> Verdict:
    return await audit_chain.verify(services.db, services.settings.secret_key.get_secret_value(), **options)


async def past_triggers(services: Services, sql: str, *arguments: Any) -> None:
    """What somebody does who owns the database: triggers do not stop him."""
    async with services.db.acquire() as db, db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(sql, *arguments)


async def test_rows_are_linked_in_order_and_signed(services: Services):
    await write(services, 3)
    assert (await verdict(services)).unsealed == 3
    assert await audit_chain.seal(services) == 3
    await write(services, 2)
    assert await audit_chain.seal(services) == 2
    assert await audit_chain.seal(services) == 0
    found = await verdict(services)
    assert (found.links, found.seals, found.unsealed, found.faults) == (5, 2, 0, [])


async def test_it_is_sealed_while_a_relay_works(services: Services):
    """The relay's session holds its advisory lock for as long as it lives."""
    relay = await relay_session(services.settings)
    try:
        assert await relay.fetchval("SELECT pg_try_advisory_lock($1)", RELAY_LOCK)
        await write(services, 1)
        assert await audit_chain.seal(services) == 1
    finally:
        await relay.close()


async def test_a_row_that_commits_late_is_linked_and_none_twice(services: Services):
    async with services.transaction() as late:
        await audit.write(late, audit.SYSTEM, "test.late", "thing", "late")
        await write(services, 2)
        assert await audit_chain.seal(services) == 2
    results = await asyncio.gather(*(audit_chain.seal(services) for _ in range(4)))
    assert sum(results) == 1
    found = await verdict(services)
    assert (found.links, found.faults) == (3, [])


@pytest.mark.parametrize("table", ["audit_log", "audit_chain", "audit_seals", "audit_keys"])
async def test_nothing_is_changed_or_deleted_by_the_hub(services: Services, table: str):
    await write(services, 1)
    await audit_chain.seal(services)
    column = {"audit_log": "actor", "audit_chain": "hash", "audit_seals": "hash", "audit_keys": "key_id"}[table]
    for sql in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await services.db.execute(sql)


THIRD = "(SELECT audit_id FROM audit_chain WHERE position = 3)"


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (f"UPDATE audit_log SET actor = 'user:other' WHERE id = {THIRD}", "link 3: audit row"),
        (f"UPDATE audit_log SET detail = '{{\"x\": 1}}' WHERE id = {THIRD}", "was changed"),
        (f"UPDATE audit_log SET created_at = created_at + interval '1 microsecond' WHERE id = {THIRD}", "was deleted"),
        (f"DELETE FROM audit_log WHERE id = {THIRD}", "was deleted"),
        ("DELETE FROM audit_chain WHERE position = 3", "links 3 to 3 are missing"),
        ("DELETE FROM audit_chain WHERE position = 6", "the signed link 6 is missing"),
        ("UPDATE audit_chain SET hash = sha256(hash) WHERE position = 6", "the signature at link 6 does not fit"),
        ("UPDATE audit_seals SET signature = sha512('x') WHERE position = 6", "the signature at link 6 does not fit"),
        ("DELETE FROM audit_chain WHERE position > 3; DELETE FROM audit_seals WHERE position > 3", "came past"),
        (
            "INSERT INTO audit_log (id, actor, action, object_type) VALUES (gen_random_uuid(), 'x', 'x.y', 'x')",
            "came past the log's triggers",
        ),
    ],
)
async def test_each_tampering_is_found(services: Services, sql: str, fault: str):
    await write(services, 3)
    await audit_chain.seal(services)
    await write(services, 3)
    await audit_chain.seal(services)
    for statement in sql.split("; "):
        await past_triggers(services, statement)
    assert any(fault in one for one in (await verdict(services)).faults)


async def test_a_cut_end_is_found_by_a_head_noted_before(services: Services):
    await write(services, 3)
    await audit_chain.seal(services)
    noted = (await verdict(services)).head
    await write(services, 2)
    await audit_chain.seal(services)
    assert (await verdict(services, head=noted)).faults == []
    # Everything of the end is taken: rows, links, seals. Nothing in the database tells, the noted head does.
    last = (await verdict(services)).head
    for sql in (
        "DELETE FROM audit_log WHERE id IN (SELECT audit_id FROM audit_chain WHERE position > 3)",
        "DELETE FROM audit_seals WHERE position > 3",
        "DELETE FROM audit_chain WHERE position > 3",
    ):
        await past_triggers(services, sql)
    assert (await verdict(services)).faults == []
    assert "nowhere in the chain" in (await verdict(services, head=last)).faults[0]


async def test_a_detached_month_keeps_its_links(services: Services):
    await services.db.execute("SELECT ensure_partitions('audit_log', '2020-01-01', '2020-01-01')")
    await services.db.execute(
        "INSERT INTO audit_log (id, actor, action, object_type, created_at) VALUES (gen_random_uuid(), 'x', 'x.y', 'x', '2020-01-15')"
    )
    await write(services, 2)
    await audit_chain.seal(services)
    await services.db.execute("ALTER TABLE audit_log DETACH PARTITION audit_log_202001")
    found = await verdict(services)
    assert (found.links, found.archived, found.faults) == (3, 1, [])


async def test_rows_of_the_default_partition_move_and_stay_linked(services: Services):
    await services.db.execute(
        "INSERT INTO audit_log (id, actor, action, object_type, created_at) VALUES (gen_random_uuid(), 'x', 'x.y', 'x', '2019-05-15')"
    )
    await audit_chain.seal(services)
    await services.db.execute("SELECT ensure_partitions('audit_log', '2019-05-01', '2019-05-01')")
    assert await services.db.fetchval("SELECT count(*) FROM audit_log_201905") == 1
    assert await audit_chain.seal(services) == 0
    assert (await verdict(services)).faults == []


async def test_the_command_tells_and_its_exit_code_says(services: Services):
    await write(services, 2)
    await audit_chain.seal(services)
    names = ("database_url", "redis_url", "clickhouse_url", "secret_key", "meta_app_secret", "meta_verify_token")
    secrets = {f"HUB_{name.upper()}": getattr(services.settings, name).get_secret_value() for name in names}

    def hub(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hub_api", "audit", *arguments]
        return subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, timeout=60)

    good = hub("verify", "--json")
    assert good.returncode == 0, good.stderr
    told = json.loads(good.stdout)
    assert (told["links"], told["faults"]) == (2, [])
    assert hub("key").stdout.split()[0] == told["key_id"]
    await past_triggers(services, "UPDATE audit_log SET action = 'nothing.done' WHERE object_id = '0'")
    bad = hub("verify")
    assert bad.returncode == 1 and "NOT as it was written" in bad.stdout
    kept = await services.db.fetch("SELECT faults FROM audit_verifications ORDER BY requested_at")
    assert [len(row["faults"]) for row in kept] == [0, 1], "the console reads the newest, whoever asked"

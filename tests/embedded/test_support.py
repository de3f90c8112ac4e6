"""The engines that the other tests lean on."""

import asyncpg
import redis.asyncio as redis

from tests.support.postgres import Databases, EmbeddedPostgres
from tests.support.valkey import EmbeddedValkey


async def test_each_test_has_a_database_of_its_own(databases: Databases) -> None:
    first, second = databases.create(), databases.create()
    try:
        one, two = await asyncpg.connect(first), await asyncpg.connect(second)
        await one.execute("CREATE TABLE mine (id int)")
        assert await two.fetchval("SELECT to_regclass('mine')") is None
        await one.close()
        await two.close()
    finally:
        databases.drop(first)
        databases.drop(second)


async def test_the_embedded_postgresql_has_what_the_schema_needs(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    for extension in ("vector", "pg_trgm", "unaccent"):
        await connection.execute(f"CREATE EXTENSION {extension}")
    assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    assert (
        await connection.fetchval("SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
    )
    assert await connection.fetchval("SELECT lower('INSTALAÇÃO')") == "instalação"
    await connection.close()


async def test_a_killed_postgresql_starts_again_with_what_was_committed() -> None:
    with EmbeddedPostgres(durable=True) as server:
        connection = await asyncpg.connect(server.url())
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        server.kill9()
        server.start()
        connection = await asyncpg.connect(server.url())
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


async def test_a_wrong_password_is_refused_by_postgresql_and_valkey(database_url: str, redis_url: str) -> None:
    for url in (database_url.replace(":test@", ":wrong@"), database_url.replace(":test@", "@")):
        try:
            await asyncpg.connect(url)
        except asyncpg.InvalidPasswordError:
            continue
        raise AssertionError(f"connected with {url}")
    async with redis.from_url(redis_url.replace(":test@", ":wrong@")) as client:
        try:
            await client.ping()
        except redis.AuthenticationError:
            return
    raise AssertionError("Valkey let a wrong password in")


async def test_valkey_is_empty_for_each_test_and_keeps_its_data_when_durable(redis_url: str) -> None:
    async with redis.from_url(redis_url) as client:
        assert await client.dbsize() == 0
    with EmbeddedValkey(durable=True) as server:
        async with redis.from_url(server.url()) as client:
            await client.set("kept", "yes")
        server.restart()
        async with redis.from_url(server.url()) as client:
            assert await client.get("kept") == b"yes"

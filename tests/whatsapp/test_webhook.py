"""The door itself: handshake, signatures, limits, slow senders, commits, and what happens when PostgreSQL goes away."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable

import pytest
import structlog

from hub_api.platform.queue import bell_key
from hub_api.platform.services import Services, open_services
from hub_api.whatsapp import webhook as door
from hub_api.whatsapp.inbox import Inbox, NotStored
from tests.support.hub import SECRET, fixture, make_settings, signed
from tests.support.postgres import Databases, EmbeddedPostgres
from tests.support.waiting import eventually
from tests.whatsapp.gateway import Gateway, refused, running_gateway, text, text_body


@pytest.fixture
async def services(database_url: str, redis_url: str) -> AsyncIterator[Services]:
    settings = make_settings(
        database_url, redis_url, meta_app_secret_previous="older-secret", webhook_read_timeout_s=1.0
    )
    async with open_services(settings, lambda events: (), "test") as opened:
        yield opened


@pytest.fixture
async def gateway(services: Services) -> AsyncIterator[Gateway]:
    async with running_gateway(services) as running:
        yield running


# --- handshake


async def test_the_handshake_echoes_the_challenge_as_plain_text_when_the_token_is_ours(gateway: Gateway):
    query = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": "test-verify-token"}
    async with gateway.session.get(gateway.url, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "1158201444")
        assert answer.content_type == "text/plain"


async def test_the_handshake_is_refused_without_mode_and_token(gateway: Gateway):
    queries: list[dict[str, str]] = [
        {},
        {"hub.mode": "subscribe", "hub.challenge": "1"},
        {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "wrong"},
        {"hub.mode": "unsubscribe", "hub.challenge": "1", "hub.verify_token": "test-verify-token"},
        {"hub_mode": "subscribe", "hub_challenge": "1", "hub_verify_token": "test-verify-token"},
    ]
    before = refused("handshake")
    for query in queries:
        async with gateway.session.get(gateway.url, params=query) as answer:
            assert answer.status == 403, query
    assert refused("handshake") == before + len(queries)


async def test_other_methods_are_told_which_ones_work(gateway: Gateway):
    async with gateway.session.put(gateway.url, data=b"x") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


# --- signatures


async def test_a_signed_webhook_is_in_postgresql_as_it_came_when_200_is_answered(gateway: Gateway):
    raw = json.dumps(fixture("text.json"), ensure_ascii=True).replace("/", "\\/").encode()
    assert await gateway.post(raw) == 200
    assert await gateway.services.db.fetchval("SELECT body FROM webhook_event") == raw


async def test_the_previous_secret_is_accepted_while_secrets_rotate(gateway: Gateway):
    assert (await gateway.send(**signed("text.json", secret="older-secret")))[0] == 200
    assert await gateway.stored() == 1


def forged() -> dict[str, dict[str, object]]:
    """Deliveries that nobody with our secret made."""
    good = signed("text.json")
    raw, signature = good["data"], good["headers"]["X-Hub-Signature-256"]
    reencoded = json.dumps(json.loads(raw), ensure_ascii=False, separators=(",", ":")).encode()
    sha1 = hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()

    def by(value: str | None, data: bytes = raw) -> dict[str, object]:
        return {"data": data, "headers": {"X-Hub-Signature-256": value} if value is not None else {}}

    return {
        "missing": by(None),
        "empty": by(""),
        "of another secret": signed("text.json", secret="guessed"),
        "truncated": by(signature[:-1]),
        "without its prefix": by(signature.removeprefix("sha256=")),
        "upper case": by(signature.upper()),
        "with a suffix": by(signature + "00"),
        "over a changed body": by(signature, raw.replace(b"internet", b"Internet")),
        "over re-encoded JSON": by(signature, reencoded),
        "SHA-1": {"data": raw, "headers": {"X-Hub-Signature": f"sha1={sha1}"}},
        "not ASCII": by("sha256=é" + signature[8:]),
    }


async def test_a_signature_that_does_not_fit_is_refused_with_401_and_leaves_no_row(gateway: Gateway):
    before = refused("no_signature") + refused("bad_signature")
    for kind, arguments in forged().items():
        status, headers, body = await gateway.send(**arguments)
        assert (status, headers["Content-Type"]) == (401, "application/problem+json"), kind
        assert json.loads(body)["code"] in ("no_signature", "bad_signature"), kind
    assert refused("no_signature") + refused("bad_signature") == before + len(forged())
    assert await gateway.stored() == 0


async def test_a_refusal_leaves_one_log_line_with_its_reason_and_no_body(gateway: Gateway):
    with structlog.testing.capture_logs() as lines:
        await gateway.send(**forged()["over a changed body"])
    assert [(line["event"], line["reason"], line["status"]) for line in lines] == [
        ("webhook_refused", "bad_signature", 401)
    ]
    assert "Internet" not in str(lines)


# --- content is none of the door's business


async def test_signed_bodies_of_any_content_are_stored_and_acknowledged(gateway: Gateway):
    bodies = [b"", b"hello", b"<xml/>", b"[]", b'{"object":"page","entry":[]}', b"\xff\xfe\x00", b'{"object":']
    for raw in bodies:
        assert await gateway.post(raw) == 200, raw
    rows = await gateway.services.db.fetch("SELECT body FROM webhook_event ORDER BY id")
    assert [row["body"] for row in rows] == bodies


async def test_a_compressed_body_is_refused_since_meta_signs_what_it_sends(gateway: Gateway):
    post = signed("text.json")
    post["headers"]["Content-Encoding"] = "gzip"
    status, headers, _ = await gateway.send(**post)
    assert (status, headers["Connection"]) == (415, "close")
    assert await gateway.stored() == 0


# --- limits


async def speak(port: int, *chunks: bytes, pause_s: float = 0.0) -> bytes:
    """What a raw connection answers while `chunks` are sent, up to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    try:
        for chunk in chunks:
            if answer.done():
                break  # cut off: what an open connection would do, speak on, is of no use
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await asyncio.wait_for(answer, 10)
    except ConnectionError:  # cut while we were still speaking
        return b""
    finally:
        writer.close()
        await asyncio.gather(answer, return_exceptions=True)


def head(*lines: str) -> bytes:
    """The head of a signed POST."""
    given = ["POST /webhooks/whatsapp HTTP/1.1", "Host: x", "X-Hub-Signature-256: sha256=" + 64 * "0", *lines]
    return ("\r\n".join(given) + "\r\n\r\n").encode()


async def test_three_megabytes_are_stored_whole(gateway: Gateway):
    raw = b" " * door.MAX_BODY_BYTES
    assert await gateway.post(raw) == 200
    assert await gateway.services.db.fetchval("SELECT octet_length(body) FROM webhook_event") == len(raw)


async def test_a_declared_length_above_three_megabytes_is_answered_before_anything_is_read(gateway: Gateway):
    answer = await speak(gateway.port, head(f"Content-Length: {door.MAX_BODY_BYTES + 1}"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


async def test_a_chunked_body_is_cut_at_three_megabytes_and_one_byte(gateway: Gateway):
    chunk = b"%x\r\n%s\r\n" % (64 * 1024, b"x" * 64 * 1024)
    before = refused("too_large")
    await speak(gateway.port, head("Transfer-Encoding: chunked"), *[chunk] * 48, b"1\r\nx\r\n", *[chunk] * 1000)
    assert refused("too_large") == before + 1
    assert await gateway.stored() == 0


async def test_a_body_that_dribbles_in_is_cut_off_with_408(gateway: Gateway):
    before = refused("too_slow")
    answer = await speak(gateway.port, head("Content-Length: 100"), *[b"x"] * 30, pause_s=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert refused("too_slow") == before + 1


async def test_a_head_that_dribbles_in_is_cut_off(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub_api.platform.http_server.HEAD_TIMEOUT_S", 0.4)
    slow: dict[str, list[bytes]] = {
        "silence": [],
        "half a line": [b"POST /webhooks"],
        "a header a tenth of a second": [b"POST /webhooks/whatsapp HTTP/1.1\r\n", *[b"X-Drop: 1\r\n"] * 300],
        "dribbling on a kept connection": [head("Content-Length: 0"), b"POST /again", *[b"x"] * 300],
    }
    for kind, chunks in slow.items():
        started = asyncio.get_running_loop().time()
        await speak(gateway.port, *chunks, pause_s=0.1)
        assert 0.3 < asyncio.get_running_loop().time() - started < 10, kind


async def test_a_head_without_end_is_cut_off_before_it_fills_the_memory(gateway: Gateway):
    endless = [b"X-More: " + b"x" * 8000 + b"\r\n"] * 10_000
    assert await speak(gateway.port, b"POST / HTTP/1.1\r\n", *endless) == b""


async def test_good_traffic_is_served_while_hundreds_of_slow_senders_hold_connections(gateway: Gateway):
    slow = [asyncio.create_task(speak(gateway.port, head("Content-Length: 100"), b"x")) for _ in range(300)]
    await asyncio.sleep(0.2)
    started = asyncio.get_running_loop().time()
    assert [await gateway.post("text.json") for _ in range(20)] == [200] * 20
    assert asyncio.get_running_loop().time() - started < 10, "one after the other they would hold it for minutes"
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in await asyncio.gather(*slow))


async def test_a_sender_that_hangs_up_in_the_middle_is_counted_and_stores_nothing(gateway: Gateway):
    before = refused("disconnected")
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(head("Content-Length: 100") + b"x")
    await writer.drain()
    writer.close()
    await eventually(lambda: refused("disconnected") == before + 1)
    assert await gateway.stored() == 0


async def test_bodies_held_in_memory_are_bounded(gateway: Gateway, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(door, "MAX_HELD_BYTES", 100_000)
    status, headers, _ = await gateway.send(**signed(b"x" * 200_000))
    assert (status, headers["Retry-After"]) == (503, "2")
    assert await gateway.post(b"x" * 50_000) == 200, "what was refused is no longer held"


# --- group commit


async def test_hundreds_at_once_share_commits_and_are_all_stored(gateway: Gateway):
    answers = await asyncio.gather(*(gateway.post(text_body(text(f"wamid.{n}"))) for n in range(400)))
    assert set(answers) == {200}
    assert await gateway.stored() == 400
    commits = await gateway.services.db.fetchval("SELECT count(DISTINCT xmin::text) FROM webhook_event")
    assert commits < 200, "each commit is shared by several requests"


async def test_a_webhook_that_postgresql_refuses_fails_alone_in_its_batch(services: Services):
    await services.db.execute(r"ALTER TABLE webhook_event ADD CHECK (position('\x706f69736f6e' IN body) = 0)")
    async with Inbox(services) as inbox:
        bodies = [b"poison" if n in (3, 250, 499) else b"body %d" % n for n in range(500)]
        outcomes = await asyncio.gather(*map(inbox.store, bodies), return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, NotStored)]
    assert failed == [3, 250, 499]
    assert await services.db.fetchval("SELECT count(*) FROM webhook_event") == 497


async def test_the_splitter_is_rung_once_for_many_commits(gateway: Gateway):
    await asyncio.gather(*(gateway.post("text.json") for _ in range(50)))
    key = bell_key("whatsapp.jobs.split_inbox", ())
    await eventually(lambda: gateway.services.redis.exists(key))
    await eventually(lambda: gateway.services.redis.llen("rq:queue:inbound"))
    assert await gateway.services.redis.llen("rq:queue:inbound") == 1


async def test_above_the_queue_limit_requests_are_refused_and_the_queue_recovers(database_url: str, redis_url: str):
    settings = make_settings(database_url, redis_url, inbox_queue_limit=20)
    async with open_services(settings, lambda events: (), "test") as services, running_gateway(services) as gateway:
        async with services.db.acquire() as db, db.transaction():
            await db.execute("LOCK TABLE webhook_event IN SHARE MODE")  # COPY waits for us
            blocked = "SELECT count(*) FROM pg_locks WHERE relation = 'webhook_event'::regclass AND NOT granted"
            posts = []
            for writers in (1, 2):
                posts.append(asyncio.create_task(gateway.post("text.json")))
                await eventually(lambda writers=writers: _equals(db.fetchval(blocked), writers))
            posts += [asyncio.create_task(gateway.post("text.json")) for _ in range(30)]
            await eventually(lambda: sum(post.done() for post in posts) == 10)
            status, headers, _ = await gateway.send(**signed("text.json"))
            assert (status, headers["Retry-After"]) == (503, "2")
        answers = await asyncio.gather(*posts)
        assert (answers.count(200), answers.count(503), await gateway.stored()) == (22, 10, 22)
        assert await gateway.post("text.json") == 200


async def test_what_waits_is_committed_before_the_inbox_closes(services: Services):
    async with Inbox(services) as inbox:
        stores = [asyncio.create_task(inbox.store(b"%d" % n)) for n in range(1200)]
        await asyncio.sleep(0)
    ids = await asyncio.gather(*stores)
    assert await services.db.fetchval("SELECT count(*) FROM webhook_event WHERE id = ANY($1)", ids) == 1200
    with pytest.raises(NotStored):
        await inbox.store(b"late")


# --- PostgreSQL goes and comes


async def test_a_lost_connection_costs_no_delivery(gateway: Gateway):
    for _ in range(3):
        kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'hub-inbox'"
        assert await gateway.services.db.fetchval(kill) >= 1
        assert await asyncio.gather(*(gateway.post("text.json") for _ in range(5))) == [200] * 5
    assert await gateway.stored() == 15


async def test_while_postgresql_is_stopped_webhooks_get_503_and_it_works_again_at_once(redis_url: str):
    with EmbeddedPostgres(durable=True) as server:
        settings = make_settings(Databases(server.url()).create(), redis_url)
        async with open_services(settings, lambda events: (), "test") as services, running_gateway(services) as gateway:
            accepted = 0

            async def deliver() -> int:
                nonlocal accepted
                status, headers, _ = await gateway.send(**signed("text.json"))
                accepted += status == 200
                assert status == 200 or (status == 503 and headers["Retry-After"])
                return status

            assert await deliver() == 200
            await asyncio.to_thread(server.stop)
            assert set(await asyncio.gather(*(deliver() for _ in range(20)))) == {503}
            await asyncio.to_thread(server.start)
            await eventually(lambda: _is_accepted(deliver()))
            assert await gateway.stored() == accepted


async def test_a_hanging_postgresql_is_given_up_after_a_few_seconds(redis_url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("hub_api.whatsapp.inbox.COMMIT_TIMEOUT_S", 0.5)
    monkeypatch.setattr("hub_api.whatsapp.inbox.CONNECT_TIMEOUT_S", 0.5)
    with EmbeddedPostgres() as server:
        settings = make_settings(Databases(server.url()).create(), redis_url)
        async with open_services(settings, lambda events: (), "test") as services, running_gateway(services) as gateway:
            server.pause()
            try:
                assert set(await asyncio.gather(*(gateway.post("text.json") for _ in range(10)))) == {503}
            finally:
                server.resume()
            await eventually(lambda: _is_accepted(gateway.post("text.json")))


async def _is_accepted(delivery: Awaitable[int]) -> bool:
    return await delivery == 200


async def _equals(value: Awaitable[object], expected: object) -> bool:
    return await value == expected

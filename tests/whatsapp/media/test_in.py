"""Files of customers: fetched at once, checked, kept whole or not at all, whatever the media host does."""

import base64
import hashlib

import pytest
from aiohttp import web

from hub_api.platform.outbound import AddressRefused
from hub_api.whatsapp.media.fetcher import open_fetcher
from tests.support.hub import signed
from tests.whatsapp.media.conftest import Desk

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + bytes(2_000)).decode()


async def test_a_photo_is_kept_and_shown_with_its_message(desk: Desk):
    await desk.receive("image", base64=PNG, caption="meu modem")
    assert (await desk.media())["state"] == "pending"
    await desk.fetch()
    media = await desk.media()
    content = base64.b64decode(PNG)
    assert (media["state"], media["size_bytes"], media["mime_type"]) == ("stored", len(content), "image/png")
    assert bytes(media["sha256"]) == hashlib.sha256(content).digest()
    (shown,) = [message for message in await desk.shown() if message["direction"] == "in"]
    assert [(file["id"], file["state"]) for file in shown["media"]] == [(str(media["id"]), "stored")]
    status, body, headers = await desk.read(await desk.link(media["id"]))
    assert (status, body, headers["Content-Type"]) == (200, content, "image/png")
    assert desk.files() == ["content"]
    assert media["sha256"].hex() in str(next(path for path in desk.folder.rglob("*") if path.is_file()))


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document", "sticker"])
async def test_every_kind_is_kept(desk: Desk, kind: str):
    await desk.receive(kind)
    await desk.fetch()
    media = await desk.media()
    assert (media["kind"], media["state"], media["reason"]) == (kind, "stored", None)


async def test_a_redelivered_message_is_one_file(desk: Desk):
    await desk.receive("image")
    body = bytes(await desk.hub.fetchval("SELECT body FROM webhook_event"))
    await desk.hub.post("/webhooks/whatsapp", **signed(body))
    await desk.hub.settled()
    await desk.fetch()
    assert await desk.hub.fetchval("SELECT count(*) FROM media") == 1
    assert desk.sim.core.events["media_downloads"] == 1


async def test_what_the_channel_could_not_fetch_is_not_asked_for(desk: Desk):
    await desk.receive("video", errors=[131052])
    await desk.fetch()
    media = await desk.media()
    assert (media["state"], media["reason"]) == ("failed", "channel_error_131052")
    assert desk.sim.core.events["media_downloads"] == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "gone"}, "media_host_404"),
        ({"kind": "wrong_content"}, "sha256_mismatch"),
        ({"kind": "truncated"}, "media_host_away"),
        ({"kind": "http", "status": 500}, "meta_unreachable"),
        ({"kind": "foreign_url", "url": "http://169.254.169.254/latest"}, "foreign_host"),
    ],
)
async def test_a_failed_attempt_leaves_nothing_and_the_next_one_asks_for_a_new_address(desk: Desk, fault, reason):
    await desk.faults({**fault, "times": 1})
    await desk.receive("image", base64=PNG)
    await desk.fetch()
    media = await desk.media()
    assert (media["state"], media["reason"], media["attempts"]) == ("pending", reason, 1)
    assert desk.files() == []
    assert await desk.hub.fetchval("SELECT next_at > now() FROM media")
    await desk.again()
    assert ((await desk.media())["state"], desk.files()) == ("stored", ["content"])


async def test_other_bytes_than_announced_are_never_kept(desk: Desk):
    await desk.faults({"kind": "wrong_content"})
    await desk.receive("image", base64=PNG)
    await desk.fetch()
    for _ in range(4):
        await desk.again()
    media = await desk.media()
    assert (media["state"], media["reason"], media["attempts"]) == ("failed", "sha256_mismatch", 5)
    assert desk.files() == []


async def test_neither_the_token_nor_a_call_goes_to_a_foreign_host(desk: Desk):
    asked: list[str] = []

    async def trap(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Authorization", ""))
        return web.Response(body=base64.b64decode(PNG))

    app = web.Application()
    app.add_routes([web.get("/{any:.*}", trap)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/x.png"
        await desk.faults({"kind": "foreign_redirect", "url": url})
        await desk.receive("image", base64=PNG)
        await desk.fetch()
    finally:
        await runner.cleanup()
    assert asked == []
    assert (await desk.media())["reason"] == "foreign_host"


async def test_after_seven_days_a_file_is_given_up(desk: Desk):
    await desk.faults({"kind": "gone"})
    await desk.receive("image")
    await desk.hub.fetch("UPDATE media SET expires_at = now() + interval '1 second'")
    await desk.fetch()
    media = await desk.media()
    assert (media["state"], media["reason"], media["next_at"]) == ("expired", "media_host_404", None)


@pytest.mark.parametrize(
    ("kind", "content", "declared", "reason"),
    [
        ("image", b"MZ\x90\x00" + bytes(64), "image/jpeg", "type_not_allowed"),
        ("document", b"MZ\x90\x00" + bytes(64), "application/pdf", "type_not_allowed"),
        ("document", b"<!DOCTYPE html><script>alert(1)</script>", "text/plain", "type_not_allowed"),
        ("document", b"\x89PNG\r\n\x1a\n" + bytes(64), "application/pdf", "type_mismatch"),
        ("audio", b"\x89PNG\r\n\x1a\n" + bytes(64), "audio/ogg", "type_not_allowed"),
    ],
)
async def test_a_file_that_is_not_what_it_says_is_not_kept(desk: Desk, kind, content, declared, reason):
    await desk.receive(kind, base64=base64.b64encode(content).decode(), mime_type=declared)
    await desk.fetch()
    media = await desk.media()
    assert (media["state"], media["reason"], desk.files()) == ("failed", reason, [])


async def test_a_file_over_the_limit_is_not_kept(opened):
    async with opened(media_max_bytes=1_000) as desk:
        await desk.receive("image", base64=PNG)
        await desk.fetch()
        media = await desk.media()
        assert (media["state"], media["reason"], desk.files()) == ("failed", "too_large", [])


async def test_a_slow_media_host_holds_no_message_back(opened):
    async with opened(media_concurrency=1) as desk:
        await desk.faults({"kind": "slow", "seconds": 30})
        await desk.receive("image")
        from hub_api.platform.queue import REGISTRY

        await REGISTRY["whatsapp.media.jobs.fetch_due"].function(desk.hub.services)
        await desk.receive("document")
        assert await desk.hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'in'") == 2


async def test_what_a_dead_process_had_in_hand_comes_up_again(desk: Desk):
    await desk.receive("image", base64=PNG)
    from hub_api.whatsapp.media.fetcher import queries

    (held,) = await desk.hub.fetch(queries.claim_due, 10, 0.2)  # a process claims it and dies
    part = desk.folder / "incoming" / "dead.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(b"half")
    assert await desk.hub.fetch(queries.claim_due, 10, 0.2) == []
    from tests.support.waiting import eventually

    await eventually(lambda: _due(desk))
    await desk.fetch()
    media = await desk.media()
    assert (media["id"], media["state"], media["attempts"]) == (held["id"], "stored", 2)


async def _due(desk: Desk) -> bool:
    return await desk.hub.fetchval("SELECT next_at <= now() FROM media")


async def test_a_host_of_the_list_whose_name_leads_inside_is_not_connected_to(desk: Desk):
    fetcher = await desk.hub.services.shared(open_fetcher)
    with pytest.raises(AddressRefused):
        await fetcher.session.get("https://localhost/x.png")

"""Files of ours: checked before Meta sees them, uploaded once per number, sent by our id."""

import asyncio
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from hub_api.simulator.samples import sample_file
from tests.support.sending import Person, add_people, drain_all
from tests.whatsapp.media.conftest import Desk

PDF, PDF_TYPE = sample_file("document", None, None)
PNG, PNG_TYPE = sample_file("image", None, None)
OGG = sample_file("audio", None, None)[0]


async def upload(
    desk: Desk, content: bytes, mime_type: str, filename: str = "fatura.pdf", **headers: str
) -> tuple[int, dict[str, Any]]:
    form = aiohttp.FormData(quote_fields=False)  # as browsers write names
    form.add_field("file", content, content_type=mime_type, filename=filename)
    answer = await desk.hub.post("/api/v1/media", data=form, headers={**desk.hub.auth, **headers})
    return answer.status, await answer.json()


async def person(desk: Desk) -> Person:
    number = await desk.hub.fetchval("SELECT id FROM whatsapp_numbers")
    return (await add_people(desk.hub.services, number, 1))[0]


async def write(desk: Desk, to: Person, message: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any]]:
    path = f"/api/v1/conversations/{to.conversation_id}/messages"
    answer = await desk.hub.post(path, json=message, headers={**desk.hub.auth, **headers})
    return answer.status, await answer.json()


async def test_a_document_goes_out_by_our_id_and_to_meta_once(desk: Desk):
    to = await person(desk)
    status, file = await upload(desk, PDF, PDF_TYPE, "Fatura março.pdf")
    assert (status, file["kind"], file["state"], file["filename"]) == (201, "document", "stored", "Fatura março.pdf")
    assert not desk.sim.core.world.media
    for _ in "12":
        status, queued = await write(desk, to, {"type": "document", "document": {"id": file["id"]}})
        assert status == 202, queued
    await drain_all(desk.hub.services)
    (at_meta,) = desk.sim.core.world.media.values()
    assert (at_meta.content, at_meta.mime_type) == (PDF, PDF_TYPE)
    sent = [message for message in desk.sim.core.messages.values() if message.type == "document"]
    assert len(sent) == 2
    states = await desk.hub.fetch("SELECT state, payload FROM messages WHERE direction = 'out'")
    assert {row["payload"]["document"]["filename"] for row in states} == {"Fatura março.pdf"}
    conversation = f"/api/v1/conversations/{to.conversation_id}/messages"
    shown = (await (await desk.hub.get(conversation, headers=desk.hub.auth)).json())["items"]
    assert [message["media"][0]["id"] for message in shown] == [file["id"]] * 2


async def test_an_upload_repeated_with_its_key_keeps_one_file(desk: Desk):
    key = {"Idempotency-Key": "fatura-11"}
    answers = await asyncio.gather(*(upload(desk, PDF, PDF_TYPE, **key) for _ in range(3)))
    assert {status for status, _ in answers} == {201} and len({file["id"] for _, file in answers}) == 1
    assert await desk.hub.fetchval("SELECT count(*) FROM media") == 1
    for content, name in ((PNG, "fatura.pdf"), (PDF, "outra.pdf")):
        status, refused = await upload(desk, content, PNG_TYPE if content is PNG else PDF_TYPE, name, **key)
        assert (status, refused["code"]) == (409, "idempotency_key_reused")
    assert (await upload(desk, PDF, PDF_TYPE))[1]["id"] != answers[0][1]["id"], "without a key each is its own"


async def test_metas_id_is_renewed_before_it_dies(desk: Desk):
    to = await person(desk)
    _, file = await upload(desk, PNG, PNG_TYPE)
    message = {"type": "image", "image": {"id": file["id"]}}
    assert (await write(desk, to, message))[0] == 202
    await desk.hub.fetch("UPDATE media_uploads SET expires_at = now() + interval '1 day'")
    assert (await write(desk, to, message))[0] == 202
    assert len(desk.sim.core.world.media) == 2
    assert await desk.hub.fetchval("SELECT expires_at > now() + interval '29 days' FROM media_uploads")


@pytest.mark.parametrize(
    ("content", "mime_type", "said"),
    [
        (b"GIF89a" + bytes(64), "image/gif", "image/gif"),
        (b"MZ" + bytes(64), "application/pdf", "application/x-executable"),
        (PNG, "image/jpeg", "was called image/jpeg"),
        (b"\xff\xd8\xff" + bytes(5 * 1024 * 1024), "image/jpeg", "at most 5242880"),
        (OGG.replace(b"OpusHead\x01\x01", b"OpusHead\x01\x02"), "audio/ogg", "one channel"),
        (OGG.replace(b"OpusHead", b"\x01vorbis\x00"), "audio/ogg", "Opus"),
        (PNG[:24] + b"\x10" + PNG[25:], "image/png", "8 bits"),
        (b"", "application/pdf", "empty"),
    ],
)
async def test_what_meta_would_refuse_is_refused_here(desk: Desk, content, mime_type, said):
    status, problem = await upload(desk, content, mime_type)
    assert (status, problem["code"]) == (422, "file_refused"), problem
    assert said in problem["detail"] and problem["errors"][0]["field"].startswith("body.file")
    assert await desk.hub.fetchval("SELECT count(*) FROM media") == 0 and desk.files() == []


async def test_a_voice_message_in_opus_is_taken(desk: Desk):
    status, file = await upload(desk, OGG, "audio/ogg; codecs=opus", "voz.ogg")
    assert (status, file["kind"], file["mime_type"]) == (201, "audio", "audio/ogg")


async def test_a_file_of_another_kind_or_state_is_not_queued(desk: Desk):
    to = await person(desk)
    _, file = await upload(desk, PDF, PDF_TYPE)
    status, problem = await write(desk, to, {"type": "image", "image": {"id": file["id"]}})
    assert (status, problem["code"]) == (422, "file_refused")
    await desk.hub.fetch("UPDATE media SET state = 'infected' WHERE id = $1", UUID(file["id"]))
    status, problem = await write(desk, to, {"type": "document", "document": {"id": file["id"]}})
    assert (status, problem["code"]) == (409, "media_not_sendable")
    assert await desk.hub.fetchval("SELECT count(*) FROM messages") == 0


async def test_a_body_without_length_or_too_large_is_not_read(desk: Desk):
    async def endless():
        while True:
            yield b"x" * 65536

    async with desk.hub.session.post(f"{desk.hub.url}/api/v1/media", data=endless(), headers=desk.hub.auth) as answer:
        assert (answer.status, (await answer.json())["code"]) == (413, "too_large")

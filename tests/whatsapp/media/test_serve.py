"""Reading files: by a link that ends, in ranges, and never as something that runs in our origin."""

import base64
import time
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub_api.auth.api_keys import create_key
from hub_api.platform.ids import uuid7
from hub_api.whatsapp.media.check import safe_filename
from hub_api.whatsapp.media.link import make_link
from hub_api.whatsapp.media.serve import BadRange, Span, disposition, span_of
from tests.auth.people import add_person, add_team
from tests.whatsapp.media.conftest import Desk

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40


async def pdf(desk: Desk, **content) -> UUID:
    await desk.receive("document", base64=base64.b64encode(PDF).decode(), **content)
    await desk.fetch()
    return (await desk.media())["id"]


async def test_a_link_gives_the_file_safely(desk: Desk):
    media_id = await pdf(desk, filename="../../etc/Currículo\u202e final.pdf")
    status, body, headers = await desk.read(await desk.link(media_id))
    assert (status, body) == (200, PDF)
    assert headers["Content-Disposition"].startswith("attachment; ")
    assert headers["Content-Disposition"].endswith("filename*=UTF-8''Curr%C3%ADculo%20final.pdf")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")


async def test_a_changed_or_ended_link_reads_nothing(desk: Desk):
    media_id = await pdf(desk)
    url = await desk.link(media_id)
    ended, _ = make_link(desk.hub.services.settings, media_id, "key", now=time.time() - 400)
    other = url.replace(str(media_id), str(uuid7()))
    for bad in (url.replace("for=key", "for=user"), url[:-1] + ("0" if url[-1] != "0" else "1"), other, ended):
        status, body, _ = await desk.read(bad)
        assert status == 403 and b"media_link_invalid" in body


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [("bytes=0-9", 206, 0, 10), ("bytes=100-", 206, 100, len(PDF)), ("bytes=-5", 206, len(PDF) - 5, len(PDF)),
     ("bytes=0-1,5-6", 200, 0, len(PDF)), ("lines=1-2", 200, 0, len(PDF))],
)  # fmt: skip
async def test_ranges(desk: Desk, asked, status, start, end):
    url = await desk.link(await pdf(desk))
    found, body, headers = await desk.read(url, Range=asked)
    assert (found, body) == (status, PDF[start:end])
    if status == 206:
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(PDF)}"
    assert (await desk.read(url, Range=f"bytes={len(PDF)}-"))[0] == 416


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\RG.jpg", "RG.jpg"),
        ("a\x00b\r\nc.pdf", "abc.pdf"),
        ("fatura\u202efdp.exe", "faturafdp.exe"),
        ("Currículo da Ana ção.pdf", "Currículo da Ana ção.pdf"),
        ("..", None),
        ("   ", None),
        (None, None),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ('a"b<c>.txt', "abc.txt"),
    ],
)
def test_names_lose_paths_and_tricks_and_keep_their_letters(given, kept):
    assert safe_filename(given) == kept


@given(name=st.text(max_size=400))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_name_leads_out_of_its_header_or_folder(name):
    kept = safe_filename(name)
    assert kept is None or (0 < len(kept) <= 120 and kept not in (".", "..") and safe_filename(kept) == kept)
    header = disposition(kept, inline=False)
    assert header.isascii() and header.isprintable() and header.count('"') in (0, 2)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(size=st.integers(1, 1_000), first=st.integers(0, 1_200), last=st.one_of(st.none(), st.integers(0, 1_200)))
def test_a_span_lies_within_the_file(size, first, last):
    header = f"bytes={first}-{'' if last is None else last}"
    try:
        span = span_of(header, size)
    except BadRange:
        assert first >= size
        return
    if span is None:
        assert last is not None and last < first
    else:
        assert span == Span(first, size if last is None else min(last + 1, size)) and span.start < span.end <= size


async def test_what_is_not_stored_is_not_served(desk: Desk):
    media_id = await pdf(desk)
    url = await desk.link(media_id)
    for state in ("infected", "scanning", "erased"):
        await desk.hub.fetch("UPDATE media SET state = $1, next_at = now()", state)
        status, body, _ = await desk.read(url)
        assert status == 409 and state.encode() in body


async def test_a_file_is_seen_by_who_sees_its_conversation(desk: Desk):
    media_id = await pdf(desk)
    ours, queue = await add_team(desk.hub, "nossa")
    other, _ = await add_team(desk.hub, "outra")
    await desk.hub.fetch("UPDATE conversations SET queue_id = (SELECT id FROM queues WHERE key = $1)", queue)
    seen = {}
    for team in (ours, other):
        agent = await add_person(desk.hub, "agent", team)
        path = f"{desk.hub.url}/api/v1/media/{media_id}"
        for method, url in (("POST", f"{path}/link"), ("GET", path)):
            async with desk.hub.session.request(method, url, headers=agent.headers) as answer:
                seen[team, method] = answer.status
    assert seen == {(ours, "POST"): 200, (ours, "GET"): 200, (other, "POST"): 404, (other, "GET"): 404}


async def test_a_link_needs_the_right_to_see_conversations(desk: Desk):
    media_id = await pdf(desk)
    key = await create_key(desk.hub.services.db, "writer", ["customers:read"])
    answer = await desk.hub.post(f"/api/v1/media/{media_id}/link", headers={"Authorization": f"Bearer {key}"})
    assert answer.status == 403
    missing = await desk.hub.post(f"/api/v1/media/{uuid7()}/link", headers=desk.hub.auth)
    assert missing.status == 404

"""Both stores keep the same promises: the folder, and a bucket of an S3 server; erasure empties them."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from hub_api.errors import NotFound
from hub_api.platform.s3 import BadBucket
from hub_api.whatsapp.media.erase import erase_media, expire_old, remove_freed
from hub_api.whatsapp.media.store import Store, make_store
from tests.support.hub import make_settings
from tests.support.process import free_port
from tests.whatsapp.media.conftest import Desk

CONTENT = bytes(range(256)) * 4_000
SHA256 = hashlib.sha256(CONTENT).digest()


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """HUB_MEDIA_URL of a bucket on an S3 server of this module's own."""
    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    endpoint = f"http://127.0.0.1:{server._port}"
    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    client.create_bucket(Bucket="media")
    yield f"s3://k:s@media/hub?endpoint={endpoint}&region=us-east-1"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    url = SecretStr(request.getfixturevalue("bucket")) if request.param == "s3" else None
    return make_store(make_settings("x", "x", media_dir=tmp_path / "media", media_url=url))


def spooled(tmp_path: Path) -> Path:
    file = tmp_path / "spooled"
    file.write_bytes(CONTENT)
    return file


async def read(store: Store, start: int = 0, end: int = len(CONTENT)) -> bytes:
    return b"".join([chunk async for chunk in store.read(SHA256, start, end)])


async def test_what_was_put_is_read_in_any_part(store: Store, tmp_path: Path):
    for _ in "12":
        await store.put(SHA256, spooled(tmp_path))
    assert await store.exists(SHA256)
    assert await read(store) == CONTENT
    assert await read(store, 1_000, 300_007) == CONTENT[1_000:300_007]
    assert not (tmp_path / "spooled").exists()
    await store.delete(SHA256)


async def test_quarantine_and_deletion_hide_it(store: Store, tmp_path: Path):
    await store.put(SHA256, spooled(tmp_path))
    await store.quarantine(SHA256)
    assert not await store.exists(SHA256)
    with pytest.raises(NotFound):
        await read(store)
    await store.put(SHA256, spooled(tmp_path))
    for _ in "12":
        await store.delete(SHA256)
        await store.quarantine(SHA256)
    assert not await store.exists(SHA256)


@pytest.mark.parametrize("url", ["https://x/y", "s3://", "s3://bucket?path=1"])
def test_an_address_that_names_no_store_is_refused(url: str):
    with pytest.raises(BadBucket):
        make_store(make_settings("x", "x", media_url=url))


async def test_the_whole_way_through_s3(opened, bucket: str):
    async with opened(media_url=bucket) as desk:
        await desk.receive("document", base64=base64.b64encode(b"%PDF-1.4\n" + CONTENT).decode())
        await desk.fetch()
        media = await desk.media()
        assert media["state"] == "stored" and desk.files() == []
        status, body, _ = await desk.read(await desk.link(media["id"]), Range="bytes=9-508")
        assert (status, body) == (206, CONTENT[:500])


async def customer(desk: Desk) -> UUID:
    return await desk.hub.fetchval("SELECT id FROM customers")


async def test_erasing_a_person_leaves_no_bytes_and_no_names(desk: Desk):
    await desk.receive("document", filename="RG da Ana.pdf")
    await desk.fetch()
    media = await desk.media()
    assert desk.files() == ["content"]
    assert await erase_media(desk.hub.services, await customer(desk)) == 1
    media = await desk.media()
    assert (media["state"], media["filename"], media["meta_id"], media["sha256"]) == ("erased", None, None, None)
    assert desk.files() == []


async def test_content_that_another_file_has_stays(desk: Desk):
    for _ in "12":
        await desk.receive("document")
    await desk.fetch()
    first, second = [row["id"] for row in await desk.hub.fetch("SELECT id FROM media ORDER BY id")]
    await desk.hub.fetch("UPDATE media SET created_at = now() - interval '400 days' WHERE id = $1", first)
    assert await expire_old(desk.hub.services) == 1
    assert await remove_freed(desk.hub.services) == 0
    assert (await desk.read(await desk.link(second)))[0] == 200
    await desk.hub.fetch("UPDATE media SET created_at = now() - interval '400 days'")
    await expire_old(desk.hub.services)
    assert (await remove_freed(desk.hub.services), desk.files()) == (1, [])


async def test_a_file_erased_while_it_was_fetched_is_not_kept(desk: Desk):
    await desk.faults({"kind": "slow", "seconds": 1, "times": 1})
    await desk.receive("document")
    fetching = asyncio.create_task(desk.fetch())
    while await desk.hub.fetchval("SELECT attempts FROM media") == 0:
        await asyncio.sleep(0.01)
    await erase_media(desk.hub.services, await customer(desk))
    await fetching
    assert (await desk.media())["state"] == "erased"
    await remove_freed(desk.hub.services)
    assert desk.files() == []

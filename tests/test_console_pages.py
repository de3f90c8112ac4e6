"""The console as the API serves it: its policy, its caches, addresses that lead into it and none that leads out of its folder."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub_api import console_pages
from hub_api.embedded.parts import select_parts
from hub_api.embedded.supervisor import Part
from hub_api.settings import Settings
from tests.support.hub import Hub, make_settings, running_hub


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A build of three files instead of npm's, and a secret beside it."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    page = '<base href="{base}"><meta property="csp-nonce" nonce="{nonce}"><script src="./assets/app-1.js"></script>'
    (dist / "index.html").write_text(page)
    (dist / "assets" / "app-1.js").write_text("let a")
    (dist / "assets" / "app-1.js.br").write_bytes(b"packed")
    (dist / "manifest.webmanifest").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    monkeypatch.setattr(console_pages, "DIST", dist)
    for kept in (console_pages._files, console_pages._template):
        kept.cache_clear()
    yield dist
    for kept in (console_pages._files, console_pages._template):
        kept.cache_clear()


async def test_every_address_of_the_console_is_its_page_with_a_base_that_leads_there(built: Path, hub: Hub):
    nonces = set()
    for address, base in (("", "./"), ("mine", "./"), ("mine/0199", "../"), ("a/b/c", "../../"), ("index.html", "./")):
        async with hub.session.get(f"{hub.url}/console/{address}") as answer:
            page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert answer.status == 200 and answer.content_type == "text/html" and f'<base href="{base}">' in page
        assert answer.headers["Cache-Control"] == "no-store"
        nonce = re.search(r'nonce="([\w-]+)"', page)[1]
        nonces.add(nonce)
        assert f"style-src 'self' 'nonce-{nonce}';" in policy and "script-src 'self';" in policy
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert len(nonces) == 5
    async with hub.session.get(f"{hub.url}/console", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, "console/")


async def test_assets_are_kept_for_ever_and_packed_for_who_takes_it(built: Path, hub: Hub):
    for accepted, body, encoding in (("br, gzip", b"packed", "br"), ("gzip", b"let a", None), ("", b"let a", None)):
        request = hub.session.get(
            f"{hub.url}/console/assets/app-1.js", headers={"Accept-Encoding": accepted}, auto_decompress=False
        )
        async with request as answer:
            assert await answer.read() == body and answer.headers.get("Content-Encoding") == encoding
        assert answer.content_type == "text/javascript" and "immutable" in answer.headers["Cache-Control"]
        assert "nonce" not in answer.headers["Content-Security-Policy"] and answer.headers["Vary"] == "Accept-Encoding"
    async with hub.session.get(f"{hub.url}/console/manifest.webmanifest") as answer:
        assert answer.content_type == "application/manifest+json" and answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["../secret.txt", "%2e%2e/secret.txt", "assets/none-2.js", "..%2fsecret.txt", "x\\..\\y.txt"]
)
async def test_nothing_beside_the_build_is_served(built: Path, hub: Hub, path: str):
    from yarl import URL

    async with hub.session.get(URL(f"{hub.url}/console/{path}", encoded=True)) as answer:
        assert answer.status == 404 and "secret" not in (await answer.text()).replace("secret.txt", "")


async def test_a_hub_without_the_console_has_no_such_page(built: Path, database_url: str, redis_url: str):
    async with running_hub(make_settings(database_url, redis_url, console=False)) as hub:
        assert (await hub.get("/console/")).status == 404


async def test_a_console_that_is_not_built_says_so(built: Path, hub: Hub):
    (built / "index.html").unlink()
    console_pages._files.cache_clear()
    answer = await hub.get("/console/")
    assert answer.status == 404 and "make install" in (await answer.json())["detail"]


def test_a_stack_without_the_console_still_has_its_api(settings: Settings):
    parts = [Part(name, lambda: [], None) for name in ("postgres", "api")]
    assert [part.name for part in select_parts(parts, (), ("console",))] == ["postgres", "api"]
    assert [part.name for part in select_parts(parts, ("console",), ())] == ["api"]

"""Short links: they lead to kept targets only, are personal, count people once and programs never, and end."""

from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.campaigns.links import codes, targets
from hub_api.campaigns.links.visitors import is_program
from hub_api.errors import Invalid
from hub_api.settings import Settings
from tests.campaigns.conftest import SHOP, Person, add_person, api
from tests.support.hub import Hub, make_settings

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14; SM-A146M) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"}
PREVIEW = {"User-Agent": "WhatsApp/2.24.8.78 A"}


@asynccontextmanager
async def opening(hub: Hub, path: str, method: str = "GET", **arguments: Any) -> Iterator[aiohttp.ClientResponse]:
    """The answer itself: no redirect is followed, no cookie kept."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.request(method, hub.url + path, allow_redirects=False, **arguments) as answer,
    ):
        await answer.read()
        yield answer


async def made(
    hub: Hub, url: str = f"{SHOP}/fibra?hub={{click}}", *people: Person, **fields: Any
) -> tuple[str, list[str]]:
    """A target, and the code of each of these people."""
    status, link = await api(hub, "POST", "/links", json={"name": "Fibra", "url": url, **fields})
    assert status == 201, link
    async with hub.services.transaction() as tx:
        given_out = await codes.issue(tx, hub.services.settings, UUID(link["id"]), {one.id: "b" for one in people})
    return link["id"], [given_out[one.id] for one in people]


async def figures(hub: Hub, link_id: str) -> tuple[int, int, int]:
    _, link = await api(hub, "GET", f"/links/{link_id}")
    return link["people"], link["clicked"], link["clicks"]


async def test_a_click_leads_to_the_target_with_the_code_and_each_is_told(hub: Hub) -> None:
    ana, bia = await add_person(hub), await add_person(hub, "+5511987654322")
    link, (code, other) = await made(hub, f"{SHOP}/fibra?hub={{click}}", ana, bia)
    assert code != other and len(code) == codes.LENGTH and code.isalnum()
    for _ in range(3):
        async with opening(hub, f"/l/{code}", headers=PHONE) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, f"{SHOP}/fibra?hub={code}")
            assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers
    assert await figures(hub, link) == (2, 1, 3)
    told = await hub.fetch("SELECT aggregate_version, payload FROM events WHERE type = 'link.clicked' ORDER BY seq")
    assert [row["aggregate_version"] for row in told] == [1, 2, 3]
    expected = {"customer_id": str(ana.id), "target_id": link, "campaign_id": None, "variant": "b", "message_id": None}
    assert told[0]["payload"] == expected
    stored = await hub.fetchval("SELECT string_agg(t::text, '') FROM tracked_links t")
    assert code not in stored, "a code is known by its hash"


async def test_programs_that_look_ahead_are_led_on_and_not_counted(hub: Hub) -> None:
    link, [code] = await made(hub, f"{SHOP}/", await add_person(hub))
    for method, headers in (("GET", PREVIEW), ("HEAD", PHONE), ("GET", {**PHONE, "Sec-Purpose": "prefetch"})):
        async with opening(hub, f"/l/{code}", method, headers=headers) as answer:
            assert answer.status == 302
    assert await figures(hub, link) == (1, 0, 0)
    assert await hub.fetchval("SELECT previews FROM tracked_links") == 3
    assert await hub.fetchval("SELECT count(*) FROM events WHERE type = 'link.clicked'") == 0


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        ("WhatsApp/2.23.20.0 A", True),
        ("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", True),
        ("TelegramBot (like TwitterBot)", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("curl/8.5.0", True),
        ("", True),
        (PHONE["User-Agent"], False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1", False),
        ("Mozilla/5.0 (Linux; Android 13; Cubot P60) AppleWebKit/537.36 Chrome/119.0 Mobile Safari/537.36", False),
    ],
)  # fmt: skip
def test_programs_are_told_from_people_by_their_name(agent: str, program: bool) -> None:
    assert is_program("GET", {"user-agent": agent}) is program


@pytest.mark.parametrize(
    "url",
    [
        "http://loja.example.com/",
        "https://evil.example/",
        "https://loja.example.com.evil.example/",
        "https://evil.example/?x=loja.example.com",
        "https://loja.example.com@evil.example/",
        "https://user:pw@loja.example.com/",
        "https://loja.example.com:8443/",
        "https://telecom.example/",
        "https://xtelecom.example/",
        "https://loja.example.com\\@evil.example/",
        "https://loja.example.com/\r\nSet-Cookie: a=b",
        "https://loja.example.com/ü",
        "https://loja.example.com/{click}",
        "https://{click}.telecom.example/?{click}",
        "https://169.254.169.254/latest/meta-data",
        "javascript:alert(1)",
        "//loja.example.com/",
        "",
    ],
)
async def test_a_link_cannot_be_made_to_lead_elsewhere(hub: Hub, url: str) -> None:
    status, body = await api(hub, "POST", "/links", json={"name": "x", "url": url})
    assert (status, body["code"]) == (422, "invalid")


@given(st.text(max_size=80))
def test_whatever_is_allowed_has_an_allowed_host(rest: str) -> None:
    settings = make_settings("postgresql://x@127.0.0.1:1/x", "redis://127.0.0.1:1", link_hosts=("loja.example.com",))
    try:
        targets.check_url(settings, f"https://loja.example.com{rest}")
    except Invalid:
        return
    assert rest == "" or (rest[0] in "/?#.:" and "@" not in rest.partition("/")[0].partition("?")[0].partition("#")[0])


async def test_a_code_ends_by_time_by_the_list_of_hosts_and_by_being_put_away(hub: Hub, settings: Settings) -> None:
    link, [code] = await made(hub, f"{SHOP}/", await add_person(hub))

    async def leads() -> int:
        async with opening(hub, f"/l/{code}", headers=PHONE) as answer:
            return answer.status

    assert await leads() == 302
    await hub.fetch("UPDATE tracked_links SET expires_at = now()")
    assert await leads() == 404
    await hub.fetch("UPDATE tracked_links SET expires_at = now() + interval '1 day'")
    await hub.fetch("UPDATE link_targets SET url = 'https://before.example/'")
    assert await leads() == 404, "a host that is allowed no more"
    await hub.fetch("UPDATE link_targets SET url = $1", f"{SHOP}/")
    assert (await api(hub, "DELETE", f"/links/{link}"))[0] == 204
    assert await leads() == 404
    assert (await api(hub, "DELETE", f"/links/{link}"))[0] == 409


async def test_a_retry_gives_the_same_code_and_a_longer_life(hub: Hub) -> None:
    ana = await add_person(hub)
    link, [code] = await made(hub, f"{SHOP}/", ana)
    before = await hub.fetchval("SELECT expires_at FROM tracked_links")
    async with hub.services.transaction() as tx:
        again = await codes.issue(tx, hub.services.settings, UUID(link), {ana.id: "b"})
    assert again == {ana.id: code} and await hub.fetchval("SELECT count(*) FROM tracked_links") == 1
    assert await hub.fetchval("SELECT expires_at FROM tracked_links") >= before


async def test_guessers_are_stopped_and_see_a_page(hub: Hub) -> None:
    statuses = []
    for n in range(33):
        async with opening(hub, f"/l/{n:016d}", headers=PHONE) as answer:
            statuses.append(answer.status)
            page = await answer.text()
    assert statuses[:30] == [404] * 30 and statuses[-1] == 429
    for strange in ("a" * 17, "%00", "ünï", "..%2f..%2fapi"):
        async with opening(hub, f"/o/{strange}", headers=PHONE) as answer:
            assert answer.status in (404, 429)
    assert "urn:hub:problem" in page


async def test_links_leave_with_the_person_and_follow_a_merge(hub: Hub) -> None:
    from hub_api.chat.merge import merge
    from hub_api.chat.privacy import erase

    ana, same = await add_person(hub), await add_person(hub, "+5511987654322")
    _, codes_of = await made(hub, f"{SHOP}/", ana, same)
    async with hub.services.transaction() as tx:
        await merge(tx, ana.id, same.id, await tx.db.fetchval("SELECT now()"))
    assert {row["customer_id"] for row in await hub.fetch("SELECT customer_id FROM tracked_links")} == {ana.id}
    erasure = await erase.request(hub.services, "test", ana.id, "request")
    assert erasure and await hub.fetchval("SELECT count(*) FROM tracked_links") in (0, 2)
    await _erased(hub, erasure)
    assert await hub.fetchval("SELECT count(*) FROM tracked_links") == 0
    async with opening(hub, f"/l/{codes_of[0]}", headers=PHONE) as answer:
        assert answer.status == 404


async def _erased(hub: Hub, erasure: Any) -> None:
    """PostgreSQL's part of the erasure; this hub has no warehouse, so the rest waits."""
    from hub_api.chat.privacy import rows
    from hub_api.chat.privacy.marks import Marks

    row = await hub.services.db.fetchrow("SELECT id, customer_id, erased_at FROM erasures")
    async with hub.services.transaction() as tx:
        secret = hub.services.settings.secret_key.get_secret_value()
        await rows.erase_rows(tx, secret, row["id"], row["customer_id"], row["erased_at"], Marks())


async def test_the_page_of_an_opt_out_asks_and_its_button_ends_promotions_at_once(hub: Hub) -> None:
    ana = await add_person(hub)
    async with hub.services.transaction() as tx:
        code = (await codes.issue_opt_outs(tx, hub.services.settings, {ana.id: None}))[ana.id]
    async with opening(hub, f"/o/{code}", headers=PHONE) as answer:
        page = await answer.text()
        assert answer.status == 200 and "Parar de receber promoções?" in page and f"/o/{code}" in page
        assert "script" not in page and "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert await hub.fetchval("SELECT count(*) FROM consent_ledger") == 0, "looking at the page ends nothing"
    async with opening(hub, f"/o/{code}", headers={**PHONE, "Accept-Language": "en-US,en;q=0.9"}) as answer:
        assert "Stop receiving promotions?" in await answer.text()
    for _ in range(2):
        async with opening(hub, f"/o/{code}", "POST", data={"List-Unsubscribe": "One-Click"}) as answer:
            assert answer.status == 200 and "Pronto" in await answer.text()
    [proof] = await hub.fetch("SELECT scope, granted, source FROM consent_ledger")
    assert tuple(proof) == ("marketing", False, "link")
    assert await hub.fetchval("SELECT until IS NULL FROM suppressions WHERE customer_id = $1", ana.id)
    told = await hub.fetch("SELECT content FROM messages WHERE direction = 'out' AND customer_id = $1", ana.id)
    assert len(told) == 1 and told[0]["content"].startswith("Pronto!"), "confirmed once"
    async with opening(hub, f"/l/{code}", headers=PHONE) as answer:
        assert answer.status == 404, "a code opens what it was made for"


async def test_who_never_wrote_is_not_written_to_by_a_confirmation(hub: Hub) -> None:
    ana = await add_person(hub)
    await hub.fetch("UPDATE conversations SET last_customer_message_at = now() - interval '25 hours'")
    body = {"scope": "all", "granted": False}
    assert (await api(hub, "POST", f"/customers/{ana.id}/consents", json=body))[1] == {"new": True}
    assert await hub.fetchval("SELECT count(*) FROM messages WHERE direction = 'out'") == 0


async def test_an_opt_out_by_program_is_confirmed_in_the_open_window(hub: Hub) -> None:
    ana = await add_person(hub)
    for new in (True, True):
        body = {"scope": "marketing", "granted": False, "evidence": {"form": "site"}}
        assert (await api(hub, "POST", f"/customers/{ana.id}/consents", json=body))[1] == {"new": new}
    told = await hub.fetch("SELECT content FROM messages WHERE direction = 'out' AND customer_id = $1", ana.id)
    assert len(told) == 1

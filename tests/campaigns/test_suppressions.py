"""Suppression lists: hashed numbers that nothing is sent to, one by one or by file, with reasons and an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import FormData

from hub_api.campaigns.suppressions.match import match_new
from hub_api.chat import consent
from tests.campaigns.conftest import Person, add_person, api
from tests.support.hub import Hub


async def stopped(hub: Hub, person: Person) -> dict[str, str]:
    rows = await hub.fetch("SELECT scope, reason FROM suppressions WHERE customer_id = $1", person.id)
    return {row["scope"]: row["reason"] for row in rows}


async def put(hub: Hub, **fields: Any) -> dict[str, Any]:
    status, entry = await api(hub, "POST", "/suppressions", json={"reason": "complaint", **fields})
    assert status == 201, entry
    return entry


async def wish(hub: Hub, person: Person, *, granted: bool) -> None:
    async with hub.services.transaction() as tx:
        at = await tx.db.fetchval("SELECT clock_timestamp()")
        await consent.record(tx, person.id, "marketing", granted=granted, source="button", evidence={}, occurred_at=at)


async def test_a_number_is_kept_as_a_hash_and_stops_its_customer_at_once(hub: Hub) -> None:
    ana = await add_person(hub)
    entry = await put(hub, phone="(11) 98765-4321", list="procon")
    assert entry["customer_id"] == str(ana.id) and await stopped(hub, ana) == {"marketing": "suppression_list"}
    assert "98765" not in await hub.fetchval("SELECT string_agg(t::text, '') FROM suppression_entries t")
    for written in ("11 98765-4321", "011 98765-4321", "11987654321", "1187654321", "5511987654321"):
        assert (await put(hub, phone=written, list="procon"))["id"] == entry["id"], written
    bia = await add_person(hub, "+5511912345678")
    newer = await put(hub, phone="11 91234-5678", list="outra")
    assert newer["customer_id"] == str(bia.id), "a nine and a digit below six"
    assert (await api(hub, "DELETE", f"/suppressions/{newer['id']}"))[0] == 204
    again = await put(hub, phone="+5511987654321", list="procon", reason="legal", scope="all")
    assert (again["id"], again["reason"]) == (entry["id"], "legal"), "one entry a number and list"
    assert await stopped(hub, ana) == {"all": "suppression_list"}
    _, lists = await api(hub, "GET", "/suppressions/lists")
    assert [(one["list"], one["entries"], one["customers"]) for one in lists["items"]] == [("procon", 1, 1)]
    assert [dict(row) for row in await hub.fetch("SELECT customer_id, list, scope FROM suppressed_customers")] == [
        {"customer_id": ana.id, "list": "procon", "scope": "all"}
    ]
    assert (await api(hub, "DELETE", f"/suppressions/{entry['id']}"))[0] == 204
    assert await stopped(hub, ana) == {} and (await api(hub, "GET", f"/suppressions/{entry['id']}"))[0] == 404


async def test_neither_a_list_ends_an_opt_out_nor_an_opt_in_a_list(hub: Hub) -> None:
    ana = await add_person(hub)
    entry = await put(hub, customer_id=str(ana.id))
    await wish(hub, ana, granted=False)
    await api(hub, "DELETE", f"/suppressions/{entry['id']}")
    assert await stopped(hub, ana) == {"marketing": "button"}, "the list is gone, what the person said stays"
    entry = await put(hub, customer_id=str(ana.id))
    await wish(hub, ana, granted=True)
    assert await stopped(hub, ana) == {"marketing": "suppression_list"}, "the person came back, the list stays"
    await put(hub, customer_id=str(ana.id), list="judicial", reason="legal")
    await api(hub, "DELETE", f"/suppressions/{entry['id']}")
    assert await stopped(hub, ana) == {"marketing": "suppression_list"}, "another list has him still"


async def test_an_end_can_be_set_and_taken_away(hub: Hub) -> None:
    ana = await add_person(hub)
    until = datetime.now(UTC) + timedelta(days=3)
    entry = await put(hub, phone=ana.phone, until=until.isoformat())
    assert await hub.fetchval("SELECT until FROM suppressions") == until
    _, changed = await api(hub, "PATCH", f"/suppressions/{entry['id']}", json={"until": None})
    assert changed["until"] is None and await hub.fetchval("SELECT until FROM suppressions") is None
    await hub.fetch("UPDATE suppression_entries SET until = now()")
    assert (await api(hub, "GET", "/suppressions"))[1]["items"] == []
    assert len((await api(hub, "GET", "/suppressions?ended=true"))[1]["items"]) == 1
    assert await hub.fetchval("SELECT count(*) FROM suppressed_customers") == 0


async def test_a_file_is_read_line_by_line_with_a_report(hub: Hub) -> None:
    ana = await add_person(hub)
    lines = [
        "Telefone;Motivo;Escopo;Até",
        "(11) 98765-4321;Procon;tudo;31/12/2099",
        "11 98123-5678;;;",
        "11 98123-5678;falecido;;",
        "nada;;;",
        "11 98123-5679;porque sim;;",
        "11 98123-5670;;;01/01/2020",
        "só uma coluna",
    ]
    for written, unchanged in ((2, 1), (0, 3)):
        form = FormData()
        form.add_field("list", "procon")
        form.add_field("file", "\n".join(lines).encode("cp1252"), filename="lista.csv")
        status, report = await api(hub, "POST", "/suppressions/import", data=form)
        assert status == 200, report
        assert (report["received"], report["written"], report["unchanged"], report["rejected"]) == (
            7,
            written,
            unchanged,
            4,
        )
    assert [(one["position"], one["field"]) for one in report["errors"]] == [
        (5, "phone"), (6, "reason"), (7, "until"), (8, None),
    ]  # fmt: skip
    assert "98123" not in str(report)
    assert await stopped(hub, ana) == {"all": "suppression_list"}
    reasons = await hub.fetch("SELECT reason FROM suppression_entries ORDER BY reason")
    assert [row["reason"] for row in reasons] == ["complaint", "deceased"]
    form = FormData()
    form.add_field("file", b"nome\nana\n", filename="lista.csv")
    assert (await api(hub, "POST", "/suppressions/import", data=form))[0] == 422


async def test_a_customer_who_comes_later_is_found_on_the_list(hub: Hub) -> None:
    entry = await put(hub, phone="+5511955554444")
    assert entry["customer_id"] is None and await match_new(hub.services) == 0
    bia = await add_person(hub, "+5511955554444")
    await add_person(hub, "+5511955554445")
    assert await match_new(hub.services) == 1 and await match_new(hub.services) == 0
    assert await stopped(hub, bia) == {"marketing": "suppression_list"}


async def test_one_of_phone_and_customer_is_needed(hub: Hub) -> None:
    ana = await add_person(hub)
    for fields in ({}, {"phone": ana.phone, "customer_id": str(ana.id)}, {"phone": "123"}):
        assert (await api(hub, "POST", "/suppressions", json={"reason": "other", **fields}))[0] == 422
    unknown = {"reason": "other", "customer_id": "0199f2b1-1111-7aaa-8bbb-cccccccccccc"}
    assert (await api(hub, "POST", "/suppressions", json=unknown))[0] == 404

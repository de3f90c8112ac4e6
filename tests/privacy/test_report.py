"""The access report: everything of the person, nothing of anybody else, and its taking is audited."""

from uuid import uuid4

from tests.auth.people import add_person, call
from tests.privacy.conftest import People
from tests.support.hub import running_hub


async def test_the_report_holds_all_of_the_person_and_nothing_of_another(people: People) -> None:
    person, other = people.gone, people.stays
    await people.door.db.execute(
        "INSERT INTO invoices (external_id, contract_id, reference_month, amount_micros, due_on, status) "
        "VALUES ('f1', 'c1', '2026-11-01', 99900000, '2026-11-20', 'paid')"
    )
    await people.door.db.execute(
        "INSERT INTO payments (external_id, invoice_id, amount_micros, method, paid_at) VALUES ('p1', 'f1', 99900000, 'pix', now())"
    )
    path = f"/api/v1/privacy/customers/{person.id}/report"
    async with running_hub(people.settings) as hub:
        admin, boss = await add_person(hub, "admin"), await add_person(hub, "supervisor")
        assert (await call(hub, "GET", path, boss.headers))[0] == 403
        assert (await call(hub, "GET", f"/api/v1/privacy/customers/{uuid4()}/report", admin.headers))[0] == 404
        status, report = await call(hub, "GET", path, admin.headers)
        assert status == 200
        taken = await hub.fetch("SELECT actor, object_id FROM audit_log WHERE action = 'privacy.report_taken'")
    assert [(row["actor"], row["object_id"]) for row in taken] == [(f"user:{admin.id}", str(person.id))]
    assert report["person"]["name"] == person.name and report["person"]["phone"] == f"+{person.wa_id}"
    assert {one["value"] for one in report["identities"]} == {person.wa_id, f"+{person.wa_id}", person.bsuid}
    assert {(one["scope"], one["granted"]) for one in report["consents"]} == {("marketing", False), ("utility", True)}
    assert [one["scope"] for one in report["suppressions"]] == ["marketing"]
    (conversation,) = report["conversations"]
    words = [message["content"] for message in conversation["messages"]]
    assert words == [person.words, "SAIR", f"Olá {person.name}"]
    assert [one["external_id"] for one in report["contracts"]] == ["c1"]
    assert [one["external_id"] for one in report["invoices"]] == ["f1"]
    assert [one["method"] for one in report["payments"]] == ["pix"]
    assert [one["external_id"] for one in report["service_tickets"]] == ["t1"]
    assert any("Decreto 11.034/2022" in one["legal_basis"] for one in report["processing"])
    assert not any(secret in str(report) for secret in other.secrets())

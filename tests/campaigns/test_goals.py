"""Goals: told in every way they count once, are laid to the right message, and the warehouse lays them to the same."""

import json
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from aiohttp import FormData

from hub_api.analytics.relay import relay_until_empty
from hub_api.campaigns.goals.answers import record_answers
from hub_api.campaigns.goals.signed import sign
from hub_api.campaigns.links import codes
from hub_api.campaigns.results import live
from hub_api.chat.outgoing import Draft, queue_message
from hub_api.events import ExperimentPlanned, MessageReceived, goal_id
from hub_api.platform.ids import uuid7
from hub_api.platform.warehouse import Reader
from hub_api.settings import Settings
from tests.auth.people import call
from tests.campaigns.conftest import SHOP, Person, add_campaign, add_person, address, api
from tests.campaigns.test_links import PHONE, opening
from tests.support.hub import Hub


async def plan(hub: Hub, campaign: UUID, goal: str, window_days: int = 7) -> None:
    """What the campaign wants, as whoever starts it tells."""
    async with hub.services.transaction() as tx:
        tx.emit(
            ExperimentPlanned(
                aggregate_id=uuid7(), aggregate_version=1, occurred_at=datetime.now(UTC), experiment=str(campaign), control="c",
                shares={"c": 0.5, "a": 0.5}, goal=goal, window_days=window_days, metrics=(), campaign_id=campaign,
            )
        )  # fmt: skip


async def write_to(hub: Hub, person: Person, campaign: UUID | None, ago: timedelta = timedelta(0)) -> UUID:
    """A campaign's message (None: a bot's), as if it had been queued so long ago."""
    async with hub.services.transaction() as tx:
        draft = Draft(
            "template", {"name": "oferta"}, "oferta", author="campaign" if campaign else "bot", category="marketing", priority=3,
            template="oferta", campaign_id=campaign, variant="a" if campaign else None,
        )  # fmt: skip
        message = await queue_message(tx, person.conversation, draft)
    if ago:
        await hub.fetch(
            "UPDATE events SET occurred_at = occurred_at - $2::interval WHERE aggregate_id = $1", message, ago
        )
        await hub.fetch(
            "UPDATE messages SET created_at = created_at - $2::interval, updated_at = now() WHERE id = $1", message, ago
        )
    return message


def sold(external_id: str, ago: timedelta = timedelta(0), **fields: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - ago
    return {
        "kind": "purchase",
        "external_id": external_id,
        "occurred_at": at.isoformat(),
        "value_micros": 99_900_000,
        **fields,
    }


async def tell(hub: Hub, *goals: dict[str, Any]) -> dict[str, Any]:
    status, report = await api(hub, "POST", "/goals", json={"goals": list(goals)})
    assert status == 200, report
    return report


async def test_a_goal_counts_once_and_never_changes(hub: Hub) -> None:
    ana, bia = await add_person(hub), await add_person(hub, "+5511987654322")
    one = sold("P1", phone="(11) 98765-4321")
    report = await tell(hub, one, one, sold("P2", customer_id=str(bia.id)), sold("P3", phone="+5511900000000"))
    assert (report["written"], report["unchanged"], report["rejected"]) == (2, 1, 1)
    assert report["errors"] == [
        {"position": 3, "external_id": "P3", "field": None, "message": "names nobody who is a customer here"}
    ]
    again = await tell(hub, one, {**one, "value_micros": 1}, {**one, "customer_id": str(bia.id), "phone": None})
    assert (again["written"], again["unchanged"], again["rejected"]) == (0, 1, 2)
    events = await hub.fetch("SELECT aggregate_id, payload FROM events WHERE type = 'goal.recorded' ORDER BY seq")
    assert [row["payload"]["customer_id"] for row in events] == [str(ana.id), str(bia.id)] or len(events) == 2
    assert {row["aggregate_id"] for row in events} == {goal_id("purchase", "P1"), goal_id("purchase", "P2")}
    assert (await tell(hub, sold("P9", -timedelta(days=1), customer_id=str(ana.id))))["rejected"] == 1, "not yet"


async def test_signed_reports_are_taken_and_nothing_else(hub: Hub) -> None:
    await add_person(hub)
    _, key = await api(hub, "POST", "/conversion-keys", json={"name": "Loja"})
    assert key["secret"] not in str(await api(hub, "GET", "/conversion-keys"))
    body = json.dumps({"goals": [sold("S1", phone="+5511987654321")]}).encode()
    now = int(time.time())

    async def send(
        raw: bytes = body, at: int | str = now, key_id: str = key["id"], secret: str = key["secret"]
    ) -> tuple[int, Any]:
        signed_at = at if isinstance(at, int) else 0
        headers = {
            "X-Hub-Key": key_id, "X-Hub-Timestamp": str(at), "X-Hub-Signature": sign(secret, signed_at, raw),
            "Content-Type": "application/json",
        }  # fmt: skip
        return await call(hub, "POST", "/webhooks/conversions", headers, data=raw)

    status, report = await send()
    assert (status, report["written"]) == (200, 1)
    status, report = await send()
    assert (status, report["written"], report["unchanged"]) == (200, 0, 1), "a replay counts nothing"
    for wrong in (
        {"at": now - 400}, {"at": now + 400}, {"at": "soon"}, {"at": "-1"}, {"key_id": "ck_0000000000000000"}, {"secret": "guess"},
    ):  # fmt: skip
        status, problem = await send(**wrong)
        assert (status, problem["code"]) == (401, "bad_signature"), wrong
    headers = {"X-Hub-Key": key["id"], "X-Hub-Timestamp": str(now), "X-Hub-Signature": sign(key["secret"], now, body)}
    other = body.replace(b"S1", b"S2")
    headers["Content-Type"] = "application/json"
    assert (await call(hub, "POST", "/webhooks/conversions", headers, data=other))[0] == 401, "another body"
    unsigned = {"Content-Type": "application/json"}
    assert (await call(hub, "POST", "/webhooks/conversions", unsigned, data=body))[0] == 401
    assert (await api(hub, "DELETE", f"/conversion-keys/{key['id']}"))[0] == 204
    assert (await send())[0] == 401
    assert (await api(hub, "DELETE", f"/conversion-keys/{key['id']}"))[0] == 404
    assert await hub.fetchval("SELECT count(*) FROM goals") == 1


async def test_a_file_of_sales_is_read_line_by_line(hub: Hub) -> None:
    await add_person(hub)
    lines = [
        "ID;Tipo;Data;Valor;Telefone;Contrato",
        "V1;compra;20/11/2026 10:00;R$ 99,90;(11) 98765-4321;",
        "V2;pagamento;2026-11-20T10:00:00-03:00;129,90;;C-404",
        "V3;cancelamento;20/11/2026;;;",
        "V4;presente;20/11/2026;;(11) 98765-4321;",
        "V5;cancelamento;20/11/2026;;(11) 98765-4321;",
    ]
    form = FormData()
    form.add_field("file", "\n".join(lines).encode(), filename="vendas.csv")
    status, report = await api(hub, "POST", "/goals/import", data=form)
    assert (status, report["received"], report["written"], report["rejected"]) == (200, 5, 2, 3), report
    assert [(one["position"], one["external_id"], one["field"]) for one in report["errors"]] == [
        (3, "V2", None), (4, "V3", None), (5, "V4", "kind"),
    ]  # fmt: skip
    values = await hub.fetch("SELECT kind, value_micros FROM goals ORDER BY external_id")
    assert [tuple(row) for row in values] == [("purchase", 99_900_000), ("cancellation", 0)]


async def test_the_code_of_a_link_names_who_bought(hub: Hub) -> None:
    ana = await add_person(hub)
    _, link = await api(hub, "POST", "/links", json={"name": "Fibra", "url": f"{SHOP}/?hub={{click}}"})
    async with hub.services.transaction() as tx:
        code = (await codes.issue(tx, hub.services.settings, UUID(link["id"]), {ana.id: None}))[ana.id]
    assert (await tell(hub, sold("C1", click=code), sold("C2", click="0" * 16)))["written"] == 1
    assert await hub.fetchval("SELECT customer_id FROM goals") == ana.id


async def test_clicks_replies_and_taps_are_goals_of_campaigns_that_want_them(hub: Hub) -> None:
    wants = {kind: await add_campaign(hub) for kind in ("click", "reply", "button", "purchase", "payment")}
    people = {}
    for number, (kind, campaign) in enumerate(wants.items()):
        await plan(hub, campaign, kind)
        people[kind] = await add_person(hub, f"+551198765430{number}")
    control = people.pop("payment")
    await address(hub, wants.pop("payment"), control, None, state="control")
    await record_answers(hub.services)  # what lies before the first plan is passed over
    for kind, campaign in wants.items():
        await address(hub, campaign, people[kind], await write_to(hub, people[kind], campaign))
        body = {"name": kind, "url": f"{SHOP}/", "campaign_id": str(campaign)}
        _, link = await api(hub, "POST", "/links", json=body)
        async with hub.services.transaction() as tx:
            made = await codes.issue(tx, hub.services.settings, UUID(link["id"]), {people[kind].id: "a"})
        for _ in range(2):
            async with opening(hub, f"/l/{made[people[kind].id]}", headers=PHONE) as answer:
                assert answer.status == 302
    for kind, person in people.items():
        async with hub.services.transaction() as tx:
            for message_type in ("text", "interactive"):
                tx.emit(
                    MessageReceived(
                        aggregate_id=uuid7(), aggregate_version=1, occurred_at=datetime.now(UTC), conversation_id=person.conversation,
                        customer_id=person.id, message_type=message_type, content=kind, received_at=datetime.now(UTC),
                    )
                )  # fmt: skip
    stranger = await add_person(hub, "+5511987654399")
    await business(hub, control, stranger)
    assert await record_answers(hub.services) == 4 and await record_answers(hub.services) == 0
    rows = await hub.fetch("SELECT kind, customer_id, source FROM goals ORDER BY kind")
    assert Counter((row["kind"], row["customer_id"], row["source"]) for row in rows) == {
        ("click", people["click"].id, "click"): 1,
        ("reply", people["reply"].id, "events"): 2,
        ("button", people["button"].id, "events"): 1,
        ("payment", control.id, "events"): 1,
    }
    reasons = await hub.fetch("SELECT g.kind, a.reason FROM goal_attributions a JOIN goals g ON g.id = a.goal_id")
    assert {tuple(row) for row in reasons} == {
        ("click", "attributed"), ("reply", "attributed"), ("button", "attributed"), ("payment", "no_message"),
    }  # fmt: skip


async def business(hub: Hub, *people: Person) -> None:
    """A contract, an invoice and its payment of each."""
    for number, person in enumerate(people):
        rows = {
            "plans": {"external_id": "P", "name": "Fibra", "kind": "fiber", "price": "99,90"},
            "contracts": {"external_id": f"C{number}", "phone": person.phone, "plan_id": "P", "status": "active", "started_on": "2026-01-01"},
            "invoices": {"external_id": f"F{number}", "contract_id": f"C{number}", "reference_month": "2026-11", "amount_micros": 1000, "due_on": "2026-12-10", "status": "open"},
            "payments": {"external_id": f"G{number}", "invoice_id": f"F{number}", "amount_micros": 1000, "method": "pix", "paid_at": datetime.now(UTC).isoformat()},
        }  # fmt: skip
        for kind, row in rows.items():
            status, report = await api(hub, "POST", f"/business/{kind}", json={"rows": [row]})
            assert status == 200 and report["rejected"] == 0, report


async def test_goals_are_laid_to_the_message_to_which_the_warehouse_lays_them(whole: Hub) -> None:
    hub, day = whole, timedelta(days=1)
    first, second, free, patient = [await add_campaign(hub) for _ in range(4)]
    await plan(hub, first, "purchase", window_days=7)
    await plan(hub, second, "payment", window_days=2)
    await plan(hub, patient, "purchase", window_days=90)
    people = [await add_person(hub, f"+55119876543{number:02}") for number in range(11)]
    sends = {
        0: [(first, 5)],
        1: [(first, 8)],
        2: [(first, 5), (second, 3)],
        3: [(free, 13)],
        4: [(free, 15)],
        5: [],
        6: [(second, 1)],
        7: [(first, 5), (None, 1)],
        8: [(patient, 85)],
        9: [(patient, 91)],
        10: [(patient, 94)],
    }
    for number, messages in sends.items():
        for campaign, days in messages:
            await write_to(hub, people[number], campaign, days * day)
    report = await tell(hub, *(sold(f"G{n}", timedelta(hours=1), customer_id=str(people[n].id)) for n in range(11)))
    assert report["written"] == 11
    _, listed = await api(hub, "GET", "/goals")
    reasons = {one["external_id"]: one["reason"] for one in listed["items"]}
    assert reasons == {
        "G0": "attributed", "G1": "outside_window", "G2": "other_goal", "G3": "attributed", "G4": "outside_window",
        "G5": "no_message", "G6": "other_goal", "G7": "attributed", "G8": "attributed", "G9": "no_message", "G10": "no_message",
    }  # fmt: skip
    before = await hub.fetch(
        "SELECT goal_id, reason, message_id, campaign_id, variant FROM goal_attributions ORDER BY goal_id"
    )
    await hub.fetch("UPDATE goal_attributions SET reason = 'other_goal', message_id = gen_random_uuid()")
    status, laid = await api(hub, "POST", "/goals/attribution?days=30")
    assert (status, laid) == (200, {"attributed": 4, "no_message": 3, "other_goal": 2, "outside_window": 2})
    after = await hub.fetch(
        "SELECT goal_id, reason, message_id, campaign_id, variant FROM goal_attributions ORDER BY goal_id"
    )
    assert after == before
    await relay_until_empty(hub.services.settings)
    ours = Counter(row["campaign_id"] for row in after if row["reason"] == "attributed")
    assert {campaign: await converted(hub.services.settings, campaign) for campaign in (first, second, free, patient)} == {
        first: ours[first], second: 0, free: ours[free], patient: 1,
    }  # fmt: skip
    _, found = await api(hub, "GET", f"/goals?campaign_id={first}&limit=1")
    assert len(found["items"]) == 1 and found["next_cursor"]
    _, rest = await api(hub, "GET", f"/goals?campaign_id={first}&cursor={found['next_cursor']}")
    assert {one["external_id"] for one in found["items"] + rest["items"]} == {"G0", "G7"}


async def converted(settings: Settings, campaign: UUID) -> int:
    """Goals of the campaign as the warehouse counts them, of events that came just now."""
    reader = Reader(settings)
    try:
        since = (datetime.now(UTC) - timedelta(days=100)).date()
        found = await live.read(reader, settings, campaign, since, segments=False)
        return sum(cell["goals"] for cell in found.cells)
    finally:
        await reader.close()

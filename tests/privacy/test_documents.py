"""The report as a document, the data a person takes along, the register: by the API and by the command, audited."""

import base64
import json
import re
import stat
import zlib
from pathlib import Path

from hub_api.platform.pdf import Document, printable
from tests.auth.people import add_person, call
from tests.privacy.conftest import People
from tests.privacy.test_erasure_door import hub_command
from tests.support.hub import running_hub


def pdf_text(content: bytes) -> str:
    """What a reader shows of a PDF of ours: the strings of its compressed pages, words one space apart."""
    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    shown = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        page = zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
        for text in re.findall(rb"\(((?:\\.|[^\\()])*)\) Tj", page):
            plain = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), text)
            shown.append(re.sub(rb"\\(.)", rb"\1", plain).decode("cp1252"))
    return " ".join(" ".join(shown).split())


async def test_the_report_is_a_document_in_portuguese_with_everything_of_the_person(people: People) -> None:
    person, path = people.gone, f"/api/v1/privacy/customers/{people.gone.id}/report.pdf"
    await people.door.db.execute("UPDATE messages SET content = content || ' 😂 <b>' WHERE content = $1", person.words)
    async with running_hub(people.settings) as hub:
        admin, boss = await add_person(hub, "admin"), await add_person(hub, "supervisor")
        assert (await call(hub, "GET", path, boss.headers))[0] == 403
        async with hub.session.get(hub.url + path, headers=admin.headers) as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
            assert person.name not in answer.headers["Content-Disposition"]
            text = pdf_text(await answer.read())
        taken = await hub.fetch("SELECT actor FROM audit_log WHERE action = 'privacy.report_taken'")
    assert [row["actor"] for row in taken] == [f"user:{admin.id}"]
    for expected in (
        person.name, f"+{person.wa_id}", person.bsuid, f"{person.words} [face with tears of joy] < b >", "SAIR", f"Olá {person.name}", "c1", "t1",
        "Consentimentos e oposições", "marketing", "Decreto 11.034/2022", "Prazos de guarda", "1826", "ANPD", "página 1",
    ):  # fmt: skip
        assert expected in text, (expected, text)
    assert not any(secret in text for secret in people.stays.secrets())


async def test_portable_data_are_the_persons_own_and_nothing_that_we_concluded(people: People) -> None:
    await people.door.db.execute(
        "UPDATE conversations SET ai_summary = 'cliente irritado', tags = '{risco}' WHERE customer_id = $1",
        people.gone.id,
    )
    await people.door.db.execute(
        "INSERT INTO invoices (external_id, contract_id, reference_month, amount_micros, due_on, status) "
        "VALUES ('f1', 'c1', '2026-11-01', 99900000, '2026-11-20', 'paid')"
    )
    async with running_hub(people.settings) as hub:
        admin = await add_person(hub, "admin")
        status, data = await call(hub, "GET", f"/api/v1/privacy/customers/{people.gone.id}/export", admin.headers)
        assert status == 200 and data["format"] == "telecom-hub/portable-data/1"
        assert await hub.fetchval("SELECT count(*) FROM audit_log WHERE action = 'privacy.data_exported'") == 1
    assert (data["person"]["name"], data["person"]["phone"]) == (people.gone.name, f"+{people.gone.wa_id}")
    (conversation,) = data["conversations"]
    assert [one["content"] for one in conversation["messages"]] == [
        people.gone.words,
        "SAIR",
        f"Olá {people.gone.name}",
    ]
    assert [(one["external_id"], one["amount_micros"]) for one in data["invoices"]] == [("f1", 99900000)]
    assert {(one["scope"], one["granted"]) for one in data["consents"]} == {("marketing", False), ("utility", True)}
    assert not any(word in str(data) for word in ("irritado", "risco", *people.stays.secrets()))


def test_the_commands_write_files_for_their_owner_only(people: People, tmp_path: Path) -> None:
    customer = ("--customer", str(people.gone.id), "--to")
    for arguments, check in (
        (("report", *customer, "r.pdf"), lambda raw: people.gone.words in pdf_text(raw)),
        (("report", *customer, "r.json"), lambda raw: json.loads(raw)["person"]["name"] == people.gone.name),
        (("export", *customer, "e.json"), lambda raw: len(json.loads(raw)["conversations"]) == 1),
        (
            ("register", "--to", "g.pdf"),
            lambda raw: "art. 33" in pdf_text(raw) and "customer_identities" in pdf_text(raw),
        ),
        (("register", "--to", "g.json"), lambda raw: len(json.loads(raw)["retention"]) > 3),
    ):
        file = tmp_path / arguments[-1]
        done = hub_command(people.settings, "privacy", *arguments[:-1], str(file))
        assert done.returncode == 0, done.stderr
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and check(file.read_bytes()), arguments
    lost = hub_command(people.settings, "privacy", "register", "--to", str(tmp_path / "none" / "g.pdf"))
    assert lost.returncode == 1 and "no folder" in lost.stderr


def test_a_document_holds_signs_that_its_fonts_have_not_and_long_tables() -> None:
    assert (
        printable("ção € ❤\ufe0f\u200d 漢 <&>")
        == "ção € [heavy black heart] [cjk unified ideograph-6f22] &lt;&amp;&gt;"
    )
    document = Document("T", "a", "f")
    document.table(["a", "b"], [["x" * 5000, "y"]] * 300, empty="–")
    document.table(["a"], [], empty="Nada consta.")
    text = pdf_text(document.render())
    assert "Nada consta." in text and "página 5" in text

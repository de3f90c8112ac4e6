"""The access report and the register of processing as documents for people, in Portuguese (LGPD arts. 19 and 37)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.platform.pdf import Document

NOTHING = "Nada consta."
_MICROS = 1_000_000
_PERSON = {
    "id": "Código interno", "name": "Nome", "username": "Nome de usuário", "phone": "Telefone", "has_cpf": "CPF informado (guardado apenas cifrado)",
    "status": "Situação", "state_code": "UF", "language": "Idioma", "tags": "Etiquetas", "metadata": "Outros dados",
    "created_at": "Desde", "updated_at": "Última alteração",
}  # fmt: skip
# Section, key of the report, columns: title and key of the row. Money has its currency beside it.
_SECTIONS: Sequence[tuple[str, str, Sequence[tuple[str, str]]]] = (
    ("Registros unificados", "merged_customers", (("Código", "id"), ("Nome", "name"), ("Telefone", "phone"), ("Desde", "created_at"))),
    ("Identificadores no WhatsApp", "identities", (("Tipo", "kind"), ("Valor", "value"), ("De", "valid_from"), ("Até", "valid_to"))),
    ("Consentimentos e oposições", "consents", (
        ("Quando", "occurred_at"), ("Finalidade", "scope"), ("Aceito", "granted"), ("Origem", "source"), ("Canal", "channel"),
        ("Versão do texto", "text_version"), ("Texto", "text"), ("Prova", "evidence"),
    )),
    ("Envios bloqueados agora", "suppressions", (("Finalidade", "scope"), ("Motivo", "reason"), ("Até", "until"), ("Desde", "created_at"))),
    ("Contratos", "contracts", (
        ("Contrato", "external_id"), ("Plano", "plan"), ("Telefone", "phone"), ("Situação", "status"), ("Cidade", "city"), ("UF", "state_code"),
        ("Início", "started_on"), ("Fim", "ended_on"),
    )),
    ("Faturas", "invoices", (
        ("Fatura", "external_id"), ("Contrato", "contract_id"), ("Referência", "reference_month"), ("Valor", "amount_micros"),
        ("Vencimento", "due_on"), ("Situação", "status"),
    )),
    ("Pagamentos", "payments", (
        ("Pagamento", "external_id"), ("Fatura", "invoice_id"), ("Valor", "amount_micros"), ("Forma", "method"), ("Quando", "paid_at"),
    )),
    ("Chamados", "service_tickets", (
        ("Chamado", "external_id"), ("Contrato", "contract_id"), ("Tipo", "kind"), ("Situação", "status"), ("Aberto", "opened_at"),
        ("Fechado", "closed_at"), ("Resumo", "summary"),
    )),
)  # fmt: skip
_RIGHTS = (
    "Você pode pedir a correção dos seus dados, a portabilidade, a eliminação do que não precisamos guardar por lei, a "
    "revogação de consentimentos e informação sobre com quem os dados são compartilhados (LGPD, art. 18), e reclamar à ANPD."
)


def report_pdf(report: Mapping[str, Any], rules: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> bytes:
    """The access report (`report.access_report`) with the retention `rules` in force; times in `zone`."""
    made = _shown(report["made_at"], zone)
    document = Document("Relatório de acesso aos dados pessoais", "Telecom Chat", f"Relatório de acesso, {made}")
    document.text(
        f"Emitido em {made}, conforme os arts. 18, II, e 19 da Lei 13.709/2018 (LGPD). Contém dados pessoais: entregue só ao titular."
    )
    document.heading("Pessoa")
    document.pairs((title, _shown(report["person"][key], zone)) for key, title in _PERSON.items())
    for title, key, columns in _SECTIONS:
        document.heading(title)
        rows = [[_cell(row, name, zone) for _, name in columns] for row in report[key]]
        document.table([head for head, _ in columns], rows, empty=NOTHING)
    document.heading("Conversas")
    for conversation in report["conversations"]:
        _conversation(document, conversation, zone)
    if not report["conversations"]:
        document.text(NOTHING)
    document.heading("Por que e por quanto tempo tratamos os dados")
    for activity in report["processing"]:
        _activity(document, activity)
    _rules(document, rules)
    document.heading("Seus direitos")
    document.text(_RIGHTS)
    return document.render()


def register_pdf(activities: Sequence[Mapping[str, Any]], rules: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> bytes:
    """The register of processing (`inventory.register`) with the retention `rules` in force."""
    made = _shown(datetime.now(UTC), zone)
    document = Document("Registro das operações de tratamento", "Telecom Chat", f"Registro de tratamento, {made}")
    document.text(f"Emitido em {made}, conforme o art. 37 da Lei 13.709/2018 (LGPD).")
    for activity in activities:
        _activity(document, activity)
        rows = [[one["store"], one["table"], one["column"], one["kind"], one["at_erasure"]] for one in activity["data"]]
        document.table(["Sistema", "Tabela", "Coluna", "Espécie", "Na eliminação"], rows, empty=NOTHING)
    _rules(document, rules)
    return document.render()


def _conversation(document: Document, conversation: Mapping[str, Any], zone: ZoneInfo) -> None:
    document.heading(f"Protocolo {conversation['protocol']}", 2)
    titles = {
        "channel": "Canal", "state": "Situação", "queue": "Fila", "opened_at": "Aberta", "resolved_at": "Resolvida", "closed_at": "Encerrada",
        "satisfaction": "Nota dada", "nps": "Recomendaria (0 a 10)", "ai_summary": "Resumo", "tags": "Etiquetas", "metadata": "Outros dados",
    }  # fmt: skip
    document.pairs(
        (title, _shown(conversation[key], zone))
        for key, title in titles.items()
        if conversation[key] not in (None, "", [], {})
    )
    for message in conversation["messages"]:
        who = "Você" if message["direction"] == "in" else {"bot": "Assistente"}.get(message["author"], "Operadora")
        lines = [f"{_shown(message['created_at'], zone)} {who} ({message['type']}): {message['content'] or '–'}"]
        lines += [
            f"Arquivo: {one['filename'] or one['kind']} ({one['mime_type'] or '–'}, {one['state']})"
            for one in message["files"]
        ]
        document.text("\n".join(lines))


def _activity(document: Document, activity: Mapping[str, Any]) -> None:
    titles = {
        "subjects": "Titulares",
        "purpose": "Finalidade",
        "legal_basis": "Base legal",
        "retention": "Guarda",
        "recipients": "Compartilhamento",
    }
    document.heading(activity["name"], 2)
    document.pairs((title, activity[key]) for key, title in titles.items() if key in activity)


def _rules(document: Document, rules: Sequence[Mapping[str, Any]]) -> None:
    document.heading("Prazos de guarda")
    document.table(
        ["Dados", "Dias", "Contados de", "Base legal", "Fonte"],
        [
            [rule["title"], str(rule["days"]), rule["counted_from"], rule["legal_basis"], rule["source"]]
            for rule in rules
        ],
        empty=NOTHING,
    )


def _cell(row: Mapping[str, Any], name: str, zone: ZoneInfo) -> str:
    value = row.get(name)
    if name == "amount_micros" and value is not None:
        return f"{row['currency']} {value / _MICROS:,.2f}".translate(str.maketrans(",.", ".,"))
    return _shown(value, zone)


def _shown(value: Any, zone: ZoneInfo) -> str:  # noqa: PLR0911 - one line per kind
    match value:
        case None | "" | []:
            return "–"
        case bool():
            return "sim" if value else "não"
        case datetime():
            return f"{value.astimezone(zone):%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case Mapping():
            return "; ".join(_pairs(value)) or "–"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)


def _pairs(value: Mapping[str, Any]) -> Iterator[str]:
    for name, one in value.items():
        yield f"{name}: {one}"

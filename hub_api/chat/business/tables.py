"""What each kind of business data looks like: columns, how their values are read, names operators give them in CSV.

The order of `fields` is the order of the parameters of `upsert_<kind>` in queries.sql.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.chat.business import values
from hub_api.chat.consent import normalise
from hub_api.platform.crypto import keyed_hash
from hub_api.settings import Settings


class KindName(StrEnum):
    """The kinds of business data, in an order in which they can be loaded (parents first)."""

    PLANS = "plans"
    CONTRACTS = "contracts"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    OUTAGES = "outages"
    SERVICE_TICKETS = "service_tickets"


class BadRow(Exception):
    """A row that cannot be taken, with the field at fault and a sentence for whoever sent it."""

    def __init__(self, field: str | None, message: str) -> None:
        super().__init__(message)
        self.field, self.message = field, message


@dataclass(frozen=True)
class Field:
    """A column and how to read it. `also`: other inputs that fill the same column, each with its own reader."""

    column: str
    read: values.Reader
    required: bool = False
    default: Any = None
    aliases: tuple[str, ...] = ()
    also: tuple["Field", ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind: its fields in the order of its upsert's parameters, the column that names its parent's row, and the field
    that no row may lack."""

    name: str
    fields: tuple[Field, ...]
    parent: tuple[str, str] | None = None
    key: str = "external_id"

    def inputs(self) -> Mapping[str, tuple[str, values.Reader]]:
        """Input name -> (column, reader), for JSON keys; CSV headers are found by `headers`."""
        found = {}
        for field in self.fields:
            for each in (field, *field.also):
                found[each.column] = (field.column, each.read)
        return found

    def headers(self) -> Mapping[str, str]:
        """Normalised CSV header -> input name."""
        found = {}
        for field in self.fields:
            for each in (field, *field.also):
                found.update(
                    {normalise(alias): each.column for alias in (each.column.replace("_", " "), *each.aliases)}
                )
        return found


def read_row(kind: Kind, raw: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that `raw` gives, read. Empty text and null count as not given. Raises BadRow."""
    inputs = kind.inputs()
    row: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in inputs:
            raise BadRow(str(name)[:60], f"{kind.name} have no such field; they have: {', '.join(inputs)}")
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        column, read = inputs[name]
        try:
            row[column] = read(value)
        except ValueError as error:
            raise BadRow(name, str(error)) from None
    if kind.key not in row:
        own = ": every row needs the operator's own id" if kind.key == "external_id" else ""
        raise BadRow(kind.key, f"is missing{own}")
    return row


def complete(kind: Kind, row: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    """All columns in order: from `row`, else from `base` (the stored row, for a partial change), else the default.

    Raises BadRow naming a required column that nobody gives.
    """
    full = []
    for field in kind.fields:
        value = row.get(field.column)
        if value is None and base is not None:
            value = base[field.column]
        if value is None:
            value = field.default
        if value is None and field.required:
            raise BadRow(field.column, "is missing")
        full.append(value)
    return tuple(full)


@cache
def kinds(settings: Settings) -> Mapping[KindName, Kind]:
    """All kinds, reading times without offset in the business zone and CPFs into keyed hashes."""
    return _describe(settings.zone, settings.secret_key.get_secret_value())


def _describe(zone: ZoneInfo, secret_key: str) -> Mapping[KindName, Kind]:
    moment = values.moment(zone)
    key = Field("external_id", values.text(100), required=True, aliases=("id", "codigo", "id externo"))
    updated = Field("updated_at", values.change_time(zone), aliases=("atualizado em", "data atualizacao"))
    currency = Field(
        "currency", values.choice({"real": "BRL", "reais": "BRL", "brl": "BRL"}), default="BRL", aliases=("moeda",)
    )
    micros = values.whole(0, 10**15)

    def cpf_hash(value: object) -> bytes:
        return keyed_hash(secret_key, values.cpf(value))

    def amount(column: str, *aliases: str, least: int = 0) -> Field:
        def read(value: object) -> int:
            found = values.money(value)
            if found < least:
                raise ValueError("must be more than zero")
            return found

        by_name = Field(column.removesuffix("_micros"), read, aliases=aliases)
        return Field(column, values.whole(least, 10**15) if least else micros, required=True, also=(by_name,))

    def belongs(column: str, *aliases: str) -> Field:
        return Field(column, values.text(100), required=True, aliases=aliases)

    described = (
        Kind(
            KindName.PLANS,
            (
                key,
                Field("name", values.text(120), required=True, aliases=("nome", "plano")),
                Field("kind", values.choice(PLAN_KINDS), required=True, aliases=("tipo", "produto")),
                Field("speed_mbps", values.whole(1), aliases=("velocidade", "velocidade mbps", "mega", "megas")),
                Field("data_gb", values.whole(0), aliases=("franquia", "franquia gb", "dados gb")),
                amount("price_micros", "preco", "valor", "mensalidade"),
                currency,
                Field("active", values.boolean, default=True, aliases=("ativo",)),
                Field("description", values.text(2000), aliases=("descricao",)),
                updated,
            ),
        ),
        Kind(
            KindName.CONTRACTS,
            (
                key,
                Field("phone", values.phone, aliases=("telefone", "celular", "whatsapp", "numero")),
                Field("cpf_hash", _no_hash, also=(Field("cpf", cpf_hash),)),
                belongs("plan_id", "plano", "id plano", "codigo plano"),
                Field("status", values.choice(CONTRACT_STATUS), required=True, aliases=("situacao", "estado contrato")),
                Field("city", values.text(120), aliases=("cidade", "municipio")),
                Field("state_code", _state, aliases=("uf", "estado")),
                Field("region_code", values.text(60), aliases=("regiao", "codigo regiao", "regiao rede")),
                Field("started_on", values.day, required=True, aliases=("inicio", "data inicio", "ativado em")),
                Field("ended_on", values.day, aliases=("fim", "data fim", "cancelado em", "encerrado em")),
                updated,
            ),
            parent=("plan_id", KindName.PLANS),
        ),
        Kind(
            KindName.INVOICES,
            (
                key,
                belongs("contract_id", "contrato", "id contrato"),
                Field(
                    "reference_month",
                    values.month,
                    required=True,
                    aliases=("referencia", "mes referencia", "competencia"),
                ),
                amount("amount_micros", "valor", "total"),
                currency,
                Field("due_on", values.day, required=True, aliases=("vencimento", "data vencimento", "vence em")),
                Field("status", values.choice(INVOICE_STATUS), required=True, aliases=("situacao",)),
                Field("barcode", values.text(60), aliases=("codigo de barras", "linha digitavel", "boleto")),
                Field("pix_code", values.text(600), aliases=("pix", "codigo pix", "pix copia e cola")),
                Field("pdf_url", values.text(500), aliases=("pdf", "link", "url")),
                updated,
            ),
            parent=("contract_id", KindName.CONTRACTS),
        ),
        Kind(
            KindName.PAYMENTS,
            (
                key,
                belongs("invoice_id", "fatura", "id fatura"),
                amount("amount_micros", "valor", "valor pago", least=1),
                currency,
                Field("method", values.text(40), required=True, aliases=("forma", "forma de pagamento", "meio")),
                Field("paid_at", moment, required=True, aliases=("pago em", "data pagamento")),
                updated,
            ),
            parent=("invoice_id", KindName.INVOICES),
        ),
        Kind(
            KindName.OUTAGES,
            (
                key,
                Field(
                    "region_code", values.text(60), required=True, aliases=("regiao", "codigo regiao", "regiao rede")
                ),
                Field("service", values.choice(OUTAGE_SERVICES), required=True, aliases=("servico",)),
                Field("started_at", moment, required=True, aliases=("inicio", "inicio em")),
                Field("expected_end_at", moment, aliases=("previsao", "previsao fim", "previsao de retorno")),
                Field("ended_at", moment, aliases=("fim", "encerrado em", "normalizado em")),
                Field("cause", values.text(500), aliases=("causa", "motivo")),
                updated,
            ),
        ),
        Kind(
            KindName.SERVICE_TICKETS,
            (
                key,
                belongs("contract_id", "contrato", "id contrato"),
                Field("kind", values.text(60), required=True, aliases=("tipo",)),
                Field("status", values.choice(TICKET_STATUS), required=True, aliases=("situacao",)),
                Field("opened_at", moment, required=True, aliases=("aberto em", "abertura")),
                Field("scheduled_for", moment, aliases=("agendado para", "visita")),
                Field("closed_at", moment, aliases=("fechado em", "encerrado em", "concluido em")),
                Field("summary", values.text(500), aliases=("resumo", "descricao")),
                updated,
            ),
            parent=("contract_id", KindName.CONTRACTS),
        ),
    )
    return {KindName(kind.name): kind for kind in described}


PLAN_KINDS = {
    "fibra": "fiber",
    "internet fibra": "fiber",
    "banda larga": "fiber",
    "pos": "mobile_postpaid",
    "pos pago": "mobile_postpaid",
    "movel pos": "mobile_postpaid",
    "pre": "mobile_prepaid",
    "pre pago": "mobile_prepaid",
    "movel pre": "mobile_prepaid",
    "controle": "mobile_control",
    "movel controle": "mobile_control",
    "tv": "tv",
    "combo": "combo",
}
CONTRACT_STATUS = {"ativo": "active", "suspenso": "suspended", "bloqueado": "suspended", "cancelado": "cancelled"}
INVOICE_STATUS = {
    "aberta": "open",
    "em aberto": "open",
    "aberto": "open",
    "a vencer": "open",
    "paga": "paid",
    "pago": "paid",
    "vencida": "overdue",
    "vencido": "overdue",
    "atrasada": "overdue",
    "em atraso": "overdue",
    "cancelada": "cancelled",
    "cancelado": "cancelled",
}
OUTAGE_SERVICES = {
    "fibra": "fiber",
    "banda larga": "fiber",
    "internet": "fiber",
    "movel": "mobile",
    "celular": "mobile",
    "tv": "tv",
    "todos": "all",
    "tudo": "all",
}
TICKET_STATUS = {
    "aberto": "open",
    "em andamento": "open",
    "agendado": "scheduled",
    "concluido": "done",
    "fechado": "done",
    "resolvido": "done",
    "cancelado": "cancelled",
}


def _state(value: object) -> str:
    found = str(value).strip().upper()
    if len(found) != 2 or not found.isalpha() or not found.isascii():
        raise ValueError("must be a state's two letters, such as SP")
    return found


def _no_hash(value: object) -> bytes:
    raise ValueError("is made here: send `cpf`, of which only a keyed hash is kept")

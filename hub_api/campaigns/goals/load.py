"""Goals as a CSV file of the operator's systems: payments, purchases, cancellations, one a line."""

from collections.abc import Mapping, Sequence
from typing import IO, Any

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.goals.record import Told, record
from hub_api.chat.business import values
from hub_api.chat.business.csv_import import load_csv
from hub_api.chat.business.tables import BadRow, Field, Kind, complete, read_row
from hub_api.chat.business.upsert import Fault, Report
from hub_api.platform.services import Services

KINDS = {
    "pagamento": "payment",
    "compra": "purchase",
    "venda": "purchase",
    "contratacao": "purchase",
    "cancelamento": "cancellation",
}


def shape(services: Services) -> Kind:
    """The columns of the file and how each is read."""
    return Kind(
        "goals",
        (
            Field("external_id", values.text(200), required=True, aliases=("id", "codigo", "pedido", "id externo")),
            Field("kind", values.choice(KINDS), required=True, aliases=("tipo", "evento")),
            Field("occurred_at", values.moment(services.settings.zone), required=True, aliases=("data", "quando", "pago em", "data hora")),
            Field("value_micros", values.whole(0, 10**15), default=0, also=(Field("value", values.money, aliases=("valor", "preco")),)),
            Field("phone", values.phone, aliases=("telefone", "celular", "whatsapp")),
            Field("contract_id", values.text(100), aliases=("contrato", "id contrato")),
            Field("click", values.text(100), aliases=("clique", "hub")),
        ),
    )  # fmt: skip


async def load_goals(services: Services, who: Principal, file: IO[bytes]) -> Report:
    """Record the goals of `file`; faults carry the line number. Raises Invalid when its first line lacks a column."""
    kind = shape(services)

    async def load(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Report:
        told, faults = [], []
        for position, raw in rows:
            try:
                external_id, what, at, value, phone, contract_id, click = complete(kind, read_row(kind, raw))
                if [phone, contract_id, click].count(None) != 2:
                    raise BadRow(None, "names its customer by one of phone, contract_id and click")
                told.append((position, Told(what, external_id, at, value, "BRL", None, phone, contract_id, click)))
            except BadRow as bad:
                faults.append(Fault(position, str(raw.get("external_id") or "")[:100] or None, bad.field, bad.message))
        async with services.transaction() as tx:
            report = await record(tx, told, zone=services.settings.timezone, source="file", by=who.actor)
            report.received, report.faults = len(rows), report.faults + faults
            await note(tx, who.actor, report)
        return report

    return await load_csv(kind, file, load)


async def note(tx: Any, actor: str, report: Report) -> None:
    """The audit row of a load: how many goals, in the transaction that wrote them."""
    counts = {"written": report.written, "unchanged": report.unchanged, "rejected": len(report.faults)}
    await audit.write(tx, actor, "goals.recorded", "goal", None, detail=counts)

"""A suppression list as a CSV file: numbers, and where the file says so their reason, scope and end."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.campaigns.suppressions.keep import Entry, put_phones
from hub_api.chat.business import values
from hub_api.chat.business.csv_import import load_csv
from hub_api.chat.business.tables import BadRow, Field, Kind, complete, read_row
from hub_api.chat.business.upsert import Fault, Report
from hub_api.platform.services import Services

REASONS = {
    "reclamacao": "complaint", "procon": "complaint", "judicial": "legal", "ordem judicial": "legal", "falecido": "deceased",
    "falecimento": "deceased", "numero errado": "wrong_number", "fraude": "fraud", "funcionario": "employee",
    "colaborador": "employee", "outro": "other", "outros": "other",
}  # fmt: skip
SCOPES = {"publicidade": "marketing", "promocoes": "marketing", "avisos": "utility", "tudo": "all", "todos": "all"}


def shape(services: Services) -> Kind:
    """The columns of the file and how each is read."""
    return Kind(
        "suppressions",
        (
            Field("phone", values.phone, required=True, aliases=("telefone", "celular", "whatsapp", "numero")),
            Field("reason", values.choice(REASONS), default="other", aliases=("motivo",)),
            Field("scope", values.choice(SCOPES), default="marketing", aliases=("escopo", "tipo")),
            Field("until", values.moment(services.settings.zone), aliases=("ate", "validade", "fim")),
        ),
        key="phone",
    )


async def load_list(services: Services, who: Principal, name: str, file: IO[bytes]) -> Report:
    """Put the numbers of `file` on the list `name`; faults carry the line number. A number twice in a file counts as told last.

    Raises Invalid when the file's first line names no column of phones.
    """
    kind, secret_key = shape(services), services.settings.secret_key.get_secret_value()

    async def load(rows: Sequence[tuple[int, Mapping[str, Any]]]) -> Report:
        report = Report(received=len(rows))
        entries: dict[str, Entry] = {}
        for position, raw in rows:
            try:
                phone, reason, scope, until = complete(kind, read_row(kind, raw))
                if until is not None and until <= datetime.now(UTC):
                    raise BadRow("until", "is over already")
                entries[phone] = Entry(name, scope, reason, until, phone)
            except BadRow as bad:
                report.faults.append(Fault(position, None, bad.field, bad.message))
        async with services.transaction() as tx:
            report.written = await put_phones(tx, who, secret_key, list(entries.values())) if entries else 0
            report.unchanged = report.received - report.written - len(report.faults)
            counts = {"written": report.written, "unchanged": report.unchanged, "rejected": len(report.faults)}
            await audit.write(tx, who, "suppression.loaded", "suppression", name, detail=counts)
        return report

    return await load_csv(kind, file, load)

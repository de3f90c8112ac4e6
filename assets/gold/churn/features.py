"""What the churn model may know of a customer, and how each of it is named to people."""

from math import isnan

# Columns of gold.customer_features with the name and the unit that an agent reads. Left out: what is so only now or only
# afterwards (tags, status, end of the contract), dates as such, and where somebody lives more closely than his state.
FEATURES: dict[str, tuple[str, str]] = {
    "tenure_days": ("Tempo de contrato", "dias"),
    "plan_id": ("Plano", ""),
    "plan_kind": ("Tipo de plano", ""),
    "speed_mbps": ("Velocidade do plano", "Mbps"),
    "data_gb": ("Franquia de dados", "GB"),
    "monthly_micros": ("Valor mensal", "R$"),
    "contracts_active": ("Contratos ativos", ""),
    "state_code": ("Estado", ""),
    "consent_marketing": ("Aceita ofertas", ""),
    "inactive_days": ("Dias sem escrever", "dias"),
    "messages_30d": ("Mensagens em 30 dias", ""),
    "messages_90d": ("Mensagens em 90 dias", ""),
    "contacts_7d": ("Contatos em 7 dias", ""),
    "contacts_30d": ("Contatos em 30 dias", ""),
    "contacts_90d": ("Contatos em 90 dias", ""),
    "technical_contacts_7d": ("Contatos por problema técnico em 7 dias", ""),
    "technical_contacts_30d": ("Contatos por problema técnico em 30 dias", ""),
    "technical_contacts_90d": ("Contatos por problema técnico em 90 dias", ""),
    "resolved_90d": ("Demandas resolvidas em 90 dias", ""),
    "reopened_90d": ("Demandas reabertas em 90 dias", ""),
    "first_response_seconds_90d": ("Espera média por uma pessoa em 90 dias", "s"),
    "campaigns_received_90d": ("Campanhas recebidas em 90 dias", ""),
    "campaigns_read_90d": ("Campanhas lidas em 90 dias", ""),
    "campaigns_replied_90d": ("Campanhas respondidas em 90 dias", ""),
    "satisfaction_90d": ("Satisfação média em 90 dias", "de 5"),
    "satisfaction_last": ("Última satisfação", "de 5"),
    "invoices_365d": ("Faturas em 365 dias", ""),
    "invoices_paid_late_365d": ("Faturas pagas com atraso em 365 dias", ""),
    "invoices_late": ("Faturas em atraso", ""),
    "late_micros": ("Valor em atraso", "R$"),
    "late_days": ("Dias de atraso", "dias"),
    "tickets_open": ("Chamados abertos", ""),
    "tickets_30d": ("Chamados em 30 dias", ""),
    "tickets_90d": ("Chamados em 90 dias", ""),
    "outages_30d": ("Falhas de rede na região em 30 dias", ""),
}
MICROS = 1_000_000


def columns_sql() -> str:
    """The features as the columns of a SELECT from gold.customer_features; a decision on consent as 1, 0 or NULL."""
    return ", ".join(
        "toFloat64(consent_marketing) AS consent_marketing" if name == "consent_marketing" else name
        for name in FEATURES
    )


def tell(feature: str, value: object) -> str:
    """A reason in words, for example "Contatos por problema técnico em 30 dias: 3"."""
    name, unit = FEATURES[feature]
    if value is None or value == "" or (isinstance(value, float) and isnan(value)):
        return f"{name}: sem informação"
    if isinstance(value, str):
        return f"{name}: {value}"
    number = float(value) / MICROS if feature.endswith("_micros") else float(value)  # type: ignore[arg-type]
    if feature == "consent_marketing":
        return f"{name}: {'sim' if number else 'não'}"
    if unit == "R$":
        return f"{name}: R$ {_decimal(number, 2)}"
    return f"{name}: {_decimal(number, 0 if number == round(number) else 1)}{' ' if unit else ''}{unit}"


def _decimal(number: float, places: int) -> str:
    return f"{number:,.{places}f}".translate(str.maketrans(",.", ".,"))

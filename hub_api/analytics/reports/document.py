"""A report as a file: PDF to read, CSV to compute with. Numbers and dates as they are written in Brazil."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from hub_api.analytics.catalogue import catalogue
from hub_api.analytics.reports.contents import BY_QUEUE, Content, Figure
from hub_api.platform.csv_export import write_csv
from hub_api.platform.pdf import Document

MISSING = "–"
_UNITS = {"count": "quantidade", "rating": "nota de 1 a 5", "points": "pontos", "money": "R$", "per_hour": "por hora"}
# A unit that is drawn in another one: factor and name.
_AXES: Mapping[str, tuple[float, str]] = {"seconds": (1 / 60, "minutos"), "share": (100.0, "%")}


def render(content: Content, kind: str) -> bytes:
    """The file of a report, `kind` pdf or csv. Takes up to a second: call it in a thread."""
    return _pdf(content) if kind == "pdf" else _csv(content)


def days(first: date, last: date) -> str:
    """A period as people write it."""
    return f"{first:%d/%m/%Y}" if first == last else f"{first:%d/%m/%Y} a {last:%d/%m/%Y}"


def number(value: float | None, unit: str, currency: str | None = None) -> str:
    """A figure in its unit, as it is written in Brazil: shares as per cent, seconds as minutes and hours, money with its
    currency where that is known."""
    if value is None:
        return MISSING
    if unit == "share":
        return f"{_decimal(value * 100, 1)} %"
    if unit == "seconds":
        return _duration(value)
    if unit == "money":
        sign = {None: "", "BRL": "R$ "}.get(currency, f"{currency} ")
        return f"{sign}{_decimal(value, 2)}"
    return _decimal(value, 0 if value == int(value) else 2)


def change(figure: Figure) -> str:
    """How a figure moved against the period before: as a share of it; of points, which may be below zero, by so many."""
    if figure.value is None or figure.previous is None:
        return MISSING
    if figure.kpi.unit == "points":
        return f"{_signed(figure.value - figure.previous)} pontos"
    return f"{_signed((figure.value / figure.previous - 1) * 100)} %" if figure.previous else MISSING


def told_of(content: Content) -> list[str]:
    """The figures that are told of each queue: those with a case in one. NPS is none where nobody was asked, or answered."""
    return [key for key in BY_QUEUE if any(values.get(key) is not None for values in content.queues.values())]


def _pdf(content: Content) -> bytes:
    period = days(content.first, content.last)
    document = Document(content.name, "Telecom Chat", f"{content.name}, {period}")
    document.text(f"Período: {period}. Comparado com {days(*content.compared_with)}.")
    if content.built_through is None or content.built_through < content.last:
        upto = f"{content.built_through:%d/%m/%Y}" if content.built_through else "nenhum dia"
        document.text(f"Atenção: as tabelas estão completas até {upto}; o que veio depois pode faltar neste relatório.")
    document.heading("Indicadores")
    columns = ("Indicador", "Valor", "Período anterior", "Variação", "Meta", "Situação")
    rows = [_row(figure) for figure in content.figures]
    document.table(columns, rows, empty="Nenhum indicador no período.", first_width=0.3)
    if content.first < content.last:
        document.heading("Por dia")
        for key, values in content.daily.items():
            kpi = catalogue().kpi(key)
            points = [f"{day:%d/%m}" for day in values]
            factor, unit = _AXES.get(kpi.unit, (1.0, _UNITS.get(kpi.unit, kpi.unit)))
            drawn = [None if value is None else value * factor for value in values.values()]
            document.lines(kpi.name, points, {kpi.name: drawn}, unit=unit)
    if content.queues:
        document.heading("Por fila")
        opened = {queue: values.get(BY_QUEUE[0]) or 0.0 for queue, values in content.queues.items()}
        document.bars("Conversas abertas", list(opened), list(opened.values()), unit="quantidade")
        kpis = [catalogue().kpi(key) for key in told_of(content)]
        by_queue = [
            (queue, *(number(values.get(kpi.key), kpi.unit) for kpi in kpis))
            for queue, values in content.queues.items()
        ]
        document.table(("Fila", *(kpi.name for kpi in kpis)), by_queue, empty="Nenhuma conversa no período.")
    document.text(
        "As definições estão no catálogo de indicadores do hub; cada valor abre nas conversas que o formam, no console."
    )
    return document.render()


def _row(figure: Figure) -> tuple[str, ...]:
    kpi = figure.kpi
    met = kpi.is_met(figure.value, figure.target)
    shown = [number(value, kpi.unit, figure.currency) for value in (figure.value, figure.previous, figure.target)]
    situation = MISSING if met is None else "atingida" if met else "não atingida"
    return kpi.name, shown[0], shown[1], change(figure), shown[2], situation


def _csv(content: Content) -> bytes:
    """One row per figure for the whole period, then one per day and figure that is told by day, then one per queue and figure
    that is told by queue; values as they are."""
    rows: list[Sequence[Any]] = [
        ("", one.kpi.key, one.kpi.name, one.kpi.unit, one.value, one.previous, one.target, "")
        for one in content.figures
    ]
    for key, values in content.daily.items():
        kpi = catalogue().kpi(key)
        rows += [(day.isoformat(), key, kpi.name, kpi.unit, value, None, None, "") for day, value in values.items()]
    for key in told_of(content):
        kpi = catalogue().kpi(key)
        rows += [
            ("", key, kpi.name, kpi.unit, values[key], None, None, queue)
            for queue, values in content.queues.items()
            if values.get(key) is not None
        ]
    columns = ("dia", "chave", "indicador", "unidade", "valor", "valor_anterior", "meta", "fila")
    return "".join(write_csv(columns, rows)).encode()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{_decimal(value, 1)}"


def _decimal(value: float, places: int) -> str:
    return f"{value:,.{places}f}".translate(str.maketrans(",.", ".,"))

"""`python -m assets.gold.kpi.render`: writes the views gold.kpi_<key> and the table of README.md from catalogue.yaml.

A view has one row per case with the figure's numerator and denominator, in one shape for all of them, so that a figure of
any grain, its breakdowns and the conversations behind it come from the same rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from hub_api.platform.figure_cases import Catalogue, Select, of_figure, of_funnel

PLACE = Path(__file__).parent
BEGIN, END = "<!-- from catalogue.yaml -->", "<!-- end -->"
COLUMNS = {
    "day": ("Date", "Business day (HUB_TIMEZONE) to which the case counts"),
    "hour": ("DateTime('UTC')", "Hour to which it counts, UTC; hours begin as they do in HUB_TIMEZONE"),
    "at": ("DateTime64(6, 'UTC')", "When the case began, UTC"),
    "conversation_id": ("UUID", "Conversation of the case; zeros for cases that belong to none"),
    "customer_id": ("UUID", "Its customer; zeros for cases that belong to none"),
    "queue": ("LowCardinality(String)", "Queue; empty for the bot"),
    "agent_id": ("Nullable(UUID)", "Agent"),
    "number_id": ("Nullable(UUID)", "Our WhatsApp number"),
    "channel": ("LowCardinality(String)", "Channel"),
    "state_code": ("LowCardinality(String)", "Federative unit (UF) of the customer; empty when unknown"),
    "region": ("LowCardinality(String)", "Region (IBGE) of state_code; empty when unknown"),
    "plan": ("LowCardinality(String)", "Plan of the customer; empty when unknown"),
    "currency": ("LowCardinality(String)", "ISO 4217 code of an amount; empty when it is none"),
    "numerator": ("Int64", "What the figure sums: count, microseconds or millionths"),
    "denominator": ("Int64", "What it is divided by: count or microseconds"),
}
UNITS = {
    "seconds": "segundos", "share": "proporção", "points": "pontos", "rating": "nota", "count": "quantidade", "money": "moeda",
    "per_hour": "por hora",
}  # fmt: skip
BETTER = {"up": "maior", "down": "menor", "none": "–"}


def load_catalogue() -> Catalogue:
    """The catalogue as it is written."""
    loaded: Catalogue = yaml.safe_load((PLACE / "catalogue.yaml").read_text("utf-8"))
    return loaded


def views(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """File name and text of each view: one per figure and funnel, and gold.kpi_cases with all figures by name."""
    for key, kpi in catalogue["kpis"].items():
        told = _whole(of_figure(catalogue, kpi))
        yield f"kpi_{key}.view.sql", _view(f"kpi_{key}", COLUMNS, told, kpi["formula"])
    for key, funnel in catalogue["funnels"].items():
        steps = {
            name: ("UInt8", f"1 when the case has come this far: {step['name']}")
            for name, step in funnel["steps"].items()
        }
        columns = {name: COLUMNS[name] for name in COLUMNS if name not in ("numerator", "denominator")} | steps
        told = _whole(of_funnel(catalogue, funnel))
        yield f"funnel_{key}.view.sql", _view(f"funnel_{key}", columns, told, f"Funil: {funnel['name']}")
    cases = "\nUNION ALL\n".join(
        f"SELECT '{key}' AS kpi, toFloat64({kpi.get('scale', 1)}) AS scale, {', '.join(COLUMNS)} FROM gold.kpi_{key}"  # noqa: S608 - our own words
        for key, kpi in catalogue["kpis"].items()
    )
    own = {
        "kpi": ("String", "Key of the figure in the catalogue"),
        "scale": ("Float64", "Factor of the figure: scale * sum(numerator) / sum(denominator)"),
    }
    # The name puts it after the views that it reads: files run in the order of their names.
    yield "kpis_cases.view.sql", _view("kpis_cases", own | COLUMNS, cases, "All figures by name; filter by kpi")


def _whole(selects: Iterable[Select]) -> str:
    return "\nUNION ALL\n".join(select.sql(select.columns) for select in selects)


def _view(name: str, columns: Mapping[str, tuple[str, str]], select: str, comment: str) -> str:
    listed = ",\n".join(f"    {column} {kind} COMMENT '{_quoted(text)}'" for column, (kind, text) in columns.items())
    return (
        "-- Written by `python -m assets.gold.kpi.render` from catalogue.yaml: change it there.\n"
        f"CREATE OR REPLACE VIEW gold.{name} /*ON CLUSTER*/\n(\n{listed}\n)\nAS\n{select}\nCOMMENT '{_quoted(comment)}';\n"
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "''")


def table(catalogue: Catalogue) -> str:
    """The README's table of all figures."""
    lines = ["| chave | nome | fórmula | unidade | melhor | meta |", "|---|---|---|---|---|---|"]
    for key, kpi in [*catalogue["kpis"].items(), *catalogue["measured_elsewhere"].items()]:
        formula = kpi["formula"] if key in catalogue["kpis"] else f"{kpi['formula']} (`silver.service_levels`)"
        cells = [f"`{key}`", kpi["name"], formula, UNITS[kpi["unit"]], BETTER[kpi["better"]], _target(kpi)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _target(kpi: Mapping[str, Any]) -> str:
    target, sign = kpi.get("target"), {"up": ">", "down": "<"}.get(kpi["better"], "")
    if target is None:
        return "–"
    if "value" in target:
        return f"{sign} {target['value']:g}"
    return f"{target['change_of_baseline']:+.0%} da linha de base"


def render() -> None:
    """Write the files; views of figures that are no more go."""
    catalogue, folder = load_catalogue(), PLACE / "sql"
    written = dict(views(catalogue))
    for file in folder.glob("*.view.sql"):
        if file.name not in written:
            file.unlink()
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")
    readme = PLACE / "README.md"
    head, _, rest = readme.read_text("utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    readme.write_text(f"{head}{BEGIN}\n{table(catalogue)}\n{END}{tail}", "utf-8")


if __name__ == "__main__":
    render()

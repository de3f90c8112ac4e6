"""A template's variables out of what is known of a recipient: pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.campaigns.ports import Components
from hub_api.platform.pgtypes import Row

MICROS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Short:
    """A short link of a message: its code, which a button's variable is, and its whole address, which stands in a text."""

    code: str
    address: str


def components_of(
    variables: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any], links: Mapping[str, Short] | None = None
) -> tuple[Components, list[str]]:
    """The send call's components (header, body, buttons, in this order), and the places that took their fallback.

    `variables`: place (`body.1`, `header.nome`, `button.0`) -> source and fallback; `values`: source -> what is known;
    `links`: address -> the short link that leads there, of places whose source is `link`.
    """
    fallbacks: list[str] = []
    parts: dict[str, list[dict[str, Any]]] = {"header": [], "body": []}
    buttons: list[dict[str, Any]] = []
    for place in sorted(variables, key=_order):
        given = variables[place]
        area, _, name = place.partition(".")
        if given["source"] == "link":
            link = (links or {})[given["url"]]
            text = link.code if area == "button" else link.address
        else:
            text = words(values.get(given["source"]))
        if not text:
            text = given["fallback"]
            fallbacks += [] if given["source"] == "text" else [place]
        parameter: dict[str, Any] = {"type": "text", "text": text}
        if area == "button":
            buttons.append({"type": "button", "sub_type": "url", "index": int(name), "parameters": [parameter]})
        else:
            parts[area].append(parameter if name.isdecimal() else {**parameter, "parameter_name": name})
    return [{"type": area, "parameters": given} for area, given in parts.items() if given] + buttons, fallbacks


def words(value: Any) -> str:
    """A value as people read it: money with comma, dates by day, text on one line (Meta refuses line breaks and four spaces)."""
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime("%d/%m/%Y")
    if isinstance(value, Decimal):
        return f"R$ {value:,.2f}".translate(str.maketrans(",.", ".,"))
    return " ".join(str(value).split())[:500]


def values_of(known: Row | Mapping[str, Any], more: Mapping[str, Any] | None) -> dict[str, Any]:
    """By source: a row of the query `sources`, and what came with the recipient (file, trigger, warehouse), which wins."""
    name = words(known.get("name"))
    return {
        "customer.name": name,
        "customer.first_name": name.split(" ")[0].title() if name else "",
        "contract.plan": known.get("plan"),
        "contract.city": known.get("city"),
        "contract.price": _money(known.get("price_micros")),
        "invoice.amount": _money(known.get("invoice_micros")),
        "invoice.due_on": known.get("invoice_due_on"),
        **(more or {}),
    }


def trigger_values(row: Row | Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """By source: what a row of `trigger_members` knows of the invoice or the outage that set a campaign off, in words."""
    ends = row["expected_end_at"]
    told = {
        "trigger.id": row["key"].partition(":")[2],
        "trigger.amount": words(_money(row["amount_micros"])),
        "trigger.due_on": words(row["due_on"]),
        "trigger.region_code": words(row["region_code"]),
        "trigger.expected_end": f"{ends.astimezone(zone):%d/%m às %H:%M}" if ends else "",
    }
    return {source: text for source, text in told.items() if text}


def _money(micros: int | None) -> Decimal | None:
    return None if micros is None else Decimal(micros) / MICROS


def _order(place: str) -> tuple[str, int, str]:
    area, _, name = place.partition(".")
    return area, int(name) if name.isdecimal() else 0, name

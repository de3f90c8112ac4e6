"""Templates as operators look at them: lists, one with all its versions and changes, a preview of any version."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.services import Services
from hub_api.whatsapp.templates.preview import Preview, Values, example_values, preview
from hub_api.whatsapp.templates.shape import read_shape

queries = sqlfile.load(__package__)

CHANGES_SHOWN = 100


async def list_templates(
    services: Services,
    *,
    account_id: UUID | None = None,
    status: str | None = None,
    category: str | None = None,
    name: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Rows:
    """Templates of one account or of all, by status, category and a part of the name. Raises Invalid for a cursor that is
    none of ours."""
    (after,) = read_cursor(cursor, UUID)
    rows = await services.db.fetch(queries.list_templates, after, limit + 1, account_id, status, category, name)
    return page(rows, limit, "id")


async def get_template(services: Services, template_id: UUID) -> dict[str, Any]:
    """One template with `versions` (newest first) and its last `changes`. Raises NotFound."""
    template = await services.db.fetchrow(queries.get_template, template_id)
    if template is None:
        raise NotFound(f"there is no template {template_id}", template_id=str(template_id))
    return {
        **dict(template),
        "versions": [dict(row) for row in await services.db.fetch(queries.versions, template_id)],
        "changes": [dict(row) for row in await services.db.fetch(queries.changes, template_id, CHANGES_SHOWN)],
    }


async def find_template(services: Services, name: str, language: str | None, account_id: UUID | None = None) -> UUID:
    """The id of the one template of this name. Raises NotFound, Conflict when language or account must be said too."""
    rows = await services.db.fetch(queries.find_template, account_id, name, language)
    if not rows:
        raise NotFound(f"there is no template {name!r}" + (f" in {language}" if language else ""))
    if len(rows) > 1:
        raise Conflict(f"there are {len(rows)} templates named {name!r}: say the language, or give the id")
    return rows[0]["id"]  # type: ignore[no-any-return]


async def show(services: Services, template_id: UUID, version: int | None, given: list[str]) -> Preview:
    """A version of a template (the newest without one) as the phone shows it; `given` are `place=text`, as `read_values`
    has them, before the examples. Raises NotFound, Invalid."""
    template = await services.db.fetchrow(queries.get_template, template_id)
    if template is None:
        raise NotFound(f"there is no template {template_id}", template_id=str(template_id))
    found = await services.db.fetchrow(queries.get_version, template_id, version)
    if found is None and version is not None:
        raise NotFound(f"template {template['name']!r} has no version {version}")
    source = found or template
    shape = read_shape(source["components"], source["parameter_format"])
    return preview(shape, read_values(given, example_values(source["components"])))


def read_values(given: list[str], before: Values) -> Values:
    """`before` with the given values over it: `nome=Ana` (body), `header.1=Ana`, `button.0=abc`, `media=fatura.pdf`,
    `card.0.nome=Ana`. Raises Invalid."""
    values = before
    for one in given:
        place, equals, text = one.partition("=")
        if not equals or not place:
            raise Invalid(f"{one[:40]!r} is no value: write place=text, such as nome=Ana or header.1=Ana")
        values = _with(values, place.split("."), text)
    return values


def _with(values: Values, place: list[str], text: str) -> Values:
    match place:
        case ["media"]:
            return replace(values, media=text)
        case ["header", name]:
            return replace(values, header={**values.header, name: text})
        case ["button", index] if index.isdecimal():
            return replace(values, buttons={**values.buttons, int(index): text})
        case ["card", index, *inner] if index.isdecimal() and inner:
            cards = dict(values.cards or {})
            cards[int(index)] = _with(cards.get(int(index), Values({}, {}, {})), inner, text)
            return replace(values, cards=cards)
        case ["body", name] | [name]:
            return replace(values, body={**values.body, name: text})
        case _:
            raise Invalid(
                f"{'.'.join(place)[:40]!r} is no place of a template: header.1, nome, button.0, media, card.0.nome"
            )

"""A message from an approved template: what the Cloud API gets, and the words that people read of it."""

import re
from typing import Any
from uuid import UUID

from hub_api.chat.outgoing import Draft
from hub_api.errors import Conflict, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "views.sql")

_PRIORITY = {"authentication": 1, "utility": 2, "marketing": 3}
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class TemplateNotApproved(Conflict):
    """Meta sends approved templates only; this one is pending, paused, rejected or disabled."""

    code = "template_not_approved"


async def from_template(
    tx: Transaction, conversation_id: UUID, name: str, language: str, components: list[dict[str, Any]], **options: Any
) -> Draft:
    """The draft of template `name` filled with `components` (the Cloud API's form); `options` are fields of Draft.

    Category and priority follow from the template. Raises NotFound when the conversation's account has no such
    template, TemplateNotApproved when it may not be sent now.
    """
    row = await tx.db.fetchrow(queries.find_template, conversation_id, name, language)
    if row is None:
        raise NotFound(f"the account of conversation {conversation_id} has no template {name!r} in {language!r}")
    if row["status"] != "APPROVED":
        raise TemplateNotApproved(
            f"template {name!r} is {row['status']}: Meta would refuse it", status_of_template=row["status"]
        )
    category = row["category"].lower()
    body: dict[str, Any] = {"name": name, "language": {"code": language}}
    if components:
        body["components"] = components
    options = {"priority": _PRIORITY.get(category, 2), **options}
    return Draft("template", body, words(row["components"], components), category=category, template=name, **options)


def words(template: list[dict[str, Any]], filled: list[dict[str, Any]]) -> str | None:
    """The template's body text with its variables replaced, positional ({{1}}) or named; None without a body."""
    text = next((part.get("text") for part in template if str(part.get("type")).upper() == "BODY"), None)
    if text is None:
        return None
    given: list[dict[str, Any]] = next(
        (part.get("parameters", []) for part in filled if str(part.get("type")).upper() == "BODY"), []
    )
    values = {str(position): _shown(one) for position, one in enumerate(given, start=1)}
    values |= {one["parameter_name"]: _shown(one) for one in given if one.get("parameter_name")}
    return _VARIABLE.sub(lambda variable: values.get(variable[1], variable[0]), str(text))


def _shown(parameter: dict[str, Any]) -> str:
    if "text" in parameter:
        return str(parameter["text"])
    inner = parameter.get(str(parameter.get("type")), {})
    return str(inner.get("fallback_value", "")) if isinstance(inner, dict) else ""

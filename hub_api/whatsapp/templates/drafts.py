"""Drafts: a template, or a change of one, is written and checked here before Meta sees it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.whatsapp.templates.check import Draft, check
from hub_api.whatsapp.templates.faults import Fault
from hub_api.whatsapp.templates.fingerprint import fingerprint

queries = sqlfile.load(__package__)

EDITABLE = frozenset({"DRAFT", "APPROVED", "REJECTED", "PAUSED"})


class TemplateExists(Conflict):
    """The account has a template of this name in this language."""

    code = "template_exists"


class NotEditable(Conflict):
    """Meta edits approved, rejected and paused templates only."""

    code = "template_not_editable"


class VersionChanged(Conflict):
    """Somebody else wrote a newer version since the one that was looked at."""

    code, status = "version_changed", 412


@dataclass(frozen=True, slots=True)
class Saved:
    """The draft under its template's id and version number; `warnings` are what Meta takes and people regret."""

    id: UUID
    version: int
    warnings: list[Fault]


async def create(tx: Transaction, account_id: UUID, draft: Draft, author: str) -> Saved:
    """Keep a new template as a draft; nothing is said to Meta.

    Raises Invalid with every field that breaks a limit, NotFound for the account, TemplateExists.
    """
    warnings = _checked(draft)
    if await tx.db.fetchval(queries.account_access, account_id) is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
    template_id = await tx.db.fetchval(
        queries.insert_template,
        uuid7(),
        account_id,
        draft.name,
        draft.language,
        draft.category,
        draft.parameter_format,
        draft.ttl_s,
    )
    if template_id is None:
        raise TemplateExists(
            f"the account has a template {draft.name!r} in {draft.language}: edit it, or choose another name"
        )
    return Saved(template_id, await _add_version(tx, template_id, draft, author), warnings)


async def edit(
    tx: Transaction,
    template_id: UUID,
    components: list[dict[str, Any]],
    author: str,
    *,
    category: str | None = None,
    parameter_format: str | None = None,
    ttl_s: int | None = None,
    if_version: int | None = None,
) -> Saved:
    """Keep a new version of a template as a draft, in place of one that waits; `submit` sends it to Meta.

    What is not given stays. `if_version`: the number of the newest version that the writer has seen. Raises Invalid,
    NotFound, NotEditable, VersionChanged.
    """
    template = await locked(tx, template_id)
    newest = await tx.db.fetchrow(queries.get_version, template_id, None)
    number = newest["number"] if newest is not None else 0
    if if_version is not None and if_version != number:
        raise VersionChanged(f"template {template['name']!r} is at version {number}, not {if_version}: read it again")
    if template["status"] not in EDITABLE:
        raise NotEditable(f"template {template['name']!r} is {template['status']}: Meta edits no such template")
    if category is not None and category != template["category"] and template["status"] in ("APPROVED", "PAUSED"):
        raise NotEditable(f"the category of {template['name']!r} is {template['category']}: once approved it stays")
    draft = Draft(
        template["name"],
        template["language"],
        category or template["category"],
        components,
        parameter_format or template["parameter_format"],
        ttl_s if ttl_s is not None else template["ttl_s"],
    )
    warnings = _checked(draft)
    return Saved(template_id, await _add_version(tx, template_id, draft, author), warnings)


async def locked(tx: Transaction, template_id: UUID) -> Row:
    """The template, kept from other writers until the transaction ends. Raises NotFound."""
    template = await tx.db.fetchrow(queries.lock_template, template_id)
    if template is None:
        raise NotFound(f"there is no template {template_id}", template_id=str(template_id))
    return template


def _checked(draft: Draft) -> list[Fault]:
    verdict = check(draft)
    if verdict.faults:
        first, more = verdict.faults[0], len(verdict.faults) - 1
        raise Invalid(
            f"{first.field} {first.message}" + (f" (and {more} more)" if more else ""),
            errors=[{"field": fault.field, "message": fault.message} for fault in verdict.faults],
        )
    return verdict.warnings


async def _add_version(tx: Transaction, template_id: UUID, draft: Draft, author: str) -> int:
    await tx.db.execute(queries.replace_draft, template_id)
    return await tx.db.fetchval(  # type: ignore[no-any-return]
        queries.insert_version,
        uuid7(),
        template_id,
        draft.category,
        draft.parameter_format,
        draft.ttl_s,
        list(draft.components),
        fingerprint(draft.components),
        author,
    )

"""The texts that people consent to, by version, and consent given to one of them outside of a message (form, shop, telephone).

Words of a version never change (migration 0033), so a proof that names it proves what was read (LGPD art. 8 § 2).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.chat import consent
from hub_api.chat.consent_confirm import confirm
from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Connection, Pool, Row
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "consent_texts.sql")


async def publish(tx: Transaction, who: Principal, version: str, scope: consent.TextScope, text: str) -> None:
    """Make a version known. Harmless to repeat with the same words; raises Conflict when the version has others."""
    digest = hashlib.sha256(text.encode()).digest()
    if await tx.db.fetchval(queries.insert, version, scope, text, digest, who.actor):
        await audit.write(tx, who, "consent.text_published", "consent_text", version, after={"scope": scope})
        return
    row = await find(tx.db, version)
    if (row["scope"], bytes(row["sha256"])) != (scope, digest):
        raise Conflict(f"consent text {version} has other words: its words never change, publish another version")


async def retire(tx: Transaction, who: Principal, version: str) -> None:
    """Take no new consent under a version; proofs that name it stay. Raises NotFound, Conflict when it is retired already."""
    await find(tx.db, version)
    if not await tx.db.fetchval(queries.retire, version):
        raise Conflict(f"consent text {version} is retired already")
    await audit.write(tx, who, "consent.text_retired", "consent_text", version)


async def find(db: Connection | Pool, version: str) -> Row:
    """A version. Raises NotFound."""
    row = await db.fetchrow(queries.find, version)
    if row is None:
        raise NotFound(f"there is no consent text {version!r}")
    return row


async def list_texts(db: Pool) -> list[Row]:
    """All versions, newest first: a handful, no pages."""
    return await db.fetch(queries.list_texts)


async def give(
    tx: Transaction,
    who: Principal,
    customer_id: UUID,
    *,
    scope: consent.Scope,
    granted: bool,
    text_version: str | None,
    evidence: Mapping[str, Any],
    occurred_at: datetime | None,
) -> bool:
    """Record what a person decided, in the caller's name; False when this proof is in the ledger already.

    A consent names the text it was given to, of the same scope and in force then; a refusal needs none. Raises NotFound for an
    unknown text or customer, Invalid for a consent without text, Conflict for a text of another scope or a retired one.
    """
    at = occurred_at or datetime.now(UTC)
    if granted and text_version is None:
        raise Invalid(
            "a consent needs text_version: which words did the person read? GET /api/v1/privacy/consent-texts lists them"
        )
    if text_version is not None:
        text = await find(tx.db, text_version)
        if text["scope"] != scope:
            raise Conflict(f"consent text {text_version} is about {text['scope']}, and {scope} was consented to")
        if granted and text["retired_at"] and text["retired_at"] <= at:
            raise Conflict(f"consent text {text_version} was retired on {text['retired_at']:%Y-%m-%d}")
    before = await tx.db.fetchval(consent.queries.refused, customer_id, scope)
    new = await consent.record(
        tx, customer_id, scope, granted=granted, source="agent" if who.kind == "user" else "api", evidence=evidence,
        occurred_at=at, text_version=text_version, actor_id=who.user_id,
    )  # fmt: skip
    if new:
        after = {"scope": scope, "granted": granted, "text_version": text_version}
        await audit.write(tx, who, "consent.recorded", "customer", customer_id, after=after)
        if not granted and not before:
            await confirm(tx, customer_id, scope)
    return new


async def history(db: Pool, customer_id: UUID) -> list[Row]:
    """Every proof of a person, newest first, with the words where the hub has them."""
    return await db.fetch(queries.history, customer_id)

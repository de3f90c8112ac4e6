"""Verifying the audit log: somebody asks in the console and a job walks the chain, or an operator does; the newest verdict is read."""

from typing import Any
from uuid import UUID

import structlog

from hub_api.auth import audit, audit_chain
from hub_api.auth.audit_chain import Verdict
from hub_api.auth.principal import Principal
from hub_api.platform import sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.metrics import audit_faults
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "audit_verify.sql")


async def ask(tx: Transaction, who: Principal) -> UUID:
    """Let the chain be verified; the id of the verification, of the one under way if there is one."""
    asked: UUID = uuid7()
    made: UUID | None = await tx.db.fetchval(queries.ask, asked, who.user_id)
    if made is None:
        under_way: UUID = await tx.db.fetchval(queries.under_way)
        return under_way
    await audit.write(tx, who, "audit.verification_asked", "audit_verification", made)
    return made


async def newest(db: Any) -> Row | None:
    """The newest verification, finished or not; None before the first."""
    return await db.fetchrow(queries.newest)  # type: ignore[no-any-return]


async def verify_now(services: Services, head: str | None) -> Verdict:
    """Verify at once, for who has a shell; the verdict is kept where the console reads the newest. `head`: as audit_chain.verify."""
    verdict = await audit_chain.verify(services.db, services.settings.secret_key.get_secret_value(), head=head)
    await services.db.execute(queries.keep, uuid7(), *_columns(verdict))
    return verdict


def _columns(verdict: Verdict) -> tuple[Any, ...]:
    return (
        verdict.links, verdict.seals, verdict.archived, verdict.unsealed, verdict.head, verdict.other_keys, verdict.faults,
    )  # fmt: skip


async def run(services: Services, *, daily: bool = False) -> None:
    """Verify when somebody has asked, or with `daily` in any case. A run that died is taken up again after an hour."""
    if daily:
        await services.db.fetchval(queries.ask, uuid7(), None)
    found = await services.db.fetchval(queries.take)
    if found is None:
        return
    verdict = await audit_chain.verify(services.db, services.settings.secret_key.get_secret_value())
    await services.db.execute(queries.finish, found, *_columns(verdict))
    audit_faults.set(len(verdict.faults))
    if verdict.faults:
        log.error("audit_log_changed", faults=len(verdict.faults), remedy="hub audit verify tells each; keep a copy")

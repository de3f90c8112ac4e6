"""The one way into the audit log: who did what to which object, before and after, from where, in which request.

A row is written in the transaction of the deed: both are there or neither. The log is append-only; a sealer chains it.
"""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from structlog.contextvars import get_contextvars

from hub_api.auth.principal import Principal
from hub_api.platform import request_info, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.logging import mask
from hub_api.platform.postgres import Transaction

queries = sqlfile.load(__package__, "audit.sql")

SYSTEM = "system"
OPERATOR = "operator"  # who is at the command line
_SECRET = re.compile(r"password|secret|token|code|cpf|key_sha|encrypted|hash", re.IGNORECASE)
_PHONE = re.compile(r"phone|whatsapp|number$", re.IGNORECASE)
_EMAIL = re.compile(r"e?mail$", re.IGNORECASE)


async def write(
    tx: Transaction,
    who: Principal | str,
    action: str,
    object_type: str,
    object_id: UUID | str | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append a row. `who` is the caller, or `system`, or `user:<id>` before he has signed in; `action` is `area.deed`.

    Of `before` and `after` only what differs is kept, with phones and e-mail addresses masked and secrets named but not
    shown. Address and trace id are those of the request in hand.
    """
    if before is not None and after is not None:
        changed = {name for name in {*before, *after} if before.get(name) != after.get(name)}
        before = {name: value for name, value in before.items() if name in changed}
        after = {name: value for name, value in after.items() if name in changed}
    await tx.db.execute(
        queries.insert,
        uuid7(),
        who if isinstance(who, str) else who.actor,
        action,
        object_type,
        None if object_id is None else str(object_id),
        masked(detail or {}),
        get_contextvars().get("request_id"),
        request_info.current.get().address,
        None if before is None else masked(before),
        None if after is None else masked(after),
    )


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the log may keep them: secrets as `***`, phones by their last four signs, e-mail by its domain."""
    return {name: _masked(name, value) for name, value in values.items()}


def _masked(name: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return masked(value)
    if _SECRET.search(name):
        return "***"
    if _PHONE.search(name):
        return mask(str(value))
    if _EMAIL.search(name):
        return mask_email(str(value))
    return [_masked(name, one) for one in value] if isinstance(value, list | tuple | set | frozenset) else value


def mask_email(address: str) -> str:
    """`bia@example.com` as `b…@example.com`."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain}"

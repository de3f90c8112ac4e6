"""Calls of the management API for an account: its token, and a budget counted before Meta counts it (§4.3)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hub_api.errors import Conflict, NotFound
from hub_api.platform import crypto, sqlfile
from hub_api.platform.services import Services
from hub_api.whatsapp.send.callers import open_callers
from hub_api.whatsapp.send.meta import MetaClient, RejectedByMeta

queries = sqlfile.load(__package__)

# Part of an account's budget that work on a clock leaves to people.
KEPT_FOR_PEOPLE = 0.5


class BudgetSpent(Conflict):
    """The calls of the management API that Meta allows the account in an hour are used up."""

    code = "management_budget_spent"


class RefusedByMeta(Conflict):
    """Meta refused a management call; its own words are in the message, its code in `meta_code`."""

    code = "refused_by_meta"


@dataclass(frozen=True, slots=True)
class Access:
    """The management API as one account sees it."""

    services: Services
    client: MetaClient
    account_id: UUID
    waba_id: str
    token: str

    async def get(self, path: str, *, kept: float = 0.0, **query: str) -> dict[str, Any]:
        """Read. `kept`: the part of the budget that is left to others. Raises BudgetSpent, RejectedByMeta, NotAccepted."""
        await self._spend(kept)
        return await self.client.get(path, self.token, **query)

    async def change(self, method: str, path: str, body: dict[str, Any] | None = None, **query: str) -> dict[str, Any]:
        """Change. Raises BudgetSpent, RejectedByMeta, NotAccepted, OutcomeUnknown."""
        await self._spend(0.0)
        return await self.client.change(method, path, self.token, body, **query)

    async def _spend(self, kept: float) -> None:
        if await self.services.db.fetchval(queries.spend_calls, self.account_id, 1, kept) is None:
            raise BudgetSpent(
                f"account {self.waba_id} has used the management calls that Meta allows it in an hour: wait some minutes",
                waba_id=self.waba_id,
            )


async def access(services: Services, account_id: UUID) -> Access:
    """The management API for an account. Raises NotFound, BadKey when its token cannot be read."""
    account = await services.db.fetchrow(queries.account_access, account_id)
    if account is None:
        raise NotFound(f"there is no WhatsApp account {account_id}", account_id=str(account_id))
    token = crypto.decrypt(services.settings.secret_key.get_secret_value(), account["token_encrypted"])
    client = (await services.shared(open_callers)).client
    return Access(services, client, account_id, account["waba_id"], token)


def refused(error: RejectedByMeta, what: str) -> RefusedByMeta:
    """Meta's refusal as an answer to whoever asked for `what`."""
    refusal = error.refusal
    words = " · ".join(dict.fromkeys(part for part in (refusal.title, refusal.details) if part))
    return RefusedByMeta(
        f"Meta refused to {what}: {refusal.code} {words}", meta_code=refusal.code, fbtrace_id=refusal.fbtrace_id
    )

"""Our WhatsApp business accounts: registering them and their numbers."""

from uuid import UUID

from hub_api.auth import audit
from hub_api.auth.principal import Principal
from hub_api.errors import NotFound
from hub_api.platform import crypto, sqlfile
from hub_api.platform.ids import uuid7
from hub_api.platform.pages import Rows, page, read_cursor
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "accounts.sql")


async def add_account(
    services: Services,
    *,
    waba_id: str,
    portfolio_id: str,
    name: str,
    token: str,
    who: Principal | str = audit.OPERATOR,
) -> UUID:
    """Register a WhatsApp business account, or renew its name and token; returns its id.

    The token of the system user is stored encrypted. A new one lifts the pause that a refused token had caused.
    """
    sealed = crypto.encrypt(services.settings.secret_key.get_secret_value(), token)
    async with services.transaction() as tx:
        account_id: UUID = await tx.db.fetchval(queries.upsert_account, uuid7(), waba_id, portfolio_id, name, sealed)
        after = {"waba_id": waba_id, "portfolio_id": portfolio_id, "name": name, "token": token}
        await audit.write(tx, who, "account.registered", "account", account_id, after=after)
    return account_id


async def add_number(
    services: Services,
    *,
    waba_id: str,
    phone_number_id: str,
    display_phone_number: str,
    verified_name: str | None = None,
    throughput_mps: int = 80,
    who: Principal | str = audit.OPERATOR,
) -> UUID:
    """Register a number of an account, or renew what is known of it; returns its id.

    `throughput_mps`: messages per second Meta allows it (80, 1,000, or 20 in coexistence). Raises NotFound when the
    account is not registered.
    """
    account_id = await services.db.fetchval(queries.find_account, waba_id)
    if account_id is None:
        raise NotFound(f"there is no WhatsApp account {waba_id}: add the account before its numbers", waba_id=waba_id)
    told = (phone_number_id, display_phone_number, verified_name, throughput_mps)
    async with services.transaction() as tx:
        number_id: UUID = await tx.db.fetchval(queries.upsert_number, uuid7(), account_id, *told)
        after = {"account_id": str(account_id), "phone_number_id": phone_number_id, "throughput_mps": throughput_mps}
        await audit.write(tx, who, "number.added", "whatsapp_number", number_id, after=after)
    return number_id


async def list_accounts(services: Services) -> list[Row]:
    """Every account with its state, never its token."""
    return await services.db.fetch(queries.list_accounts)


async def list_numbers(services: Services, *, limit: int = 100, cursor: str | None = None) -> Rows:
    """Numbers with their state, in the order of phone_number_id. Raises Invalid for a cursor that is none of ours."""
    (after,) = read_cursor(cursor, str)
    return page(await services.db.fetch(queries.list_numbers, after, limit + 1), limit, "phone_number_id")

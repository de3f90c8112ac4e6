"""In which money and by whose clock Meta bills an account, as the account's node at the Graph API says."""

import re
from typing import Any
from uuid import UUID

from hub_api.platform import sqlfile
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

FIELDS = "currency,timezone_id"
# Meta's numbers of the zones that an account of a Brazilian operator can have (Marketing API, time zone ids).
ZONES = {
    "22": "America/Noronha",
    "23": "America/Campo_Grande",
    "24": "America/Belem",
    "25": "America/Sao_Paulo",
}


async def learn(services: Services, account_id: UUID, node: dict[str, Any]) -> None:
    """Bill the account as its node says from now on; what the node leaves out, or names a zone that is not known here,
    stays as a person set it."""
    currency, zone = str(node.get("currency") or ""), ZONES.get(str(node.get("timezone_id")))
    known = currency if re.fullmatch("[A-Z]{3}", currency) else None
    if known or zone:
        await services.db.execute(queries.learn_billing, account_id, known, zone)

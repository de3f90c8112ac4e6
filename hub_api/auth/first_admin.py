"""The first administrator of a new hub: made once, with a password that lies in HUB_HOME, and never again after that."""

from hub_api.auth import audit
from hub_api.auth.passwords import Passwords
from hub_api.auth.permissions import FIRST_ADMIN
from hub_api.auth.users import queries
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Connection
from hub_api.platform.postgres import Transaction


async def make_first_admin(db: Connection, password: str) -> bool:
    """Whether he was made: only while there is no user who could sign in. His password is set by whoever starts the hub."""
    if await db.fetchval(queries.has_password):
        return False
    passwords = Passwords()
    hashed = await passwords.hash(password)
    passwords.close()
    async with db.transaction():
        user_id = await db.fetchval(queries.insert_first_admin, uuid7(), FIRST_ADMIN, "Administrador", hashed)
        if user_id is None:
            return False
        await audit.write(
            Transaction(db),
            audit.SYSTEM,
            "user.created",
            "user",
            user_id,
            after={"email": FIRST_ADMIN, "role": "admin"},
        )
    return True

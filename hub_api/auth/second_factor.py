"""The second factor: codes of an authenticator app (TOTP, RFC 6238), recovery codes, and codes sent by message.

A secret is pending until one of its codes was confirmed. A code of the app is taken one step (30 s) early or late, since
clocks differ, and never twice: the step of the newest code taken is stored, and none up to it is taken again (RFC 6238 §5.2).
"""

import hashlib
import hmac
import io
import secrets
import time
from dataclasses import dataclass
from uuid import UUID

import pyotp

from hub_api.auth import audit, sessions
from hub_api.auth.principal import Principal
from hub_api.errors import Conflict, Invalid
from hub_api.platform import sqlfile
from hub_api.platform.crypto import decrypt, derive_all, encrypt
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "second_factor.sql")

ISSUER = "Telecom Chat"
STEP_S = 30
DRIFT = 1
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread: no i, l, o, 0, 1


class WrongCode(Invalid):
    """The code is wrong, has expired, or was used."""

    code = "wrong_code"


@dataclass(frozen=True, slots=True)
class Pending:
    """What an authenticator app needs: the secret, its address, and the address as a QR code."""

    secret: str
    uri: str
    qr_svg: str


async def begin(services: Services, tx: Transaction, user_id: UUID) -> Pending:
    """A new pending secret, in place of an unconfirmed one. Raises Conflict when a second factor is in force."""
    import segno  # workers check codes and draw none

    secret = pyotp.random_base32()
    sealed = encrypt(services.settings.secret_key.get_secret_value(), secret)
    email = await tx.db.fetchval(queries.set_pending, user_id, sealed)
    if email is None:
        raise Conflict("a second factor is in force: remove it before you set up another")
    uri = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)
    svg = io.BytesIO()
    segno.make(uri, error="m").save(svg, kind="svg", scale=4, xmldecl=False)
    return Pending(secret, uri, svg.getvalue().decode())


async def confirm(services: Services, tx: Transaction, caller: Principal, code: str) -> list[str]:
    """The pending secret is in force; returns the recovery codes, shown this once. Raises WrongCode, Conflict."""
    user_id = caller.id
    sealed = await tx.db.fetchval(queries.lock_pending, user_id)
    if sealed is None:
        raise Conflict("no second factor waits for its first code: ask for a secret first")
    step = matching_step(decrypt(services.settings.secret_key.get_secret_value(), sealed), code)
    if step is None:
        raise WrongCode("the code does not fit: compare the clock of the device, then take the next code")
    await tx.db.execute(queries.confirm, user_id, step)
    await audit.write(tx, caller, "second_factor.set", "user", user_id)
    await sessions.forget(services, tx, [user_id])
    return await renew_recovery_codes(services, tx, user_id)


async def check_totp(services: Services, tx: Transaction, user_id: UUID, code: str) -> bool:
    """Whether it is a code of the secret in force that was not taken before; it counts as taken now."""
    sealed = await tx.db.fetchval(queries.find_secret, user_id)
    step = matching_step(decrypt(services.settings.secret_key.get_secret_value(), sealed), code) if sealed else None
    # The condition is in the UPDATE: of two requests with one code, one finds the step taken.
    return step is not None and await tx.db.fetchval(queries.take_step, user_id, step) is not None


def matching_step(secret: str, code: str, at_s: float | None = None) -> int | None:
    """The 30 s step, counted from 1970, whose code this is: the present one or one beside it; None for another code."""
    totp, now = pyotp.TOTP(secret), int((time.time() if at_s is None else at_s) // STEP_S)
    matching = None
    for step in range(now - DRIFT, now + DRIFT + 1):  # all of them, whichever fits: equal time
        if hmac.compare_digest(totp.generate_otp(step).encode(), code.encode()):
            matching = step
    return matching


async def renew_recovery_codes(services: Services, tx: Transaction, user_id: UUID) -> list[str]:
    """Ten new codes instead of all earlier ones; each opens once, when the device is lost."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    await tx.db.execute(queries.delete_recovery, user_id)
    await tx.db.execute(queries.insert_recovery, user_id, [keyed(services, user_id, code) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


async def use_recovery_code(services: Services, tx: Transaction, user_id: UUID, code: str) -> bool:
    """Whether it was one of the user's codes; it is gone then."""
    plain = code.replace("-", "").replace(" ", "").lower()
    hashes = keyed_by_all(services, user_id, plain)
    return await tx.db.fetchval(queries.take_recovery, user_id, hashes) is not None


async def remove(services: Services, tx: Transaction, who: Principal | str, user_id: UUID) -> None:
    """No second factor any more: secret, recovery codes and pending ones are deleted, with a row in the audit log."""
    await tx.db.execute(queries.remove, user_id)
    await tx.db.execute(queries.delete_recovery, user_id)
    await tx.db.execute(queries.delete_message_code, user_id)
    await audit.write(tx, who, "second_factor.removed", "user", user_id)
    await sessions.forget(services, tx, [user_id])


def keyed(services: Services, user_id: UUID, code: str) -> bytes:
    """What is stored of a short code: without HUB_SECRET_KEY nobody can try them all."""
    return keyed_by_all(services, user_id, code)[0]


def keyed_by_all(services: Services, user_id: UUID, code: str) -> list[bytes]:
    """The same by each key, today's first: codes outlive a change of HUB_SECRET_KEY while the one before it is set."""
    keys = derive_all(services.settings.secret_key.get_secret_value(), "second factor")
    return [hmac.digest(key, user_id.bytes + code.encode(), hashlib.sha256) for key in keys]

"""Signing in: a password, then the second factor if the user has one, then a session.

Every way in passes `Guard` first and leaves a row in the audit log, whatever came of it. What is wrong is never told:
an unknown address, a wrong password and a user who is not active get the same answer after the same work.
"""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from hub_api.auth import audit, message_codes, second_factor, sessions
from hub_api.auth.guard import Guard, known_device, remember_device
from hub_api.auth.identify import open_door
from hub_api.auth.passwords import open_passwords
from hub_api.auth.sessions import Opened
from hub_api.errors import Unauthorized
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "signin.sql")

CHALLENGE_S = 5 * 60

Method = Literal["totp", "recovery", "message"]
Transport = Literal["cookie", "bearer"]


class WrongCredentials(Unauthorized):
    """The proof does not fit; which part of it is not told."""

    code = "wrong_credentials"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The password was right; `token` and a code of one of `methods` make a session within five minutes."""

    token: str
    methods: list[Method]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session, and what marks this browser as known from now on."""

    session: Opened
    device: str


async def sign_in(
    services: Services, email: str, password: str, *, transport: Transport, device_cookie: str | None = None
) -> SignedIn | Challenge:
    """By password. Raises WrongCredentials, TooMany, Unavailable while Redis is away."""
    device = await known_device(services, email, device_cookie)
    guard = Guard(services, "signin", email, device)
    await guard.allow()
    user = await services.db.fetchrow(queries.find_by_email, email)
    passwords = await services.shared(open_passwords)
    fits, renewed = await passwords.verify(password, user["password_hash"] if user and user["active"] else None)
    if not fits or user is None:
        await _failed(services, guard, user, "password")
        raise WrongCredentials("e-mail address or password is wrong")
    await guard.succeeded()
    if renewed:
        await services.db.execute(queries.renew_hash, user["id"], renewed, user["password_hash"])
    return await proceed(services, user, transport, ["password"], known=device is not None)


async def proceed(
    services: Services, user: Row, transport: Transport, factors: list[str], *, known: bool = False
) -> SignedIn | Challenge:
    """After the first factor (`password`, `oidc`): a session, or a challenge when the user has a second one.

    Not asked for when the provider has asked for one of its own (`oidc_mfa`).
    """
    if user["second_factor_at"] is None or "oidc_mfa" in factors:
        return await _open(services, user, transport, factors, known=known)
    keyring = (await services.shared(open_door)).keyring
    claims = {"sub": str(user["id"]), "pwd": _password_mark(user), "tra": transport, "dev": known, "fac": factors}
    methods: list[Method] = ["totp", "recovery"]
    if message_codes.possible(services, user):
        methods.append("message")
    return Challenge(await keyring.sign("challenge", claims, lives_s=CHALLENGE_S), methods)


async def answer(services: Services, challenge: str, method: Method, code: str) -> SignedIn:
    """The second factor after `sign_in`. Raises WrongCredentials, Unauthorized for a challenge that is none, TooMany."""
    claims, user = await read_challenge(services, challenge)
    guard = Guard(services, "code", user["email"])
    await guard.allow()
    async with services.transaction() as tx:
        factor = await _check(services, tx, user["id"], method, code)
    if factor is None:
        await _failed(services, guard, user, method)
        raise WrongCredentials("the code is wrong, has expired, or was used")
    await guard.succeeded()
    transport: Transport = "cookie" if claims["tra"] == "cookie" else "bearer"
    return await _open(services, user, transport, [*claims["fac"], factor], known=bool(claims["dev"]))


async def read_challenge(services: Services, challenge: str) -> tuple[dict[str, Any], Row]:
    """The claims and the user of a challenge. Raises Unauthorized for one that is none, or of an earlier password."""
    keyring = (await services.shared(open_door)).keyring
    claims = await keyring.verify("challenge", challenge)
    user = await services.db.fetchrow(queries.find_by_id, UUID(claims["sub"]))
    if user is None or not user["active"] or _password_mark(user) != claims["pwd"]:
        raise Unauthorized("sign in again: the password or the user has changed")
    return claims, user


async def check_password(services: Services, user_id: UUID, password: str) -> Row:
    """The user whose password it is, for deeds that want it again. Raises WrongCredentials, TooMany."""
    user = await services.db.fetchrow(queries.find_by_id, user_id)
    guard = Guard(services, "password", str(user_id))
    await guard.allow()
    passwords = await services.shared(open_passwords)
    fits, _ = await passwords.verify(password, user["password_hash"] if user else None)
    if not fits or user is None:
        await _failed(services, guard, user, "password")
        raise WrongCredentials("the present password is wrong")
    await guard.succeeded()
    return user


async def _check(services: Services, tx: Transaction, user_id: UUID, method: Method, code: str) -> str | None:
    """The name of the factor that the code proved, or None."""
    if method == "totp":
        return "totp" if await second_factor.check_totp(services, tx, user_id, code) else None
    if method == "recovery":
        return "recovery" if await second_factor.use_recovery_code(services, tx, user_id, code) else None
    return await message_codes.check(services, tx, user_id, code)


async def _open(
    services: Services, user: Row, transport: Transport, factors: list[str], *, known: bool | str
) -> SignedIn:
    async with services.transaction() as tx:
        session = await sessions.open_session(tx, user["id"], transport, factors)
        device = "" if known else await remember_device(tx, user["id"])
        await tx.db.execute(queries.signed_in, user["id"])
        await audit.write(
            tx, f"user:{user['id']}", "signin.succeeded", "session", session.session_id, detail={"factors": factors}
        )
    return SignedIn(session, device)


async def _failed(services: Services, guard: Guard, user: Row | None, method: str) -> None:
    await guard.failed()
    async with services.transaction() as tx:
        actor, subject = (f"user:{user['id']}", user["id"]) if user else ("anonymous", None)
        await audit.write(tx, actor, "signin.failed", "user", subject, detail={"factor": method})


def _password_mark(user: Row) -> str:
    return str(user["password_changed_at"])

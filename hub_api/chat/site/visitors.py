"""Visitors: who a browser is to us, from its consent on, and how he becomes a customer we know."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from hub_api.auth import notices
from hub_api.auth.notices import Notice
from hub_api.chat import phone as phones
from hub_api.chat.customers import Raced, resolve
from hub_api.chat.identities import Identity, Sighting
from hub_api.chat.site import limits, tokens
from hub_api.chat.site.keep import queries
from hub_api.errors import Conflict, Invalid, NotFound
from hub_api.platform import crypto
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

T = TypeVar("T")

CODE_LIVES = timedelta(minutes=10)
CODE_TRIES = 5
_TRIES = 5
_AGAIN: tuple[type[Exception], ...] = (Raced, *RETRYABLE)


class CodeWrong(Conflict):
    """The code is not the one that was sent, is too old, or was tried too often."""

    code = "code_wrong"


class NoWay(Conflict):
    """No code can be sent: neither HUB_SIGN_IN_TEMPLATE nor HUB_SMS_URL is set."""

    code = "no_way_for_codes"


class Verified(Conflict):
    """This visitor is a person we know already; another one begins anew, in a chat of his own."""

    code = "already_verified"


@dataclass(frozen=True, slots=True)
class SignedUser:
    """A user of the website, as its server signed him."""

    id: str
    name: str | None = None


async def in_turn(services: Services, act: Callable[[Transaction], Awaitable[T]]) -> T:
    """`act` in a transaction of its own, again when another one met the same person first."""
    for left in reversed(range(_TRIES)):
        try:
            async with services.transaction() as tx:
                return await act(tx)
        except _AGAIN:
            if not left:
                raise
    raise AssertionError("unreachable")


async def find(services: Services, site: Row, token: str | None, user: SignedUser | None) -> Row | None:
    """The visitor of a token; None without one that counts.

    A browser in which somebody else signed in is another visitor: nobody is shown what the one before him wrote.
    """
    secret = services.settings.secret_key.get_secret_value()
    visitor_id = tokens.read_token(secret, site["id"], token) if token else None
    if visitor_id is None:
        return None
    visitor = await services.db.fetchrow(queries.find_visitor, visitor_id, site["id"])
    if visitor is None or user is None or visitor["user_id"] == user.id:
        return visitor
    if visitor["user_id"] is not None or visitor["verified_phone"] is not None:
        return None

    async def signed_in(tx: Transaction) -> None:
        await _join(services, tx, visitor, _user_identity(site, user), user_id=user.id, name=user.name)

    await in_turn(services, signed_in)
    return await services.db.fetchrow(queries.find_visitor, visitor_id, site["id"])


async def start(
    services: Services, site: Row, version: str, page: str | None, user: SignedUser | None
) -> tuple[Row, str]:
    """A visitor who agreed to the text `version` of the site, and his token. Raises Invalid for another text, TooMany."""
    if version not in (site["consent_pt"], site["consent_en"]):
        raise Invalid("this is not the text that the site asks with now: show the one of `welcome`")
    await limits.spend(services, "start")
    visitor_id, now = uuid7(), datetime.now(UTC)
    identities = (Identity("site", visitor_id.hex), *((_user_identity(site, user),) if user else ()))

    async def agree(tx: Transaction) -> Row:
        sighting = Sighting(identities, now, user.name if user else None)
        (customer,) = await resolve(tx, [sighting], shards=services.settings.outbox_shards)
        assert customer is not None  # noqa: S101 - the sighting is not passive
        await tx.db.execute(queries.insert_visitor, visitor_id, site["id"], customer.id, user.id if user else None)
        evidence = {"site": site["name"], "visitor_id": str(visitor_id), **({"page": page} if page else {})}
        await tx.db.execute(queries.note_consent, uuid7(), customer.id, version, evidence, now)
        row = await tx.db.fetchrow(queries.find_visitor, visitor_id, site["id"])
        assert row is not None  # noqa: S101 - inserted above
        return row

    visitor = await in_turn(services, agree)
    return visitor, tokens.make_token(services.settings.secret_key.get_secret_value(), site["id"], visitor_id)


def can_send_codes(services: Services) -> bool:
    """Whether there is a way for a code to a phone."""
    return bool(services.settings.sign_in_template or services.settings.sms_url)


async def send_code(services: Services, visitor: Row, number: str) -> None:
    """Send a code to the phone that the visitor says is his: by WhatsApp, else by SMS. What comes of it looks the same whether
    or not anybody has that phone. Raises Invalid, NoWay, TooMany, Verified."""
    phone = _phone(number)
    if visitor["verified_phone"] is not None:
        raise Verified("a phone is verified already")
    if not can_send_codes(services):
        raise NoWay("no code can be sent: HUB_SIGN_IN_TEMPLATE and HUB_SMS_URL are empty")
    await limits.spend(services, "code", str(visitor["id"]), phone=crypto.keyed_hash(_secret(services), phone).hex())
    code = f"{secrets.randbelow(1_000_000):06d}"
    channel: notices.Channel = "whatsapp" if services.settings.sign_in_template else "sms"
    words = f"{code} é o seu código do atendimento no site. Não o informe a ninguém."
    async with services.transaction() as tx:
        await tx.db.execute(
            queries.put_code, visitor["id"], _hash(services, visitor, phone, code), datetime.now(UTC) + CODE_LIVES
        )
        notice = Notice(channel, phone, None, words, code if channel == "whatsapp" else None)
        await notices.put(services, tx, notice, lives=CODE_LIVES)


async def verify(services: Services, visitor: Row, number: str, code: str) -> Row:
    """The visitor as the customer whose phone he has in his hand. Raises CodeWrong, Invalid, TooMany, Verified."""
    phone = _phone(number)
    if visitor["verified_phone"] is not None:
        raise Verified("a phone is verified already")
    await limits.spend(services, "verify", str(visitor["id"]))
    known = await services.db.fetchval(queries.try_code, visitor["id"], CODE_TRIES)
    if known is None or not hmac.compare_digest(bytes(known), _hash(services, visitor, phone, code)):
        raise CodeWrong("this is not the code that was sent last, or its time is over")

    async def join(tx: Transaction) -> None:
        await tx.db.execute(queries.delete_code, visitor["id"])
        await _join(services, tx, visitor, Identity("phone", phone), phone=phone)

    await in_turn(services, join)
    row = await services.db.fetchrow(queries.find_visitor, visitor["id"], visitor["site_id"])
    if row is None:
        raise NotFound("this visitor was erased")
    return row


async def _join(
    services: Services,
    tx: Transaction,
    visitor: Row,
    identity: Identity,
    *,
    user_id: str | None = None,
    phone: str | None = None,
    name: str | None = None,
) -> None:
    """Both identities are one person: the older customer keeps everything (chat/merge.py)."""
    sighting = Sighting((Identity("site", visitor["id"].hex), identity), datetime.now(UTC), name)
    (customer,) = await resolve(tx, [sighting], shards=services.settings.outbox_shards)
    assert customer is not None  # noqa: S101 - the sighting is not passive
    await tx.db.execute(queries.join_visitor, visitor["id"], customer.id, user_id, phone)


def _user_identity(site: Row, user: SignedUser) -> Identity:
    return Identity("site_user", f"{site['id'].hex}:{user.id}")


def _phone(number: str) -> str:
    phone = phones.from_text(number)
    if phone is None:
        raise Invalid("this is no full phone number: give the area code too, as in (11) 98765-4321")
    return phone


def _hash(services: Services, visitor: Row, phone: str, code: str) -> bytes:
    return crypto.keyed_hash(_secret(services), f"{visitor['id']}:{phone}:{code}")


def _secret(services: Services) -> str:
    return services.settings.secret_key.get_secret_value()

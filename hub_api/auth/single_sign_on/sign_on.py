"""Signing in by the outside provider: authorization code with PKCE (RFC 7636), bound to the browser that began.

What a sign-in needs to remember (state, nonce, verifier, where to go then) is a signed cookie of ten minutes, so that
no process keeps it and an answer planted in another browser finds nothing that fits (login CSRF, RFC 9700 §4.7).
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from yarl import URL

from hub_api.auth import audit, signin, users
from hub_api.auth.identify import open_door
from hub_api.auth.signin import Challenge, SignedIn
from hub_api.auth.single_sign_on.id_token import NotProved, Person, exchange
from hub_api.auth.single_sign_on.provider import Provider, open_provider
from hub_api.errors import Forbidden
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)

LIVES_S = 600
CALLBACK_PATH = "/api/v1/auth/oidc/callback"
ACTOR = "single_sign_on"  # how the audit log names what the provider's word has done


class NotAdmitted(Forbidden):
    """The provider knows this person, and this hub does not let him in; what he needs is in the message."""

    code = "not_admitted"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the cookie that it brings back."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A session or the wish for a second factor, and the path to show then."""

    result: SignedIn | Challenge
    return_to: str


async def begin(services: Services, return_to: str) -> Begun:
    """The way to the provider. Raises NotFound where none is configured, Unavailable while it is away."""
    provider = await services.shared(open_provider)
    metadata = await provider.metadata()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    digest = hashlib.sha256(verifier.encode()).digest()
    url = URL(metadata.authorization_endpoint).update_query(
        response_type="code",
        client_id=provider.client_id,
        redirect_uri=redirect_uri(services),
        scope=services.settings.oidc_scopes,
        state=state,
        nonce=nonce,
        code_challenge=base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        code_challenge_method="S256",
    )
    keyring = (await services.shared(open_door)).keyring
    claims = {"sub": state, "non": nonce, "ver": verifier, "ret": return_to}
    return Begun(str(url), await keyring.sign("single_sign_on", claims, lives_s=LIVES_S))


async def finish(
    services: Services, cookie: str | None, *, state: str, code: str | None, issuer: str | None, error: str | None
) -> Finished:
    """What the provider's answer comes to. Raises NotProved, NotAdmitted, Unavailable."""
    provider = await services.shared(open_provider)
    keyring = (await services.shared(open_door)).keyring
    if cookie is None:
        raise NotProved("this sign-in was not begun in this browser, or more than ten minutes ago: begin again")
    begun = await keyring.verify("single_sign_on", cookie)
    if not hmac.compare_digest(str(begun["sub"]).encode(), state.encode()):
        raise NotProved("this sign-in was not begun in this browser: begin again")
    # Which provider answers, against a mix-up of several (RFC 9207).
    if (issuer is not None or (await provider.metadata()).names_issuer) and issuer != provider.issuer:
        raise NotProved("the answer is of another identity provider: begin again")
    if error is not None or code is None:
        raise NotProved("the identity provider did not sign you in: begin again")
    try:
        person = await exchange(provider, code, begun["ver"], begun["non"], redirect_uri(services))
        async with services.transaction() as tx:
            user = await _admit(services, tx, provider, person)
    except (NotProved, NotAdmitted) as refusal:
        async with services.transaction() as tx:
            detail = {"factor": "oidc", "reason": refusal.code}
            await audit.write(tx, "anonymous", "signin.failed", "user", None, detail=detail)
        raise
    factors = ["oidc", "oidc_mfa"] if proved_twice(services, person) else ["oidc"]
    result = await signin.proceed(services, user, "cookie", factors)
    return Finished(result, begun["ret"])


def redirect_uri(services: Services) -> str:
    """What is registered with the provider."""
    return services.settings.public_url.rstrip("/") + CALLBACK_PATH


def proved_twice(services: Services, person: Person) -> bool:
    """Whether the provider says that a second factor was given: by `amr` (RFC 8176) or by `acr`."""
    methods = person.claims.get("amr")
    told = {str(one) for one in methods} if isinstance(methods, list) else set()
    return bool({*told, str(person.claims.get("acr"))} & set(services.settings.oidc_mfa))


def role_of(services: Services, person: Person) -> str | None:
    """The role that the provider's claim gives: of the first value in HUB_OIDC_ROLES that the person has."""
    told = person.claims.get(services.settings.oidc_role_claim)
    values = {str(one) for one in told} if isinstance(told, list) else {str(told)}
    return next((role for value, role in services.settings.oidc_roles if value in values), None)


async def _admit(services: Services, tx: Transaction, provider: Provider, person: Person) -> Row:
    """The active user whom the person is, linked or made where policy says so, with the role that the claim gives."""
    settings, role = services.settings, role_of(services, person)
    if settings.oidc_roles and role is None:
        raise NotAdmitted("your account at the identity provider has no role in this hub: ask its administrator")
    user = await tx.db.fetchrow(queries.find_linked, provider.issuer, person.subject)
    if user is None:
        user = await _link(services, tx, provider, person, role)
    if not user["active"]:
        raise NotAdmitted("your user of this hub is not active: ask its administrator")
    if role is not None and role != user["role"]:
        await users.change_user(services, tx, ACTOR, user["id"], {"role": role})
    return user


async def _link(services: Services, tx: Transaction, provider: Provider, person: Person, role: str | None) -> Row:
    settings, email = services.settings, person.email
    if email is None:
        raise NotAdmitted("the identity provider vouches for no e-mail address of yours: ask the hub's administrator")
    user_id: UUID | None = None
    if settings.oidc_link_by_email:
        user_id = await tx.db.fetchval(queries.find_unlinked, email, provider.issuer)
    linked_by = "email"
    if user_id is None and settings.oidc_create_users and role and not await tx.db.fetchval(queries.email_taken, email):
        user_id, linked_by = await users.create_user(tx, ACTOR, email=email, name=person.name, role=role), "created"
    if user_id is None:
        raise NotAdmitted("no user of this hub is linked to your account: ask its administrator")
    return await link(tx, ACTOR, provider.issuer, person.subject, user_id, linked_by)


async def link(tx: Transaction, who: str, issuer: str, subject: str, user_id: UUID, linked_by: str) -> Row:
    """From now on the subject is this user, with a row in the audit log. Raises NotAdmitted when one of them is linked."""
    await tx.db.execute(queries.link, issuer, subject, user_id, linked_by)
    user = await tx.db.fetchrow(queries.find_linked, issuer, subject)
    if user is None or user["id"] != user_id:
        raise NotAdmitted("the account at the identity provider, or the user, is linked to another")
    await audit.write(tx, who, "user.linked", "user", user_id, detail={"issuer": issuer, "by": linked_by})
    return user

"""A browser comes from a client: it goes back with a code, to the sign-in page, or back with a refusal.

Authorization code with PKCE (S256) and nothing else. What is wrong with the client or its address is told here, since
nobody may be sent there; all else goes back to the client with its `state` and our name (RFC 9207).
"""

import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from hub_api.auth import audit, sessions
from hub_api.auth.openid import claims, exchange
from hub_api.auth.openid.clients import queries as clients
from hub_api.auth.openid.errors import OAuthError
from hub_api.auth.openid.keys import open_signer
from hub_api.auth.sessions import fingerprint
from hub_api.auth.tokens import LEEWAY_S
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services

PATH = "/openid/authorize"
SIGN_IN_PAGE = "/entrar"
CODE_LIFE = timedelta(seconds=60)
PROMPTS = frozenset(("none", "login", "consent", "select_account"))
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # SHA-256 in base64url


class _Refused(Exception):
    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error, self.description = error, description


async def answer(services: Services, asked: Sequence[tuple[str, str]], session_id: UUID | None) -> str:
    """Where the browser goes: to the client, or to the sign-in page. `session_id` is of the browser's proven session.

    Raises OAuthError for a request that must not be sent back anywhere.
    """
    given = dict(asked)
    if len(given) != len(asked):
        raise OAuthError("invalid_request", "each parameter may be given once")
    client = await services.db.fetchrow(clients.find_client, given.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_request", "client_id: there is no such client here")
    redirect_uri = given.get("redirect_uri", "")
    if redirect_uri not in client["redirect_uris"]:
        raise OAuthError("invalid_request", "redirect_uri is not registered for this client, sign by sign")
    try:
        told = await _judge(services, client, given, session_id)
    except _Refused as refusal:
        told = {"error": refusal.error, "error_description": refusal.description}
    if isinstance(told, str):
        return told
    state = {"state": given["state"]} if "state" in given else {}
    return with_query(redirect_uri, {**told, **state, "iss": exchange.issuer(services)})


def with_query(uri: str, values: Mapping[str, str]) -> str:
    """The address as it was registered, with more in its query."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(values)}" if values else uri


async def _judge(
    services: Services, client: Row, given: dict[str, str], session_id: UUID | None
) -> dict[str, str] | str:
    """The members of a good answer, or the address of the sign-in page. Raises _Refused."""
    scope, prompts, max_age = _check_form(given)
    caller = await sessions.find_now(services.db, session_id) if session_id else None
    person = (
        await services.db.fetchrow(exchange.queries.person_of, session_id)
        if caller is not None and await _hinted(services, given, caller.id)
        else None
    )
    if caller is None or person is None or not _fresh(person, given, prompts, max_age):
        if "none" in prompts:
            raise _Refused("login_required", "nobody is signed in, or not as recently as wanted")
        return _sign_in_page(services, given, again=caller is not None)
    if caller.missing_second_factor:
        raise _Refused("access_denied", "the person's role wants a second factor: it is set up in the hub first")
    if not caller.may(client["permission"]):
        raise _Refused("access_denied", f"the person has not the permission {client['permission']!r}")
    return {"code": await _give_code(services, client, given, scope, person)}


def _check_form(given: Mapping[str, str]) -> tuple[str, frozenset[str], int | None]:
    """Scope, prompts and max_age of a well-formed request. Raises _Refused."""
    for unsupported in ("request", "request_uri", "registration"):
        if unsupported in given:
            raise _Refused(f"{unsupported}_not_supported", f"{unsupported} is not supported")
    if given.get("response_type") != "code":
        raise _Refused("unsupported_response_type", "response_type is code")
    if given.get("response_mode", "query") != "query":
        raise _Refused("invalid_request", "response_mode is query")
    scope = claims.granted(given.get("scope", ""))
    if "openid" not in scope.split():
        raise _Refused("invalid_scope", "scope has openid in it")
    if given.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise _Refused("invalid_request", "PKCE is wanted: code_challenge with code_challenge_method S256")
    prompts = frozenset(given.get("prompt", "").split())
    if prompts - PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise _Refused("invalid_request", "prompt is none, or some of login, consent and select_account")
    max_age = given.get("max_age")
    if max_age is not None and not re.fullmatch(r"[0-9]{1,9}", max_age):
        raise _Refused("invalid_request", "max_age is a number of seconds")
    if len(given.get("nonce", "")) > 500:
        raise _Refused("invalid_request", "nonce has up to 500 signs")
    return scope, prompts, None if max_age is None else int(max_age)


async def _hinted(services: Services, given: Mapping[str, str], user_id: UUID) -> bool:
    """Whether the one who is signed in is whom the client means (Core §3.1.2.1, id_token_hint)."""
    if "id_token_hint" not in given:
        return True
    signer = await services.shared(open_signer)
    hint = await signer.read_hint(exchange.issuer(services), given["id_token_hint"])
    return hint is not None and hint["sub"] == str(user_id)


def _fresh(person: Row, given: Mapping[str, str], prompts: frozenset[str], max_age: int | None) -> bool:
    """Whether the sign-in is as recent as the client wants it."""
    if prompts & {"login", "select_account"}:
        return False
    signed_in_at: float = person["signed_in_at"].timestamp()
    since = given.get("since", "")
    if since.isdecimal() and len(since) < 12 and signed_in_at < int(since) - LEEWAY_S:
        return False
    return max_age is None or signed_in_at >= time.time() - max_age


def _sign_in_page(services: Services, given: Mapping[str, str], *, again: bool) -> str:
    """The page, which leads back to this request. What wanted a new sign-in becomes `since`, or it would be wanted forever.

    A person could leave `since` out and keep his old sign-in, as he could `prompt`: the client sees it by `auth_time`.
    """
    again = again or bool({"prompt", "max_age", "since"} & given.keys())
    kept = {name: value for name, value in given.items() if name not in ("prompt", "max_age")}
    if again:
        kept["since"] = kept.get("since", str(int(time.time())))
    page = {"to": f"{PATH}?{urlencode(kept)}", **({"again": "1"} if again else {})}
    if "login_hint" in given:
        page["email"] = given["login_hint"][:254]
    return f"{exchange.issuer(services)}{SIGN_IN_PAGE}?{urlencode(page)}"


async def _give_code(services: Services, client: Row, given: Mapping[str, str], scope: str, person: Row) -> str:
    code, grant_id = secrets.token_urlsafe(32), uuid7()
    values: tuple[Any, ...] = (
        grant_id, client["id"], person["session_id"], fingerprint(code), given["code_challenge"], given["redirect_uri"],
        scope, given.get("nonce"), datetime.now(UTC) + CODE_LIFE,
    )  # fmt: skip
    async with services.transaction() as tx:
        await tx.db.execute(exchange.queries.insert_grant, *values)
        detail = {"client": client["id"], "scope": scope}
        await audit.write(tx, f"user:{person['id']}", "openid.signed_in", "openid_grant", grant_id, detail=detail)
    return code

"""What the provider says of a person, believed only after each check of OpenID Connect Core §3.1.3.7."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import jwt
import structlog

from hub_api.auth.single_sign_on.provider import ALGORITHMS, Metadata, Provider, read_object
from hub_api.auth.tokens import LEEWAY_S
from hub_api.errors import Unauthorized

log = structlog.get_logger(__name__)

MAX_AGE_S = 600  # an ID token is made for this sign-in, not kept


class NotProved(Unauthorized):
    """The provider's answer does not prove who this is; what is wrong with it is in the log."""

    code = "single_sign_on_failed"


@dataclass(frozen=True, slots=True)
class Person:
    """Who the provider says signed in. `claims` are those of the ID token and of userinfo."""

    subject: str
    email: str | None
    name: str
    claims: Mapping[str, Any]


async def exchange(provider: Provider, code: str, verifier: str, nonce: str, redirect_uri: str) -> Person:
    """The person for whom the provider gave `code`. Raises NotProved; Unavailable when the provider is away."""
    metadata = await provider.metadata()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": provider.client_id,
        "code_verifier": verifier,
    }
    headers: dict[str, str] = {}
    if provider.client_secret is not None:
        if "client_secret_basic" in metadata.methods:
            headers["Authorization"] = _basic(provider.client_id, provider.client_secret)
        else:
            form["client_secret"] = provider.client_secret
    status, body = await provider.outbound.request("POST", metadata.token_endpoint, headers=headers, data=form)
    if 400 <= status < 500:
        log.warning("oidc_code_refused", status=status)
        raise NotProved("the identity provider does not know this sign-in any more: begin again")
    tokens = read_object(status, body)
    claims = await _verified(provider, tokens, nonce)
    claims = {**await _userinfo(provider, metadata, tokens, claims["sub"]), **claims}
    verified = claims.get("email_verified") in (True, "true")
    email = str(claims["email"]) if verified and claims.get("email") else None
    name = str(claims.get("name") or claims.get("preferred_username") or email or claims["sub"])[:200]
    return Person(claims["sub"], email, name, claims)


async def _verified(provider: Provider, tokens: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    token = str(tokens.get("id_token") or "")
    try:
        header = jwt.get_unverified_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"algorithm {algorithm!r}")
        key = await provider.key(header.get("kid"), algorithm)
        claims = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_S,
            options={"require": ["exp", "iat", "sub", "aud", "iss", "nonce"]},
        )
        _check_claims(claims, provider.client_id, nonce)
        _check_access_token(claims, tokens.get("access_token"), algorithm)
    except jwt.InvalidTokenError as error:
        log.warning("oidc_id_token_refused", reason=type(error).__name__, detail=str(error)[:200])
        raise NotProved("the identity provider's answer is not valid: begin again") from None
    return dict(claims)


def _check_claims(claims: Mapping[str, Any], client_id: str, nonce: str) -> None:
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise jwt.InvalidTokenError("the nonce is of another sign-in")
    if claims["exp"] - claims["iat"] < 0 or claims["iat"] < time.time() - MAX_AGE_S - LEEWAY_S:
        raise jwt.InvalidTokenError("made long ago")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if (several or "azp" in claims) and claims.get("azp") != client_id:
        raise jwt.InvalidTokenError("made for another client")


def _check_access_token(claims: Mapping[str, Any], access_token: Any, algorithm: str) -> None:
    """`at_hash`, where it is given, binds the access token that userinfo is asked with (Core §3.1.3.8)."""
    if "at_hash" not in claims or algorithm == "EdDSA":  # its hash is not settled among providers
        return
    half = hashlib.sha256(str(access_token).encode()).digest()[:16]
    told = base64.urlsafe_b64encode(half).rstrip(b"=")
    if not hmac.compare_digest(told, str(claims["at_hash"]).encode()):
        raise jwt.InvalidTokenError("the access token is of another answer")


async def _userinfo(provider: Provider, metadata: Metadata, tokens: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """Further claims: most providers give name and e-mail here only. Raises NotProved for those of somebody else."""
    if metadata.userinfo_endpoint is None or not tokens.get("access_token"):
        return {}
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    told = await provider.get_json(metadata.userinfo_endpoint, headers)
    if told.get("sub") != subject:  # Core §5.3.2
        log.warning("oidc_userinfo_refused")
        raise NotProved("the identity provider's answers do not fit together: begin again")
    return told


def _basic(client_id: str, client_secret: str) -> str:
    """RFC 6749 §2.3.1: both parts are form-encoded first."""
    both = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return "Basic " + base64.b64encode(both.encode()).decode()

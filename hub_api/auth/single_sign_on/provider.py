"""The outside provider as this process knows it: its addresses (discovery) and its keys, asked for again as they age.

pyjwt and our own guarded client instead of authlib: what must be checked is a page (id_token.py), the algorithms are ours
to fix, and authlib's clients bring requests or httpx with neither the guard of outbound.py nor aiohttp's loop.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
import structlog
from yarl import URL

from hub_api.errors import NotFound, Unavailable
from hub_api.platform.outbound import Outbound, open_outbound
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)

METADATA_LIFE_S = 3600.0
KEYS_LIFE_S = 3600.0
UNKNOWN_KEY_PAUSE_S = 10.0  # a token of an unknown key makes us ask for the keys, not a stream of forged ones
# Signatures of a key that only the provider has. No HMAC (the public key would be the secret) and no `none` (RFC 8725 §3.1).
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we use of the discovery document."""

    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None
    jwks_uri: str
    end_session_endpoint: str | None
    methods: tuple[str, ...]
    names_issuer: bool


class Provider:
    """One configured issuer. Make it with `open_provider`, once per process."""

    def __init__(self, outbound: Outbound, issuer: str, client_id: str, client_secret: str | None) -> None:
        self.issuer, self.client_id, self.client_secret = issuer, client_id, client_secret
        self.outbound = outbound
        self._metadata: Metadata | None = None
        self._metadata_at = self._keys_at = float("-inf")
        self._keys: dict[str, jwt.PyJWK] = {}

    async def metadata(self) -> Metadata:
        """The provider's addresses. Raises Unavailable when it is away or says it is another than the one we asked."""
        if self._metadata is None or time.monotonic() - self._metadata_at > METADATA_LIFE_S:
            told = await self.get_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
            if told.get("issuer") != self.issuer:
                raise Unavailable(
                    "the identity provider's discovery document names another issuer than HUB_OIDC_ISSUER"
                )
            try:
                self._metadata = Metadata(
                    self._address(told["authorization_endpoint"]),
                    self._address(told["token_endpoint"]),
                    self._address(told["userinfo_endpoint"]) if "userinfo_endpoint" in told else None,
                    self._address(told["jwks_uri"]),
                    self._address(told["end_session_endpoint"]) if "end_session_endpoint" in told else None,
                    tuple(told.get("token_endpoint_auth_methods_supported", ("client_secret_basic",))),
                    bool(told.get("authorization_response_iss_parameter_supported", False)),
                )
            except (KeyError, TypeError) as error:
                raise Unavailable(f"the identity provider's discovery document lacks {error}") from error
            self._metadata_at = time.monotonic()
        return self._metadata

    async def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key of a token's header; an unknown one is looked for once more. Raises InvalidTokenError.

        A token without `kid` is taken only where the provider has a single key of that algorithm (Core §10.1).
        """
        age = time.monotonic() - self._keys_at
        if age > KEYS_LIFE_S or (self._match(kid, algorithm) is None and age > UNKNOWN_KEY_PAUSE_S):
            await self._read_keys()
        found = self._match(kid, algorithm)
        if found is None:
            raise jwt.InvalidTokenError("signed by a key that the provider does not publish")
        return found

    def _match(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys.values() if key.algorithm_name == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        return next((key for key in fitting if key.key_id == kid), None)

    async def _read_keys(self) -> None:
        told = await self.get_json((await self.metadata()).jwks_uri)
        keys: dict[str, jwt.PyJWK] = {}
        for position, one in enumerate(told.get("keys", ())):
            if (
                not isinstance(one, dict)
                or one.get("use", "sig") != "sig"
                or one.get("kty") not in ("RSA", "EC", "OKP")
            ):
                continue
            try:
                key = jwt.PyJWK(one)
            except jwt.PyJWTError as error:  # a kind that we do not know is none of ours to judge
                log.info("oidc_key_ignored", reason=type(error).__name__)
                continue
            keys[key.key_id or str(position)] = key
        self._keys, self._keys_at = keys, time.monotonic()

    async def get_json(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """A JSON object of the provider. Raises Unavailable."""
        status, body = await self.outbound.request("GET", url, headers=headers)
        return read_object(status, body)

    def _address(self, url: Any) -> str:
        return str(self.outbound.check(str(url)))


def read_object(status: int, body: bytes) -> dict[str, Any]:
    """The JSON object in an answer of the provider's. Raises Unavailable for anything else."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if status != 200 or not isinstance(told, dict):
        raise Unavailable(f"the identity provider answered {status}, not what was asked for: try again later")
    return told


@asynccontextmanager
async def open_provider(services: Services) -> AsyncIterator[Provider]:
    """For `services.shared`. Raises NotFound where no provider is configured."""
    settings = services.settings
    if settings.oidc_issuer is None or settings.oidc_client_id is None:
        raise NotFound("single sign-on is not set up here: HUB_OIDC_ISSUER and HUB_OIDC_CLIENT_ID are empty")
    issuer = URL(settings.oidc_issuer)
    # The operator names the issuer, so its own host may be of his network; what its document names beyond is judged.
    own = (f"{(issuer.host or '').lower()}:{issuer.port}", *settings.outbound_hosts)
    secret = settings.oidc_client_secret
    async with open_outbound(own) as outbound:
        yield Provider(
            outbound, settings.oidc_issuer, settings.oidc_client_id, secret.get_secret_value() if secret else None
        )

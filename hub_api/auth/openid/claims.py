"""What a client is told of a person, by the scopes it was given (OpenID Connect Core §5.4)."""

from collections.abc import Mapping
from typing import Any

from hub_api.platform.pgtypes import Row

SCOPES: Mapping[str, str] = {
    "openid": "who it is",
    "profile": "name",
    "email": "e-mail address",
    "roles": "the role in the hub",
    "groups": "role and teams, for apps that know groups only",
    "offline_access": "refresh tokens, of use until the person signs out of the hub",
}
CLAIMS = (
    "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "amr",
    "name", "preferred_username", "updated_at", "email", "email_verified", "roles", "groups",
)  # fmt: skip
# How somebody proved who he is, in the words of RFC 8176. `oidc` says nothing of the kind: the outside provider knows.
_METHODS = {"password": "pwd", "totp": "otp", "recovery": "otp", "sms": "sms", "whatsapp": "otp", "oidc_mfa": "mfa"}
_SECOND = frozenset(("totp", "recovery", "sms", "whatsapp"))


def granted(asked: str) -> str:
    """The scopes that are known of those asked for; others are ignored (Core §3.1.2.1)."""
    return " ".join(dict.fromkeys(one for one in asked.split() if one in SCOPES))


def of_person(person: Row, scope: str) -> dict[str, Any]:
    """The claims of userinfo, also told in the ID token, since some clients read the one and some the other.

    `groups` carry a prefix (`role:`, `team:`): a team is named as people like, and one called admin must give no role.
    """
    scopes, told = scope.split(), {"sub": str(person["id"])}
    claims: dict[str, Any] = told
    if "profile" in scopes:
        claims |= {
            "name": person["name"],
            "preferred_username": person["email"],
            "updated_at": int(person["updated_at"].timestamp()),
        }
    if "email" in scopes:
        # Users do not change their address themselves: an administrator vouches for it.
        claims |= {"email": person["email"], "email_verified": True}
    if "roles" in scopes:
        claims["roles"] = [person["role"]]
    if "groups" in scopes:
        claims["groups"] = [f"role:{person['role']}", *(f"team:{name}" for name in person["teams"])]
    return claims


def methods(factors: list[str]) -> list[str]:
    """`amr` of a session: each way once, and `mfa` after a second factor."""
    ways = [_METHODS[one] for one in factors if one in _METHODS]
    return list(dict.fromkeys([*ways, *(["mfa"] if _SECOND & set(factors) else [])]))

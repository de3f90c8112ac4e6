"""A client signs its person out of the hub too (OpenID Connect RP-Initiated Logout 1.0)."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from uuid import UUID

from hub_api.auth import sessions
from hub_api.auth.openid.authorize import SIGN_IN_PAGE, with_query
from hub_api.auth.openid.clients import queries as clients
from hub_api.auth.openid.errors import OAuthError
from hub_api.auth.openid.exchange import issuer
from hub_api.auth.openid.keys import open_signer
from hub_api.platform.services import Services

REASON = "signed_out_by_client"


@dataclass(frozen=True, slots=True)
class Wish:
    """`onward` is where the browser goes then; `proven` the sessions that an ID token of ours vouches for."""

    onward: str
    proven: list[UUID]


async def read(services: Services, given: Mapping[str, str], session_id: UUID | None) -> Wish:
    """What a client wishes. Raises OAuthError for an address that is not registered for it."""
    signer = await services.shared(open_signer)
    hint = await signer.read_hint(issuer(services), given["id_token_hint"]) if "id_token_hint" in given else None
    client_id = given.get("client_id") or (str(hint["aud"]) if hint else None)
    if hint is not None and client_id != hint["aud"]:
        raise OAuthError("invalid_request", "id_token_hint was made for another client than client_id")
    onward = issuer(services) + SIGN_IN_PAGE
    if uri := given.get("post_logout_redirect_uri"):
        client = await services.db.fetchrow(clients.find_client, client_id or "")
        if client is None or uri not in client["logout_uris"]:
            raise OAuthError("invalid_request", "post_logout_redirect_uri is not registered for this client")
        onward = with_query(uri, {"state": given["state"]} if "state" in given else {})
    proven: list[UUID] = []
    if hint is not None:
        proven.append(UUID(hint["sid"]))
        # The same person may have signed in anew since: he means the browser in which he is.
        here = await sessions.find_now(services.db, session_id) if session_id else None
        if here is not None and here.session_id and str(here.id) == hint["sub"] and here.session_id not in proven:
            proven.append(here.session_id)
    return Wish(onward, proven)


async def end(services: Services, session_ids: list[UUID]) -> None:
    """End these sessions, and with them all that clients hold of them."""
    async with services.transaction() as tx:
        await sessions.revoke(services, tx, session_ids, REASON, actor="openid_client")


def page(given: Mapping[str, str]) -> str:
    """The question whether to sign out, for a wish that nothing vouches for: any page could link here."""
    kept = {name: given[name] for name in ("client_id", "post_logout_redirect_uri", "state") if name in given}
    fields = "".join(f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">' for k, v in kept.items())
    return (
        '<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><title>Sair · Telecom Chat</title>'
        '<meta name="viewport" content="width=device-width"></head><body><main><h1>Sair do Telecom Chat?</h1>'
        '<p>Você sairá também dos aplicativos em que entrou por ele.</p><form method="post">'
        f'{fields}<input type="hidden" name="confirm" value="yes"><button>Sair</button></form></main></body></html>'
    )

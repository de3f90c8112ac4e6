"""The hub as OpenID Connect provider: the addresses that clients and their libraries know by the discovery document."""

from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Cookie, Depends, Form, Header, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from hub_api.auth import cookies
from hub_api.auth.client_credentials import shown
from hub_api.auth.decide import anyone
from hub_api.auth.identify import OPENID_COOKIE, Door, open_door
from hub_api.auth.openid import authorize, claims, clients, exchange, sign_out
from hub_api.auth.openid.errors import InvalidToken, OAuthError, refused
from hub_api.auth.openid.keys import ALGORITHM, CACHED_S, open_signer
from hub_api.errors import Unauthorized
from hub_api.platform import request_info
from hub_api.platform.pgtypes import Row
from hub_api.platform.ratelimit import Limit
from hub_api.platform.request_info import limit_key
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(tags=["OpenID Connect provider"], dependencies=[Depends(anyone)])

Hub = Annotated[Services, Depends(get_services)]
Mark = Annotated[str | None, Cookie(alias=OPENID_COOKIE, max_length=300)]
Authorization = Annotated[str | None, Header(max_length=1000)]
Text = Annotated[str, Form(max_length=4000)]
PER_MINUTE = 600  # calls of one address: a client's server signs many people in

REFUSED: dict[int | str, dict[str, Any]] = {
    400: refused("`invalid_request`, `invalid_grant` and others of OAuth 2 (RFC 6749 §5.2)"),
    429: {"description": "`too_many_requests`: Retry-After tells when to try again"},
}
UNPROVED: dict[int | str, dict[str, Any]] = {**REFUSED, 401: refused("`invalid_client`, `invalid_token`")}
SIGNED_OUT: dict[int | str, dict[str, Any]] = {
    **REFUSED,
    200: {"content": {"text/html": {}}, "description": "the question whether to sign out"},
    303: {"description": "signed out, and on to where the client wished or to the sign-in page"},
    403: {"description": "`csrf`: the answer did not come from a page of the hub"},
}
NO_STORE = {"Cache-Control": "no-store"}


@router.get("/.well-known/openid-configuration", summary="Discovery")
async def get_discovery(services: Hub) -> JSONResponse:
    """What this provider can do and where (OpenID Connect Discovery 1.0)."""
    issuer = exchange.issuer(services)
    names = ("client_secret_basic", "client_secret_post", "none")
    told = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}{authorize.PATH}",
        "token_endpoint": f"{issuer}/openid/token",
        "userinfo_endpoint": f"{issuer}/openid/userinfo",
        "jwks_uri": f"{issuer}/openid/jwks",
        "end_session_endpoint": f"{issuer}/openid/logout",
        "revocation_endpoint": f"{issuer}/openid/revoke",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": names,
        "revocation_endpoint_auth_methods_supported": names,
        "scopes_supported": list(claims.SCOPES),
        "claims_supported": claims.CLAIMS,
        "prompt_values_supported": sorted(authorize.PROMPTS),
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
    return JSONResponse(told, headers={"Cache-Control": f"public, max-age={CACHED_S}"})


@router.get("/openid/jwks", summary="Public keys of ID tokens")
async def get_jwks(services: Hub) -> JSONResponse:
    """A JSON Web Key Set; a new key is in it ten minutes before it signs."""
    signer = await services.shared(open_signer)
    return JSONResponse(await signer.published(), headers={"Cache-Control": f"public, max-age={CACHED_S}"})


@router.get("/openid/authorize", status_code=303, response_class=RedirectResponse, responses=REFUSED, summary="Sign in")
async def get_authorize(services: Hub, request: Request, mark: Mark = None) -> RedirectResponse:
    """A client's browser: back with a code when somebody is signed in, else to the sign-in page. PKCE (S256) is wanted."""
    door = await _counted(services)
    url = await authorize.answer(services, request.query_params.multi_items(), _session(door, mark))
    return RedirectResponse(url, 303, headers=NO_STORE)


@router.post(
    "/openid/authorize", status_code=303, response_class=RedirectResponse, responses=REFUSED, summary="The same by POST"
)
async def post_authorize(services: Hub, request: Request) -> RedirectResponse:
    """Leads to the same by GET: a browser sends no cookie of ours with a form of another site."""
    form = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    return RedirectResponse(f"{exchange.issuer(services)}{authorize.PATH}?{urlencode(form)}", 303, headers=NO_STORE)


@router.post("/openid/token", responses=UNPROVED, summary="Tokens for a code")
async def post_token(
    services: Hub,
    grant_type: Text = "",
    code: Text = "",
    redirect_uri: Text = "",
    code_verifier: Text = "",
    refresh_token: Text = "",
    scope: Text = "",
    client_id: Text = "",
    client_secret: Text = "",
    authorization: Authorization = None,
) -> JSONResponse:
    """Grants `authorization_code` and `refresh_token`; a code and a refresh token are of use once."""
    client = await _client(services, authorization, client_id, client_secret)
    if grant_type == "authorization_code":
        told = await exchange.redeem_code(services, client, code, redirect_uri, code_verifier)
    elif grant_type == "refresh_token":
        told = await exchange.refresh(services, client, refresh_token, scope)
    else:
        raise OAuthError("unsupported_grant_type", "grant_type is authorization_code or refresh_token")
    return JSONResponse(told, headers=NO_STORE)


@router.post("/openid/revoke", responses=UNPROVED, summary="Give a token back")
async def post_revoke(
    services: Hub,
    token: Text = "",
    client_id: Text = "",
    client_secret: Text = "",
    authorization: Authorization = None,
) -> Response:
    """The sign-in that the token belongs to ends at this client, with all its tokens (RFC 7009)."""
    client = await _client(services, authorization, client_id, client_secret)
    await exchange.revoke_token(services, client, token)
    return Response(headers=NO_STORE)


@router.get("/openid/userinfo", responses=UNPROVED, summary="Who signed in")
async def get_userinfo(services: Hub, authorization: Authorization = None) -> JSONResponse:
    """The claims that the access token's scopes give."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidToken
    await _counted(services)
    return JSONResponse(await exchange.userinfo(services, token.strip()), headers=NO_STORE)


@router.post("/openid/userinfo", responses=UNPROVED, summary="The same by POST")
async def post_userinfo(services: Hub, authorization: Authorization = None) -> JSONResponse:
    """The claims that the access token's scopes give."""
    return await get_userinfo(services, authorization)


@router.get("/openid/logout", response_class=Response, responses=SIGNED_OUT, summary="Sign out, wished by a client")
async def get_logout(services: Hub, request: Request, mark: Mark = None) -> Response:
    """With an ID token of ours as `id_token_hint` at once; else the person is asked."""
    return await _sign_out(services, request, dict(request.query_params), mark)


@router.post("/openid/logout", response_class=Response, responses=SIGNED_OUT, summary="The same by POST")
async def post_logout(services: Hub, request: Request, mark: Mark = None) -> Response:
    """From the page that asks, or from a client's form."""
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    if form.get("confirm") == "yes":
        (await services.shared(open_door)).check_origin(request)
    elif "id_token_hint" not in form:  # a form of another site brings no cookie: ask in a page of ours
        return RedirectResponse(f"{exchange.issuer(services)}/openid/logout?{urlencode(form)}", 303, headers=NO_STORE)
    return await _sign_out(services, request, form, mark)


async def _sign_out(services: Services, request: Request, given: dict[str, str], mark: str | None) -> Response:
    door = await _counted(services)
    here = _session(door, mark)
    wish = await sign_out.read(services, given, here)
    confirmed = request.method == "POST" and given.get("confirm") == "yes"
    if not wish.proven and here is not None and not confirmed:
        # The answer to this form leads on to the client, which browsers count as part of the form's action.
        target = urlsplit(wish.onward)
        policy = f"default-src 'none'; form-action 'self' {target.scheme}://{target.netloc}; frame-ancestors 'none'"
        return HTMLResponse(sign_out.page(given), headers={**NO_STORE, "Content-Security-Policy": policy})
    ended = [*wish.proven, *([here] if confirmed and here is not None and here not in wish.proven else [])]
    await sign_out.end(services, ended)
    answer = RedirectResponse(wish.onward, 303, headers=NO_STORE)
    if here in ended:
        cookies.clear_session(answer)
    return answer


async def _client(services: Services, authorization: str | None, client_id: str, client_secret: str) -> Row:
    """The client that asks, by Basic or by form (RFC 6749 §2.3.1), not both. Raises OAuthError."""
    await _counted(services)
    return await clients.authenticate(services.db, *shown(authorization, client_id, client_secret))


async def _counted(services: Services) -> Door:
    door = await services.shared(open_door)
    place = limit_key(request_info.current.get().address)
    await door.count_under(Limit(f"openid:{place}", PER_MINUTE))
    return door


def _session(door: Door, mark: str | None) -> Any:
    """The session that the browser's mark proves; None without a mark that holds."""
    if mark is None:
        return None
    try:
        return door.read_mark(OPENID_COOKIE, mark)[0]
    except Unauthorized:
        return None

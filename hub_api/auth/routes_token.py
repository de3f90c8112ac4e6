"""The OAuth 2 token endpoint for programs: refusals come as RFC 6749 §5.2 says, so that any client library reads them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Header, Response

from hub_api.auth import grants, schemas
from hub_api.auth.client_credentials import shown
from hub_api.auth.decide import anyone
from hub_api.auth.openid.errors import OAuthError, refused
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/auth", tags=["sign-in"])

Hub = Annotated[Services, Depends(get_services)]
REFUSED: dict[int | str, dict[str, Any]] = {
    400: refused("`invalid_grant`, `invalid_scope`, `unsupported_grant_type`, `invalid_request`"),
    401: refused("`invalid_client`"),
    429: {"description": "`too_many_requests`: Retry-After tells when to try again"},
}


@router.post(
    "/token",
    dependencies=[Depends(anyone)],
    responses=REFUSED,
    response_model_exclude_none=True,  # libraries take a null for a token that is none
    summary="OAuth 2: token endpoint",
)
async def post_token(
    services: Hub,
    response: Response,
    grant_type: Annotated[
        str, Form(max_length=100, description="password, refresh_token or client_credentials", examples=["password"])
    ] = "",
    username: Annotated[str, Form(max_length=254)] = "",
    password: Annotated[str, Form(max_length=128)] = "",
    otp: Annotated[str | None, Form(max_length=20, description="code of the second factor, if one is in force")] = None,
    refresh_token: Annotated[str, Form(max_length=200)] = "",
    client_id: Annotated[str, Form(max_length=100, description="id of an API key")] = "",
    client_secret: Annotated[str, Form(max_length=200, description="the API key")] = "",
    scope: Annotated[str | None, Form(max_length=2000, description="words; left out: all the key has")] = None,
    authorization: Annotated[str | None, Header(max_length=1000)] = None,
) -> schemas.Tokens:
    """Grants `password`, `refresh_token` and `client_credentials` (RFC 6749): an API key is a client, shown by HTTP Basic or
    in the form."""
    response.headers["Cache-Control"] = "no-store"
    if grant_type == "client_credentials":
        return await grants.of_client(services, *shown(authorization, client_id, client_secret), scope)
    if grant_type == "refresh_token":
        return await grants.of_refresh(services, refresh_token)
    if grant_type == "password":
        return await grants.of_person(services, username, password, otp)
    raise OAuthError("unsupported_grant_type", "grant_type is password, refresh_token or client_credentials")

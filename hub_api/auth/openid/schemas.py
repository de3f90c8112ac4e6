"""What the routes that register clients take and give, with examples."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from hub_api.auth.schemas import Name, Shown, Strict

ClientId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}$")]
Address = Annotated[str, StringConstraints(min_length=1, max_length=500)]

_REDIRECT = "https://superset.example.com/oauth-authorized/hub"
_LOGOUT = "https://superset.example.com/login/"


class Client(Shown):
    """An app that lets people sign in by the hub, without its secret."""

    id: str
    name: str
    public: bool = Field(description="has no secret: an app in a browser or on a phone, which has PKCE alone")
    redirect_uris: list[str]
    logout_uris: list[str]
    permission: str
    version: int = Field(description="the ETag of changes")
    created_by: UUID | None
    created_at: datetime
    updated_at: datetime


class Clients(Shown):
    """All of them, by id."""

    items: list[Client]


class NewClient(Strict):
    """Registered once for everybody: nobody is asked to consent."""

    id: ClientId = Field(examples=["superset"], description="the client_id")
    name: Name = Field(examples=["Superset"])
    redirect_uris: list[Address] = Field(
        min_length=1, max_length=10, examples=[[_REDIRECT]], description="where codes go, compared sign by sign"
    )
    logout_uris: list[Address] = Field([], max_length=10, examples=[[_LOGOUT]], description="where a sign-out may lead")
    permission: str = Field("account:use", max_length=60, examples=["analytics:read"], description="who gets in")
    public: bool = False


class ClientChange(Strict):
    """What is left out stays as it is."""

    name: Name | None = Field(None, examples=["Superset"])
    redirect_uris: list[Address] | None = Field(None, min_length=1, max_length=10, examples=[[_REDIRECT]])
    logout_uris: list[Address] | None = Field(None, max_length=10, examples=[[_LOGOUT]])
    permission: str | None = Field(None, max_length=60, examples=["analytics:read"])


class MadeClient(Shown):
    """The client's secret, shown this once; null for a public client."""

    id: str
    secret: str | None

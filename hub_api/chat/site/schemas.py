"""The API's view of the sites that embed the chat."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from hub_api.chat.schemas import Shown, Strict
from hub_api.chat.site.origins import ORIGIN


def _origin(text: str) -> str:
    if not ORIGIN.fullmatch(text):
        raise ValueError("an origin is scheme://host[:port] in lower case, without a path; *.host for all below it")
    return text


Origin = Annotated[str, AfterValidator(_origin)]


class SiteRules(Strict):
    """Who may embed the chat, and where what is written there goes."""

    name: str = Field(min_length=1, max_length=100, examples=["Site institucional"], description="for the operator")
    title: str = Field("Atendimento", min_length=1, max_length=60, description="what visitors read above the chat")
    origins: list[Origin] = Field(
        min_length=1, max_length=50, examples=[["https://www.example.com"]], description="pages that may embed it"
    )
    queue: str | None = Field(None, max_length=100, description="key of its queue; null: the default one")
    bot: bool = Field(True, description="the bot answers first")
    offline_form: bool = Field(True, description="outside the queue's hours a form takes the place of the chat")
    color: str = Field("#00695c", pattern="^#[0-9a-f]{6}$", description="of the button; text on it is black or white")
    consent_pt: str = Field("site-pt-1", max_length=60, description="consent text of scope `service`, in Portuguese")
    consent_en: str = Field("site-en-1", max_length=60, description="the same in English")
    active: bool = True


class Site(SiteRules, Shown):
    """A site, with the public key that its pages name."""

    id: UUID
    key: str = Field(examples=["3k9v0m2c7q1x5z8b4n6a0s2d"])
    has_identity_secret: bool
    version: int
    created_at: datetime
    updated_at: datetime


class SitePage(Shown):
    """Sites, oldest first."""

    items: list[Site]
    next_cursor: str | None


class IdentitySecret(Shown):
    """Shown once: the website's server signs with it who its visitor is."""

    secret: str = Field(description="HMAC-SHA-256 key, for the server only: never in a page")

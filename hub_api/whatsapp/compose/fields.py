"""What the kinds of messages share: strict objects, links, media, headers, and rules that pydantic has no word for."""

import mimetypes
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from hub_api.whatsapp.compose import limits


class Part(BaseModel):
    """An object of a message as the Cloud API takes it; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewMessage(Part):
    """What every message may tell us, apart from what it says."""

    agent_id: UUID | None = Field(None, description="who writes; left out, the user of the API key")


class Quoting(NewMessage):
    """A message that may answer another one."""

    reply_to: UUID | None = Field(None, description="a message of this conversation to quote")


Link = Annotated[
    str,
    Field(
        pattern=r"^https?://[^\s/]+\S*$",
        max_length=2_000,
        examples=["https://provedor.example/fatura.pdf"],
        description="public http(s) address, from which Meta fetches it",
    ),
]
MediaId = Annotated[
    str,
    Field(
        pattern=r"^(\d{1,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        examples=["990001"],
        description="an uploaded file: our media id, or Meta's",
    ),
]
HeaderText = Annotated[str, Field(min_length=1, max_length=limits.HEADER)]


def unique(what: str, *of: Callable[[Any], str | None]) -> Callable[[list[Any]], list[Any]]:
    """A validator: no two items may agree in any of `of`. Says which two, never what they say."""

    def check(items: list[Any]) -> list[Any]:
        for value_of in of:
            seen: dict[str, int] = {}
            for position, item in enumerate(items):
                value = value_of(item)
                if value is not None and seen.setdefault(value, position) != position:
                    raise ValueError(f"{what} must be unique in a message: {seen[value]} and {position} are the same")
        return items

    return check


def _filling(value: str) -> str:
    if any(mark in value for mark in "\n\r\t") or " " * (limits.SPACES_IN_A_ROW + 1) in value:
        raise ValueError(f"no newline, no tab and at most {limits.SPACES_IN_A_ROW} spaces in a row")
    return value


# A parameter's value: whatever stands in a template's variable.
Filling = Annotated[str, Field(min_length=1, max_length=limits.TEXT), AfterValidator(_filling)]


class Medium(Part):
    """A file: exactly one of `id` (uploaded before) and `link` (Meta keeps what it fetched for 10 minutes)."""

    kind: ClassVar[str]
    id: MediaId | None = None
    link: Link | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.id is None) == (self.link is None):
            raise ValueError("give exactly one of `id` and `link`")
        return self

    @field_validator("link")
    @classmethod
    def _of_a_type_that_is_taken(cls, link: str | None) -> str | None:
        # A link without a telling ending passes: only Meta sees its type.
        guessed = mimetypes.guess_type(urlsplit(link).path)[0] if link else None
        if guessed and guessed not in limits.MEDIA[cls.kind] and guessed in _TOLD_BY_ENDING:
            raise ValueError(f"a link to {guessed} is no {cls.kind}: {', '.join(limits.MEDIA[cls.kind])} are taken")
        return link


# What a file's ending says for certain; anything else (an .aspx that delivers a PDF) is left to Meta.
_TOLD_BY_ENDING = {mime for kinds in limits.MEDIA.values() for mime in kinds} | {
    "audio/x-wav",
    "image/bmp",
    "image/gif",
    "image/svg+xml",
    "image/tiff",
    "video/quicktime",
    "video/webm",
    "video/x-msvideo",
}


class Captioned(Medium):
    """A file with words under it."""

    caption: str | None = Field(None, min_length=1, max_length=limits.CAPTION)


class ImageFile(Captioned):
    """JPEG or PNG of up to 5 MB."""

    kind = "image"


class VideoFile(Captioned):
    """MP4 or 3GP (H.264 and AAC) of up to 16 MB."""

    kind = "video"


class AudioFile(Medium):
    """AAC, AMR, MP3, M4A or OGG of up to 16 MB; `voice`: a voice message, which must be OGG with Opus, mono."""

    kind = "audio"
    voice: bool | None = None

    @model_validator(mode="after")
    def _voice_is_ogg(self) -> Self:
        guessed = mimetypes.guess_type(urlsplit(self.link).path)[0] if self.voice and self.link else None
        if guessed in limits.MEDIA["audio"] and guessed != limits.VOICE:
            raise ValueError(f"a voice message is {limits.VOICE} with Opus, not {guessed}")
        return self


class DocumentFile(Captioned):
    """PDF, text or office file of up to 100 MB."""

    kind = "document"
    filename: str | None = Field(None, min_length=1, max_length=limits.FILENAME, examples=["fatura.pdf"])


class StickerFile(Medium):
    """WebP: static of up to 100 KB, animated of up to 500 KB."""

    kind = "sticker"


class TextHeader(Part):
    """Words above the body."""

    type: Literal["text"]
    text: HeaderText


class ImageHeader(Part):
    """An image above the body."""

    type: Literal["image"]
    image: ImageFile


class VideoHeader(Part):
    """A video above the body."""

    type: Literal["video"]
    video: VideoFile


class DocumentHeader(Part):
    """A document above the body."""

    type: Literal["document"]
    document: DocumentFile


Header = Annotated[TextHeader | ImageHeader | VideoHeader | DocumentHeader, Field(discriminator="type")]


class Body(Part):
    """The words of an interactive message."""

    text: str = Field(min_length=1, max_length=limits.BODY)


class Footer(Part):
    """Small words under the body."""

    text: str = Field(min_length=1, max_length=limits.FOOTER)


class Framed(Part):
    """An interactive message's words: a header above the body, a footer below it."""

    header: Header | None = None
    body: Body
    footer: Footer | None = None


def as_sent(part: BaseModel) -> dict[str, Any]:
    """A part as JSON for the Cloud API: what was not given is left out."""
    return part.model_dump(mode="json", exclude_none=True)

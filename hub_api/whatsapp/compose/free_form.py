"""The kinds that show or tell something: text, files, a place, people, a reaction (channel document §3.2)."""

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, model_validator

from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.fields import (
    AudioFile,
    DocumentFile,
    ImageFile,
    NewMessage,
    Part,
    Quoting,
    StickerFile,
    VideoFile,
)


class NewText(Quoting):
    """Plain words; like everything but a template only within 24 h of the customer's last message."""

    type: Literal["text"]
    text: str = Field(min_length=1, max_length=limits.TEXT, examples=["Boa tarde! Já estou verificando a sua conexão."])
    preview_url: bool = Field(False, description="show a preview of the first link")


class NewImage(Quoting):
    """An image, with a caption if any."""

    type: Literal["image"]
    image: ImageFile


class NewVideo(Quoting):
    """A video, with a caption if any."""

    type: Literal["video"]
    video: VideoFile


class NewAudio(Quoting):
    """A sound, or with `voice` a voice message."""

    type: Literal["audio"]
    audio: AudioFile


class NewDocument(Quoting):
    """A file to keep."""

    type: Literal["document"]
    document: DocumentFile


class NewSticker(Quoting):
    """A sticker."""

    type: Literal["sticker"]
    sticker: StickerFile


class Place(Part):
    """A point on the map, in degrees."""

    latitude: float = Field(ge=-90, le=90, allow_inf_nan=False, examples=[-23.5505])
    longitude: float = Field(ge=-180, le=180, allow_inf_nan=False, examples=[-46.6333])
    name: str | None = Field(None, min_length=1, max_length=limits.BODY, examples=["Loja Sé"])
    address: str | None = Field(None, min_length=1, max_length=limits.BODY, examples=["Praça da Sé, 1, São Paulo"])


class NewLocation(Quoting):
    """A place."""

    type: Literal["location"]
    location: Place


Word = Annotated[str, Field(min_length=1, max_length=limits.BODY)]


class PersonName(Part):
    """A name as shown, and at least one of its parts."""

    formatted_name: Word
    first_name: Word | None = None
    last_name: Word | None = None
    middle_name: Word | None = None
    suffix: Word | None = None
    prefix: Word | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> Self:
        if not any((self.first_name, self.last_name, self.middle_name, self.suffix, self.prefix)):
            raise ValueError("give at least one part besides `formatted_name`, such as `first_name`")
        return self


class PersonPhone(Part):
    """A phone of the person; with `wa_id` the card offers to write to it."""

    phone: Word | None = None
    type: Word | None = None
    wa_id: str | None = Field(None, pattern=r"^\d{5,20}$")


class PersonEmail(Part):
    """An e-mail address of the person."""

    email: Word | None = None
    type: Word | None = None


class PersonUrl(Part):
    """A page of the person."""

    url: Word | None = None
    type: Word | None = None


class PersonAddress(Part):
    """A postal address of the person."""

    street: Word | None = None
    city: Word | None = None
    state: Word | None = None
    zip: Word | None = None
    country: Word | None = None
    country_code: Word | None = None
    type: Word | None = None


class PersonOrg(Part):
    """Where the person works."""

    company: Word | None = None
    department: Word | None = None
    title: Word | None = None


class Person(Part):
    """A card of the address book."""

    name: PersonName
    phones: list[PersonPhone] = Field(default=[], max_length=limits.CONTACTS)
    emails: list[PersonEmail] = Field(default=[], max_length=limits.CONTACTS)
    urls: list[PersonUrl] = Field(default=[], max_length=limits.CONTACTS)
    addresses: list[PersonAddress] = Field(default=[], max_length=limits.CONTACTS)
    org: PersonOrg | None = None
    birthday: str | None = Field(None, pattern=r"^\d{4}-\d{2}-\d{2}$")


class NewContacts(Quoting):
    """People, as cards of the address book."""

    type: Literal["contacts"]
    contacts: list[Person] = Field(min_length=1, max_length=limits.CONTACTS)


def _one_emoji(value: str) -> str:
    if value and value.isascii():
        raise ValueError("give one emoji, or an empty string to take the reaction back")
    return value


class Reaction(Part):
    """An emoji on a message."""

    message_id: UUID = Field(description="the message of this conversation, at most 30 days old")
    emoji: Annotated[str, Field(max_length=limits.EMOJI, examples=["👍"]), AfterValidator(_one_emoji)] = Field(
        description="empty: take the reaction back"
    )


class NewReaction(NewMessage):
    """A reaction set or taken back; it says thanks without another message."""

    type: Literal["reaction"]
    reaction: Reaction

"""Validation of what is not a template: types, required fields, lengths, media ids, as the Messages API refuses them.

A body of the wrong shape is code 100; a value beyond a limit of the platform 131009; a missing part 131008. Limits are
those of developers.facebook.com/documentation/business-messaging/whatsapp/messages/*.
"""

from collections.abc import Callable
from typing import Any

from hub_api.simulator.check_interactive import check_interactive
from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import link, optional_text, parts, reject_unknown, required, text
from hub_api.simulator.model import Media, Number

Json = dict[str, Any]
FindMedia = Callable[[str], Media | None]

MEDIA_KEYS = {
    "image": {"id", "link", "caption"},
    "video": {"id", "link", "caption"},
    "audio": {"id", "link", "voice"},
    "document": {"id", "link", "caption", "filename"},
    "sticker": {"id", "link"},
}
MEDIA_TYPES = {
    "image": {"image/jpeg", "image/png"},
    "video": {"video/mp4", "video/3gpp"},
    "audio": {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/ogg; codecs=opus"},
    "document": {
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-excel",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    },
    "sticker": {"image/webp"},
}
TYPES = ("text", *MEDIA_KEYS, "reaction", "location", "contacts", "interactive", "template")


def check_content(type_: str, body: Any, number: Number, find_media: FindMedia) -> None:
    """Refuse a non-template message that Meta would refuse. Raises MetaError."""
    if type_ == "text":
        _text(required_object(body, "text"))
    elif type_ in MEDIA_KEYS:
        check_media(type_, required_object(body, type_), find_media)
    elif type_ == "interactive":
        check_interactive(required_object(body, "interactive"), find_media)
    elif type_ == "contacts":
        _contacts(body)
    elif type_ == "location":
        _location(required_object(body, "location"))
    elif type_ == "reaction":
        _reaction(required_object(body, "reaction"))
    else:
        raise MetaError(100, f'Param type must be one of {{{", ".join(TYPES)}}} - got "{type_}".')


def required_object(body: Any, name: str) -> Json:
    """The object named after the type. Raises MetaError when it is missing or no object."""
    if body is None:
        raise MetaError(100, f"The parameter {name} is required.")
    if not isinstance(body, dict):
        raise MetaError(100, f"Param {name} must be a JSON object.")
    return body


def check_media(kind: str, body: Json, find_media: FindMedia) -> None:
    """One of `id` and `link`, the caption and file name where they are allowed. Raises MetaError."""
    reject_unknown(body, MEDIA_KEYS[kind], kind)
    optional_text(body, "caption", kind, maximum=1_024)
    optional_text(body, "filename", kind, maximum=240)
    media_id, url = body.get("id"), body.get("link")
    if (media_id is None) == (url is None):
        raise MetaError(100, f"Param {kind} must have exactly one of 'id' and 'link'.")
    if url is not None:
        link(url, f"{kind}['link']")
        return
    media = find_media(str(media_id))
    if media is None:
        raise MetaError(100, f"Param {kind}['id'] is not a valid whatsapp business account media attachment ID")
    if media.mime_type not in MEDIA_TYPES[kind]:
        raise MetaError(131053, f"Unsupported {kind} mime type {media.mime_type}. Please use one of "
                                f"{', '.join(sorted(MEDIA_TYPES[kind]))}.")  # fmt: skip
    if body.get("voice") and not media.mime_type.startswith("audio/ogg"):
        raise MetaError(131053, f"A voice message must be OGG with the Opus codec, not {media.mime_type}.")


def _text(body: Json) -> None:
    reject_unknown(body, {"body", "preview_url"}, "text")
    text(body, "body", "text", maximum=4_096)


def _reaction(body: Json) -> None:
    reject_unknown(body, {"message_id", "emoji"}, "reaction")
    text(body, "message_id", "reaction")
    emoji = required(body, "emoji", "reaction")
    if not isinstance(emoji, str) or (emoji and (emoji.isascii() or len(emoji) > 12)):
        raise MetaError(131009, "reaction['emoji'] must be one emoji, or an empty string to remove the reaction.")


def _location(body: Json) -> None:
    reject_unknown(body, {"latitude", "longitude", "name", "address"}, "location")
    for key, bound in (("latitude", 90), ("longitude", 180)):
        value = required(body, key, "location")
        try:
            degrees = float(value)
        except (TypeError, ValueError):
            raise MetaError(100, f"Param location['{key}'] must be a number.") from None
        if not -bound <= degrees <= bound:
            raise MetaError(131009, f"location['{key}'] must be between {-bound} and {bound}.")


def _contacts(body: Any) -> None:
    contacts = parts({"contacts": body}, "contacts", "message", maximum=257)
    for index, contact in enumerate(contacts):
        name = contact.get("name")
        if not isinstance(name, dict) or not name.get("formatted_name"):
            raise MetaError(131008, f"contacts[{index}]['name']['formatted_name'] is required.")
        if not (name.keys() & {"first_name", "last_name", "middle_name", "suffix", "prefix"}):
            raise MetaError(131009, f"contacts[{index}]['name'] needs at least one more part than formatted_name.")

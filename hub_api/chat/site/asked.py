"""The frames that a widget sends, and what is wrong with one."""

import unicodedata
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from hub_api.chat.site.limits import LONGEST_FRAME, LONGEST_TEXT
from hub_api.errors import Invalid

ClientId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
Text = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Phone = Annotated[str, Meta(min_length=8, max_length=30)]


class Frame(msgspec.Struct, tag_field="op", forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Any of them, told apart by `op`."""


class Identity(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The website's user, as its server signed him."""

    id: Annotated[str, Meta(min_length=1, max_length=150)]
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class Choice(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """What was tapped under a message of ours."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    title: Annotated[str, Meta(min_length=1, max_length=100)]


class Hello(Frame, tag="hello", frozen=True, kw_only=True):
    """The first frame: who the browser was before, and the last message that it has."""

    token: Annotated[str, Meta(max_length=200)] | None = None
    after: UUID | None = None
    identity: Identity | None = None


class Start(Frame, tag="start", frozen=True, kw_only=True):
    """He read the text and agrees."""

    version: Annotated[str, Meta(max_length=60)]
    page: Annotated[str, Meta(max_length=300)] | None = None


class Say(Frame, tag="message", frozen=True, kw_only=True):
    """A message; `file` was uploaded before."""

    client_id: ClientId
    text: Text | None = None
    choice: Choice | None = None
    file: UUID | None = None


class Form(Frame, tag="form", frozen=True, kw_only=True):
    """A message left outside the hours, with where the answer may go."""

    client_id: ClientId
    text: Text
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    phone: Phone | None = None
    email: Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$")] | None = None


class Ack(Frame, tag="ack", frozen=True, kw_only=True):
    """Which message of ours the browser has, or the visitor has seen; all before it too."""

    delivered: UUID | None = None
    read: UUID | None = None


class Code(Frame, tag="code", frozen=True, kw_only=True):
    """Send a code to this phone."""

    phone: Phone


class Verify(Frame, tag="verify", frozen=True, kw_only=True):
    """The code that came."""

    phone: Phone
    code: Annotated[str, Meta(pattern=r"^\d{6}$")]


class Ping(Frame, tag="ping", frozen=True, kw_only=True):
    """Are you there?"""


Asked = Hello | Start | Say | Form | Ack | Code | Verify | Ping
_frames: msgspec.json.Decoder[Asked] = msgspec.json.Decoder(Asked)


def read(text: str | bytes) -> Asked:
    """The frame. Raises Invalid for what is none of ours, without repeating what it says."""
    if len(text) > LONGEST_FRAME:
        raise Invalid("this frame is too long")
    try:
        asked = _frames.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"this is no frame of ours: {error}") from None
    if isinstance(asked, Say) and not (asked.text or asked.choice or asked.file):
        raise Invalid("a message has words, a choice or a file")
    return asked


def plain(text: str | None) -> str | None:
    """Words without control characters (but breaks of line and tabs) and blanks around; None when nothing is left."""
    if text is None:
        return None
    kept = (char for char in text if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs"))
    return "".join(kept).strip() or None

"""Which files are taken: from customers what is harmless and what it claims to be, for Meta what its table allows (§3.5)."""

import re
import unicodedata

from hub_api.errors import Invalid
from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.media import sniff

FILENAME_CHARS = 120
_IN_KINDS = {
    "image": {"image/jpeg", "image/png", "image/gif", "image/webp"},
    "video": {"video/mp4", "video/3gpp", "audio/mp4"},
    "audio": {"audio/ogg", "audio/mpeg", "audio/aac", "audio/amr", "audio/mp4", "video/mp4", "video/3gpp"},
    "sticker": {"image/webp"},
}
# A customer's document may be anything but a program or a page: a hub that hands those on is a way into the house.
_REFUSED_DOCUMENTS = {sniff.EXECUTABLE, sniff.HTML}
_FORBIDDEN = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')


class FileRefused(Invalid):
    """The file is of a type or size that the channel does not take; `errors` says which and what it takes."""

    code = "file_refused"


def plain_type(declared: str | None) -> str:
    """A MIME type without its parameters, in lower case: `audio/ogg; codecs=opus` → `audio/ogg`."""
    return (declared or "").partition(";")[0].strip().lower()


def inbound_fault(kind: str, declared: str | None, head: bytes) -> tuple[str, str | None]:
    """MIME type of a received file, and why it is not kept (`type_not_allowed`, `type_mismatch`), None when it is."""
    found, claimed = sniff.sniff(head), plain_type(declared)
    if kind == "document":
        if found in _REFUSED_DOCUMENTS:
            return found, "type_not_allowed"
        if claimed and not sniff.agrees(found, claimed):
            return found, "type_mismatch"
        return _fuller(found, claimed), None
    if found not in _IN_KINDS[kind]:
        return found, "type_not_allowed"
    if claimed and not sniff.agrees(found, claimed):
        return found, "type_mismatch"
    return _fuller(found, claimed), None


def _fuller(found: str, claimed: str) -> str:
    """The declared type where the bytes agree and say less; a type we do not know is served as bytes."""
    known = claimed in sniff.OOXML | sniff.OLE_DOCUMENTS | {"audio/mp4", "video/mp4", "video/3gpp"}
    return claimed if known and claimed != found and sniff.agrees(found, claimed) else found


def outbound_kind(declared: str | None, head: bytes, size: int) -> tuple[str, str]:
    """Kind and MIME type of a file for Meta. Raises FileRefused naming the limit that it breaks."""
    found, claimed = sniff.sniff(head), plain_type(declared)
    mime_type = _fuller(found, claimed)
    kind = next((kind for kind, types in limits.MEDIA.items() if mime_type in types), None)
    if kind is None:
        taken = ", ".join(sorted(mime for types in limits.MEDIA.values() for mime in types))
        raise _refused("type", f"the file is {mime_type}; Meta takes {taken}")
    if claimed and claimed != "application/octet-stream" and not sniff.agrees(found, claimed):
        raise _refused("type", f"the file was called {claimed} and is {found}: correct the type or the file")
    most = limits.MEDIA[kind][mime_type]
    if mime_type == "image/webp" and not sniff.is_animated_webp(head):
        most = 100 * limits.KB
    if size > most:
        raise _refused("size", f"the {kind} has {size} bytes; Meta takes at most {most}")
    if fault := _inner_fault(mime_type, head):
        raise _refused("content", fault)
    return kind, mime_type


def _inner_fault(mime_type: str, head: bytes) -> str | None:
    if mime_type == "audio/ogg" and not sniff.is_opus_mono(head):
        return "an OGG must be Opus with one channel: convert it with `ffmpeg -c:a libopus -ac 1`"
    if mime_type == "image/png" and (depth := sniff.png_depth(head)) not in ((8, 2), (8, 6)):
        return f"a PNG must have 8 bits a channel in RGB or RGBA; this one has depth and colour type {depth}"
    if mime_type == "image/jpeg" and sniff.jpeg_precision(head) not in (8, None):
        return "a JPEG must have 8 bits a channel"
    return None


def _refused(field: str, message: str) -> FileRefused:
    return FileRefused(message, errors=[{"field": f"body.file.{field}", "message": message}])


def safe_filename(name: str | None) -> str | None:
    """A name for people: the last part of a path, no control, format or reserved characters, accents kept; None without.

    Format characters go because right-to-left marks disguise endings (`fatura\u202efdp.exe`).
    """
    if name is None:
        return None
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(
        c for c in _FORBIDDEN.sub("", last) if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    clean = re.sub(r"\s+", " ", clean).strip(" .")
    if len(clean) > FILENAME_CHARS:
        stem, dot, ending = clean.rpartition(".")
        clean = (
            f"{stem[: FILENAME_CHARS - len(ending) - 1]}.{ending}"
            if dot and len(ending) <= 10
            else clean[:FILENAME_CHARS]
        )
    return clean or None

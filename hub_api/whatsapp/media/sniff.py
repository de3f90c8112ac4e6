"""What bytes are, by what they begin with: a sender's word and a file's ending are claims.

Signatures are those of the formats' own specifications; only what WhatsApp carries, and what must not pass as it.
"""

import re

HEAD_BYTES = 8 * 1024  # enough for each signature here, and for the first entries of an office file

ZIP, OLE = "application/zip", "application/x-ole-storage"
UNKNOWN = "application/octet-stream"
_OFFICE = "application/vnd.openxmlformats-officedocument"
OOXML = {
    f"{_OFFICE}.wordprocessingml.document",
    f"{_OFFICE}.spreadsheetml.sheet",
    f"{_OFFICE}.presentationml.presentation",
}
OLE_DOCUMENTS = {"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"}
EXECUTABLE = "application/x-executable"
HTML = "text/html"

_PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"ID3", "audio/mpeg"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"PK\x03\x04", ZIP),
    (b"MZ", EXECUTABLE),
    (b"\x7fELF", EXECUTABLE),
    (b"\xcf\xfa\xed\xfe", EXECUTABLE),
    (b"\xca\xfe\xba\xbe", EXECUTABLE),
    (b"#!/", EXECUTABLE),
    (b"dex\n", EXECUTABLE),
)
_MARKUP = re.compile(rb"^\s*(<!doctype\s+html|<html|<script|<svg|<\?xml[^>]*>\s*<(svg|html))", re.IGNORECASE)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def sniff(head: bytes) -> str:
    """The MIME type of a file that begins with `head` (at least HEAD_BYTES of it, or all): UNKNOWN when nothing tells."""
    for prefix, mime_type in _PREFIXES:
        if head.startswith(prefix):
            return mime_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _of_brand(head[8:12])
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # the sync word of MPEG audio
        return "audio/aac" if head[1] & 0xF6 == 0xF0 else "audio/mpeg"  # layer 0 is ADTS
    if _MARKUP.match(head[:512].removeprefix(b"\xef\xbb\xbf")):
        return HTML
    return "text/plain" if head and not _CONTROL.search(head) else UNKNOWN


def _of_brand(brand: bytes) -> str:
    if brand.startswith(b"3g"):
        return "video/3gpp"
    return "audio/mp4" if brand in (b"M4A ", b"M4B ") else "video/mp4"


def agrees(found: str, declared: str) -> bool:
    """Whether bytes that are `found` may be called `declared`, which says more than the first bytes can."""
    if found == declared:
        return True
    if found == ZIP:
        return declared in OOXML or declared not in _TELLING
    if found == OLE:
        return declared in OLE_DOCUMENTS or declared not in _TELLING
    if {found, declared} <= {"video/mp4", "video/3gpp", "audio/mp4", "audio/3gpp"}:
        return True  # one container; its brand is chosen freely by encoders
    if found in (UNKNOWN, "text/plain"):
        return declared not in _TELLING
    return False


# Types whose every file begins in a way that sniff() knows.
_TELLING = {kind for _, kind in _PREFIXES} | OOXML | OLE_DOCUMENTS | {
    "image/webp", "video/mp4", "video/3gpp", "audio/mp4", "audio/aac",
}  # fmt: skip


def is_opus_mono(head: bytes) -> bool:
    """Whether an Ogg stream is Opus with one channel (RFC 7845 §5.1: `OpusHead`, version, channel count)."""
    at = head.find(b"OpusHead")
    return 0 <= at <= 512 and head[at + 9 : at + 10] == b"\x01"


def png_depth(head: bytes) -> tuple[int, int] | None:
    """Bit depth and colour type of a PNG (its IHDR comes first); None when the head is cut off."""
    return (head[24], head[25]) if len(head) > 25 and head[12:16] == b"IHDR" else None


def jpeg_precision(head: bytes) -> int | None:
    """Bits per sample of a JPEG, from its frame header; None when that lies behind `head`."""
    at = 2
    while at + 4 < len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return head[at + 4]
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def is_animated_webp(head: bytes) -> bool:
    """Whether a WebP has the animation flag of its extended header."""
    return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 0x02)

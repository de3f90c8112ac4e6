"""Small real files for inbound media, so that a download gets something a viewer can open."""

import base64
import struct
import zlib


def sample_file(kind: str, content_base64: str | None, mime_type: str | None) -> tuple[bytes, str]:
    """Bytes and MIME type of a media message: the given content, or a small sample of its kind."""
    sample, usual = _SAMPLES[kind]
    if content_base64 is not None:
        return base64.b64decode(content_base64), mime_type or usual
    return sample, mime_type or usual


def _png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\x00" + b"\xc0\x30\x30" * 8 for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def _pdf() -> bytes:
    body = b"%PDF-1.4\n"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] >>",
    ]
    offsets = []
    for index, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (index, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return body + (
        b"xref\n0 4\n0000000000 65535 f \n" + table + b"trailer\n<< /Size 4 /Root 1 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % len(body)
    )


def _ogg() -> bytes:
    """The first pages of an Opus stream: identification and comment headers, no sound."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 3) + b"hub" + struct.pack("<I", 0)
    return _ogg_page(head, 0, 2) + _ogg_page(tags, 1, 4)


def _ogg_page(packet: bytes, sequence: int, flags: int) -> bytes:
    header = b"OggS" + struct.pack("<BBqIII", 0, flags, 0, 1, sequence, 0) + bytes([1, len(packet)])
    page = header + packet
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def _ogg_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


_MP4 = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"isom", 512, b"isom", b"mp42") + struct.pack(">I4s", 8, b"mdat")
_WEBP = b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8L" + struct.pack("<I", 13) + bytes.fromhex(
    "2f0000001007100001110088880800"
)[:13] + b"\x00"  # fmt: skip

_SAMPLES = {
    "image": (_png(), "image/png"),
    "video": (_MP4, "video/mp4"),
    "audio": (_ogg(), "audio/ogg; codecs=opus"),
    "document": (_pdf(), "application/pdf"),
    "sticker": (_WEBP, "image/webp"),
}

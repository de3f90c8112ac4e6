"""Bodies compressed as HTTP's Content-Encoding: gzip, deflate, lz4 (frames) and zstd, both ways."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Protocol, cast

import lz4.frame
import zstandard

from hub_api.embedded.warehouse.errors import CANNOT_DECOMPRESS, UNKNOWN_COMPRESSION, WarehouseError, refuse
from hub_api.embedded.warehouse.statement import Readable

# What we choose when the client offers several: on one machine speed matters more than size.
PREFERRED = ("lz4", "zstd", "gzip", "deflate")
_BLOCK_BYTES = 64 * 1024


class Compressor(Protocol):
    """One response body as one frame."""

    def compress(self, data: bytes) -> bytes:
        """The next piece; may be empty while the compressor collects."""

    def flush(self) -> bytes:
        """The end of the frame."""


class _Lz4:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begin: bytes = self._frame.begin()

    def compress(self, data: bytes) -> bytes:
        begin, self._begin = self._begin, b""
        return cast(bytes, begin + self._frame.compress(data))

    def flush(self) -> bytes:
        return cast(bytes, self._begin + self._frame.flush())


_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "gzip": lambda: zlib.compressobj(level=1, wbits=31),
    "deflate": lambda: zlib.compressobj(level=1),
    "lz4": _Lz4,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
}


def choose(accept_encoding: str) -> str | None:
    """The encoding of the answer for an Accept-Encoding header; None when we share none with the client."""
    offered = {part.split(";")[0].strip().lower() for part in accept_encoding.split(",") if "q=0" not in part.split()}
    return next((name for name in PREFERRED if name in offered), None)


def compressor(encoding: str) -> Compressor:
    """A fresh compressor for one body."""
    return _COMPRESSORS[encoding]()


class Decoded:
    """A compressed body read as what it holds, in bounded memory; several frames in a row are one body.

    `read` raises WarehouseError (271) when the body is not what its Content-Encoding says.
    """

    def __init__(self, body: Readable, encoding: str) -> None:
        match encoding.strip().lower():
            case "" | "identity":
                self._source: Any = body
            case "gzip" | "x-gzip":
                self._source = gzip.GzipFile(fileobj=cast(Any, body), mode="rb")
            case "deflate":
                self._source = _Inflated(body)
            case "lz4":
                self._source = lz4.frame.LZ4FrameFile(body, mode="rb")
            case "zstd":
                self._source = zstandard.ZstdDecompressor().stream_reader(cast(Any, body), read_across_frames=True)
            case other:
                known = ", ".join(PREFERRED)
                raise refuse(UNKNOWN_COMPRESSION, f"Unknown Content-Encoding {other}: send {known} or none.")
        self._encoding = encoding

    def read(self, size: int) -> bytes:
        """At most `size` bytes; empty at the end."""
        try:
            return cast(bytes, self._source.read(size))
        except WarehouseError:
            raise
        except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
            raise refuse(CANNOT_DECOMPRESS, f"The body is no complete {self._encoding}: {error}.") from None


class _Inflated:
    """zlib data as a file; raw deflate, which some clients send under the same name, is understood too."""

    def __init__(self, body: Readable) -> None:
        self._body, self._stream, self._pending, self._begun = body, zlib.decompressobj(), b"", False

    def read(self, size: int) -> bytes:
        while True:
            data = self._pending or self._body.read(_BLOCK_BYTES)
            if not data:
                if self._begun and not self._stream.eof:
                    raise EOFError("it ends too early")
                return b""
            if not self._begun and data[0] & 0x0F != 8:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            self._begun = True
            out = self._stream.decompress(data, size)
            self._pending = self._stream.unconsumed_tail
            if out:
                return out

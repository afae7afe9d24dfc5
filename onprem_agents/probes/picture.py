"""A small picture, as agents send screenshots: of a role that is said to see, each API must take it."""

from __future__ import annotations

import base64
import struct
import zlib
from functools import cache

# The least side that vision towers of 2026-11 take without scaling: two patches of up to 32 pixels.
_SIDE_PIXELS = 64
ASKED = "What colour is this picture? Answer with one word."


@cache
def red_png() -> str:
    """Return a red square as PNG in base64."""
    row = b"\0" + b"\xff\0\0" * _SIDE_PIXELS
    head = struct.pack(">IIBBBBB", _SIDE_PIXELS, _SIDE_PIXELS, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * _SIDE_PIXELS)), (b"IEND", b""))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))).decode()


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, data = named
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

"""How is an array of class numbers written as an image that every browser reads?

A PNG with a palette, as ISO/IEC 15948 lays it down. It writes and never reads.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Rgba = tuple[int, int, int, int]
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS, _PALETTE = 8, 3


def palette_png(cells: np.ndarray[Any, Any], colours: Sequence[Rgba]) -> bytes:
    """Return the image of an array; equal arrays give equal bytes.

    Parameters
    ----------
    cells
        Shape (rows, columns), unsigned bytes: numbers of colours, the first row on top.
    colours
        At most 256: red, green, blue and opacity, 0 to 255.
    """
    rows, columns = cells.shape
    table = np.array(colours, dtype=np.uint8)
    # Each row begins with its filter: 0, none.
    lines = np.zeros((rows, columns + 1), dtype=np.uint8)
    lines[:, 1:] = cells
    header = struct.pack(">IIBBBBB", columns, rows, _EIGHT_BITS, _PALETTE, 0, 0, 0)
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", table[:, :3].tobytes()),
            _chunk(b"tRNS", table[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

"""Chunks of a PNG that Pillow does not read, or refuses. In: a path. Out: bytes.

Pillow knows no cICP, and does not open a PNG whose ICC profile unpacks to more than a megabyte: a bomb to it, though
profiles of printers and cameras are that large.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path

LARGEST_PROFILE = 16 << 20  # bytes; as much as the segments of a JPEG can hold, and more than any device's profile has
_PILLOWS = 1 << 20  # bytes of a profile that Pillow unpacks
_CHUNKS = 200  # before the pixels
_LARGEST_FILE = 256 << 20  # bytes that are copied to leave a chunk out


def chunk(path: Path, name: bytes) -> bytes | None:
    """What the chunk `name` before the pixels holds; None if there is none."""
    with path.open("rb") as file:
        place = _find(file, name)
        if place is None:
            return None
        start, length = place
        file.seek(start + 8)
        return file.read(min(length, LARGEST_PROFILE))


def unpacked_profile(path: Path) -> bytes | None:
    """The ICC profile, cut after LARGEST_PROFILE + 1 bytes; b"" where it cannot be unpacked, None if there is none."""
    packed = chunk(path, b"iCCP")
    return None if packed is None else _unpack(packed, LARGEST_PROFILE + 1)


def without_large_profile(path: Path) -> io.BytesIO | None:
    """A PNG without its profile, if that is one which Pillow does not take; None where the file will do."""
    packed = chunk(path, b"iCCP")
    if packed is None or len(_unpack(packed, _PILLOWS + 1)) <= _PILLOWS or path.stat().st_size > _LARGEST_FILE:
        return None
    data = path.read_bytes()
    with io.BytesIO(data) as file:
        start, length = _find(file, b"iCCP") or (0, -12)
    return io.BytesIO(data[:start] + data[start + 12 + length :])


def _find(file: io.BufferedIOBase, name: bytes) -> tuple[int, int] | None:
    """(where the chunk begins, bytes that it holds)."""
    file.seek(0)
    if file.read(8) != b"\x89PNG\r\n\x1a\n":
        return None
    place = 8
    for _ in range(_CHUNKS):
        file.seek(place)
        header = file.read(8)
        if len(header) < 8 or header[4:] == b"IDAT":
            return None
        length = int.from_bytes(header[:4], "big")
        if header[4:] == name:
            return place, length
        place += 12 + length
    return None


def _unpack(packed: bytes, most: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed[packed.index(b"\0") + 2 :], most)
    except (zlib.error, ValueError):
        return b""

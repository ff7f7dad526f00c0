"""What a file is, by its first bytes: a picture, a video, or neither. In: a path. Out: a `FileKind`, or None.

Names lie: phones and browsers write a JPEG as .jfif, a download has no suffix at all, and FFmpeg takes an AVIF or HEIC
still for a video of one frame. The first 4096 bytes are read; of a GIF or PNG also as much as tells whether it moves.
"""

from __future__ import annotations

import os
import stat
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

HEAD = 4096  # bytes
_GIF_STEPS = 200_000  # blocks of a GIF, 255 bytes each at most; one whose first picture has more is taken to move
_PNG_CHUNKS = 200  # before the pixels
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"miaf", b"avci", b"vvic"}
_MOVIE_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"pnot", b"free", b"skip"}  # QuickTime begins with any of them
_SOUND_BRANDS = {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}  # bytes, by version
_RAW_MARKS = (b"FUJIFILMCCD-RAW", b"FOVb", b"IIRO", b"IIRS", b"MMOR", b"IIU\0")  # Fuji, Sigma, Olympus, Panasonic
_PICTURE_MARKS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS\0", "Photoshop"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
)
_VIDEO_MARKS = (
    (b"\x1aE\xdf\xa3", "Matroska"),
    (b"FLV\x01", "FLV"),
    (b"DKIF", "IVF"),
    (b"YUV4MPEG2 ", "Y4M"),
    (b"\0\0\x01\xba", "MPEG"),
    (b"\0\0\x01\xb3", "MPEG"),
    (b"0&\xb2u\x8ef\xcf\x11", "ASF"),
    (b"\x06\x0e+4\x02\x05\x01\x01", "MXF"),
)


@dataclass(frozen=True)
class FileKind:
    """kind: what to read it as; name: its format, as people call it."""

    kind: Literal["picture", "video"]
    name: str


def file_kind(path: Path | str) -> FileKind | None:
    """None for anything else, and for what cannot be read or is no regular file: nothing is waited for."""
    try:
        # A pipe would be waited for by a plain open.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return None
            head = file.read(HEAD)
            if head.startswith(b"\x89PNG\r\n\x1a\n") and _png_moves(file):
                return FileKind("video", "APNG")
            if head[:6] in (b"GIF87a", b"GIF89a"):
                return FileKind("video" if _gif_moves(file) else "picture", "GIF")
    except (OSError, ValueError):
        return None
    return _kind_of(head)


def _kind_of(head: bytes) -> FileKind | None:
    for marks, kind in ((_PICTURE_MARKS, "picture"), (_VIDEO_MARKS, "video")):
        for mark, name in marks:
            if head.startswith(mark):
                return FileKind("picture" if kind == "picture" else "video", name)
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI "):
        return FileKind("picture", "WebP") if head[8:12] == b"WEBP" else FileKind("video", "AVI")
    if head[4:8] == b"jP  " and head[:4] == b"\0\0\0\x0c":
        return FileKind("video", "Motion JPEG 2000") if head[20:24] == b"mjp2" else FileKind("picture", "JPEG 2000")
    return _iso(head) or _tiff(head) or _bare(head) or _stream(head)


def _iso(head: bytes) -> FileKind | None:
    """Files of boxes: MP4 and QuickTime, and the stills that are built like them."""
    size, box = int.from_bytes(head[:4], "big"), head[4:8]
    if box not in _MOVIE_BOXES or 1 < size < 8 or (head[0] >= 0x20 and box != b"mdat"):  # "Get free ..." is text
        return None
    if box != b"ftyp":
        return FileKind("video", "QuickTime")
    brand, others = head[8:12], {head[at : at + 4] for at in range(16, min(size, len(head)) - 3, 4)}
    if brand == b"crx ":
        return FileKind("picture", "camera raw")
    if brand == b"avif" or (brand in _HEIF_BRANDS and b"avif" in others):
        return FileKind("picture", "AVIF")
    if brand in _HEIF_BRANDS:
        return FileKind("picture", "HEIC")
    return None if brand in _SOUND_BRANDS else FileKind("video", "MP4")


def _tiff(head: bytes) -> FileKind | None:
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if any(head.startswith(mark) for mark in _RAW_MARKS):
        return FileKind("picture", "camera raw")
    if order is None or len(head) < 8 or struct.unpack_from(order + "H", head, 2)[0] not in (42, 43):
        return None
    raw = head[8:10] == b"CR" or _first_is_thumbnail(head, order)
    return FileKind("picture", "camera raw" if raw else "TIFF")


def _first_is_thumbnail(head: bytes, order: str) -> bool:
    """Whether the first picture of a TIFF is a reduced copy of another inside it: so are DNG, NEF and ARW built, and
    reading them as TIFF would give the thumbnail.
    """
    try:
        (start,) = struct.unpack_from(order + "I", head, 4)
        (count,) = struct.unpack_from(order + "H", head, start)
        tags = {}
        for number in range(count):
            tag, _, _, value = struct.unpack_from(order + "HHII", head, start + 2 + 12 * number)
            tags[tag] = value
    except struct.error:  # further on than was read
        return False
    return 330 in tags and tags.get(254, 0) & 1 == 1  # SubIFDs, NewSubfileType


def _bare(head: bytes) -> FileKind | None:
    """Formats with two bytes of a mark, which needs a second look."""
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return FileKind("picture", "BMP")
    first, _, rest = head[:64].partition(b"\n") if head[2:3] == b"\n" else (head[:2], b"", head[3:64].lstrip())
    if len(first) == 2 and first[:1] == b"P" and first[1:] in b"123456" and rest[:1] in b"0123456789#" and rest:
        return FileKind("picture", "PPM")
    return None


def _stream(head: bytes) -> FileKind | None:
    """Packets without a header of the file: MPEG transport streams (188 bytes, or 192 with time codes), Ogg."""
    for step, first in ((188, 0), (192, 4)):
        if len(head) > first + 4 * step and all(head[first + step * number] == 0x47 for number in range(5)):
            return FileKind("video", "MPEG-TS")
    moving = (b"\x80theora", b"\x01video", b"OVP80", b"fishead")
    return FileKind("video", "Ogg") if head[:4] == b"OggS" and any(mark in head[:512] for mark in moving) else None


def _png_moves(file: BinaryIO) -> bool:
    """Whether an acTL chunk before the pixels announces more than one picture."""
    place = 8
    for _ in range(_PNG_CHUNKS):
        file.seek(place)
        header = file.read(12)
        if header[4:8] == b"acTL":
            return int.from_bytes(header[8:], "big") > 1
        if len(header) < 12 or header[4:8] == b"IDAT":
            return False
        place += 12 + int.from_bytes(header[:4], "big")
    return False


def _gif_moves(file: BinaryIO) -> bool:
    """Whether a second picture follows the first: blocks are stepped over, nothing is decoded."""
    file.seek(10)
    flags = file.read(3)[:1] or b"\0"
    file.seek(_colours(flags[0]), os.SEEK_CUR)
    pictures, inside = 0, False  # inside: a chain of blocks that a length of 0 ends
    for _ in range(_GIF_STEPS):
        mark = file.read(1)
        if inside:
            inside = mark not in (b"", b"\0")
            file.seek(mark[0] if inside else 0, os.SEEK_CUR)
        elif mark == b",":
            pictures += 1
            if pictures > 1:
                return True
            place = file.read(9)
            file.seek(_colours(place[8] if len(place) == 9 else 0) + 1, os.SEEK_CUR)  # 1: bits of a code
            inside = True
        elif mark == b"!":
            file.seek(1, os.SEEK_CUR)
            inside = True
        else:  # the end, or damage
            return False
    return True


def _colours(flags: int) -> int:
    """Bytes of the colour table that a GIF's flags announce."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

"""Which files can carry a manifest, by name and by content.

In: a path, or an open file. Out: the media type that the C2PA library is told, or a refusal that says what to do. What
a file is, its content says; its name is only a second opinion.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, BinaryIO
from xml.parsers import expat

from provenance.formats.bmff import refuse_fragments
from provenance.formats.riff import ADVICE as CHUNKED
from provenance.formats.riff import refuse_loose_chunks
from sfumato.errors import MediaError, SealError
from sfumato.structure import hold_structure

FORMATS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".avi": "video/avi",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jfif": "image/jpeg",
    ".gif": "image/gif",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".flac": "audio/flac",
}
UNSIGNABLE = (  # video that people have, and that cannot hold a manifest; they get a sidecar
    *(
        ".mkv",
        ".webm",
        ".flv",
        ".f4v",
        ".ogv",
        ".ogg",
        ".wmv",
        ".asf",
        ".mpg",
        ".mpeg",
        ".vob",
        ".ts",
        ".mts",
        ".m2ts",
        ".mxf",
        ".3gp",
    ),
    *(".m4s", ".mpd", ".m3u8", ".bmp"),
)
MAGIC = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
    b"II+\0": "image/tiff",
    b"MM\0+": "image/tiff",
    b"fLaC": "audio/flac",
    b"%PDF-": "application/pdf",
    b"\0\0\0\x0cJXL ": "image/jxl",
}
BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"), "image/heic"),
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
RIFF = {b"WEBP": "image/webp", b"AVI ": "video/avi", b"WAVE": "audio/wav"}
BMFF = ("video/mp4", "video/quicktime", "audio/mp4")
STILLS = ("image/heic", "image/heif", "image/avif")
UNKNOWN = "application/octet-stream"
LONGEST_PROLOGUE = 64 * 1024  # bytes in front of the first element of an SVG
ADVICE = "Put it into an mp4 without encoding it again: ffmpeg -i IN -c copy OUT.mp4."


def media_type_of(path: Path) -> str:
    """The media type that the name stands for. Raises SealError for one that cannot hold a manifest."""
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    if suffix in UNSIGNABLE:
        raise SealError(f"{path}: a {suffix} file cannot hold a manifest", f"{ADVICE} Or keep it beside: --sidecar.")
    raise SealError(f"Cannot seal a {suffix or 'file without suffix'}", f"Choose one of: {', '.join(FORMATS)}.")


def check_content(file: BinaryIO, media_type: str, path: Path) -> None:
    """Refuses a file that is not what its name says, a part of a fragmented video, and a RIFF file with bytes between
    its chunks. Raises MediaError.
    """
    hold_structure(file, path)
    found = media_type_of_content(file)
    file.seek(0)
    head = file.read(32)
    if not head:
        raise MediaError(f"{path} is empty (0 bytes)", "Copy or download it again.")
    if media_type in BMFF:
        if found not in BMFF:
            if head[4:8] in (b"styp", b"moof", b"sidx"):
                raise MediaError(f"{path} is a part of a fragmented video", ADVICE)
            raise MediaError(f"{path} is no mp4 or mov", "Look at what it is; its name alone does not make it one.")
        refuse_fragments(file)
    elif found != media_type and not (found in STILLS and media_type in STILLS):
        raise MediaError(f"{path} holds {found}, not {media_type} as its name says", "Give it the suffix that fits.")
    elif media_type in CHUNKED:
        refuse_loose_chunks(file, media_type, path)
    file.seek(0)


def media_type_of_content(file: IO[bytes]) -> str:
    """What the file is by its content; application/octet-stream for what is not known."""
    file.seek(0)
    head = file.read(32)
    found = media_type_of_bytes(head)
    if head[:3] == b"ID3" and found == "audio/mpeg":  # a FLAC may have such a tag in front as well
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        file.seek(10 + size + 10 * bool(head[5] & 0x10))
        return "audio/flac" if file.read(4) == b"fLaC" else found
    if found == UNKNOWN and _is_svg(file):
        return "image/svg+xml"
    return found


def media_type_of_bytes(head: bytes) -> str:
    """By the first bytes, not by the name: the library trusts what it is told and fails on a PNG called .jpg."""
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return RIFF.get(head[8:12], UNKNOWN)
    if head[4:8] in (b"moov", b"wide", b"mdat"):  # QuickTime before it had ftyp
        return "video/quicktime"
    for magic, kind in MAGIC.items():
        if head.startswith(magic):
            return kind
    return "audio/mpeg" if _is_mpeg_sound(head) else UNKNOWN


def holds_mpeg_sound(data: bytes) -> bool:
    """True if the header of a frame of MPEG sound is somewhere in `data`."""
    return any(_is_mpeg_sound(data[place : place + 4]) for place in range(len(data) - 3) if data[place] == 0xFF)


def _is_mpeg_sound(head: bytes) -> bool:
    """A tag in front of it, or the header of a frame of layer 3 with no field that is forbidden."""
    if head[:3] == b"ID3" and len(head) >= 10 and not any(byte & 0x80 for byte in head[6:10]):
        return True
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return False
    return head[1] & 0x18 != 0x08 and 0 < head[2] >> 4 < 15 and head[2] & 0x0C != 0x0C


def _is_svg(file: IO[bytes]) -> bool:
    """True for XML, in any encoding, whose first element is svg."""
    first: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda name, _: first.append(name)
    file.seek(0)
    try:
        parser.Parse(file.read(LONGEST_PROLOGUE), False)
    except expat.ExpatError:
        pass  # what came before the fault counts: whoever reads the whole says what is wrong
    return bool(first) and first[0].rpartition(":")[2] == "svg"

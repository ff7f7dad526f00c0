"""Which files can carry a manifest, by name and by content.

In: a path, or the first bytes of a file. Out: the media type that the C2PA library is told, or a refusal that says what
to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from provenance.formats.bmff import refuse_fragments
from provenance.formats.riff import ADVICE as RIFF
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
}
UNSIGNABLE = (  # video that people have, and that cannot hold a manifest; the library makes no sidecar for them either
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
}
BRANDS = {
    b"avif": "image/avif",
    b"heic": "image/heic",
    b"mif1": "image/heif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
BMFF = ("video/mp4", "video/quicktime")
ADVICE = "Put it into an mp4 without encoding it again: ffmpeg -i IN -c copy OUT.mp4."


def media_type_of(path: Path) -> str:
    """The media type that the name stands for. Raises SealError for one that cannot hold a manifest."""
    suffix = path.suffix.lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    if suffix in UNSIGNABLE:
        raise SealError(f"{path}: a {suffix} file cannot hold a manifest", ADVICE)
    raise SealError(f"Cannot seal a {suffix or 'file without suffix'}", f"Choose one of: {', '.join(FORMATS)}.")


def check_content(file: BinaryIO, media_type: str, path: Path) -> None:
    """Refuses a file that is not what its name says, a part of a fragmented video, and a RIFF file with bytes between
    its chunks. Raises MediaError.
    """
    hold_structure(file, path)
    head = file.read(32)
    found = media_type_of_bytes(head)
    if not head:
        raise MediaError(f"{path} is empty (0 bytes)", "Copy or download it again.")
    if media_type in BMFF:
        if found not in BMFF:
            if head[4:8] in (b"styp", b"moof", b"sidx"):
                raise MediaError(f"{path} is a part of a fragmented video", ADVICE)
            raise MediaError(f"{path} is no mp4 or mov", "Look at what it is; its name alone does not make it one.")
        refuse_fragments(file)
    elif found != media_type:
        raise MediaError(f"{path} holds {found}, not {media_type} as its name says", "Give it the suffix that fits.")
    elif media_type in RIFF:
        refuse_loose_chunks(file, media_type, path)
    file.seek(0)


def media_type_of_bytes(head: bytes) -> str:
    """By the first bytes, not by the name: the library trusts what it is told and fails on a PNG called .jpg."""
    if head[4:8] == b"ftyp":
        return BRANDS.get(head[8:12], "video/mp4")
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"AVI ": "video/avi"}.get(head[8:12], "application/octet-stream")
    if head[4:8] in (b"moov", b"wide", b"mdat"):  # QuickTime before it had ftyp
        return "video/quicktime"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "application/octet-stream")
